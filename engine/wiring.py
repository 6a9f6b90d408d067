"""What the inputs of a checked node are made of: values, other nodes' outputs, or lists of both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from engine.keys import canonical, canonical_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.catalog import AnyNodeType
    from engine.node import Resource
    from engine.types import Fit


@dataclass(frozen=True)
class Const:
    """A value that is known before anything runs."""

    value: object
    resource: Resource | None = None

    @cached_property
    def data(self) -> bytes | None:
        """The value as bytes for a key; a file counts by its content."""
        if self.resource is not None and self.value is not None:
            return b"r" + canonical_text(self.resource.digest(self.value))
        return canonical(self.value)


class From(NamedTuple):
    """Another node's output."""

    node: str
    port: str


@dataclass(frozen=True, slots=True)
class Many:
    """A list, some of whose items are other nodes' outputs."""

    items: tuple[Const | From, ...]


Source = Const | From | Many


@dataclass(frozen=True, slots=True)
class CheckedNode:
    """A node with every input resolved. `fit` says for an input when it is not linked directly."""

    id: str
    type: AnyNodeType
    inputs: Mapping[str, Source]
    fit: Mapping[str, Fit]

    def identity(self, numerics: str) -> str:
        """What the function is, for a key: its type's source, and the numerics where it runs on the device."""
        return self.type.source + (numerics if self.type.device else "")

    @property
    def mapped(self) -> bool:
        """Whether it runs once for each item of a list."""
        return "map" in self.fit.values()

    @property
    def keyed(self) -> bool:
        """Whether its written inputs and the keys of its linked ones say all that its result depends on."""
        ports = self.type.inputs
        return self.type.deterministic and not any(
            ports[name].resource is not None and not isinstance(source, Const) for name, source in self.inputs.items()
        )


def sources_in(source: Source) -> Iterator[From]:
    """The outputs of other nodes that an input is made of."""
    for item in source.items if isinstance(source, Many) else (source,):
        if isinstance(item, From):
            yield item
