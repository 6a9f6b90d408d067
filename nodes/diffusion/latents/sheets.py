"""Pictures for comparing: contact sheets with labels, error maps, and what a latent looks like.

Colour maps: the diverging one is Moreland's cool-warm (Diverging Color Maps for Scientific Visualization, 2009), the
one for errors follows matplotlib's inferno at five points.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

import torch
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from torch.nn import functional

from engine.errors import Code, PatchbayError
from nodes.diffusion.latents.latent_math import by_frame
from nodes.diffusion.pictures.picture_files import LARGEST_PICTURE
from nodes.diffusion.pictures.pixels import check_same_size, to_pillow
from nodes.types import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

_COOL_WARM = ((59, 76, 192), (221, 221, 221), (180, 4, 38))
_INFERNO = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))

_PAPER = (24, 25, 29)
_INK = (236, 236, 240)
_GAP = 8
_LINES = 3
_SMALLEST_FONT = 11
_CELL_PER_FONT = 14
_TILE = 128
"""Pixels; the least side of one channel's tile."""


def grid(images: Sequence[Image], columns: int = 0, labels: Sequence[str] = ()) -> Image:
    """One sheet of all pictures in reading order, each with its label below; batches are laid out one by one.

    `columns` of 0 makes the sheet about square. Smaller pictures are centred in the cell of the largest. Raises
    `bad_value` when there is nothing to show, when labels and pictures differ in number, or the sheet is too large.
    """
    pictures = [pixels for image in images for pixels in image.pixels]
    if not pictures or columns < 0:
        raise PatchbayError(Code.BAD_VALUE, "grid", "A sheet needs at least one picture and one column.")
    if labels and len(labels) != len(pictures):
        what = f"There are {len(labels)} labels for {len(pictures)} pictures."
        raise PatchbayError(Code.BAD_VALUE, "labels", what, "Give one label for each picture, or none.")
    across = min(columns or ceil(sqrt(len(pictures))), len(pictures))
    height, width = (max(picture.shape[side] for picture in pictures) for side in (1, 2))
    captions = _Captions(labels, width)
    cell = (width + _GAP, height + captions.height + _GAP)
    size = (across * cell[0] + _GAP, ceil(len(pictures) / across) * cell[1] + _GAP)
    if size[0] * size[1] > LARGEST_PICTURE:
        what = f"The sheet would be {size[0]} x {size[1]} pixels."
        raise PatchbayError(Code.BAD_VALUE, "grid", what, "Resize the pictures or use fewer.")
    sheet = Pillow.new("RGB", size, _PAPER)
    for index, picture in enumerate(pictures):
        left, top = _GAP + index % across * cell[0], _GAP + index // across * cell[1]
        corner = (left + (width - picture.shape[2]) // 2, top + (height - picture.shape[1]) // 2)
        sheet.paste(to_pillow(picture), corner)
        captions.draw(sheet, index, left, top + height)
    return _image(sheet)


class _Captions:
    """Labels broken into lines that fit a cell, in one size for the whole sheet."""

    def __init__(self, labels: Sequence[str], width: int) -> None:
        self._font = ImageFont.load_default(size=max(_SMALLEST_FONT, width // _CELL_PER_FONT))
        self._width = width
        self._lines = [self._wrap(label) for label in labels]
        ascent, descent = self._metrics()
        self._line = ascent + descent
        most = max((len(lines) for lines in self._lines), default=0)
        self.height = most * self._line + (_GAP // 2 if most else 0)

    def draw(self, sheet: Pillow.Image, index: int, left: int, top: int) -> None:
        """Write the label of picture `index`, whose lower left corner is at (`left`, `top`)."""
        for number, line in enumerate(self._lines[index] if self._lines else ()):
            place = (left, top + _GAP // 2 + number * self._line)
            ImageDraw.Draw(sheet).text(place, line, fill=_INK, font=self._font)

    def _metrics(self) -> tuple[int, int]:
        if isinstance(self._font, ImageFont.FreeTypeFont):
            return self._font.getmetrics()
        return _SMALLEST_FONT, 2  # Pillow without FreeType has one bitmap font of this height

    def _wrap(self, label: str) -> list[str]:
        """At most `_LINES` lines, broken between words where there are any; the rest is cut with an ellipsis."""
        lines = [""]
        for word in label.split():
            longer = f"{lines[-1]} {word}".strip()
            if self._fits(longer) or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(word)
        cut = len(lines) > _LINES
        kept = [self._cut(line) for line in lines[:_LINES]]
        return [*kept[:-1], self._cut(f"{lines[_LINES - 1]} ...")] if cut else kept

    def _cut(self, line: str) -> str:
        if self._fits(line):
            return line
        while line and not self._fits(f"{line}..."):
            line = line[:-1]
        return f"{line.rstrip()}..."

    def _fits(self, text: str) -> bool:
        return self._font.getlength(text) <= self._width


def difference(one: Image, other: Image, gain: float = 1.0) -> Image:
    """Where two pictures differ: black where they agree, brighter the more they do not.

    Shown is the mean absolute difference of the channels times `gain`, cut off at 1. Raises `bad_value` for different
    sizes or batches, and for a gain that is not above 0.
    """
    check_same_size("difference", one.pixels, other.pixels)
    if not gain > 0:
        raise PatchbayError(Code.BAD_VALUE, "gain", f"A gain of {gain} shows nothing.", "Choose more than 0.")
    error = (one.pixels - other.pixels).abs().mean(1)
    return Image(_coloured((error * gain).clamp(0, 1), _INFERNO))


def channel_maps(latents: torch.Tensor) -> Image:
    """Each sample [channels, height, width] of a batch as one picture: a tile for each channel, in reading order.

    A video's samples [channels, frames, height, width] are a picture for each frame.
    Blue is negative, grey zero, red positive; the strongest number of a sample gets the strongest colour.
    """
    latents = by_frame(latents)
    factor = max(1, ceil(_TILE / max(latents.shape[-2:])))
    return Image(torch.cat([_tiles(sample, factor) for sample in signed_maps(latents).unbind()]))


def signed_maps(latents: torch.Tensor) -> torch.Tensor:
    """The colours of `channel_maps`, one picture a channel: [batch, channels, 3, height, width]."""
    latents = latents.float()
    strongest = latents.abs().amax((1, 2, 3), keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
    return _coloured((latents / strongest + 1) / 2, _COOL_WARM).transpose(1, 2)


def _tiles(channels: torch.Tensor, factor: int) -> torch.Tensor:
    """[channels, 3, height, width] as one sheet [1, 3, ...], each pixel drawn `factor` times as large."""
    large = functional.interpolate(channels, scale_factor=factor, mode="nearest")
    return grid([Image(large)]).pixels


def _coloured(values: torch.Tensor, anchors: Sequence[tuple[int, int, int]]) -> torch.Tensor:
    """Values [batch, ...] in [0, 1] as colours [batch, 3, ...], straight lines between the anchors."""
    table = torch.tensor(anchors, dtype=torch.float32) / 255
    place = values * (len(anchors) - 1)
    lower = place.floor().long().clamp(0, len(anchors) - 2)
    return torch.lerp(table[lower], table[lower + 1], (place - lower).unsqueeze(-1)).movedim(-1, 1)


def _image(picture: Pillow.Image) -> Image:
    numbers = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return Image((numbers.view(1, picture.height, picture.width, 3).permute(0, 3, 1, 2).float() / 255).contiguous())
