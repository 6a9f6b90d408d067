"""The drawn world: what a picture can show, and the picture of it.

A `Picture` says what is to be seen, `imagine` makes a random one, `paint` draws it. `captions.py` puts it into words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from nodes.pocket import scenes
from nodes.pocket.figures import FIGURES
from nodes.pocket.palette import COLOURS
from nodes.pocket.pen import Pen
from nodes.pocket.scenes import Scene

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    import numpy as np
    from numpy.typing import NDArray

SIDE = 256
"""A picture's side in pixels."""

SIZES = {"small": 0.3, "": 0.44, "large": 0.64}
"""Half extents on a canvas that reaches from -1 to 1; a thing without a word for its size is of middle size."""

PLACES = {
    "in the center": (0.0, 0.0),
    "on the left": (-0.5, 0.0),
    "on the right": (0.5, 0.0),
    "at the top": (0.0, -0.5),
    "at the bottom": (0.0, 0.5),
    "in the top left corner": (-0.5, -0.5),
    "in the top right corner": (0.5, -0.5),
    "in the bottom left corner": (-0.5, 0.5),
    "in the bottom right corner": (0.5, 0.5),
}
"""Where a single thing can be, as its centre; a large one moves in as far as it must to be seen whole."""

RELATIONS = {
    "above": (0, -1),
    "below": (0, 1),
    "to the left of": (-1, 0),
    "to the right of": (1, 0),
    "next to": (-1, 0),
    "and": (-1, 0),
}
"""How the first of two things lies from the second. The last two let it be; it is drawn on the left."""

_SAMPLES = 3
"""Each pixel is the mean of this many samples squared."""

_MARGIN = 0.03


@dataclass(frozen=True)
class Thing:
    """A figure in a colour, with its centre and half extent on a canvas from -1 to 1."""

    colour: str
    figure: str
    x: float
    y: float
    radius: float
    size: str = ""


@dataclass(frozen=True)
class Still:
    """One to three things before a background."""

    background: str
    things: tuple[Thing, ...]
    relation: str = ""
    """How two things lie, a key of `RELATIONS`; three lie in a row."""
    place: str = ""
    """Where a single thing is, a key of `PLACES`, if the caption says so."""


Picture = Still | Scene


def held_out(colour: str, figure: str) -> bool:
    """Whether the figure in this colour is never drawn for training: about one pair in eight."""
    return crc32(f"{colour} {figure}".encode()) % 8 == 0


PAIRS = [(colour, figure) for colour in COLOURS for figure in FIGURES]
HELD_OUT = [pair for pair in PAIRS if held_out(*pair)]
SHOWN = [pair for pair in PAIRS if not held_out(*pair)]


def imagine_one(random: Random, pairs: list[tuple[str, str]]) -> Still:
    """A single thing; its colour and figure are one of `pairs`."""
    colour, figure = random.choice(pairs)
    size = random.choice(list(SIZES))
    radius = SIZES[size] * random.uniform(0.94, 1.06)
    place = random.choice(list(PLACES)) if random.random() < 0.6 else ""  # noqa: PLR2004
    limit = 1 - radius - _MARGIN
    centre = PLACES[place or "in the center"]
    x, y = (max(-limit, min(limit, at + random.uniform(-0.05, 0.05))) for at in centre)
    return Still(_background(random, colour), (Thing(colour, figure, x, y, radius, size),), place=place)


def imagine_two(random: Random, pairs: list[tuple[str, str]]) -> Still:
    """Two different things; the first one's colour and figure are one of `pairs`."""
    first = random.choice(pairs)
    second = random.choice([pair for pair in SHOWN if pair != first])
    relation = random.choice(list(RELATIONS))
    right, down = RELATIONS[relation]
    things = tuple(
        _loose(random, pair, 0.47 * sign * right, 0.47 * sign * down, 0.36) for pair, sign in ((first, 1), (second, -1))
    )
    return Still(_background(random, first[0], second[0]), things, relation)


def imagine_three(random: Random, pairs: list[tuple[str, str]]) -> Still:
    """Three different things in a row; the first one's colour and figure are one of `pairs`."""
    first = random.choice(pairs)
    second, third = random.sample([pair for pair in SHOWN if pair != first], 2)
    row = zip((first, second, third), (-0.64, 0.0, 0.64), strict=True)
    things = tuple(_loose(random, pair, x, 0.0, 0.27) for pair, x in row)
    return Still(_background(random, first[0], second[0], third[0]), things)


def imagine_scene(random: Random, _: list[tuple[str, str]]) -> Scene:
    """A landscape."""
    return scenes.imagine(random)


KINDS: dict[str, Callable[[Random, list[tuple[str, str]]], Picture]] = {
    "one": imagine_one,
    "two": imagine_two,
    "three": imagine_three,
    "scene": imagine_scene,
}
"""The kinds of pictures."""

SHARES = {"one": 0.42, "two": 0.28, "three": 0.08, "scene": 0.22}
"""How often each kind is drawn for training."""


def imagine(random: Random) -> Picture:
    """A random picture for training."""
    (kind,) = random.choices(list(SHARES), list(SHARES.values()))
    return KINDS[kind](random, SHOWN)


def paint(picture: Picture, side: int = SIDE) -> NDArray[np.uint8]:
    """The picture's pixels: `side` x `side` x 3."""
    import numpy as np
    from PIL import Image, ImageDraw

    wide = side * _SAMPLES
    behind = COLOURS[picture.background] if isinstance(picture, Still) else (0, 0, 0)
    canvas = Image.new("RGB", (wide, wide), behind)
    pen = Pen(ImageDraw.Draw(canvas), wide)
    if isinstance(picture, Scene):
        scenes.paint_scene(pen, picture)
    else:
        for thing in picture.things:
            FIGURES[thing.figure](pen.at(thing.x, thing.y, thing.radius), COLOURS[thing.colour], behind)
    return np.asarray(canvas.reduce(_SAMPLES))


def _background(random: Random, *taken: str) -> str:
    return random.choice([colour for colour in COLOURS if colour not in taken])


def _loose(random: Random, pair: tuple[str, str], x: float, y: float, radius: float) -> Thing:
    """A thing near a place, of about a size."""
    own = radius * random.uniform(0.9, 1.1)
    return Thing(*pair, x + random.uniform(-0.04, 0.04), y + random.uniform(-0.04, 0.04), own)
