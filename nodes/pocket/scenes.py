"""Landscapes: a sky at some hour, a land below it, something in the sky, and perhaps one subject."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nodes.pocket.figures import cloud, house, tree
from nodes.pocket.palette import COLOURS, WOOD, Colour, darker, lighter

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from nodes.pocket.pen import Pen

SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((92, 174, 250), (206, 236, 255)),
    "sunset": ((110, 60, 142), (255, 166, 92)),
    "night": ((10, 14, 44), (46, 58, 120)),
}
"""Each hour's sky, from its top to the horizon."""

LANDS: dict[str, tuple[Colour, Colour]] = {
    "green hills": ((106, 192, 92), (60, 150, 70)),
    "snowy mountains": ((120, 132, 162), (240, 246, 252)),
    "the sea": ((40, 122, 192), (22, 86, 156)),
    "a desert": ((238, 198, 122), (214, 160, 84)),
}
"""Each land's two colours by day; the second one fills the bottom."""

OMENS: dict[str, tuple[str, ...]] = {
    "day": ("the sun", "clouds", "a rainbow", "rain", ""),
    "sunset": ("the sun", "clouds", ""),
    "night": ("a moon", "many stars", ""),
}
"""What the sky of each hour can hold."""

SUBJECTS: dict[str, tuple[str, ...]] = {
    "green hills": ("house", "house", "sheep", "hot air balloon", "pine tree", ""),
    "snowy mountains": ("house", "house", "hot air balloon", "pine tree", ""),
    "the sea": ("sailboat", "sailboat", "sailboat", "whale", "hot air balloon", ""),
    "a desert": ("house", "house", "hot air balloon", "cactus", ""),
}
"""What can be seen in each land; a name that stands twice comes twice as often."""

SUBJECT_COLOURS = ("red", "orange", "yellow", "blue", "purple", "pink", "white")
COLOURED = ("house", "sailboat", "hot air balloon", "whale")
"""The subjects that are asked for in one of `SUBJECT_COLOURS`."""

_LIGHT = {"day": (1.0, 1.0, 1.0), "sunset": (0.95, 0.78, 0.78), "night": (0.42, 0.46, 0.62)}


@dataclass(frozen=True)
class Scene:
    """What a landscape shows. Words are the keys of this module's tables; positions are from -1 to 1."""

    hour: str
    land: str
    omen: str
    """What is in the sky, or nothing."""
    subject: str
    """What stands, swims or flies there, or nothing."""
    colour: str
    """The subject's colour, or nothing where it has none to choose."""
    sun: float
    """Where the sun or the moon stands."""
    x: float
    """Where the subject stands."""
    horizon: float
    phase: float
    """Moves hills, waves and clouds; from 0 to 6."""


def imagine(random: Random) -> Scene:
    """A random scene."""
    hour, land = random.choice(list(SKIES)), random.choice(list(LANDS))
    omen, subject = random.choice(OMENS[hour]), random.choice(SUBJECTS[land])
    colour = random.choice(SUBJECT_COLOURS) if subject in COLOURED else ""
    sun = random.choice((-0.55, 0.55)) + random.uniform(-0.1, 0.1)
    x = -math.copysign(random.uniform(0.15, 0.45), sun)
    return Scene(hour, land, omen, subject, colour, sun, x, random.uniform(0.23, 0.33), random.uniform(0, 6))


def lit(colour: Colour, hour: str) -> Colour:
    """How a colour of the day looks at another hour."""
    red, green, blue = (round(value * light) for value, light in zip(colour, _LIGHT[hour], strict=True))
    return red, green, blue


def paint_scene(pen: Pen, scene: Scene) -> None:
    """Draw a scene on the whole canvas."""
    _paint_sky(pen, scene)
    _OMENS[scene.omen](pen, scene)
    _LANDS[scene.land](pen, scene)
    if scene.subject:
        subject_colour = lit_subject(scene.colour, scene.hour) if scene.colour else (0, 0, 0)
        _SUBJECTS[scene.subject](pen, scene, subject_colour)


def lit_subject(colour: str, hour: str) -> Colour:
    """A subject's colour at an hour: at night it keeps more of it than the land does."""
    return darker(COLOURS[colour], 0.25) if hour == "night" else lit(COLOURS[colour], hour)


def sky_colour(hour: str, height: float) -> Colour:
    """The sky's colour at a height from 0 (the top) to 1 (the bottom of the canvas)."""
    top, bottom = SKIES[hour]
    red, green, blue = (round(a + (b - a) * height**0.8) for a, b in zip(top, bottom, strict=True))
    return red, green, blue


