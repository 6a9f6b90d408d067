"""Reads a picture and says what of its caption came true.

No learned judge takes part: a still picture is cut from its background by colour, and each piece is compared with every
figure drawn at the same place and size; a scene is read by its sky, its bottom and its subject's colour.
`python -m nodes.pocket.score` prints the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from nodes.pocket import draw, scenes
from nodes.pocket.draw import Picture, Still, Thing
from nodes.pocket.figures import FIGURES
from nodes.pocket.palette import COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

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

_NEAR = 0.3
"""How far a centre may lie from where it belongs, on a canvas from -1 to 1."""

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


def score(picture: Picture, pixels: Pixels) -> dict[str, float]:
    """What came true of the caption, each from 0 to 1, by the table's columns. `pixels`: side x side x 3."""
    if not isinstance(picture, Still):
        return _score_scene(picture, pixels)
    background, pieces = _cut(_reduced(pixels), len(picture.things))
    right = {"background": float(nearest(background) == picture.background)}
    found = [_identify(_reduced(pixels), background, piece) for piece in pieces]
    if len(picture.things) == 1:
        return right | _score_one(picture, found[0] if found else None)
    return right | _score_several(picture, found)


def table(pictures: Sequence[Picture], drawn: Sequence[Pixels]) -> dict[str, dict[str, float]]:
    """Mean scores in per cent: a row for each kind of picture, and in it each column."""
    rows: dict[str, list[dict[str, float]]] = {}
    for picture, pixels in zip(pictures, drawn, strict=True):
        rows.setdefault(kind_of(picture), []).append(score(picture, pixels))
    return {kind: _mean(scores) for kind, scores in rows.items()}


def kind_of(picture: Picture) -> str:
    """Which row of the table a picture belongs to: a key of `draw.KINDS`."""
    return ("one", "two", "three")[len(picture.things) - 1] if isinstance(picture, Still) else "scene"


def nearest(colour: NDArray[np.floating]) -> str:
    """The name of the colour that is nearest to red, green and blue."""
    names = list(COLOURS)
    return names[int(np.square(_palette() - colour).sum(1).argmin())]


def _score_one(picture: Still, found: Found | None) -> dict[str, float]:
    (thing,) = picture.things
    if found is None:
        return dict.fromkeys(("colour", "figure", "place", "size", "all"), 0.0)
    right = {
        "colour": float(found.colour == thing.colour),
        "figure": float(found.figure == thing.figure),
        "place": float(max(abs(found.x - thing.x), abs(found.y - thing.y)) < _NEAR),
        "size": float(0.75 < found.radius / draw.SIZES[thing.size] < 1.33),  # noqa: PLR2004
    }
    return right | {"all": float(all(right.values()))}


def _score_several(picture: Still, found: list[Found]) -> dict[str, float]:
    """Two or three things: `binding` is the share of things that have both their colour and their figure.

    The things found are matched with those wanted so that most agrees; `relation` asks whether they then lie as said.
    """
    names = ("colours", "binding", "relation", "all")
    if len(found) != len(picture.things):
        return dict.fromkeys(names, 0.0)
    best = max(permutations(found), key=lambda order: _agreement(picture, order))
    pairs = list(zip(picture.things, best, strict=True))
    bound = [thing.colour == seen.colour and thing.figure == seen.figure for thing, seen in pairs]
    right = {
        "colours": float(np.mean([thing.colour == seen.colour for thing, seen in pairs])),
        "binding": float(np.mean(bound)),
        "relation": float(_lie_as_said(picture, best)),
    }
    return right | {"all": float(all(value == 1 for value in right.values()))}


def _agreement(picture: Still, order: tuple[Found, ...]) -> float:
    pairs = list(zip(picture.things, order, strict=True))
    same = sum((thing.colour == seen.colour) + (thing.figure == seen.figure) for thing, seen in pairs)
    return same + 0.1 * _lie_as_said(picture, order)


def _lie_as_said(picture: Still, order: tuple[Found, ...]) -> bool:
    """Whether things found lie as the caption says; "and" and "next to" say nothing of who is where."""
    if picture.relation in {"and", "next to"}:
        return True
    right, down = draw.RELATIONS.get(picture.relation, (-1, 0))
    along = [seen.x * right + seen.y * down for seen in order]
    return all(a - b > _NEAR for a, b in zip(along, along[1:], strict=False))


def _score_scene(scene: Scene, pixels: Pixels) -> dict[str, float]:
    small = _reduced(pixels).astype(float)
    top = np.median(small[1:7].reshape(-1, 3), 0)
    bottom = np.median(small[-4:].reshape(-1, 3), 0)
    right = {
        "sky": float(_closest({hour: scenes.sky_colour(hour, 0.06) for hour in scenes.SKIES}, top) == scene.hour),
        "land": float(_closest(_bottoms(scene.hour), bottom) == scene.land),
    }
    bare = _reduced(draw.paint(replace(scene, subject="", colour=""))).astype(float)
    usual = _subject_colours(scene, bare) if scene.colour else []
    if scene.colour and scene.colour not in usual:
        seen = [name for name in _subject_colours(scene, small) if name not in usual]
        right["subject"] = float(seen[:1] == [scene.colour])
    return right | {"all": float(all(right.values()))}


def _bottoms(hour: str) -> dict[str, tuple[int, int, int]]:
    return {land: scenes.lit(colours[1], hour) for land, colours in scenes.LANDS.items()}


def _closest(colours: dict[str, tuple[int, int, int]], colour: NDArray[np.floating]) -> str:
    return min(colours, key=lambda name: float(np.square(np.array(colours[name]) - colour).sum()))


def _subject_colours(scene: Scene, pixels: NDArray[np.floating]) -> list[str]:
    """The colours of subjects that cover a hundredth of the band where the scene's subject belongs, most of it first."""
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


def _reduced(pixels: Pixels) -> Pixels:
    """The picture at the side it is read at, by the mean of blocks."""
    factor = len(pixels) // READ
    blocks = pixels.reshape(READ, factor, READ, factor, 3).astype(float)
    return blocks.mean((1, 3)).round().astype(np.uint8)


def _cut(pixels: Pixels, count: int) -> tuple[NDArray[np.floating], list[Mask]]:
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


def _identify(pixels: Pixels, background: NDArray[np.floating], piece: Mask) -> Found:
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


def _error(
    pixels: Pixels, background: NDArray[np.floating], found: Found, box: tuple[int, int, int, int]
) -> float:
    """How much the picture differs from the figure's own drawing around the box."""
    if found.colour == nearest(background):
        return float("inf")
    thing = Thing(found.colour, found.figure, found.x, found.y, found.radius)
    drawn = draw.paint(Still(nearest(background), (thing,)), READ)
    x0, x1, y0, y1 = (max(0, box[0] - 2), box[1] + 2, max(0, box[2] - 2), box[3] + 2)
    difference = drawn[y0:y1, x0:x1].astype(float) - pixels[y0:y1, x0:x1]
    return float(np.minimum(np.square(difference).mean(2), _CAP).mean())


def _mean(scores: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for each in scores for name in each)
    return {
        name: round(100 * float(np.mean([each[name] for each in scores if name in each])), 1) for name in names
    }
