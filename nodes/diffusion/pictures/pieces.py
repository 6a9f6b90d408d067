"""Pieces of pictures: cut out around a mask, put back, and pictures made larger."""

from __future__ import annotations

from math import ceil
from typing import Literal

import torch
from torch.nn import functional

from engine.errors import Code, PatchbayError
from nodes.diffusion.pictures import masks, pixels
from nodes.diffusion.pictures.picture_files import LARGEST_PICTURE
from nodes.types import Image, Mask, Placement

_GREY = 0.5


def cut(image: Image, mask: Mask, width: int, height: int, padding: int) -> tuple[Image, Mask, Placement]:
    """What the mask covers and `padding` pixels around it, of the proportions of `width` x `height` and at that size.

    Where the picture is too small for these proportions the piece is stretched, and stretched back when it is pasted.
    Raises `bad_value` for a mask of another size than the picture, and for one that covers nothing.
    """
    pixels.check_same_size("mask", image.pixels, mask.coverage)
    place = placed(mask, width, height, padding)
    corner = (place.left, place.top, place.width, place.height)
    piece = pixels.resize(pixels.crop(image, *corner), width, height)
    return piece, pixels.resize_mask(Mask(_inside(mask.coverage, place).clone()), width, height), place


def placed(mask: Mask, width: int, height: int, padding: int) -> Placement:
    """The rectangle around what the mask covers. Raises `bad_value` for one that covers nothing."""
    covered = (mask.coverage >= masks.HALF).any(0)[0]
    rows, columns = covered.any(1).nonzero().flatten().tolist(), covered.any(0).nonzero().flatten().tolist()
    if not rows:
        what = "The mask covers nothing: it reaches one half nowhere."
        raise PatchbayError(Code.BAD_VALUE, "mask", what, "Paint it, or turn it inside out with EditMask.")
    across, down = _Span(columns[0], columns[-1] + 1), _Span(rows[0], rows[-1] + 1)
    whole = (int(covered.shape[1]), int(covered.shape[0]))
    wide = min(across.length + 2 * padding, whole[0])
    high = min(down.length + 2 * padding, whole[1])
    wide, high = max(wide, width, ceil(high * width / height)), max(high, height, ceil(wide * height / width))
    left, right = across.widened(wide, whole[0])
    top, bottom = down.widened(high, whole[1])
    return Placement(left, top, right - left, bottom - top)


class _Span:
    """From where to where something reaches along a side."""

    def __init__(self, start: int, end: int) -> None:
        self._start, self._end = start, end

    @property
    def length(self) -> int:
        return self._end - self._start

    def widened(self, length: int, limit: int) -> tuple[int, int]:
        """Start and end of a span of this length around it, inside 0 to `limit`."""
        length = min(length, limit)
        start = min(max((self._start + self._end - length) // 2, 0), limit - length)
        return start, start + length


def pasted(image: Image, piece: Image, mask: Mask, place: Placement, edge: int) -> Image:
    """The picture with the piece back at its place, where the mask is and fading out within `edge` pixels around it.

    A batch of one serves every picture. Raises `bad_value` for sizes or batches that do not fit.
    """
    pixels.check_same_size("mask", image.pixels, mask.coverage)
    height, width = image.pixels.shape[-2:]
    if place.left + place.width > width or place.top + place.height > height:
        what = f"The piece was cut at ({place.left}, {place.top}), {place.width} x {place.height}; "
        what += f"this picture has {width} x {height} pixels."
        raise PatchbayError(Code.BAD_VALUE, "image", what, "Paste into the picture that the piece was cut out of.")
    piece = pixels.resize(piece, place.width, place.height)
    soft = _inside(masks.feather(mask, edge).coverage, place)
    below = _inside(image.pixels, place)
    laid = pixels.composite(Image(below), piece, Mask(soft)).pixels
    whole = image.pixels.expand(len(laid), -1, -1, -1).clone()
    _inside(whole, place).copy_(laid)
    return Image(whole)


def _inside(tensor: torch.Tensor, place: Placement) -> torch.Tensor:
    return tensor[..., place.top : place.top + place.height, place.left : place.left + place.width]


def padded(
    image: Image, sides: tuple[int, int, int, int], overlap: int, fill: Literal["edge", "grey"]
) -> tuple[Image, Mask]:
    """The picture with borders left, above, right and below, and a mask of them that reaches `overlap` pixels inside.

    Raises `bad_value` for pictures beyond reason and an overlap that leaves nothing of the picture.
    """
    left, top, right, bottom = sides
    height, width = image.pixels.shape[-2:]
    if (width + left + right) * (height + top + bottom) * len(image.pixels) > LARGEST_PICTURE:
        what = f"{width + left + right} x {height + top + bottom} is more than {LARGEST_PICTURE >> 20} megapixels."
        raise PatchbayError(Code.BAD_VALUE, "image", what, "Add less.")
    around = (left, right, top, bottom)
    inner = [overlap if side else 0 for side in around]
    if inner[0] + inner[1] >= width or inner[2] + inner[3] >= height:
        what = f"An overlap of {overlap} pixels leaves nothing of a picture of {width} x {height}."
        raise PatchbayError(Code.BAD_VALUE, "overlap", what, "Choose a smaller one.")
    old = torch.zeros(1, 1, height - inner[2] - inner[3], width - inner[0] - inner[1])
    mask = functional.pad(old, [side + more for side, more in zip(around, inner, strict=True)], value=1.0)
    if fill == "grey":
        return Image(functional.pad(image.pixels, around, value=_GREY)), Mask(mask)
    return Image(functional.pad(image.pixels, around, mode="replicate")), Mask(mask)
