"""Layers of CLIP's text encoder can be left out, and only as many as there are."""

from contextlib import ExitStack

import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.text import prompts
from nodes.types import TextEncoder
from tests.nodes.diffusion.tiny import exact

SD, XL = "StableDiffusionPipeline", "StableDiffusionXLPipeline"


def embeds(source, **options):
    return prompts.encode_text(TextEncoder(source), "a red fox", options=options).tensors["prompt_embeds"]


@pytest.mark.parametrize("skip", [1, 2, 3])
def test_stable_diffusion_s_last_layers_are_left_out_and_the_norm_is_kept(family, skip):
    source = family(SD)
    with SHELF.use(source, "text_encoder") as encoder, SHELF.use(source, "tokenizer") as tokenizer, torch.no_grad():
        ids = tokenizer("a red fox", padding="max_length", return_tensors="pt").input_ids
        hidden = encoder(ids, output_hidden_states=True).hidden_states[-(skip + 1)]
        expected = encoder.final_layer_norm(hidden)
        assert torch.equal(embeds(source, clip_skip=skip), expected)
        assert not hasattr(encoder, "text_model")
    assert not torch.equal(embeds(source, clip_skip=skip), embeds(source))
    assert torch.equal(embeds(source, clip_skip=0), embeds(source))


@pytest.mark.parametrize("skip", [1, 2])
def test_sdxl_s_are_the_stock_pipeline_s(family, skip):
    source = family(XL)
    with ExitStack() as held, torch.no_grad():
        pipeline = exact.stock_pipeline(held, source)
        theirs = pipeline.encode_prompt("a red fox", device="cpu", clip_skip=skip)[0]
    assert torch.equal(embeds(source, clip_skip=skip), theirs)


@pytest.mark.parametrize(("name", "skip", "most"), [(SD, 4, 3), (XL, 3, 2), (SD, -1, 3), (SD, 1.5, 3)])
def test_more_layers_than_there_are_cannot_be_left_out(family, name, skip, most):
    with pytest.raises(PatchbayError, match="cannot be left out") as caught:
        embeds(family(name), clip_skip=skip)
    assert caught.value.at == "clip_skip"
    assert f"0 to {most}" in caught.value.fix


def test_a_model_without_such_layers_says_so(family):
    with pytest.raises(PatchbayError, match="no layers to leave out") as caught:
        embeds(family("FluxPipeline"), clip_skip=1)
    assert caught.value.at == "clip_skip"
