"""Node types and short cuts that the engine's tests share."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, TypeVar

from pydantic import Field

from engine import Bound, Catalog, Graph, GraphError, Kind, Lazy, Paths, Settings, node, plan
from engine.cache import MemoryCache
from engine.digests import file_digest
from engine.executor import Executor

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
K = TypeVar("K", bound=Kind)
Percent = Annotated[int, Field(ge=0, le=100, description="From nothing to all.")]


class File:
    """A file to read."""

    def resolve(self, value, paths, settings, at):  # noqa: ARG002
        return paths.find(value, paths.inputs, at)

    def digest(self, resolved):
        return file_digest(resolved)


class Target:
    """A file to write."""

    writes = True

    def resolve(self, value, paths, settings, at):  # noqa: ARG002
        return value

    def digest(self, resolved):
        return resolved


@dataclass(frozen=True)
class Model(Generic[K]):
    kind: str
    affinity: str = ""

    def digest(self):
        return self.kind


@dataclass(frozen=True)
class Latent(Generic[K]):
    kind: str


class Pair(NamedTuple):
    small: int
    large: int


@node("Number")
def number(*, value: int = 0) -> int:
    return value


@node("Fraction")
def fraction(*, value: float = 0.5) -> float:
    return value


@node("Text")
def text(*, text: str = "") -> str:
    return text


@node("Add")
def add(a: int, b: int = 1) -> int:
    """Give the sum."""
    return a + b


@node("Fail")
def fail(a: int) -> int:
    message = f"not {a}"
    raise ValueError(message)


@node("If")
def if_(condition: bool, then: Lazy[T], otherwise: Lazy[T]) -> T:  # noqa: FBT001
    return then() if condition else otherwise()


@node("Sum")
def total(items: list[int]) -> int:
    return sum(items)


@node("Range")
def counted(*, size: Annotated[int, Field(ge=0)] = 3) -> list[int]:
    return list(range(size))


@node("Percentage")
def percentage(value: Percent) -> int:
    return value


@node("Divide")
def divide(a: int, b: int) -> Pair:
    return Pair(*sorted(divmod(a, b)))


@node("Load", kinds=lambda values: {"K": str(values["name"])})
def load(*, name: str) -> Model[K]:
    return Model(name)


@node("Encode")
def encode(model: Model[K]) -> Latent[K]:
    return Latent(model.kind)


@node("Decode")
def decode(model: Model[K], latent: Latent[K]) -> str:
    return f"{model.kind} {latent.kind}"


@node("Read")
def read(file: Annotated[str, File()]) -> str:
    return file.read_text()  # type: ignore[attr-defined]


@node("Write", effect=True)
def write(text: str, *, to: Annotated[str, Target()]) -> None:
    return None


@node("Several")
def several(*, graph: dict[str, Any], value: int = 0) -> int | Bound:
    return Graph.from_data(graph).bind(value=value)


STANDARD = (
    number, fraction, text, add, fail, if_, total, counted, percentage, divide, load, encode, decode, read, write,
    several,
)  # fmt: skip


def catalog(*types):
    """The standard node types, some of them replaced by others of the same id."""
    return Catalog.of({type_.id: type_ for type_ in (*STANDARD, *types)}.values())


def link(path):
    return {"link": path}


def graph(nodes, outputs=None, inputs=None, folder=None):
    """A graph from nodes written as (type, inputs) or (type, inputs, state)."""
    placed = {
        name: {"type": type_, "inputs": values} | ({"state": state[0]} if state else {})
        for name, (type_, values, *state) in nodes.items()
    }
    interface = {"inputs": inputs or {}, "outputs": outputs or {}}
    return Graph.from_data({"version": 1, "nodes": placed, "interface": interface}, folder=folder)


def planned(wanted, *types, paths=None, **more):
    return plan(wanted, catalog(*types), paths or Paths(), Settings(), **more)


def problems(wanted, *types, paths=None, **more):
    """The problems of a graph, as (code, at, what, fix)."""
    try:
        planned(wanted, *types, paths=paths, **more)
    except GraphError as error:
        return [(problem.code.value, problem.at, problem.what, problem.fix) for problem in error.problems]
    return []


class Lab:
    """One executor and what happened in it."""

    def __init__(self, *types, budget=1 << 24, threads=4, paths=None):
        self.catalog = catalog(*types)
        self.cache = MemoryCache(budget)
        self.executor = Executor(self.catalog, self.cache, threads)
        self.paths = paths or Paths()
        self.bodies = []

    def plan(self, wanted, **more):
        return plan(wanted, self.catalog, self.paths, Settings(), **more)

    def run(self, wanted, cancel=None, on_event=None, **more):
        """Run a graph; events stay in `bodies`."""
        self.bodies = []
        sequence = itertools.count(1)

        def listen(event):
            assert event.sequence == next(sequence)
            self.bodies.append(event.body)
            if on_event:
                on_event(event)

        return self.executor.run(self.plan(wanted, **more), listen, cancel)

    def ids(self, tag):
        """The nodes that had an event of this kind, in order."""
        return [body.node for body in self.bodies if body.tag == tag]


def write_file(path: Path, content: str) -> Path:
    path.write_text(content)
    return path
