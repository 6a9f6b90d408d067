"""The things that can be drawn in any colour: each is a function from a pen, its colour and the colour behind it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nodes.pocket.palette import COLOURS, WOOD, Colour, accent, ink, shadow

if TYPE_CHECKING:
    from collections.abc import Callable

    from nodes.pocket.pen import Pen

    Figure = Callable[[Pen, Colour, Colour], None]


def circle(pen: Pen, colour: Colour, _: Colour) -> None:
    """A disc."""
    pen.ellipse(0, 0, 1, 1, colour)


def square(pen: Pen, colour: Colour, _: Colour) -> None:
    """A square, standing on a side."""
    pen.rectangle(-0.85, -0.85, 0.85, 0.85, colour)


def triangle(pen: Pen, colour: Colour, _: Colour) -> None:
    """A triangle, standing on a side."""
    pen.polygon([(0, -0.92), (1, 0.82), (-1, 0.82)], colour)


def star(pen: Pen, colour: Colour, _: Colour) -> None:
    """A star of five points."""
    turns = [(index * math.pi / 5, 0.42 if index % 2 else 1.05) for index in range(10)]
    pen.polygon([(far * math.sin(turn), 0.08 - far * math.cos(turn)) for turn, far in turns], colour)


def heart(pen: Pen, colour: Colour, _: Colour) -> None:
    """A heart: two discs and the triangle that both touch."""
    pen.ellipse(-0.47, -0.36, 0.53, 0.53, colour)
    pen.ellipse(0.47, -0.36, 0.53, 0.53, colour)
    pen.polygon([(-0.9, -0.05), (0, -0.3), (0.9, -0.05), (0, 0.95)], colour)


def diamond(pen: Pen, colour: Colour, _: Colour) -> None:
    """A rhombus, taller than wide."""
    pen.polygon([(0, -1), (0.7, 0), (0, 1), (-0.7, 0)], colour)


def ring(pen: Pen, colour: Colour, behind: Colour) -> None:
    """A disc with a round hole."""
    pen.ellipse(0, 0, 1, 1, colour)
    pen.ellipse(0, 0, 0.5, 0.5, behind)


def cross(pen: Pen, colour: Colour, _: Colour) -> None:
    """Two bars that cross."""
    pen.rectangle(-0.33, -1, 0.33, 1, colour)
    pen.rectangle(-1, -0.33, 1, 0.33, colour)


def moon(pen: Pen, colour: Colour, behind: Colour) -> None:
    """A crescent, open to the right."""
    pen.ellipse(0, 0, 1, 1, colour)
    pen.ellipse(0.5, -0.2, 0.8, 0.8, behind)


def cloud(pen: Pen, colour: Colour, _: Colour) -> None:
    """Three puffs on a flat base."""
    pen.ellipse(-0.52, 0.12, 0.44, 0.42, colour)
    pen.ellipse(0.5, 0.1, 0.48, 0.45, colour)
    pen.ellipse(-0.05, -0.15, 0.55, 0.52, colour)
    pen.rounded(-0.96, 0.1, 0.98, 0.56, 0.22, colour)


def fish(pen: Pen, colour: Colour, _: Colour) -> None:
    """A fish that swims to the left."""
    pen.polygon([(0.3, 0), (1, -0.62), (0.85, 0), (1, 0.62)], colour)
    pen.ellipse(-0.22, 0, 0.78, 0.56, colour)
    pen.ellipse(-0.6, -0.12, 0.11, 0.11, ink(colour))
    pen.polygon([(-0.15, -0.1), (0.28, 0.22), (-0.18, 0.3)], accent(colour))


def cat(pen: Pen, colour: Colour, _: Colour) -> None:
    """A cat's head."""
    for side in (-1, 1):
        pen.polygon([(side * 0.86, -0.96), (side * 0.18, -0.48), (side * 0.82, 0.12)], colour)
    pen.ellipse(0, 0.15, 0.92, 0.78, colour)
    for side in (-1, 1):
        pen.ellipse(side * 0.36, 0, 0.13, 0.18, ink(colour))
    pen.polygon([(-0.15, 0.3), (0.15, 0.3), (0, 0.48)], accent(colour))


