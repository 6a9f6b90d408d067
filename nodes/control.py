"""Nodes that need no model: values, choices, lists and loops."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import Field

from engine import Bound, Code, Graph, Lazy, PatchbayError, Paths, Settings, node
from engine.digests import file_digest

if TYPE_CHECKING:
    from pydantic import JsonValue

T = TypeVar("T")
N = TypeVar("N", int, float)

LongText = Annotated[str, Field(json_schema_extra={"format": "multiline"})]
"""A text that is written in more than one line."""


class Numeric(NamedTuple, Generic[N]):
    """A number."""

    number: N


@node("Text", category="control")
def text(*, text: LongText) -> str:
    """A text that several inputs can share."""
    return text


@node("Number", category="control")
def number(*, value: N) -> Numeric[N]:
    """A number that several inputs can share."""
    return Numeric(value)


@node("If", category="control")
def if_(condition: bool, then: Lazy[T], otherwise: Lazy[T]) -> T:  # noqa: FBT001  # a port is what it is
    """One of two values; the other one is never computed."""
    return then() if condition else otherwise()


@node("Switch", category="control")
def switch(
    a: Lazy[T],
    b: Lazy[T] | None = None,
    c: Lazy[T] | None = None,
    d: Lazy[T] | None = None,
    *,
    select: Literal["a", "b", "c", "d"] = "a",
) -> T:
    """One of up to four values; the others are never computed."""
    chosen = {"a": a, "b": b, "c": c, "d": d}[select]
    value = chosen() if chosen is not None else None
    if value is None:
        raise PatchbayError(Code.BAD_VALUE, "select", f'Nothing is linked to "{select}".', "Link it or select another.")
    return value


@node("Collect", category="control")
def collect(items: list[T]) -> list[T]:
    """Several values as one list. A node that takes one value runs once for each item of a list."""
    return items


@node("Reroute", category="control", relay=True)
def reroute(value: T) -> T:
    """A bend in a link: gives what it is given."""
    return value


@node("Note", category="control")
def note(*, text: LongText = "") -> None:
    """A remark for people; it does nothing."""


class GraphFile:
    """An input that names a graph file; a relative name starts from the document's folder or the graph roots."""

    noun = "graph"

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:  # noqa: ARG002  # the protocol's
        """The file. Raises `PatchbayError` when there is none, or none that a graph may read."""
        return paths.find(value if value.endswith(".json") else f"{value}.json", paths.graphs, at)

    def digest(self, resolved: Path) -> str:
        """Identity of the file's content."""
        return file_digest(resolved)


GraphPath = Annotated[Path, GraphFile(), Field(description="A graph file beside this one, by name.")]
PortName = Annotated[str, Field(description="A name in that graph's interface; empty where it has only one.")]


@node("ForEach", category="control")
def for_each(items: list[T], *, graph: GraphPath, input: PortName = "", output: PortName = "") -> list[Any] | Bound:  # noqa: A002  # the port's name
    """Run a graph once for each item of a list, and give the list of what came out."""
    taken, given = _ports(graph, input, output)
    steps: dict[str, JsonValue] = {
        f"item_{index}": {"type": f"graph:{graph.stem}", "inputs": {}} for index in range(len(items))
    }
    links: list[JsonValue] = [{"link": f"{name}.{given}"} for name in steps]
    inputs: dict[str, JsonValue] = {f"in_{index}": f"item_{index}.{taken}" for index in range(len(items))}
    document: dict[str, JsonValue] = {
        "version": 1,
        "nodes": {**steps, "all": {"type": "Collect", "inputs": {"items": links}}},
        "interface": {"inputs": inputs, "outputs": {"values": "all.values"}},
    }
    values = {f"in_{index}": item for index, item in enumerate(items)}
    return Graph.from_data(document, folder=graph.parent).bind(**values)


@node("Repeat", category="control")
def repeat(
    value: T,
    *,
    graph: GraphPath,
    times: Annotated[int, Field(ge=0, le=1000, description="How many times.")] = 2,
    input: PortName = "",  # noqa: A002  # the port's name
    output: PortName = "",
) -> T | Bound:
    """Run a graph several times, each time on what the time before gave."""
    if not times:
        return value
    taken, given = _ports(graph, input, output)
    steps: dict[str, JsonValue] = {}
    for index in range(times):
        inputs: dict[str, JsonValue] = {taken: {"link": f"time_{index - 1}.{given}"}} if index else {}
        steps[f"time_{index}"] = {"type": f"graph:{graph.stem}", "inputs": inputs}
    interface = {"inputs": {"value": f"time_0.{taken}"}, "outputs": {"value": f"time_{times - 1}.{given}"}}
    document = {"version": 1, "nodes": steps, "interface": interface}
    return Graph.from_data(document, folder=graph.parent).bind(value=value)


def _ports(path: Path, taken: str, given: str) -> tuple[str, str]:
    """The interface input and output that a loop uses: the named ones, or the only ones."""
    interface = Graph.load(path).document.interface
    return _port("input", taken, list(interface.inputs)), _port("output", given, list(interface.outputs))


def _port(side: str, name: str, known: list[str]) -> str:
    if not name and len(known) == 1:
        return known[0]
    if name not in known:
        what = f'The graph has no {side} "{name}".' if name else f"The graph has {len(known)} {side}s."
        raise PatchbayError(Code.UNKNOWN_PORT, side, what, f"Name one of: {', '.join(known) or 'none'}.")
    return name
