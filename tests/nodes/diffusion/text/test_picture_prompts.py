"""Pictures behind the words of a prompt, bit for bit as the stock prior puts them there."""

from contextlib import ExitStack

import diffusers
import pytest
import torch

from engine.errors import PatchbayError
from nodes import add_picture_prompt, sample
from nodes.diffusion.disk.whole import survey_whole
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.sampling.regions import combined
from nodes.diffusion.text import prompts
from nodes.types import BlankLatent, Denoiser, Image, TextEncoder
from tests.nodes.diffusion.tiny import exact, redux

FLUX = "FluxPipeline"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return redux.build(tmp_path_factory.mktemp("redux") / "model")


def pictures(count):
    drawn = torch.rand(count, 3, 24, 40, generator=torch.Generator().manual_seed(0))
    return Image((drawn * 255).round() / 255)


def told(source, text="a fox"):
    return prompts.encode_text(TextEncoder(source), text)


@torch.no_grad()
def stock_prior(source, folder, image, text, **scales):
    """What the stock class gives, with the text encoders of FLUX and its own modules."""
    with ExitStack() as held:
        own = survey_whole(folder, "test")
        names = ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2")
        parts = {name: held.enter_context(SHELF.use(source, name)) for name in names}
        parts |= {name: held.enter_context(SHELF.use(own, name)) for name in own.parts}
        shown = [to_pillow(each) for each in image.pixels]
        return diffusers.FluxPriorReduxPipeline(**parts)(shown, prompt=text, return_dict=False, **scales)


@pytest.mark.parametrize(("count", "strength", "pooled"), [(1, 1.0, 1.0), (1, 0.7, 0.3), (2, 0.5, 0.5)])
def test_the_prompt_is_the_stock_prior_s(family, folder, count, strength, pooled):
    source, image = family(FLUX), pictures(count)
    before = told(source)
    digest = before.digest()
    ours = add_picture_prompt(before, image, model=folder, strength=strength, pooled_strength=pooled)
    scales = {"prompt_embeds_scale": strength, "pooled_prompt_embeds_scale": pooled}
    tokens, vector = stock_prior(source, folder, image, "a fox", **scales)
    assert torch.equal(ours.tensors["prompt_embeds"], tokens)
    assert torch.equal(ours.tensors["pooled_prompt_embeds"], vector)
    assert before.digest() == digest


def test_what_is_drawn_after_it_is_the_stock_pipeline_s(family, folder):
    source, image = family(FLUX), pictures(1)
    tokens, vector = stock_prior(source, folder, image, "a fox")
    with ExitStack() as held, torch.no_grad():
        theirs = exact.stock_pipeline(held, source)(
            prompt_embeds=tokens, pooled_prompt_embeds=vector, width=32, height=32, num_inference_steps=2,
            guidance_scale=3.5, generator=torch.Generator().manual_seed(7), output_type="latent", return_dict=False,
        )[0]  # fmt: skip
        theirs = exact.layouts.unpack(exact.stock_pipeline(held, source), theirs, exact.layouts.Size(32, 32))
    positive = add_picture_prompt(told(source), image, model=folder)
    given = {"scheduler": "FlowMatchEuler", "steps": 2, "guidance": 3.5, "seed": 7}
    assert torch.equal(sample(Denoiser(source), positive, BlankLatent(32, 32, 1), **given).samples, theirs)


def test_prompts_that_cannot_have_pictures_behind_them_are_refused(family, folder):
    source = family(FLUX)
    with pytest.raises(PatchbayError, match="reads no pictures behind the words"):
        add_picture_prompt(told(family("QwenImagePipeline")), pictures(1), model=folder)
    with pytest.raises(PatchbayError, match="combined before the picture"):
        add_picture_prompt(combined([told(source), told(source, "a cat")]), pictures(1), model=folder)


def test_tokens_of_another_width_are_refused(family, folder, monkeypatch):
    own = survey_whole(folder, "test").parts["image_embedder"]
    monkeypatch.setitem(own.config, "txt_in_features", 48)
    with pytest.raises(PatchbayError, match="tokens of 48 numbers, and those of the prompt have 32"):
        add_picture_prompt(told(family(FLUX)), pictures(1), model=folder)
