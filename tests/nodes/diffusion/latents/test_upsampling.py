"""Latents made larger, against the stock pipelines on the same modules."""

from contextlib import ExitStack

import diffusers
import pytest
import torch
from diffusers.pipelines.ltx import LTXLatentUpsamplerModel
from diffusers.pipelines.ltx2 import LTX2LatentUpsamplerModel

from engine import Code, PatchbayError
from nodes import upscale_latent
from nodes.diffusion.disk.latent_upscaler_files import LATENT_UPSCALER, survey_latent_upscaler
from nodes.diffusion.memory.shelf import SHELF
from nodes.types import VAE, Latent, Leftover

MODELS = {"LTXPipeline": (LTXLatentUpsamplerModel, 8), "LTX2Pipeline": (LTX2LatentUpsamplerModel, 4)}


@pytest.fixture(params=MODELS)
def model(request, family, tmp_path):
    """A model's source, the folder of its upscaler, and a latent."""
    cls, channels = MODELS[request.param]
    torch.manual_seed(0)
    cls(in_channels=channels, mid_channels=32, num_blocks_per_stage=1).save_pretrained(tmp_path / "upscaler")
    source = family(request.param)
    drawn = torch.randn(2, channels, 3, 4, 6, generator=torch.Generator().manual_seed(1))
    return source, tmp_path / "upscaler", Latent(drawn, source.kind, sound=torch.ones(2, 2, 5, 2))


@pytest.mark.parametrize(("adain", "tone_mapping"), [(0.0, 0.0), (0.5, 0.6)])
@torch.no_grad()
def test_a_larger_latent_is_the_stock_pipeline_s(model, adain, tone_mapping):
    source, folder, latent = model
    ours = upscale_latent(VAE(source), latent, model=folder, adain=adain, tone_mapping=tone_mapping)
    with ExitStack() as held:
        vae = held.enter_context(SHELF.use(source, "vae"))
        upscaler = held.enter_context(SHELF.use(survey_latent_upscaler(folder, ""), LATENT_UPSCALER))
        more = {"adain_factor": adain, "tone_map_compression_ratio": tone_mapping, "output_type": "latent"}
        own = (vae.latents_mean, vae.latents_std, vae.config.scaling_factor)
        if source.pipeline_class == "LTXPipeline":
            pipeline = diffusers.LTXLatentUpsamplePipeline(vae, upscaler)
            theirs = pipeline(latents=latent.samples, return_dict=False, **more)[0]
        else:  # from the latents that its own pipeline gives, to those that this pipeline is given
            pipeline = diffusers.LTX2LatentUpsamplePipeline(vae, upscaler)
            given = diffusers.LTX2Pipeline._denormalize_latents(latent.samples, *own)
            theirs = diffusers.LTX2Pipeline._normalize_latents(
                pipeline(latents=given, return_dict=False, **more)[0], *own
            )
    assert torch.equal(ours.samples, theirs)
    assert ours.samples.shape == (2, latent.samples.shape[1], 3, 8, 12)
    assert torch.equal(ours.sound, latent.sound)


def test_what_does_not_fit_is_refused(model, tmp_path):
    source, folder, latent = model
    with pytest.raises(PatchbayError, match="was left at step 1"):
        upscale_latent(VAE(source), Latent(latent.samples, latent.kind, Leftover(1, 2, "x", {})), model=folder)
    LTXLatentUpsamplerModel(in_channels=6, mid_channels=32, num_blocks_per_stage=1).save_pretrained(tmp_path / "other")
    with pytest.raises(PatchbayError, match="6 channels, as AutoencoderKLLTXVideo makes them") as caught:
        upscale_latent(VAE(source), latent, model=tmp_path / "other")
    assert caught.value.code == Code.BAD_VALUE
    (folder / "config.json").write_text('{"_class_name": "LTXLatentUpsampler"}')
    with pytest.raises(PatchbayError, match="no upscaler of latents") as caught:
        survey_latent_upscaler(folder, "model")
    assert caught.value.code == Code.UNSUPPORTED_CLASS
