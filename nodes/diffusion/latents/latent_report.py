"""Latent space in numbers: how well a picture survives it, how far its distribution is from noise, how small it is."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.diffusion.latents.mask_rules import check_unmasked
from nodes.diffusion.pictures.masks import HALF
from nodes.diffusion.pictures.pixels import check_same_size
from nodes.types import Latent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodes.types import Image, LatentDistribution

EQUAL = 100.0
"""Decibels; what is closer differs in no bit of a picture file."""


def psnr(one: Image, other: Image) -> list[float]:
    """For each picture the peak signal-to-noise ratio in decibels, at most `EQUAL`. Raises like `check_same_size`."""
    check_same_size("psnr", one.pixels, other.pixels)
    errors = (one.pixels.double() - other.pixels.double()).square().mean((1, 2, 3)).tolist()
    return [min(EQUAL, -10 * log10(error)) if error else EQUAL for error in errors]


def divergence(found: LatentDistribution[Any]) -> list[float]:
    """For each picture the Kullback-Leibler divergence from the standard normal distribution, in nats.

    Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), appendix B: what the encoder was trained to keep
    small.
    """
    mean, logvar = found.mean.double(), found.logvar.double()
    numbers: list[float] = (0.5 * (mean.square() + logvar.exp() - 1 - logvar)).flatten(1).sum(1).tolist()
    return numbers


def described(latent: Latent[Any], image: Image | None) -> str:
    """Shape, size and statistics of a latent, and how many times smaller it is than its pictures."""
    samples = latent.samples
    count = samples[0].numel()
    shape = " x ".join(map(str, samples.shape[1:]))
    lines = [f"{len(samples)} latents of {shape} = {count:,} numbers each, kind {latent.kind}"]
    if image is not None:
        whole = image.pixels[0].numel()
        sides = f"{image.pixels.shape[-1]} x {image.pixels.shape[-2]} pixels of 3 colours = {whole:,} numbers"
        lines.append(f"{sides}: {whole / count:.1f} times as many")
    for index, sample in enumerate(samples):
        channels = zip(sample.flatten(1).mean(1).tolist(), sample.flatten(1).std(1).tolist(), strict=True)
        told = ", ".join(f"{mean:.3f} +- {deviation:.3f}" for mean, deviation in channels)
        lines.append(f"{index}: mean and deviation of each channel {told}")
    if latent.mask is not None:
        lines.append(f"to be painted where a mask is: {float((latent.mask.coverage >= HALF).float().mean()):.1%}")
    if latent.leftover is not None:
        lines.append(f"not finished: left at step {latent.leftover.step} of {latent.leftover.steps}")
    return "\n".join(lines)


def edited(latent: Latent[Any], scale: Sequence[float], offset: Sequence[float]) -> Latent[Any]:
    """Every channel times its `scale` plus its `offset`; an empty list leaves all as they are. Raises `bad_value`."""
    import torch

    check_unmasked(latent)
    samples = latent.samples
    for name, values, neutral in (("scale", scale, 1.0), ("offset", offset, 0.0)):
        if values and len(values) != samples.shape[1]:
            what = f"There are {len(values)} numbers for {samples.shape[1]} channels."
            raise PatchbayError(Code.BAD_VALUE, name, what, "Give one for each channel, or none.")
        numbers = torch.tensor(values or [neutral] * samples.shape[1], dtype=samples.dtype).view(-1, 1, 1)
        samples = samples * numbers if name == "scale" else samples + numbers
    return Latent(samples, latent.kind, sound=latent.sound)
