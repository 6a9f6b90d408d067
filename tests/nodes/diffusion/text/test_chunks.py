"""Weighted prompts follow their formula, long ones are read to their end, and a weight of one changes no bit."""

import pytest
import torch

from engine.events import NodeMessage
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.sampling import denoising
from nodes.diffusion.text import chunks, prompts
from nodes.diffusion.text.weighting import Piece
from nodes.types import BlankLatent, Denoiser, TextEncoder

HOW = ("towards empty", "mean kept")


@pytest.fixture(params=["StableDiffusionPipeline", "StableDiffusionXLPipeline", "tiny", "pocket"])
def model(request, family):
    name = request.param
    return family(name) if name.endswith("Pipeline") else request.getfixturevalue(name)


def vectors(model, text, weights="off", **more):
    return prompts.encode_text(TextEncoder(model), text, weights=weights, **more).tensors


def window(model):
    with SHELF.use(model, "tokenizer", alone=True) as tokenizer:
        return tokenizer.model_max_length


@pytest.mark.parametrize("role", ["positive", "negative"])
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(("weighted", "plain"), [("a red fox", "a red fox"), ("a (red:1) fox", "a red fox"), ("", "")])
def test_weights_of_one_are_the_plain_encoding(model, how, role, weighted, plain):
    ours, theirs = vectors(model, weighted, how, role=role), vectors(model, plain, role=role)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_weights_move_tokens_away_from_the_empty_prompt(model):
    ours = vectors(model, "a (b:1.5) c", "towards empty")["prompt_embeds"]
    plain, empty = vectors(model, "a b c")["prompt_embeds"], vectors(model, "")["prompt_embeds"]
    expected = plain.clone()
    expected[:, 2] = empty[:, 2] + 1.5 * (plain[:, 2] - empty[:, 2])
    assert torch.allclose(ours, expected, atol=1e-6)
    untouched = [index for index in range(ours.shape[1]) if index != 2]
    assert torch.equal(ours[:, untouched], plain[:, untouched])
    assert not torch.equal(ours, plain)


def test_the_mean_of_each_encoder_is_kept(model):
    ours = vectors(model, "a (b:1.5) c", "mean kept")["prompt_embeds"]
    plain, widths = vectors(model, "a b c")["prompt_embeds"], [part for part in model.parts if part[:6] == "text_e"]
    each = ours.shape[-1] // len(widths)
    for one, other in zip(ours.split(each, -1), plain.split(each, -1), strict=True):
        scaled = other.clone()
        scaled[:, 2] *= 1.5
        assert torch.allclose(one, scaled * (other.mean() / scaled.mean()), atol=1e-4)
        assert torch.allclose(one.mean(), other.mean(), atol=1e-6)


def test_weights_leave_the_pooled_prompt_alone(family):
    source = family("StableDiffusionXLPipeline")
    ours, plain = vectors(source, "(b:2)", "towards empty"), vectors(source, "b")
    assert torch.equal(ours["pooled_prompt_embeds"], plain["pooled_prompt_embeds"])


def test_a_long_prompt_is_its_windows_joined(model, within):
    room = window(model) - 2
    first, second = " ".join("abcde"[index % 5] for index in range(room)), "x y"
    seen = []
    with within(emit=seen.append):
        ours = vectors(model, f"{first} {second}", "towards empty")
    one, other = vectors(model, first), vectors(model, second)
    assert torch.equal(ours["prompt_embeds"], torch.cat([one["prompt_embeds"], other["prompt_embeds"]], 1))
    assert all(torch.equal(ours[name], one[name]) for name in ours if name != "prompt_embeds")
    assert not any("tokens long" in event.text for event in seen if isinstance(event, NodeMessage))


def test_a_word_stays_whole_unless_it_is_longer_than_a_window(tiny):
    class Pipeline:
        pass

    with SHELF.use(tiny, "tokenizer", alone=True) as tokenizer:
        used = [each.used - 2 for each in chunks.windows(Pipeline(), tokenizer, [Piece("a b c d e f abcdefgh")])]
        cut = [each.used - 2 for each in chunks.windows(Pipeline(), tokenizer, [Piece("a " + "b" * 25)])]
    assert used == [6, 8]
    assert cut == [10, 10, 6]


def long(model):
    return "a " * (2 * window(model))


def latent(model, positive, negative, **more):
    return denoising.sample(
        Denoiser(model), positive, negative, BlankLatent(32, 32, 1),
        scheduler="DDIM", steps=2, guidance=3.0, seed=1, **more,
    ).samples  # fmt: skip


def test_positive_and_negative_are_brought_to_one_length(model):
    encoder = TextEncoder(model)
    positive = prompts.encode_text(encoder, long(model), weights="mean kept")
    short = prompts.encode_text(encoder, "b", role="negative")
    empty = prompts.encode_text(encoder, "", role="negative").tensors["prompt_embeds"]
    times = positive.tensors["prompt_embeds"].shape[1] // empty.shape[1] - 1
    assert times >= 2
    joined = torch.cat([short.tensors["prompt_embeds"], *[empty] * times], 1)
    by_hand = prompts.Conditioning({**short.tensors, "prompt_embeds": joined}, encoder, "b", "negative")
    assert torch.equal(latent(model, positive, short), latent(model, positive, by_hand))
    assert torch.isfinite(latent(model, short, positive)).all()
    assert torch.isfinite(latent(model, positive, None)).all()


def test_prompts_of_one_length_stay_as_they_are(tiny):
    prompt = prompts.encode_text(TextEncoder(tiny), "a")
    assert prompts.evened(prompt, None) == (prompt, None)
    one, other = prompts.evened(prompt, prompt)
    assert one is prompt
    assert other is prompt


def test_brackets_are_characters_where_weights_are_off(tiny):
    assert not torch.equal(vectors(tiny, "[a] b")["prompt_embeds"], vectors(tiny, "a b")["prompt_embeds"])
    assert torch.equal(vectors(tiny, r"\[a\] b", "mean kept")["prompt_embeds"], vectors(tiny, "[a] b")["prompt_embeds"])
