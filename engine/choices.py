"""What an input that names something outside the graph could name: for lists to choose from, and to look after."""

from __future__ import annotations

from collections.abc import Callable, Mapping  # a dataclass's annotations may be read at run time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pydantic import JsonValue

    from engine.catalog import AnyNodeType
    from engine.paths import Paths
    from engine.settings import Settings

Progress = Callable[[int, int], None]
"""Told while something is fetched: bytes so far, and bytes in all as far as that is known yet."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be named. `name` is what the graph holds; `kind` is empty where there is none, or none known.

    `detail` says more, in the resource's own words; under `problem` it has the fields of the `PatchbayError` that
    choosing this would give.
    """

    name: str
    kind: str = ""
    detail: Mapping[str, JsonValue] = field(default_factory=dict)


@runtime_checkable
class Choosable(Protocol):
    """What a `Resource` may do besides: list what could be named. A resource without it takes names only."""

    def choices(self, paths: Paths, settings: Settings) -> list[Choice]:
        """Everything that `resolve` would find under the roots, and what is broken there with its problem.

        Reads no more than headers and configurations, but may take a while; it does not raise for a broken file.
        """
        ...


@runtime_checkable
class Collection(Choosable, Protocol):
    """What a `Resource` that loads models may do besides: look into one, fetch one, and say what it can load.

    What it answers is in its own words, as a choice's `detail` is.
    """

    def describe(self, name: str, paths: Paths, at: str, *, digests: bool = True) -> Mapping[str, JsonValue]:
        """What the model `name` is made of; no weight is loaded, but each is read once where `digests` are wanted.

        Raises `PatchbayError` at `at`.
        """
        ...

    def fetch(self, name: str, at: str, progress: Progress | None = None) -> Path:
        """Fetch a model over the network: to call this is to allow it. Raises `PatchbayError` at `at`."""
        ...

    def families(self) -> Mapping[str, JsonValue]:
        """Which families of models can be loaded and what works with each, and why others cannot."""
        ...


def collections(types: Iterable[AnyNodeType]) -> Iterator[Choosable]:
    """The resources of the inputs that load models, of those that can list them."""
    for type_ in types:
        for port in type_.inputs.values():
            if getattr(port.resource, "loads", False) and isinstance(port.resource, Choosable):
                yield port.resource


def models(types: Iterable[AnyNodeType], paths: Paths, settings: Settings) -> list[Choice]:
    """What the inputs that load models may name, each once."""
    found: dict[str, Choice] = {}
    for collection in collections(types):
        for choice in collection.choices(paths, settings):
            found.setdefault(choice.name, choice)
    return list(found.values())


def named(types: Iterable[AnyNodeType], noun: str, paths: Paths, settings: Settings) -> list[Choice]:
    """What the inputs that take a `noun`, such as a LoRA, may name, each once."""
    found: dict[str, Choice] = {}
    resources = (port.resource for type_ in types for port in type_.inputs.values())
    for resource in resources:
        if isinstance(resource, Choosable) and getattr(resource, "noun", None) == noun:
            for choice in resource.choices(paths, settings):
                found.setdefault(choice.name, choice)
    return list(found.values())
