"""Prompts are encoded as the stock pipeline encodes them, and what is not read is said."""

import pytest
import torch

from engine.errors import Code, PatchbayError
from engine.events import NodeMessage
from nodes.diffusion.disk.source import survey
from nodes.diffusion.latents.latent_math import mix
from nodes.diffusion.text import prompts
from nodes.pocket.vocabulary import write_words
from nodes.types import TextEncoder

PROMPT = "a red circle on a blue background"


@pytest.mark.parametrize("text", ["", "a", "Füchse 狐 🦊", PROMPT, "word " * 200])
def test_encoding_is_the_stock_pipeline_s(source, stock, text):
    pipeline = stock(source, "DDIM")
    with torch.no_grad():
        options = {"do_classifier_free_guidance": True, "negative_prompt": text}
        theirs, negative = pipeline.encode_prompt(PROMPT, "cpu", 1, **options)
        positive, _ = pipeline.encode_prompt(text, "cpu", 1, do_classifier_free_guidance=False)
    ours = prompts.encode_text(TextEncoder(source), text).tensors["prompt_embeds"]
    assert torch.equal(ours, negative)
    assert torch.equal(ours, positive)
    assert ours.shape == theirs.shape


def test_truncated_words_are_named(source, within):
    seen = []
    with within(emit=seen.append):
        prompts.encode_text(TextEncoder(source), "a " * 40 + "zebra")
        prompts.encode_text(TextEncoder(source), "a fox")
    messages = [event.text for event in seen if isinstance(event, NodeMessage)]
    (message,) = [text for text in messages if "tokens long" in text]
    limit = {"pocket": "32", "sd-32x4": "12"}[source.kind]
    assert f"reads {limit}" in message
    assert message.rstrip().endswith(("zebra", "z e b r a"))


def test_truncated_words_are_named_where_the_tokenizer_is_kept_in_a_processor(family, within):
    seen = []
    options = {"max_sequence_length": 20, "text_encoder_out_layers": [1, 2, 3]}
    with within(emit=seen.append):
        prompts.encode_text(TextEncoder(family("Flux3ModularPipeline")), "a zebra in the black snow", options=options)
    (message,) = [event.text for event in seen if isinstance(event, NodeMessage)]
    assert message.startswith("The prompt is 25 tokens long and this model reads 20. Not read: ")


def test_unknown_words_are_named_where_the_model_says_what_it_knows(broken, within):
    write_words(broken / "tokenizer", "tiny")
    source = survey(broken, at="")
    seen = []
    with within(emit=seen.append):
        prompts.encode_text(TextEncoder(source), "a red owl")
        prompts.encode_text(TextEncoder(source), "a red")
    (message,) = [event.text for event in seen if isinstance(event, NodeMessage)]
    assert message.startswith("Not known here: owl. tiny knows: colours: red, ")


def test_only_a_model_that_says_what_it_knows_is_asked_for_what_it_does_not(source, within):
    seen = []
    with within(emit=seen.append):
        prompts.encode_text(TextEncoder(source), "a red owl")
    told = [event.text for event in seen if isinstance(event, NodeMessage) and "Not known" in event.text]
    assert [text.partition(":")[2].partition(".")[0] for text in told] == ([" owl"] if source.kind == "pocket" else [])


def test_options_that_the_pipeline_cannot_work_with_are_told_as_such(source):
    with pytest.raises(PatchbayError, match="cannot work with cross_attention_kwargs: ") as caught:
        prompts.encode_text(TextEncoder(source), PROMPT, options={"cross_attention_kwargs": 3})
    assert (caught.value.code, caught.value.at) == (Code.BAD_VALUE, "options")
    assert caught.value.__cause__ is not None


def test_a_model_that_reads_the_words_again_takes_no_mixture(family):
    encoder = TextEncoder(family("GlmImagePipeline"))
    one, other = (prompts.encode_text(encoder, text) for text in ('"a fox"', '"a cat"'))
    prompts.check_words(one)
    with pytest.raises(PatchbayError, match="cannot be a mixture"):
        prompts.check_words(mix(one, other, 0.5, "lerp"))
