"""Where in a request's body an error is: from the place an error names to a JSON pointer (RFC 6901).

Errors of a graph name places in words of the graph: "sample", "sample.steps", "prompt.list[3]", "up/sample.steps" (a
node of the graph inside the node "up"), "nodes.sample.inputs.steps", an interface input's public name, "graph:4:7".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import BaseModel

from engine import Graph
from engine.document import Document

if TYPE_CHECKING:
    from collections.abc import Mapping

GRAPH = "/graph"
INPUTS = "/inputs"

_MOST_DOTS = 32
"""In one name; beyond that a dot parts two names."""

_PORT = re.compile(r"(?P<port>\w+)(?:\[(?P<item>\d+)\])?")


def pointer(*parts: str | int) -> str:
    """A JSON pointer to these names and positions, one within the other."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def locate(
    at: str, document: Graph | object, inputs: Mapping[str, object], prefix: str | None = GRAPH, given: str = INPUTS
) -> str | None:
    """The pointer to what `at` names in a body that holds `document` under `prefix` and `inputs` under `given`.

    `document` is the graph, or its plain data when it could not be read. A value that was given through an interface
    input is pointed to there. None means that the body does not hold the place: with a `prefix` of None the graph is
    a saved one, and a file's path lies in no body at all.
    """
    data = document.document if isinstance(document, Graph) else document
    public = _public(at, data, inputs)
    if public is not None:
        return given + pointer(public)
    if prefix is None or at.startswith("/"):
        return None
    return prefix + pointer(*(_in_node(at, data) or _in_document(at, data)))


def _public(at: str, data: object, inputs: Mapping[str, object]) -> str | None:
    """The given interface input behind a place: by its own name where the graph lacks it, or by the port it sets."""
    known = _get(data, "interface", "inputs")
    if at in inputs and (not isinstance(known, dict) or at not in known):
        return at
    place = at.partition("[")[0]
    names = known.items() if isinstance(known, dict) else ()
    return next((name for name, port in names if name in inputs and port == place), None)


def _in_node(at: str, data: object) -> list[str | int]:
    """The way to a node or to one of its inputs; empty when `at` names neither."""
    outer, inner, _ = at.partition("/")
    node, dot, rest = outer.partition(".")
    nodes = _get(data, "nodes")
    if not isinstance(nodes, dict) or node not in nodes:
        return []
    port = _PORT.fullmatch(rest)
    if inner or not dot:
        return ["nodes", node]
    if port is None:
        return []
    item = [int(port["item"])] if port["item"] else []
    return ["nodes", node, "inputs", port["port"], *item]


def _in_document(at: str, data: object) -> list[str | int]:
    """The way along a dotted path. A name may hold dots itself, so the longest one that is there goes first."""
    if at.partition(".")[0] not in Document.model_fields and _next(at, data) not in _named(data):
        return []
    way: list[str | int] = []
    while at:
        name = _next(at, data)
        way.append(int(name) if isinstance(data, list) and name.isdecimal() else name)
        data = _get(data, name)
        at = at[len(name) + 1 :]
    return way


def _next(at: str, data: object) -> str:
    parts, known = at.split(".", _MOST_DOTS)[:_MOST_DOTS], _named(data)
    names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((name for name in names if name in known), parts[0])


def _get(data: object, *names: str) -> object:
    for name in names:
        if isinstance(data, list):
            data = data[int(name)] if name.isdecimal() and int(name) < len(data) else None
        else:
            data = _named(data).get(name)
    return data


def _named(data: object) -> dict[str, object]:
    """The members of an object of a document, read or not; none for anything else."""
    if isinstance(data, BaseModel):
        return dict(data)
    return data if isinstance(data, dict) else {}
