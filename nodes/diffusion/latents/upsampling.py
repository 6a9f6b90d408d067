"""Latents of videos made larger by a model of their family, as its stock pipeline does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from nodes.diffusion.disk.latent_upscaler_files import (
    KNOWN,
    LATENT_UPSCALER,
    check_fits,
    survey_latent_upscaler,
)
from nodes.diffusion.latents.latent_math import finished
from nodes.diffusion.latents.mask_rules import check_unmasked
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.stages import stock
from nodes.diffusion.stages.checks import check_kind
from nodes.diffusion.weights.device import kept
from nodes.diffusion.weights.libraries import diffusers
from nodes.types import VAE, Latent

if TYPE_CHECKING:
    from pathlib import Path


def upsampled(vae: VAE[Any], latent: Latent[Any], path: Path, *, adain: float, tone_mapping: float) -> Latent[Any]:
    """The latent, made larger by the upscaler in the folder `path`; its sound stays.

    `adain` is how far each channel's mean and spread are brought back to those before, `tone_mapping` how far large
    numbers are drawn in, both from 0 to 1. Raises `kind_mismatch`, or `bad_value` for a latent that is unfinished, has
    a mask or does not fit the upscaler.
    """
    source, net = vae.source, survey_latent_upscaler(path, "model")
    check_kind("latent", latent.kind, "VAE", source.kind)
    check_unmasked(latent)
    finished(latent)
    decoder = source.family.decoder
    check_fits(net, source.parts[decoder].class_name, latent.samples.shape[1])
    name = KNOWN[net.class_name].pipeline
    call = stock.signature(name)
    with SHELF.use(source, decoder) as module, SHELF.use(net, LATENT_UPSCALER) as upscaler, torch.inference_mode():
        given = {
            "latents": latent.samples.to(module.device),
            "latents_normalized": True,
            "adain_factor": adain,
            "tone_map_compression_ratio": tone_mapping,
            "output_type": "latent",
            "return_dict": False,
        }
        found = getattr(diffusers, name)(module, upscaler)(**call.only(given))[0]
        if "latents_normalized" in call:  # it takes latents as the denoiser has them, and gives them as the VAE does
            own = module.config.scaling_factor
            found = diffusers.LTX2Pipeline._normalize_latents(found, module.latents_mean, module.latents_std, own)  # noqa: SLF001
        return Latent(kept(found), latent.kind, sound=latent.sound)