def _paint_sky(pen: Pen, scene: Scene) -> None:
    bands = 96
    for band in range(bands):
        top = 2 * band / bands - 1
        pen.rectangle(-1, top, 1, top + 2 / bands + 0.01, sky_colour(scene.hour, (band + 0.5) / bands))


def _nothing(pen: Pen, scene: Scene) -> None:
    if scene.hour == "night":
        _stars(pen, scene, 8)


def _sun(pen: Pen, scene: Scene) -> None:
    y, colour = (-0.6, (255, 226, 90)) if scene.hour == "day" else (-0.05, (255, 214, 120))
    pen.ellipse(scene.sun, y, 0.25, 0.25, colour)


def _moon(pen: Pen, scene: Scene) -> None:
    _stars(pen, scene, 8)
    pen.ellipse(scene.sun, -0.58, 0.2, 0.2, (244, 240, 214))
    pen.ellipse(scene.sun + 0.1, -0.64, 0.165, 0.165, sky_colour(scene.hour, 0.2))


def _many_stars(pen: Pen, scene: Scene) -> None:
    _stars(pen, scene, 30)


def _stars(pen: Pen, scene: Scene, count: int) -> None:
    """Stars at places that look random but are the scene's own."""
    for index in range(count):
        x = 2 * (1e4 * math.sin(scene.phase + 12.9898 * index) % 1) - 1
        y = 1.1 * (1e4 * math.sin(scene.phase + 78.233 * index + 1) % 1) - 1
        pen.ellipse(x, y, 0.018, 0.018, (236, 240, 255))


def _clouds(pen: Pen, scene: Scene) -> None:
    _two_clouds(pen, scene, (255, 255, 255) if scene.hour == "day" else (250, 190, 170))


def _rain(pen: Pen, scene: Scene) -> None:
    for row in range(4):
        for column in range(9):
            x = -0.95 + 0.24 * column + 0.1 * (row % 2) + 0.02 * scene.phase
            y = -0.62 + 0.22 * row
            pen.line([(x, y), (x - 0.04, y + 0.12)], 0.022, (58, 104, 190))
    _two_clouds(pen, scene, (132, 140, 154))


def _two_clouds(pen: Pen, scene: Scene, colour: Colour) -> None:
    shift = 0.12 * math.sin(scene.phase)
    for x, y, radius in ((-0.5 + shift, -0.64, 0.3), (0.45 - shift, -0.45, 0.26)):
        cloud(pen.at(x, y, radius), colour, colour)


def _rainbow(pen: Pen, scene: Scene) -> None:
    for index, name in enumerate(("red", "orange", "yellow", "green", "blue", "purple")):
        radius = 0.95 - 0.075 * index
        pen.dome(0.1 * math.sin(scene.phase), 0.35, radius, radius, lighter(COLOURS[name], 0.15))
    radius = 0.95 - 0.075 * 6
    pen.dome(0.1 * math.sin(scene.phase), 0.35, radius, radius, sky_colour(scene.hour, 0.5))


def _wave(scene: Scene, level: float, height: float, length: float, delay: float) -> list[tuple[float, float]]:
    """The points of a land whose upper edge is a wave, closed at the bottom."""
    steps = [index / 24 - 1 for index in range(49)]
    edge = [(x, level + height * math.sin(length * x + scene.phase + delay)) for x in steps]
    return [*edge, (1, 1.01), (-1, 1.01)]


def _hills(pen: Pen, scene: Scene) -> None:
    far, near = (lit(colour, scene.hour) for colour in LANDS[scene.land])
    length = 2.2 if scene.land == "a desert" else 2.6
    pen.polygon(_wave(scene, scene.horizon, 0.15, length, 0), far)
    pen.polygon(_wave(scene, scene.horizon + 0.3, 0.1, length, 2.4), near)


def _sea(pen: Pen, scene: Scene) -> None:
    far, near = (lit(colour, scene.hour) for colour in LANDS[scene.land])
    pen.rectangle(-1, scene.horizon, 1, 1, far)
    for index in (1, 2, 3):
        red, green, blue = (round(a + (b - a) * index / 3) for a, b in zip(far, near, strict=True))
        pen.polygon(_wave(scene, scene.horizon - 0.04 + 0.2 * index, 0.03, 9, index), (red, green, blue))


def _mountains(pen: Pen, scene: Scene) -> None:
    rock, snow = (lit(colour, scene.hour) for colour in LANDS[scene.land])
    shift = 0.1 * math.sin(2 * scene.phase)
    for x, top, width in ((-0.6 + shift, -0.2, 0.75), (0.5 - shift, -0.35, 0.85)):
        slope = (0.75 - top) / width
        pen.polygon([(x, top), (x + width, 0.75), (x - width, 0.75)], rock)
        cap = [(0.0, 0.0), (0.3, 0.3), (0.12, 0.24), (0.0, 0.36), (-0.13, 0.25), (-0.3, 0.3)]
        pen.polygon([(x + width * a, top + width * slope * b) for a, b in cap], snow)
    pen.polygon(_wave(scene, 0.62, 0.05, 3, 0), snow)