def house(pen: Pen, colour: Colour, _: Colour) -> None:
    """A house with a roof, a window and a door."""
    pen.rectangle(-0.74, -0.12, 0.74, 0.9, colour)
    pen.polygon([(0, -1), (1, -0.1), (-1, -0.1)], shadow(colour))
    pen.rectangle(-0.5, 0.15, -0.1, 0.5, accent(colour))
    pen.rectangle(0.14, 0.25, 0.52, 0.9, accent(colour))


def tree(pen: Pen, colour: Colour, _: Colour) -> None:
    """A pine tree of three storeys on a trunk."""
    pen.rectangle(-0.16, 0.5, 0.16, 1, WOOD)
    for top, width, bottom in ((-1, 0.55, -0.25), (-0.65, 0.75, 0.2), (-0.25, 0.92, 0.64)):
        pen.polygon([(0, top), (width, bottom), (-width, bottom)], colour)


def flower(pen: Pen, colour: Colour, _: Colour) -> None:
    """Six petals around a heart of another colour."""
    for index in range(6):
        turn = index * math.pi / 3
        pen.ellipse(0.58 * math.sin(turn), -0.58 * math.cos(turn), 0.4, 0.4, colour)
    yellowish = colour in {COLOURS["yellow"], COLOURS["orange"]}
    pen.ellipse(0, 0, 0.36, 0.36, COLOURS["brown"] if yellowish else COLOURS["yellow"])


def mushroom(pen: Pen, colour: Colour, _: Colour) -> None:
    """A dotted cap on a pale stem."""
    pen.rounded(-0.32, -0.05, 0.32, 0.95, 0.2, (240, 226, 200))
    pen.dome(0, 0.12, 1, 1.04, colour)
    for x, y, radius in ((-0.45, -0.25, 0.17), (0.12, -0.55, 0.19), (0.55, -0.15, 0.14)):
        pen.ellipse(x, y, radius, radius, accent(colour))


def ghost(pen: Pen, colour: Colour, _: Colour) -> None:
    """A ghost with a wavy hem, two eyes and a mouth."""
    pen.dome(0, -0.15, 0.8, 0.85, colour)
    pen.rectangle(-0.8, -0.16, 0.8, 0.7, colour)
    for index in (-1, 0, 1):
        pen.ellipse(index * 0.533, 0.7, 0.267, 0.28, colour)
    for x, y, width, height in ((-0.3, -0.2, 0.15, 0.2), (0.3, -0.2, 0.15, 0.2), (0, 0.25, 0.14, 0.11)):
        pen.ellipse(x, y, width, height, ink(colour))


def rocket(pen: Pen, colour: Colour, _: Colour) -> None:
    """A rocket with two fins, a porthole and a flame."""
    pen.polygon([(-0.3, 0.7), (0.3, 0.7), (0, 1)], COLOURS["orange"])
    for side in (-1, 1):
        pen.polygon([(side * 0.38, 0.1), (side * 0.82, 0.78), (side * 0.28, 0.7)], shadow(colour))
    pen.ellipse(0, -0.1, 0.43, 0.9, colour)
    pen.ellipse(0, -0.25, 0.2, 0.2, accent(colour))


def umbrella(pen: Pen, colour: Colour, _: Colour) -> None:
    """An umbrella with a stick."""
    pen.rectangle(-0.07, 0, 0.07, 0.85, WOOD)
    pen.dome(0, 0.05, 1, 1, colour)
    pen.polygon([(-0.33, 0.05), (0.33, 0.05), (0, -0.95)], accent(colour))


def butterfly(pen: Pen, colour: Colour, _: Colour) -> None:
    """Four wings around a body."""
    for side in (-1, 1):
        pen.ellipse(side * 0.52, -0.38, 0.48, 0.52, colour)
        pen.ellipse(side * 0.42, 0.45, 0.38, 0.42, colour)
        pen.ellipse(side * 0.52, -0.38, 0.2, 0.22, accent(colour))
    pen.ellipse(0, 0, 0.12, 0.82, shadow(WOOD) if colour == COLOURS["brown"] else WOOD)


FIGURES: dict[str, Figure] = {
    figure.__name__: figure
    for figure in (
        circle, square, triangle, star, heart, diamond, ring, cross, moon, cloud,
        fish, cat, house, tree, flower, mushroom, ghost, rocket, umbrella, butterfly,
    )
}  # fmt: skip
"""Every figure by the word that asks for it."""
