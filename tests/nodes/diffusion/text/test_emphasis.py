"""Weighted words where T5 reads: by their formula, at their own tokens, and a weight of one changes no bit."""

import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion.text import prompts
from nodes.types import TextEncoder
from tests.nodes.diffusion.tiny.table import TINY

# Diffusers' own
pytestmark = pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning")

FLUX = "FluxPipeline"
READ = (
    *(FLUX, "StableDiffusion3Pipeline", "PixArtSigmaPipeline", "HunyuanDiTPipeline", "AuraFlowPipeline"),
    *("ChromaPipeline", "CogView3PlusPipeline", "BriaPipeline", "FluxKontextPipeline", "PixArtAlphaPipeline"),
    *("WanPipeline", "LTXPipeline", "CogVideoXPipeline", "MochiPipeline", "Cosmos2TextToImagePipeline"),
)
"""Classes whose text encoders weigh words; others of their families read in the same way."""

CASES = [pytest.param(name, marks=[pytest.mark.slow] if number > 3 else []) for number, name in enumerate(READ)]


def vectors(source, text, weights="off", **more):
    options = TINY[source.pipeline_class].text
    return prompts.encode_text(TextEncoder(source), text, weights=weights, options=options, **more).tensors


@pytest.mark.parametrize("name", CASES)
def test_a_weighted_word_is_led_away_from_the_empty_prompt_and_no_other(family, name):
    source = family(name)
    ours, plain = (vectors(source, *given) for given in (("a (b:1.5) c", "towards empty"), ("a b c",)))
    same = vectors(source, "a (b:1) c", "towards empty", role="negative")
    stock = vectors(source, "a b c", role="negative")
    assert all(torch.equal(same[each], stock[each]) for each in stock if isinstance(stock[each], torch.Tensor))
    empty, moved = vectors(source, "")["prompt_embeds"], (ours["prompt_embeds"] != plain["prompt_embeds"]).any(-1)
    assert 0 < moved.sum() < 5
    for each in ours:
        if isinstance(ours[each], torch.Tensor) and "prompt_embeds" not in each:
            assert torch.equal(ours[each], plain[each])
    if empty.shape == ours["prompt_embeds"].shape:
        expected = empty + 1.5 * (plain["prompt_embeds"] - empty)
        assert torch.allclose(ours["prompt_embeds"][moved], expected[moved], atol=1e-5)


def test_the_pooled_prompt_stays(family):
    ours, plain = (vectors(family(FLUX), *given) for given in (("(b:2)", "towards empty"), ("b",)))
    assert torch.equal(ours["pooled_prompt_embeds"], plain["pooled_prompt_embeds"])
    assert not torch.equal(ours["prompt_embeds"], plain["prompt_embeds"])


def test_a_negative_is_weighted_too(family):
    source = family("PixArtSigmaPipeline")
    ours = vectors(source, "(a:0.5) b", "towards empty", role="negative")["prompt_embeds"]
    assert not torch.equal(ours, vectors(source, "a b", role="negative")["prompt_embeds"])


def test_weights_follow_words_through_capitals_and_spaces(family):
    source = family("WanPipeline")
    ours, other = (vectors(source, text, "towards empty") for text in ("  A   (b:1.5) C ", "A (b:1.5) C"))
    assert torch.equal(ours["prompt_embeds"], other["prompt_embeds"])


def test_what_a_pipeline_rewrites_is_refused(family):
    with pytest.raises(PatchbayError, match="rewrites") as caught:
        vectors(family("WanPipeline"), "a &amp; (b:1.5)", "towards empty")
    assert caught.value.at == "text"


@pytest.mark.parametrize(
    ("name", "how", "why"),
    [
        ("QwenImagePipeline", "towards empty", r"CLIP and T5 only.*Qwen"),
        (FLUX, "mean kept", r"CLIP only.*T5"),
        ("Kandinsky3Pipeline", "towards empty", "together"),
    ],
)
def test_models_that_weights_are_not_defined_for_say_why(family, name, how, why):
    with pytest.raises(PatchbayError, match=why) as caught:
        vectors(family(name), "(a:2)", how)
    assert caught.value.at == "weights"
