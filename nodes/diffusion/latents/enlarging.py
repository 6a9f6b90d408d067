"""Latents made larger by a model that was trained for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.latent_upscaler_files import LATENT_UPSCALER, survey_latent_upscaler
from nodes.diffusion.families.family import LATENT_CHANNELS
from nodes.diffusion.latents.latent_math import finished
from nodes.diffusion.latents.mask_rules import check_unmasked
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.stages.checks import check_kind
from nodes.diffusion.weights.device import kept
from nodes.diffusion.weights.libraries import diffusers
from nodes.types import VAE, Latent

if TYPE_CHECKING:
    from pathlib import Path


def enlarged(vae: VAE[Any], latent: Latent[Any], path: Path, *, adain: float, tone: float) -> Latent[Any]:
    """The latents of videos as Diffusers' `LTXLatentUpsamplePipeline` makes them of these: sides twice as long.

    With `adain` above 0 each channel keeps its mean and deviation by that share; `tone` presses large numbers together.
    Raises `kind_mismatch` for latents of another family, `bad_value` for unfinished or masked ones and other channels.
    """
    check_unmasked(latent)
    check_kind("latent", latent.kind, "VAE", vae.kind)
    source = survey_latent_upscaler(path, "model")
    wanted = source.parts[LATENT_UPSCALER].first_integer(("in_channels",))
    name = vae.source.family.decoder
    channels = vae.source.parts[name].first_integer(LATENT_CHANNELS)
    if wanted != channels:
        what = f"{path} enlarges latents of {wanted} channels, and those of this model have {channels}."
        raise PatchbayError(Code.BAD_VALUE, "model", what, "Use the upscaler that was made for this model.")
    samples = finished(latent).samples
    with SHELF.use(source, LATENT_UPSCALER) as module, SHELF.use(vae.source, name) as decoder, torch.inference_mode():
        stock: Any = diffusers.LTXLatentUpsamplePipeline  # diffusers does not type its pipelines
        settings = {"adain_factor": adain, "tone_map_compression_ratio": tone, "output_type": "latent"}
        larger = stock(decoder, module)(latents=samples, return_dict=False, **settings)[0]
        return Latent(kept(larger), latent.kind)
