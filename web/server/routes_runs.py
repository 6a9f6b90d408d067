"""Runs over HTTP: submit, list, look, cancel, retry, move; pause and resume the queue."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Literal

from aiohttp import web
from pydantic import Field, JsonValue, model_validator

from engine import PatchbayError
from engine.picture import extract
from web.server.body import parse_json, parse_model, read_bytes, read_json
from web.server.record import Priority, Run, RunId, State
from web.server.route import Answer, Body, Query, Route, answer, read_query
from web.server.service import service_of
from web.server.submission import Submission, no_graph_in, ordered, point

if TYPE_CHECKING:
    from web.server.service import Service

PICTURE_LIMIT = 64 << 20
"""Bytes of a picture that carries a graph."""


class ListQuery(Query):
    """Which runs, newest first."""

    state: Annotated[State | None, Field(description="Only runs in this state.")] = None
    after: Annotated[RunId | None, Field(description="Go on after this run: the `next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=500, description="Runs on a page.")] = 50


class Page(Answer):
    """Runs, newest first. `next` is null on the last page."""

    runs: list[Run]
    next: RunId | None


class Waiting(Answer):
    """The queued runs in the order in which they will start."""

    paused: bool
    running: RunId | None
    runs: list[Run]


class Move(Body):
    """Where to: before another queued run, to the front or the back, or to another priority."""

    before: RunId | None = None
    to: Literal["first", "last"] | None = None
    priority: Priority | None = None

    @model_validator(mode="after")
    def _says_where(self) -> Move:
        if self.before is not None and (self.to is not None or self.priority is not None):
            message = "`before` stands alone: the run takes the other one's priority."
            raise ValueError(message)
        if self.before is None and self.to is None and self.priority is None:
            message = "Give `before`, `to` or `priority`."
            raise ValueError(message)
        return self


class Paused(Answer):
    """Whether runs may start."""

    paused: bool


class Origin(Answer):
    """Which graph and values a run was made with."""

    run: RunId
    name: str
    inputs: dict[str, JsonValue]
    graph: dict[str, JsonValue]


async def submit(request: web.Request) -> web.Response:
    """Queue a run; it is answered once it is committed."""
    if request.content_type == "image/png":  # which is made again, with the values that made it
        return await submit_checked(request, await _from_picture(request), draws=False)
    return await submit_checked(request, parse_model(Submission, await read_json(request)))


async def submit_checked(request: web.Request, submission: Submission, *, draws: bool = True) -> web.Response:
    """Check a submission, draw its seeds where it `draws`, and queue it.

    An idempotency key that is known answers 200 with its run.
    """
    service = service_of(request)
    await asyncio.to_thread(point, request, service, submission)
    order = await ordered(service, submission, draws=draws)
    run, fresh = await service.writer.do(lambda queue: queue.enqueue(order))
    service.dispatcher.wake()
    return answer(run, 202 if fresh else 200, {"Location": f"/api/runs/{run.id}"})


async def _from_picture(request: web.Request) -> Submission:
    raw = await read_bytes(request, PICTURE_LIMIT, 60.0, ("image/png",))
    try:
        text = extract(raw)
    except PatchbayError as error:
        raise no_graph_in(error.what) from error
    if text is None:
        what = "The picture carries no graph."
        raise no_graph_in(what)
    data = parse_json(text.encode())
    name = data.get("name") if isinstance(data, dict) else None
    label = name if isinstance(name, str) and 0 < len(name) <= 100 else None  # noqa: PLR2004  # as `Draft.name`
    return parse_model(Submission, {"graph": data, "name": label})


async def list_runs(request: web.Request) -> web.Response:
    """A page of runs."""
    query = read_query(request, ListQuery)
    after = int(query.after) if query.after is not None else None
    runs = await service_of(request).writer.do(lambda queue: queue.page(query.state, after, query.limit))
    return answer(Page(runs=runs, next=runs[-1].id if len(runs) == query.limit else None))


async def show(request: web.Request) -> web.Response:
    """One run."""
    run_id = request.match_info["id"]
    return answer(await service_of(request).writer.do(lambda queue: queue.get(run_id)))


async def cancel(request: web.Request) -> web.Response:
    """Cancel: at once while it is queued, at its next step while it runs."""
    return answer(await service_of(request).dispatcher.cancel(request.match_info["id"]))


async def retry(request: web.Request) -> web.Response:
    """Queue a failed or cancelled run again."""
    service, run_id = service_of(request), request.match_info["id"]
    run = await service.writer.do(lambda queue: queue.retry(run_id))
    service.dispatcher.wake()
    return answer(run, 202)


async def move(request: web.Request) -> web.Response:
    """Change a queued run's place."""
    service, run_id = service_of(request), request.match_info["id"]
    wish = parse_model(Move, await read_json(request))
    run = await service.writer.do(
        lambda queue: queue.move(run_id, before=wish.before, to=wish.to, priority=wish.priority)
    )
    return answer(run)


async def graph_of(request: web.Request) -> web.Response:
    """The graph that a run was made from, its values in it."""
    return answer(await origin_of(service_of(request), request.match_info["id"]))


async def origin_of(service: Service, run_id: str) -> Origin:
    """Which graph and values a run has."""
    run = await service.writer.do(lambda queue: queue.get(run_id))
    text = await service.writer.do(lambda queue: queue.document(run))
    return Origin(run=run.id, name=run.name, inputs=run.inputs, graph=json.loads(text))


async def waiting(request: web.Request) -> web.Response:
    """What is queued, in order."""
    service = service_of(request)
    runs, paused = await service.writer.do(lambda queue: (queue.waiting(), queue.paused))
    return answer(Waiting(paused=paused, running=service.dispatcher.running, runs=runs))


async def pause(request: web.Request) -> web.Response:
    """Let no run start; what runs goes on."""
    return await _set_paused(request, paused=True)


async def resume(request: web.Request) -> web.Response:
    """Let runs start again."""
    return await _set_paused(request, paused=False)


async def _set_paused(request: web.Request, *, paused: bool) -> web.Response:
    service = service_of(request)
    await service.writer.do(lambda queue: queue.pause(paused=paused))
    service.dispatcher.wake()
    return answer(Paused(paused=paused))


ROUTES = (
    Route(
        "POST",
        "/api/runs",
        submit,
        "Queue a run: of a graph, of a saved graph, or of the graph inside a PNG",
        {202: Run, 200: Run},
        body=Submission,
        pictures=("image/png",),
    ),
    Route("GET", "/api/runs", list_runs, "List runs, newest first", {200: Page}, query=ListQuery),
    Route("GET", "/api/runs/{id}", show, "One run", {200: Run}),
    Route("DELETE", "/api/runs/{id}", cancel, "Cancel a queued or running run", {200: Run}),
    Route("POST", "/api/runs/{id}/retry", retry, "Queue a failed or cancelled run again", {202: Run}),
    Route("POST", "/api/runs/{id}/move", move, "Move a queued run", {200: Run}, body=Move),
    Route("GET", "/api/runs/{id}/graph", graph_of, "The graph and the values that a run has", {200: Origin}),
    Route("GET", "/api/queue", waiting, "The queued runs in the order of their start", {200: Waiting}),
    Route("POST", "/api/queue/pause", pause, "Let no run start", {200: Paused}),
    Route("POST", "/api/queue/resume", resume, "Let runs start again", {200: Paused}),
)
