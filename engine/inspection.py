"""What a value is, for somebody who looks at it: facts, how its numbers are spread, and a few pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from engine.describe import describe
from engine.types import Choice, ListOf, OneOf, Scalar, type_of, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.types import Type

MOST_PICTURES = 16

MOST_ITEMS = 16
"""So many items of a list are looked at."""

LONGEST_TEXT = 10_000
"""Characters of a text that are shown."""


class Fact(NamedTuple):
    """One line about a value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many numbers lie in each of equally wide parts from `low` to `high`."""

    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A small picture of a value, or of a part of it, as the bytes of a PNG file of this size."""

    label: str
    width: int
    height: int
    png: bytes


@dataclass(frozen=True, slots=True)
class Inspection:
    """What there is to see of a value."""

    facts: tuple[Fact, ...]
    histogram: Histogram | None = None
    pictures: tuple[Shown, ...] = ()


@runtime_checkable
class Inspectable(Protocol):
    """What a class of values may do: say what there is to see of one."""

    def inspect(self, pictures: int) -> Inspection:
        """The facts, and at most so many `pictures`, each small enough to be sent."""
        ...


def label_of(value: object) -> str:
    """What a value is, as a type: "Latent[sd1]", "list of Image", "int"."""
    return str(_plain(type_of(value[:MOST_ITEMS] if isinstance(value, (list, tuple)) else value)))


def _plain(type_: Type) -> Type:
    match type_:
        case Choice(values):
            return Scalar(values[0][0])
        case ListOf(item):
            return ListOf(_plain(item))
        case OneOf(members):
            return union(map(_plain, members))
        case _:
            return type_


def inspect_value(value: object, pictures: int = MOST_PICTURES) -> Inspection:
    """What there is to see of a value; of a list, of its first `MOST_ITEMS` items."""
    if isinstance(value, (list, tuple)):
        return _listed(value, pictures)
    if isinstance(value, Inspectable):
        return value.inspect(pictures)
    if isinstance(value, str):
        cut = value if len(value) <= LONGEST_TEXT else f"{value[: LONGEST_TEXT - 3]}..."
        return Inspection((Fact("value", cut), Fact("characters", str(len(value)))))
    plain = value is None or isinstance(value, (int, float))
    return Inspection((Fact("value", json.dumps(value) if plain else describe(value)),))


def _listed(items: Sequence[object], pictures: int) -> Inspection:
    shown = items[:MOST_ITEMS]
    share = max(1, pictures // max(1, len(shown)))
    facts = [Fact("items", str(len(items)))]
    found: list[Shown] = []
    for number, item in enumerate(shown, 1):
        part = inspect_value(item, share)
        facts += (Fact(f"{number}: {name}", text) for name, text in part.facts)
        found += (replace(picture, label=f"{number}: {picture.label}") for picture in part.pictures)
    return Inspection(tuple(facts), None, tuple(found[:pictures]))
