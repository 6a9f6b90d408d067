"""From what a client sends to an order that the queue takes: the graph is found, filled in and checked as a whole."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, JsonValue, model_validator

from engine import Code, Graph, GraphError, PatchbayError, Problem, ServerError, plan
from engine.graph import unknown_input
from engine.seeds import draw, drawn_ports
from web.server.pointers import locate
from web.server.problems import POINTER
from web.server.queue import Order
from web.server.record import Priority
from web.server.route import Body
from web.text import stem_of
from web.worker.job import Job

if TYPE_CHECKING:
    from aiohttp import web

    from engine import Plan
    from web.server.problems import Pointer
    from web.server.service import Service

MOST_NODES = 20_000
"""Nodes of a graph that the server takes."""

LONGEST_TEXT = 100_000
"""Characters of one text in a graph."""


Id = Annotated[str, Field(max_length=100)]


class Filled(Body):
    """A graph with values for its interface."""

    graph: Annotated[
        dict[str, JsonValue] | None, Field(description="The graph document. Without it, `name` names a saved graph.")
    ] = None
    name: Annotated[
        str | None,
        Field(min_length=1, max_length=100, description="A saved graph; beside `graph`, what files are called after."),
    ] = None
    inputs: Annotated[dict[str, JsonValue], Field(description="Values for the graph's interface inputs.")] = {}

    @model_validator(mode="after")
    def _names_a_graph(self) -> Filled:
        if self.graph is None and self.name is None:
            message = "Give `graph`, or the `name` of a saved one."
            raise ValueError(message)
        return self


class Draft(Filled):
    """A graph with values for its interface: to be checked, planned or run."""

    outputs: Annotated[
        list[str] | None, Field(min_length=1, max_length=1000, description="The interface outputs that are wanted.")
    ] = None
    only: Annotated[
        Id | Annotated[list[Id], Field(min_length=1, max_length=MOST_NODES)] | None,
        Field(description="Run up to this node, or to each of these; their outputs are then the run's."),
    ] = None

    @model_validator(mode="after")
    def _wants_one_thing(self) -> Draft:
        if self.outputs is not None and self.only is not None:
            message = "`outputs` and `only` exclude each other."
            raise ValueError(message)
        return self


class Submission(Draft):
    """A graph to run."""

    priority: Priority = 0
    idempotency_key: Annotated[
        str | None, Field(min_length=1, max_length=200, description="The same key is the same run, however often sent.")
    ] = None


def point(request: web.Request, service: Service, draft: Filled) -> None:
    """Let errors point into a draft's body."""
    request[POINTER] = pointer_of(service, draft)


def pointer_of(service: Service, draft: Filled) -> Pointer:
    """From an error's place to the place in a draft's body. A saved graph is not in it, but values for it are."""
    if draft.graph is not None:
        return lambda at: locate(at, draft.graph, draft.inputs)
    if not draft.inputs:
        return lambda _at: None
    try:
        graph = service.graphs.read(str(draft.name)).graph
    except PatchbayError:
        return lambda _at: None
    return lambda at: locate(at, graph, draft.inputs, None)


async def planned(service: Service, draft: Draft) -> Plan:
    """The plan of a draft; its `graph` has the values in it. Raises `GraphError` with every problem, `ServerError`."""
    return await asyncio.to_thread(_plan, service, draft)


def _plan(service: Service, draft: Draft) -> Plan:
    graph = read_graph(service, draft)
    check_size(graph)
    known, nodes = graph.document.interface.inputs, graph.document.nodes
    problems = [unknown_input(name, known) for name in draft.inputs if name not in known]
    # an interface input of a node that is not there is a problem of the graph's own, which the plan tells
    filled = graph.with_inputs(
        {name: value for name, value in draft.inputs.items() if known.get(name, "").partition(".")[0] in nodes}
    )
    problems += long_texts(filled)
    try:
        found = plan(filled, service.catalog, service.paths, service.settings, outputs=draft.outputs, only=draft.only)
    except GraphError as error:
        raise GraphError([*problems, *error.problems]) from error
    if problems:
        raise GraphError(problems)
    return found


def check_size(graph: Graph) -> None:
    """Raise `GraphError` (`too_large`) for a graph of too many nodes."""
    if len(graph.document.nodes) > MOST_NODES:
        what = f"The server takes graphs of at most {MOST_NODES:,} nodes."
        raise GraphError([Problem(Code.TOO_LARGE, "nodes", what, "Split it into several graphs.")])


def read_graph(service: Service, draft: Draft) -> Graph:
    """The graph that a draft holds or names."""
    if draft.graph is not None:
        return Graph.from_data(draft.graph)
    return service.graphs.read(str(draft.name)).graph


def long_texts(graph: Graph) -> list[Problem]:
    """Texts that no prompt can be."""
    return [
        Problem(Code.TOO_LARGE, f"{name}.{port}", f"A text has at most {LONGEST_TEXT:,} characters.", "Shorten it.")
        for name, node in graph.document.nodes.items()
        for port, value in node.inputs.items()
        if isinstance(value, str) and len(value) > LONGEST_TEXT
    ]


async def ordered(service: Service, submission: Submission, *, draws: bool = True) -> Order:
    """The order of a submission, checked, its seeds drawn. Raises `GraphError`, `ServerError`."""
    wanted = await planned(service, submission)
    return await asyncio.to_thread(_order, service, submission, wanted, draws=draws)


def ports_given(draft: Draft, graph: Graph) -> set[str]:
    """Each `node.input` that a draft gives a value: nothing is drawn for it."""
    return {path for name, path in graph.document.interface.inputs.items() if name in draft.inputs}


def _order(service: Service, submission: Submission, wanted: Plan, *, draws: bool) -> Order:
    graph = wanted.graph
    drawn = draw(wanted, ports_given(submission, graph), secrets.randbelow) if draws else {}
    order = service.catalog.inputs_in_order
    return Order(
        name=name_of(submission, graph),
        document=graph.with_values(drawn).dumps(order),
        drawn=drawn,
        asked=graph.dumps(order) if drawn else None,
        base=str(graph.folder) if graph.folder is not None else None,
        inputs=submission.inputs,
        wanted=submission.outputs,
        only=submission.only,
        priority=submission.priority,
        affinity=wanted.affinity,
        key=submission.idempotency_key,
    )


async def job_of(service: Service, draft: Draft) -> Job:
    """A draft as a job that the worker is asked about; no seed is drawn. Raises `GraphError`, `ServerError`."""
    wanted = await planned(service, draft)
    return await asyncio.to_thread(_job, service, draft, wanted)


def _job(service: Service, draft: Draft, wanted: Plan) -> Job:
    graph = wanted.graph
    return Job(
        id="",
        attempt=0,
        name=stem_of(name_of(draft, graph)),
        document=graph.dumps(service.catalog.inputs_in_order),
        folder=str(service.paths.outputs),
        base=str(graph.folder) if graph.folder is not None else None,
        wanted=draft.outputs,
        only=draft.only,
        drawn=[path.partition(".")[0] for path in drawn_ports(wanted, ports_given(draft, graph))],
    )


def name_of(draft: Draft, graph: Graph) -> str:
    """What a draft's run and its files are called."""
    return draft.name or graph.document.name or "graph"


def no_graph_in(what: str) -> ServerError:
    """The refusal of a picture that carries no graph."""
    return ServerError(Code.BAD_REQUEST, "", what, "Send a PNG that Patchbay has saved, or a graph.")
