"""Saved graphs over HTTP: list, read, save without losing anybody's change, and run by name."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from aiohttp import web
from pydantic import Field, JsonValue

from web.server.body import LIMIT, parse_model, read_bytes, read_json
from web.server.record import Priority, Run, Seconds
from web.server.route import Answer, Body, Query, Route, answer, read_query
from web.server.routes_catalog import Trouble, trouble
from web.server.routes_runs import submit_checked
from web.server.service import service_of
from web.server.submission import Submission

if TYPE_CHECKING:
    from web.server.graph_store import Listed, Saved


class GraphQuery(Query):
    """Which version."""

    version: Annotated[str | None, Field(max_length=100, description="An earlier version, as `versions` names it.")] = (
        None
    )


class Entry(Answer):
    """A saved graph. One that is `shipped` comes with Patchbay; saving under its name makes a copy of your own."""

    name: str
    shipped: bool
    title: Annotated[str, Field(description="The name that the graph gives itself.")]
    description: str
    etag: Annotated[str, Field(description="What `If-Match` needs; empty where the file cannot be read as a graph.")]
    modified: Seconds
    problem: Annotated[Trouble | None, Field(description="Why the file is no graph.")] = None


class Listing(Answer):
    """The saved graphs."""

    graphs: list[Entry]


class Versions(Answer):
    """Earlier versions of a graph, newest first."""

    versions: list[str]


class GraphRun(Body):
    """Values for a saved graph's interface."""

    inputs: Annotated[dict[str, JsonValue], Field(description="Values for the graph's interface inputs.")] = {}
    outputs: Annotated[list[str] | None, Field(min_length=1, max_length=1000)] = None
    priority: Priority = 0
    idempotency_key: Annotated[str | None, Field(min_length=1, max_length=200)] = None


async def list_graphs(request: web.Request) -> web.Response:
    """The saved graphs."""
    found = await asyncio.to_thread(service_of(request).graphs.list)
    return answer(Listing(graphs=[_entry(item) for item in found]))


def _entry(item: Listed) -> Entry:
    return Entry(
        name=item.name,
        shipped=item.shipped,
        title=item.title,
        description=item.description,
        etag=item.etag,
        modified=item.modified,
        problem=None if item.problem is None else trouble(item.problem),
    )


async def read(request: web.Request) -> web.Response:
    """One graph, with its ETag."""
    store, name = service_of(request).graphs, request.match_info["name"]
    version = read_query(request, GraphQuery).version
    if version is not None:
        saved = await asyncio.to_thread(store.read_version, name, version)
    else:
        saved = await asyncio.to_thread(store.read, name)
    if saved.etag in _tags(request, "If-None-Match"):
        return web.Response(status=304, headers={"ETag": f'"{saved.etag}"'})
    return _document(saved)


async def save(request: web.Request) -> web.Response:
    """Save a graph under a name. An existing one is replaced only when `If-Match` names the version that was read."""
    store, name = service_of(request).graphs, request.match_info["name"]
    raw = await read_bytes(request, LIMIT, 10.0, ("application/json",))
    match, none = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    saved = await asyncio.to_thread(store.save, name, raw, if_match=match, if_none_match=none)
    return _document(saved)


async def delete(request: web.Request) -> web.Response:
    """Take a graph away; its versions stay."""
    store, name = service_of(request).graphs, request.match_info["name"]
    await asyncio.to_thread(store.delete, name, if_match=request.headers.get("If-Match"))
    return web.Response(status=204)


async def versions(request: web.Request) -> web.Response:
    """Earlier versions."""
    found = await asyncio.to_thread(service_of(request).graphs.versions, request.match_info["name"])
    return answer(Versions(versions=[item.id for item in found]))


async def run(request: web.Request) -> web.Response:
    """Queue a run of a saved graph."""
    wish = parse_model(GraphRun, await read_json(request))
    saved = await asyncio.to_thread(service_of(request).graphs.read, request.match_info["name"])
    submission = Submission(name=saved.name, **wish.model_dump())
    return await submit_checked(request, submission)


def _document(saved: Saved) -> web.Response:
    return web.Response(text=saved.text, content_type="application/json", headers={"ETag": f'"{saved.etag}"'})


def _tags(request: web.Request, name: str) -> set[str]:
    return {part.strip().removeprefix("W/").strip('"') for part in request.headers.get(name, "").split(",")}


ROUTES = (
    Route("GET", "/api/graphs", list_graphs, "The saved graphs", {200: Listing}),
    Route(
        "GET",
        "/api/graphs/{name}",
        read,
        "A saved graph, or an earlier version of it",
        {200: dict[str, JsonValue], 304: None},
        query=GraphQuery,
        headers=("If-None-Match",),
    ),
    Route(
        "PUT",
        "/api/graphs/{name}",
        save,
        "Save a graph; the version before is kept",
        {200: dict[str, JsonValue]},
        body={"application/json": "A graph document"},
        headers=("If-Match", "If-None-Match"),
    ),
    Route("DELETE", "/api/graphs/{name}", delete, "Take a graph away", {204: None}, headers=("If-Match",)),
    Route("GET", "/api/graphs/{name}/versions", versions, "Earlier versions of a graph", {200: Versions}),
    Route(
        "POST",
        "/api/graphs/{name}/run",
        run,
        "Queue a run of a saved graph with values for its interface",
        {202: Run, 200: Run},
        body=GraphRun,
    ),
)
