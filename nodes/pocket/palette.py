"""The colours of the drawn world, as red, green and blue from 0 to 255."""

from __future__ import annotations

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "red": (224, 42, 46),
    "orange": (247, 142, 28),
    "yellow": (252, 218, 50),
    "green": (46, 166, 74),
    "cyan": (62, 202, 216),
    "blue": (42, 90, 224),
    "purple": (140, 60, 194),
    "pink": (249, 136, 186),
    "brown": (130, 78, 42),
    "black": (26, 26, 32),
    "gray": (142, 146, 152),
    "white": (250, 250, 248),
}
"""Every colour that a thing or a background can be asked in."""

WOOD: Colour = (112, 72, 44)
INK: Colour = (22, 22, 28)
PAPER: Colour = (252, 252, 250)

_DARK, _BRIGHT = 210, 560
"""Sums of the three channels: below the first a colour is nearly black, above the second it is light."""


def darker(colour: Colour, amount: float) -> Colour:
    """The colour moved towards black; `amount` from 0 (unchanged) to 1 (black)."""
    return _moved(colour, (0, 0, 0), amount)


def lighter(colour: Colour, amount: float) -> Colour:
    """The colour moved towards white; `amount` from 0 (unchanged) to 1 (white)."""
    return _moved(colour, (255, 255, 255), amount)


def accent(colour: Colour) -> Colour:
    """Another tone of the colour that can be told from it: a lighter one, or a darker one of a light colour."""
    return darker(colour, 0.28) if sum(colour) > _BRIGHT else lighter(colour, 0.45)


def shadow(colour: Colour) -> Colour:
    """A darker tone of the colour, or a lighter one of what is nearly black."""
    return lighter(colour, 0.35) if sum(colour) < _DARK else darker(colour, 0.32)


def ink(colour: Colour) -> Colour:
    """Black or white, whichever shows on the colour."""
    return PAPER if sum(colour) < _DARK else INK


def _moved(colour: Colour, goal: Colour, amount: float) -> Colour:
    red, green, blue = (round(a + (b - a) * amount) for a, b in zip(colour, goal, strict=True))
    return red, green, blue
