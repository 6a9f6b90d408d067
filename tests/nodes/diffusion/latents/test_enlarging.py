"""Latents made larger by a model, as the stock pipeline does it."""

import diffusers
import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes import upscale_latent
from nodes.diffusion.disk.latent_upscaler_files import LATENT_UPSCALER, survey_latent_upscaler, wanted_files
from nodes.diffusion.memory.shelf import SHELF
from nodes.types import VAE, Latent, Leftover

FAMILY = "LTXPipeline"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny upscaler."""
    return made(tmp_path_factory.mktemp("upscaler"), 8)


def made(folder, channels):
    torch.manual_seed(0)
    upscaler = diffusers.pipelines.ltx.LTXLatentUpsamplerModel(
        in_channels=channels, mid_channels=32, num_blocks_per_stage=1
    )
    upscaler.save_pretrained(folder)
    return folder


def latents(source, batch=1):
    drawn = torch.randn(batch, 8, 2, 2, 3, generator=torch.Generator().manual_seed(0))
    return Latent(drawn, source.kind)


@pytest.fixture
def vae(family):
    """The VAE of a model whose channels have deviations of their own."""
    source = family(FAMILY)
    with SHELF.use(source, "vae") as module:
        module.latents_std.copy_(torch.linspace(0.5, 2, 8))
        yield VAE(source), module
        module.latents_std.fill_(1)


@pytest.mark.parametrize("settings", [(0.0, 0.0), (0.7, 0.6)], ids=["plain", "all"])
@pytest.mark.parametrize("batch", [1, 2])
def test_larger_latents_are_the_stock_pipeline_s(vae, folder, settings, batch):
    ours, module = vae
    latent = latents(ours.source, batch)
    larger = upscale_latent(ours, latent, model=folder, adain=settings[0], tone_mapping=settings[1])
    named = dict(zip(("adain_factor", "tone_map_compression_ratio"), settings, strict=True))
    with SHELF.use(survey_latent_upscaler(folder, "x"), LATENT_UPSCALER) as upscaler, torch.no_grad():
        stock = diffusers.LTXLatentUpsamplePipeline(module, upscaler)
        theirs = stock(latents=latent.samples, output_type="latent", return_dict=False, **named)[0]
    assert larger.samples.shape == (batch, 8, 2, 4, 6)
    assert torch.equal(larger.samples, theirs)


def test_what_does_not_fit_is_refused(family, folder, tmp_path):
    source = family(FAMILY)
    with pytest.raises(PatchbayError, match="enlarges latents of 32 channels, and those of this model have 8"):
        upscale_latent(VAE(source), latents(source), model=made(tmp_path, 32))
    unfinished = Latent(latents(source).samples, source.kind, Leftover(1, 2, "", {}))
    with pytest.raises(PatchbayError, match="left at step 1 of 2"):
        upscale_latent(VAE(source), unfinished, model=folder)
    with pytest.raises(PatchbayError) as caught:
        upscale_latent(VAE(source), Latent(latents(source).samples, "wan"), model=folder)
    assert caught.value.code is Code.KIND_MISMATCH


def test_another_model_is_no_upscaler_of_latents(tiny_folder):
    with pytest.raises(PatchbayError, match="no upscaler of latents") as caught:
        survey_latent_upscaler(tiny_folder / "vae", "model")
    assert caught.value.code is Code.UNSUPPORTED_CLASS


def test_of_a_repository_its_configuration_and_weights_are_wanted():
    names = ["config.json", "README.md", "diffusion_pytorch_model.safetensors"]
    assert wanted_files(names) == ["config.json", "diffusion_pytorch_model.safetensors"]
