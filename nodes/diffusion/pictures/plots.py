"""Lines in a diagram, drawn with Pillow."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING

import torch
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from nodes.types import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAPER, _INK, _GRID = (24, 25, 29), (236, 236, 240), (62, 64, 72)
_COLOURS = ((86, 180, 233), (230, 159, 0), (0, 158, 115), (204, 121, 167), (240, 228, 66), (213, 94, 0))
"""Okabe and Ito's palette, told apart by colour-blind people too."""

_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 34, 16, 34
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name and its values at 0, 1, 2 ..."""

    name: str
    values: tuple[float, ...]


def chart(
    title: str, lines: Sequence[Line], *, logarithmic: bool = False, width: int = 480, height: int = 320
) -> Image:
    """A picture of lines over their index, each point marked.

    A logarithmic diagram leaves out values that are not above 0.
    """
    sheet = Pillow.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=12)
    draw.text((_LEFT, 8), title, fill=_INK, font=font)
    shown = [value for line in lines for value in line.values if value > 0 or not logarithmic]
    axis = _Axis.over(shown or [1.0], logarithmic=logarithmic)
    longest = max((len(line.values) for line in lines), default=1)
    frame = _Frame(width, height, max(1, longest - 1), axis)
    for tick in axis.ticks():
        y = frame.y(tick)
        draw.line((_LEFT, y, width - _RIGHT, y), fill=_GRID)
        draw.text((_LEFT - 6, y), f"{tick:g}", fill=_INK, font=font, anchor="rm")
    for index in _Axis(0, max(1, longest - 1)).ticks():
        if index == int(index):
            draw.text((frame.x(index), height - _BOTTOM + 8), f"{index:g}", fill=_INK, font=font, anchor="ma")
    for number, line in enumerate(lines):
        _draw(draw, frame, line, _COLOURS[number % len(_COLOURS)])
    _legend(draw, font, lines, width)
    numbers = torch.frombuffer(bytearray(sheet.tobytes()), dtype=torch.uint8)
    return Image((numbers.view(1, height, width, 3).permute(0, 3, 1, 2).float() / 255).contiguous())


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    logarithmic: bool = False

    @classmethod
    def over(cls, values: Sequence[float], *, logarithmic: bool) -> _Axis:
        """An axis that has room for all values."""
        if logarithmic:
            first, last = floor(log10(min(values))), ceil(log10(max(values)))
            return cls(10.0**first, 10.0 ** max(last, first + 1), logarithmic=True)
        low, high = min(0.0, *values), max(values)
        return cls(low, high if high > low else low + 1)

    def place(self, value: float) -> float:
        """From 0 at the low end to 1 at the high one."""
        if self.logarithmic:
            return (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round numbers along the axis."""
        if self.logarithmic:
            return [10.0**power for power in range(round(log10(self.low)), round(log10(self.high)) + 1)]
        size = 10.0 ** floor(log10((self.high - self.low) / _TICKS))
        step = next(size * factor for factor in (1, 2, 5, 10) if (self.high - self.low) / (size * factor) <= _TICKS)
        return [step * number for number in range(ceil(self.low / step), floor(self.high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class _Frame:
    width: int
    height: int
    count: int
    axis: _Axis

    def x(self, index: float) -> float:
        return _LEFT + (self.width - _LEFT - _RIGHT) * index / self.count

    def y(self, value: float) -> float:
        return self.height - _BOTTOM - (self.height - _TOP - _BOTTOM) * self.axis.place(value)


def _draw(draw: ImageDraw.ImageDraw, frame: _Frame, line: Line, colour: tuple[int, int, int]) -> None:
    points = [
        (frame.x(index), frame.y(value))
        for index, value in enumerate(line.values)
        if value > 0 or not frame.axis.logarithmic
    ]
    draw.line(points, fill=colour, width=2)
    for x, y in points:
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)


def _legend(
    draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, lines: Sequence[Line], width: int
) -> None:
    for number, line in enumerate(lines):
        y = _TOP + 4 + 15 * number
        draw.text((width - _RIGHT - 4, y), line.name, fill=_COLOURS[number % len(_COLOURS)], font=font, anchor="ra")


def stacked(pictures: Sequence[Image]) -> Image:
    """Pictures of one width, one below the other."""
    return Image(torch.cat([picture.pixels for picture in pictures], 2))