def _house(pen: Pen, scene: Scene, colour: Colour) -> None:
    own = pen.at(scene.x, 0.42, 0.36)
    house(own, colour, colour)
    own.rectangle(-0.5, 0.15, -0.1, 0.5, (255, 232, 130))
    own.rectangle(0.14, 0.25, 0.52, 0.9, (92, 60, 40))


def _pine_tree(pen: Pen, scene: Scene, _: Colour) -> None:
    green = lit((34, 112, 56), scene.hour)
    tree(pen.at(scene.x, 0.38, 0.4), green, green)


def _cactus(pen: Pen, scene: Scene, _: Colour) -> None:
    own, green = pen.at(scene.x, 0.38, 0.38), lit((52, 150, 84), scene.hour)
    own.rounded(-0.2, -0.9, 0.2, 0.95, 0.2, green)
    own.rounded(-0.75, -0.3, -0.45, 0.35, 0.15, green)
    own.rectangle(-0.62, 0.1, -0.1, 0.35, green)
    own.rounded(0.45, -0.5, 0.75, 0.2, 0.15, green)
    own.rectangle(0.1, -0.05, 0.62, 0.2, green)


def _sheep(pen: Pen, scene: Scene, _: Colour) -> None:
    own, wool = pen.at(scene.x, 0.48, 0.32), lit((246, 244, 238), scene.hour)
    dark = lit((52, 46, 48), scene.hour)
    for x in (-0.4, -0.15, 0.25, 0.5):
        own.rectangle(x - 0.06, 0.3, x + 0.06, 0.85, dark)
    for x, y in ((-0.45, 0), (-0.1, -0.2), (0.3, -0.15), (0.55, 0.08), (0.1, 0.2), (-0.25, 0.2)):
        own.ellipse(x, y, 0.36, 0.34, wool)
    own.ellipse(-0.78, -0.15, 0.22, 0.28, dark)


def _sailboat(pen: Pen, scene: Scene, colour: Colour) -> None:
    own = pen.at(scene.x, 0.28, 0.44)
    own.polygon([(-0.9, 0.4), (0.9, 0.4), (0.55, 0.9), (-0.6, 0.9)], WOOD)
    own.polygon([(0.05, -0.95), (0.05, 0.3), (0.78, 0.3)], colour)
    own.polygon([(-0.05, -0.75), (-0.05, 0.3), (-0.62, 0.3)], darker(colour, 0.18))


def _whale(pen: Pen, scene: Scene, colour: Colour) -> None:
    own = pen.at(scene.x, 0.48, 0.4)
    own.polygon([(0.7, 0.1), (0.75, -0.55), (0.95, -0.3), (1.15, -0.5), (0.95, 0.2)], colour)
    own.ellipse(-0.1, 0.2, 0.9, 0.52, colour)
    own.ellipse(-0.6, 0.08, 0.09, 0.09, (24, 24, 30))
    for lean in (-0.22, 0.22):
        own.line([(-0.2, -0.32), (-0.2 + lean / 2, -0.7), (-0.2 + lean, -0.72)], 0.09, (226, 242, 255))


def _balloon(pen: Pen, scene: Scene, colour: Colour) -> None:
    own = pen.at(scene.x, -0.3, 0.38)
    own.polygon([(-0.58, 0.15), (0.58, 0.15), (0.16, 0.75), (-0.16, 0.75)], colour)
    own.ellipse(0, -0.25, 0.72, 0.72, colour)
    own.ellipse(0, -0.25, 0.3, 0.72, darker(colour, 0.18))
    own.rectangle(-0.16, 0.78, 0.16, 1, WOOD)


_OMENS: dict[str, Callable[[Pen, Scene], None]] = {
    "": _nothing,
    "the sun": _sun,
    "clouds": _clouds,
    "a rainbow": _rainbow,
    "rain": _rain,
    "a moon": _moon,
    "many stars": _many_stars,
}
_LANDS: dict[str, Callable[[Pen, Scene], None]] = {
    "green hills": _hills,
    "snowy mountains": _mountains,
    "the sea": _sea,
    "a desert": _hills,
}
_SUBJECTS: dict[str, Callable[[Pen, Scene, Colour], None]] = {
    "house": _house,
    "pine tree": _pine_tree,
    "cactus": _cactus,
    "sheep": _sheep,
    "sailboat": _sailboat,
    "whale": _whale,
    "hot air balloon": _balloon,
}
