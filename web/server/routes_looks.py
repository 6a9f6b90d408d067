"""What the editor asks to draw a graph: a tidy layout, and what the value on a link is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, JsonValue

from engine import Code, Graph, GraphError, Problem
from engine.errors import choose
from web.server.body import parse_model, read_json
from web.server.pointers import locate
from web.server.problems import POINTER
from web.server.route import Answer, Body, Route, answer
from web.server.service import service_of
from web.server.submission import MOST_NODES, Draft, Filled, Id, check_size, job_of, point
from web.server.tidy import tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from engine import Catalog

Pixels = Annotated[float, Field(gt=0, le=1e6)]


class Untidy(Body):
    """A graph to be laid out, whatever else is wrong with it."""

    graph: Annotated[dict[str, JsonValue], Field(description="The graph document.")]
    sizes: Annotated[
        dict[str, Annotated[list[Pixels], Field(min_length=2, max_length=2)]],
        Field(description="[width, height] of nodes as they are drawn, by id."),
    ] = {}
    only: Annotated[
        list[Id] | None, Field(max_length=MOST_NODES, description="Move just these; their upper left corner stays.")
    ] = None


class Tidied(Answer):
    """Where nodes go, by id: the upper left corner of each in pixels."""

    layout: dict[str, tuple[float, float]]


class Look(Filled):
    """The output whose value is to be seen."""

    port: Annotated[str, Field(pattern=r"^[\w-]+\.\w+$", max_length=201, description="The output, as node.port.")]


class SeenFact(Answer):
    """One line about a value."""

    name: str
    value: str


class Spread(Answer):
    """How many numbers lie in each of equally wide parts from `low` to `high`."""

    low: float
    high: float
    counts: list[int]


class SeenPicture(Answer):
    """A small picture of the value, or of a part of it."""

    label: str
    width: int
    height: int
    png: Annotated[str, Field(description="A PNG file in base64.")]


class Seen(Answer):
    """What a value is, where it is computed already; `label` is its type."""

    state: Literal["here", "not_computed"]
    label: str
    facts: list[SeenFact]
    histogram: Spread | None
    pictures: list[SeenPicture]


async def layout(request: web.Request) -> web.Response:
    """A layout that can be read."""
    service = service_of(request)
    wish = parse_model(Untidy, await read_json(request))
    request[POINTER] = lambda at: locate(at, wish.graph, {})
    found = await asyncio.to_thread(_tidied, wish, service.catalog)
    return answer(Tidied(layout=found))


def _tidied(wish: Untidy, catalog: Catalog) -> dict[str, tuple[float, float]]:
    graph = Graph.from_data(wish.graph)
    check_size(graph)
    nodes = graph.document.nodes
    unknown = [name for name in wish.only or () if name not in nodes]
    if unknown:
        what = 'There is no node "{}" to be laid out.'
        problems = [Problem(Code.UNKNOWN_NODE, name, what.format(name), choose(name, nodes)) for name in unknown]
        raise GraphError(problems)

    def ports(type_id: str) -> tuple[Sequence[str], Sequence[str]]:
        type_ = catalog.types.get(type_id)
        return ((), ()) if type_ is None else (tuple(type_.inputs), type_.output_names)

    sizes = {name: (width, height) for name, (width, height) in wish.sizes.items()}
    return tidy(graph.document, sizes, None if wish.only is None else frozenset(wish.only), ports)


async def inspect(request: web.Request) -> web.Response:
    """What the value of an output is. Nothing runs for it."""
    service = service_of(request)
    wish = parse_model(Look, await read_json(request))
    await asyncio.to_thread(point, request, service, wish)
    node = wish.port.partition(".")[0]
    job = await job_of(service, Draft(graph=wish.graph, name=wish.name, inputs=wish.inputs, only=node))
    return answer(Seen(**await service.dispatcher.inspect(job, wish.port)))


ROUTES = (
    Route("POST", "/api/layout", layout, "A layout of a graph that can be read", {200: Tidied}, body=Untidy),
    Route("POST", "/api/inspect", inspect, "What the value of an output is, if it is computed", {200: Seen}, body=Look),
)
