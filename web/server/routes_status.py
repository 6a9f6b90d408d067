"""How the server is: for people, for process managers and for Prometheus."""

from __future__ import annotations

from importlib.metadata import version
from typing import Literal

from aiohttp import web

from web.server.route import Answer, Route, answer
from web.server.service import service_of


class Health(Answer):
    """The server answers."""

    status: Literal["ok"]
    version: str


class Ready(Answer):
    """Whether runs are taken, and whether the worker has started."""

    ready: bool
    worker: Literal["ready", "starting"]


VERSION = version("patchbay")


async def health(_request: web.Request) -> web.Response:
    """The server answers."""
    return answer(Health(status="ok", version=VERSION))


async def ready(request: web.Request) -> web.Response:
    """Runs are taken: the database has answered just now."""
    service = service_of(request)
    await service.writer.do(lambda queue: queue.paused)
    return answer(Ready(ready=True, worker="ready" if service.dispatcher.ready else "starting"))


async def metrics(request: web.Request) -> web.Response:
    """Counters and gauges."""
    service = service_of(request)
    states = await service.writer.do(lambda queue: queue.counts())
    return web.Response(body=service.metrics.text(states), content_type="text/plain", charset="utf-8")


ROUTES = (
    Route("GET", "/health", health, "The server answers", {200: Health}, public=True),
    Route("GET", "/ready", ready, "Runs are taken", {200: Ready}, public=True),
    Route("GET", "/metrics", metrics, "Counters for Prometheus", {200: "text/plain"}),
)
