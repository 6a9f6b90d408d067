"""What graphs can be made of, and what a graph would do: the catalogue, the models, checks and plans."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

from aiohttp import web
from pydantic import Field, JsonValue

from engine import GraphError
from engine.choices import models as named_models
from engine.choices import named
from engine.schema import document_schema
from web.server.body import parse_model, read_json
from web.server.node_types import NodeType
from web.server.route import MAY_LACK, Answer, Query, Route, answer, read_query
from web.server.service import service_of
from web.server.submission import Draft, job_of, planned, point, pointer_of

if TYPE_CHECKING:
    from engine import Problem
    from web.server.problems import Pointer
    from web.server.service import Service


class Trouble(Answer):
    """One problem: a stable code, the place in the graph's words and in the body, what is wrong, how to mend it."""

    model_config = MAY_LACK

    code: str
    at: str
    what: str
    fix: str
    pointer: str | None = None


class Catalogue(Answer):
    """Every node type with its ports, their types and the JSON schema of the values they take."""

    nodes: list[NodeType]
    problems: Annotated[list[Trouble], Field(description="Node files that could not be loaded.")]


class Verdict(Answer):
    """Whether a graph can run, and every reason why it cannot."""

    ok: bool
    problems: list[Trouble]


class Foresight(Answer):
    """What one node would do now."""

    node: str
    state: Literal["reused", "runs", "unknown"]
    why: str


class Forecast(Answer):
    """What a run would do now, node by node, in order."""

    nodes: list[Foresight]


class Model(Answer):
    """A model that a graph may name. `kind` is null where it cannot be used; `detail` says more."""

    name: str
    kind: str | None
    detail: dict[str, JsonValue]


class ModelQuery(Query):
    """Which."""

    noun: Annotated[
        str | None,
        Field(max_length=50, description="Instead: what an input with this resource may name, for instance LoRA."),
    ] = None


class Models(Answer):
    """The models in the box, in the model folders and in the hub's cache."""

    models: list[Model]


async def nodes(request: web.Request) -> web.Response:
    """The catalogue."""
    catalog = service_of(request).catalog
    problems = [trouble(problem) for problem in catalog.problems]
    described = [NodeType.model_validate(item) for item in catalog.describe()]
    return answer(Catalogue(nodes=described, problems=problems))


async def schema(request: web.Request) -> web.Response:
    """The JSON schema of graph documents."""
    return answer(document_schema(service_of(request).catalog))


async def check(request: web.Request) -> web.Response:
    """All problems of a graph."""
    service = service_of(request)
    draft = parse_model(Draft, await read_json(request))
    try:
        await planned(service, draft)
    except GraphError as error:
        return answer(await asyncio.to_thread(_verdict, service, draft, error))
    return answer(Verdict(ok=True, problems=[]))


def _verdict(service: Service, draft: Draft, error: GraphError) -> Verdict:
    pointer = pointer_of(service, draft)
    return Verdict(ok=False, problems=[trouble(problem, pointer) for problem in error.problems])


async def forecast(request: web.Request) -> web.Response:
    """What a run would reuse and what it would run."""
    service = service_of(request)
    draft = parse_model(Draft, await read_json(request))
    await asyncio.to_thread(point, request, service, draft)
    job = await job_of(service, draft)
    found = await service.dispatcher.forecast(job)
    return answer(Forecast(nodes=[Foresight(**item) for item in found]))


async def models(request: web.Request) -> web.Response:
    """The models that can be named, or the files of one sort."""
    service = service_of(request)
    noun = read_query(request, ModelQuery).noun
    types, place = service.catalog.types.values(), (service.paths, service.settings)
    if noun is None:
        found = await asyncio.to_thread(named_models, types, *place)
    else:
        found = await asyncio.to_thread(named, types, noun, *place)
    listed = [Model(name=choice.name, kind=choice.kind or None, detail=dict(choice.detail)) for choice in found]
    return answer(Models(models=listed))


def trouble(problem: Problem, pointer: Pointer | None = None) -> Trouble:
    """A problem as it is sent."""
    place = pointer(problem.at) if pointer is not None else None
    return Trouble(code=problem.code, at=problem.at, what=problem.what, fix=problem.fix, pointer=place)


ROUTES = (
    Route("GET", "/api/nodes", nodes, "The node types with their ports and types", {200: Catalogue}),
    Route("GET", "/api/schema", schema, "The JSON schema of graph documents", {200: dict[str, JsonValue]}),
    Route("GET", "/api/models", models, "The models that a graph may name", {200: Models}, query=ModelQuery),
    Route("POST", "/api/check", check, "Every problem of a graph; nothing runs", {200: Verdict}, body=Draft),
    Route("POST", "/api/plan", forecast, "What a run would reuse and run now, and why", {200: Forecast}, body=Draft),
)
