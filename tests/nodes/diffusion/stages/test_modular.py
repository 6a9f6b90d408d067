"""Pipelines in blocks with the looks of stock ones; that they are exact is proved beside the others."""

from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures import pixels
from nodes.diffusion.sampling import denoising
from nodes.diffusion.schedules import noise
from nodes.diffusion.stages import modular, stock
from nodes.diffusion.text import prompts
from nodes.types import BlankLatent, Denoiser, TextEncoder
from tests.nodes.diffusion.tiny import exact
from tests.nodes.diffusion.tiny.table import TINY

ANIMA, FLUX3, DISTILLED = (f"{name}ModularPipeline" for name in ("Anima", "Flux3", "Flux3Distilled"))


def parts_of(name, *given):
    """The classes of the blocks that encode, draw and decode, without what their names have in common."""
    own = modular.as_stock(name)
    row = modular.row_of(own.every, given)
    kinds = (row.encoding, row.drawing, row.decoding)
    return [[type(block).__name__.removeprefix("Anima").removesuffix("Step") for block in kind] for kind in kinds]


def test_blocks_that_words_reach_before_the_drawing_encode():
    encoding, drawing, decoding = parts_of(ANIMA, "prompt")
    assert encoding == ["TextEncoder", "TextConditioning"]
    assert drawing == ["TextInput", "PrepareLatents", "SetTimesteps", "Denoise"]
    assert decoding == ["VaeDecoder", "ProcessImagesOutput"]
    assert parts_of(ANIMA, "prompt", "image")[0] == encoding
    assert "Img2ImgVaeEncoder" in parts_of(ANIMA, "prompt", "image")[1]


def test_what_is_drawn_from_is_what_the_encoding_blocks_give_the_others():
    for name in (ANIMA, FLUX3):
        assert modular.as_stock(name).encodes == ("prompt_embeds", "negative_prompt_embeds")
    assert modular.as_stock(DISTILLED).encodes == ("prompt_embeds",)


def test_the_signatures_are_those_of_the_blocks():
    assert set(stock.made_with(FLUX3)) >= {"text_encoder", "tokenizer", "vae", "transformer", "scheduler", "guider"}
    assert "prompt_upsampler" not in stock.made_with(FLUX3)
    call = stock.signature(FLUX3)
    assert call.defaults["num_inference_steps"] == 50
    assert call.takes_negative
    assert not stock.signature(DISTILLED).takes_negative


def test_a_guider_that_is_not_given_guides_nothing():
    pipeline = modular.as_stock(ANIMA)()
    assert pipeline.guider.num_conditions == 1
    given = SimpleNamespace(num_conditions=7)
    assert modular.as_stock(ANIMA)(guider=given).guider is given


def test_parts_forget_what_hooks_remember():
    forgot = []
    part = SimpleNamespace(_reset_stateful_cache=lambda: forgot.append(True))
    modular.as_stock(ANIMA)(transformer=part).maybe_free_model_hooks()
    assert forgot == [True]


@pytest.mark.parametrize("strength", [0.5, pytest.param(1.0, marks=pytest.mark.slow)])
@torch.no_grad()
def test_image_to_image_is_that_of_the_blocks(family, strength):
    source = family(ANIMA)
    _, latent = exact.picture_of(source, 2)
    ours = exact.own_from_latent(source, ANIMA, latent, steps=4, denoise=strength)
    assert torch.equal(ours.samples, exact.from_latent(source, ANIMA, latent, strength, steps=4))


@torch.no_grad()
def test_a_picture_is_encoded_as_by_the_blocks_up_to_rounding(family):
    """They divide by the deviations that VAEEncode multiplies by the inverse of."""
    source = family(ANIMA)
    picture, latent = exact.picture_of(source, 1)
    row = modular.row_of(modular.as_stock(ANIMA).every, ("prompt", "image"))
    encoder = next(block for block in row.drawing if "VaeEncoder" in type(block).__name__)
    height, width = picture.pixels.shape[-2:]
    with SHELF.use(source, "vae") as vae:
        pipeline = modular.as_stock(ANIMA)(vae=vae, transformer=SimpleNamespace(config=SimpleNamespace(in_channels=4)))
        given = {"image": pixels.to_pillow(picture.pixels[0]), "height": height, "width": width}
        _, state = encoder(pipeline, modular.PipelineState(given))
    assert torch.allclose(state.get("image_latents")[:, :, 0], latent.samples, rtol=1e-6, atol=1e-7)


def test_what_a_block_refuses_is_told_and_not_printed(family, capfd):
    source = family(ANIMA)
    prompt = prompts.encode_text(TextEncoder(source), "a fox")
    settings = {"scheduler": "FlowMatchEuler", "steps": 1, "guidance": 1.0, "seed": 0}
    with pytest.raises(PatchbayError, match="divisible by 8"):
        denoising.sample(Denoiser(source), prompt, None, BlankLatent(36, 32, 1), **settings)
    assert capfd.readouterr() == ("", "")


@torch.no_grad()
def test_a_picture_is_folded_and_encoded_as_by_the_blocks(family):
    source = family(FLUX3)
    picture, latent = exact.picture_of(source, 1)
    row = modular.row_of(modular.as_stock(FLUX3).every, ("prompt", "image"))
    with SHELF.use(source, "vae") as vae:
        pipeline = modular.as_stock(FLUX3)(vae=vae)
        state = modular.PipelineState({"image": pixels.to_pillow(picture.pixels[0])})
        for block in row.drawing[:2]:
            block(pipeline, state)
    assert torch.equal(state.get("image_cond_latents")[0], latent.samples)


@torch.no_grad()
def test_a_picture_is_drawn_over_as_by_the_blocks_from_its_noised_latent(family):
    source, steps, first = family(FLUX3), 4, 2
    _, latent = exact.picture_of(source, 2)
    ours = exact.own_from_latent(source, FLUX3, latent, steps=steps, denoise=0.5, pictures=[])
    sigmas = np.linspace(1.0, 1 / steps, steps)
    with ExitStack() as held:
        pipeline = exact.stock_pipeline(held, source)
        pipeline.scheduler.set_timesteps(sigmas=sigmas)
        drawn = noise.draw(latent.samples.shape[1:], noise.generators(11, 2), torch.float32)
        noised = pipeline.scheduler.scale_noise(latent.samples, pipeline.scheduler.timesteps[first].view(1), drawn)
        theirs = exact.from_latent(
            source, FLUX3, latent, 1.0, steps=steps, image=None, latents=noised, sigmas=sigmas[first:],
            **TINY[FLUX3].text,
        )  # fmt: skip
    assert torch.equal(ours.samples, theirs)
