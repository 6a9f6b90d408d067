"""Masks made softer, larger, smaller, inverted or hard."""

from __future__ import annotations

from math import ceil

import torch
from torch.nn import functional

from engine.errors import Code, PatchbayError
from nodes.types import Image, Mask

_REACH = 3
"""Standard deviations on each side after which a Gaussian is cut off."""


HALF = 0.5
"""From here on a mask that must be hard means "here", as in Diffusers."""


def invert(mask: Mask) -> Mask:
    """Here becomes elsewhere."""
    return Mask(1 - mask.coverage)


def binarize(mask: Mask, threshold: float = HALF) -> Mask:
    """1 where the mask reaches `threshold`, else 0."""
    return Mask((mask.coverage >= threshold).float())


def blur(mask: Mask, radius: float) -> Mask:
    """A soft edge: Gaussian blur with a standard deviation of `radius` pixels; 0 changes nothing."""
    if radius < 0:
        raise PatchbayError(Code.BAD_VALUE, "radius", f"A blur of {radius} pixels is no blur.", "Choose 0 or more.")
    if radius == 0:
        return mask
    reach = ceil(_REACH * radius)
    places = torch.arange(-reach, reach + 1, dtype=torch.float32)
    weights = torch.exp(-0.5 * (places / radius) ** 2)
    weights = weights / weights.sum()
    across = functional.pad(mask.coverage, (reach, reach, 0, 0), mode="replicate")
    across = functional.conv2d(across, weights.view(1, 1, 1, -1))
    down = functional.pad(across, (0, 0, reach, reach), mode="replicate")
    return Mask(functional.conv2d(down, weights.view(1, 1, -1, 1)).clamp(0, 1))


def grow(mask: Mask, pixels: int) -> Mask:
    """Every side moved outwards by `pixels`, or inwards when negative."""
    if pixels < 0:
        return invert(grow(invert(mask), -pixels))
    across = functional.max_pool2d(mask.coverage, (1, 2 * pixels + 1), 1, (0, pixels))
    return Mask(functional.max_pool2d(across, (2 * pixels + 1, 1), 1, (pixels, 0)))


def feather(mask: Mask, pixels: int) -> Mask:
    """Fading out around what is covered within so many pixels: covered stays covered, beyond there is nothing."""
    fade = pixels // 2
    grown = grow(mask, pixels - fade)
    across = functional.avg_pool2d(grown.coverage, (1, 2 * fade + 1), 1, (0, fade), count_include_pad=False)
    down = functional.avg_pool2d(across, (2 * fade + 1, 1), 1, (fade, 0), count_include_pad=False)
    return Mask(down.clamp(0, 1))


def brightness(image: Image) -> Mask:
    """How bright each pixel is: the luma of ITU-R BT.601."""
    weights = torch.tensor((0.299, 0.587, 0.114), dtype=torch.float32).view(1, 3, 1, 1)
    return Mask((image.pixels * weights).sum(1, keepdim=True).clamp(0, 1))
