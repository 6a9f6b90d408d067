"""A pen that draws in a thing's own coordinates, so that one description serves every place and size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.ImageDraw import ImageDraw

    from nodes.pocket.palette import Colour


@dataclass(frozen=True)
class Pen:
    """Draws on a square canvas whose coordinates run from -1 to 1, y downwards.

    The thing drawn spans -1 to 1 in its own coordinates; `x`, `y` are its centre and `radius` its half extent on the
    canvas. `side` is the canvas's side in the drawing's pixels.
    """

    drawing: ImageDraw
    side: int
    x: float = 0.0
    y: float = 0.0
    radius: float = 1.0

    def at(self, x: float, y: float, radius: float) -> Pen:
        """A pen for something else on the same canvas."""
        return Pen(self.drawing, self.side, x, y, radius)

    def polygon(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        """Fill what the points enclose."""
        self.drawing.polygon([self._pixel(x, y) for x, y in points], fill=colour)

    def ellipse(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill an ellipse around a centre; `width` and `height` are half axes."""
        self.drawing.ellipse(self._box(x - width, y - height, x + width, y + height), fill=colour)

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Fill a rectangle."""
        self.drawing.rectangle(self._box(left, top, right, bottom), fill=colour)

    def rounded(self, left: float, top: float, right: float, bottom: float, corner: float, colour: Colour) -> None:
        """Fill a rectangle whose corners are rounded with the radius `corner`."""
        box = self._box(left, top, right, bottom)
        self.drawing.rounded_rectangle(box, corner * self.radius * self.side / 2, fill=colour)

    def dome(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill the upper half of an ellipse around a centre."""
        box = self._box(x - width, y - height, x + width, y + height)
        self.drawing.pieslice(box, 180, 360, fill=colour)

    def line(self, points: Sequence[tuple[float, float]], width: float, colour: Colour) -> None:
        """Draw a line of the given width through the points."""
        pixels = max(1, round(width * self.radius * self.side / 2))
        self.drawing.line([self._pixel(x, y) for x, y in points], fill=colour, width=pixels, joint="curve")

    def _pixel(self, x: float, y: float) -> tuple[float, float]:
        half = self.side / 2
        return (self.x + x * self.radius + 1) * half, (self.y + y * self.radius + 1) * half

    def _box(self, left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
        return [self._pixel(left, top), self._pixel(right, bottom)]
