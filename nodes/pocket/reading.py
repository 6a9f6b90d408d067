"""What is to be seen in a picture: its background, the things before it, the colour of a scene's subject.

No learned judge takes part. A still picture is cut from its background by colour, and each piece is compared with every
figure drawn at the same place and size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from nodes.pocket import draw, scenes
from nodes.pocket.draw import Still, Thing
from nodes.pocket.figures import FIGURES
from nodes.pocket.palette import COLOURS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nodes.pocket.scenes import Scene

    Pixels = NDArray[np.uint8]
    Mask = NDArray[np.bool_]

READ = 64
"""Pictures are read at this side: enough to tell every figure from every other."""

_APART = 40
"""A pixel is no background when a channel differs by more."""

_SPECK = 12
"""Pieces of fewer pixels are no things."""

_ALIKE = 36.0
"""Colours of a scene are the same when they are no farther apart than this, in red, green and blue."""

BANDS = {"house": (0.0, 0.85), "sailboat": (-0.2, 0.6), "whale": (0.2, 0.8), "hot air balloon": (-0.7, 0.0)}
"""Between which heights, from -1 to 1, a coloured subject shows."""

_CAP = 9000.0
"""No pixel's squared error counts for more, so that one wrong detail does not decide."""


@dataclass(frozen=True)
class Found:
    """A piece of a picture, and the figure that it looks most like."""

    colour: str
    figure: str
    x: float
    y: float
    radius: float


def nearest(colour: NDArray[np.floating]) -> str:
    """The name of the colour that is nearest to red, green and blue."""
    names = list(COLOURS)
    return names[int(np.square(_palette() - colour).sum(1).argmin())]


def subject_colours(scene: Scene, pixels: NDArray[np.floating]) -> list[str]:
    """The subject colours that cover a hundredth of the band where the scene's subject belongs, most of it first."""
    top, bottom = (round((height + 1) * READ / 2) for height in BANDS[scene.subject])
    names = np.array(scenes.SUBJECT_COLOURS)
    colours = np.array([scenes.lit_subject(name, scene.hour) for name in scenes.SUBJECT_COLOURS], float)
    far = np.sqrt(np.square(pixels[top:bottom].reshape(-1, 1, 3) - colours).sum(2))
    counts = np.bincount(far.argmin(1)[far.min(1) < _ALIKE], minlength=len(names))
    order = counts.argsort()[::-1]
    return [str(names[index]) for index in order if counts[index] > len(far) / 100]


@cache
def _palette() -> NDArray[np.floating]:
    return np.array(list(COLOURS.values()), float)


def reduced(pixels: Pixels) -> Pixels:
    """The picture at the side it is read at, by the mean of blocks."""
    factor = len(pixels) // READ
    blocks = pixels.reshape(READ, factor, READ, factor, 3).astype(float)
    small: Pixels = blocks.mean((1, 3)).round().astype(np.uint8)
    return small


def cut(pixels: Pixels, count: int) -> tuple[NDArray[np.floating], list[Mask]]:
    """The background's colour, the median of the picture's rim, and what stands before it in up to `count` pieces."""
    rim = np.concatenate([pixels[:2], pixels[-2:], pixels[:, :2].swapaxes(0, 1), pixels[:, -2:].swapaxes(0, 1)])
    background = np.median(rim.reshape(-1, 3), 0)
    marked = np.abs(pixels - background).max(2) > _APART
    labels, found = ndimage.label(marked, np.ones((3, 3)))
    sizes = ndimage.sum_labels(marked, labels, range(1, found + 1))
    order = [int(index) + 1 for index in np.argsort(sizes)[::-1] if sizes[index] >= _SPECK]
    if count == 1:
        return background, [np.isin(labels, order)] if order else []
    pieces = [labels == label for label in order[:count]]
    for label in order[count:]:
        _give(labels == label, pieces)
    return background, pieces


def _give(loose: Mask, pieces: list[Mask]) -> None:
    """Add a loose piece, a fin or a flame, to the thing it is nearest to."""
    centre = np.array(ndimage.center_of_mass(loose))
    nearest_piece = min(pieces, key=lambda piece: float(np.linalg.norm(ndimage.center_of_mass(piece) - centre)))
    nearest_piece |= loose


def identify(pixels: Pixels, background: NDArray[np.floating], piece: Mask) -> Found:
    """The figure and colour whose own drawing, fitted to the piece's box, differs least from the picture."""
    rows, columns = np.where(piece)
    box = (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1)
    candidates = [
        (_error(pixels, background, found, box), found)
        for figure in FIGURES
        for colour in _colours_in(pixels[piece])
        if (found := _fit(figure, colour, box)) is not None
    ]
    if not candidates:
        return Found("", "", 0.0, 0.0, 0.0)
    return min(candidates, key=lambda candidate: candidate[0])[1]


def _colours_in(pixels: Pixels) -> list[str]:
    """Up to three colours that make up an eighth of the pixels or more."""
    names = list(COLOURS)
    nearest_ones = np.square(pixels[:, None].astype(float) - _palette()).sum(2).argmin(1)
    counts = np.bincount(nearest_ones, minlength=len(names))
    return [names[index] for index in counts.argsort()[::-1][:3] if counts[index] > len(pixels) / 8]


def _fit(figure: str, colour: str, box: tuple[int, int, int, int]) -> Found | None:
    """The figure in the box, or nothing where the box has another shape than the figure."""
    left, right, top, bottom = _extent(figure)
    x0, x1, y0, y1 = (2 * at / READ - 1 for at in box)
    across, down = (x1 - x0) / (right - left), (y1 - y0) / (bottom - top)
    if max(across, down) > 1.6 * min(across, down):
        return None
    radius = (across + down) / 2
    return Found(
        colour, figure,
        (x0 + x1) / 2 - radius * (left + right) / 2,
        (y0 + y1) / 2 - radius * (top + bottom) / 2,
        radius,
    )  # fmt: skip


@cache
def _extent(figure: str) -> tuple[float, float, float, float]:
    """Left, right, top and bottom of a figure in its own coordinates."""
    drawn = draw.paint(Still("white", (Thing("red", figure, 0, 0, 0.5),)), 4 * READ)
    rows, columns = np.where(np.abs(drawn.astype(int) - drawn[0, 0]).max(2) > _APART)
    left, right, top, bottom = (
        (float(at) / (2 * READ) - 1) * 2 for at in (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1)
    )
    return left, right, top, bottom


def _error(pixels: Pixels, background: NDArray[np.floating], found: Found, box: tuple[int, int, int, int]) -> float:
    """How much the picture differs from the figure's own drawing around the box."""
    if found.colour == nearest(background):
        return float("inf")
    thing = Thing(found.colour, found.figure, found.x, found.y, found.radius)
    drawn = draw.paint(Still(nearest(background), (thing,)), READ)
    x0, x1, y0, y1 = (max(0, box[0] - 2), box[1] + 2, max(0, box[2] - 2), box[3] + 2)
    difference = drawn[y0:y1, x0:x1].astype(float) - pixels[y0:y1, x0:x1]
    return float(np.minimum(np.square(difference).mean(2), _CAP).mean())
