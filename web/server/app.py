"""`patchbay serve`: the parts of the server put together, started and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import secrets
import shutil
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from filelock import FileLock, Timeout
from pydantic import JsonValue

from engine import Catalog, Code, ServerError
from engine.files import write_whole
from web.config import SHIPPED_GRAPHS
from web.editor_build import EDITOR
from web.server import (
    routes_catalog,
    routes_events,
    routes_graphs,
    routes_looks,
    routes_pictures,
    routes_runs,
    routes_status,
)
from web.server.dispatcher import Dispatcher
from web.server.files import Files
from web.server.graph_store import GraphStore
from web.server.hub import Hub
from web.server.metrics import Metrics
from web.server.openapi import document
from web.server.pages import add_pages
from web.server.problems import problems_middleware
from web.server.route import Route, answer
from web.server.security import Access, protect
from web.server.service import SERVICE, Service, service_of
from web.server.uploads import Uploads
from web.server.worker import WorkerProcess
from web.server.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler

    from web.config import Config
    from web.server.queue import Notice
    from web.server.worker import Worker

DATABASE = "queue.db"
LOCK = "server.lock"
ADDRESS = "server.json"
"""Where the server is, for the commands that talk to it."""

LARGEST_HEADER = 8190
"""Bytes of one header or of the request line."""

log = structlog.get_logger()


async def openapi(request: web.Request) -> web.Response:
    """The OpenAPI document."""
    return answer(await asyncio.to_thread(document, ROUTES, service_of(request)))


ROUTES = (
    Route("GET", "/api/openapi.json", openapi, "This document", {200: dict[str, JsonValue]}),
    *routes_status.ROUTES,
    *routes_catalog.ROUTES,
    *routes_looks.ROUTES,
    *routes_runs.ROUTES,
    *routes_graphs.ROUTES,
    *routes_pictures.ROUTES,
    *routes_events.ROUTES,
)


@dataclass
class Server:
    """One running server: its service, and what has to be given back when it stops."""

    config: Config
    service: Service
    lock: FileLock

    @classmethod
    async def open(cls, config: Config, worker: Worker | None = None) -> Server:
        """Take the data folder, put what a crash has left in order, and start the worker.

        Raises `ServerError` (`in_use`) naming the server that has the folder, and `StoreError` (`damaged`).
        """
        config.home.mkdir(parents=True, exist_ok=True)
        lock = locked(config.home)
        try:
            service = await cls._service(config, worker or WorkerProcess(config.home))
        except BaseException:
            lock.release()
            raise
        await service.dispatcher.start()
        return cls(config, service, lock)

    @staticmethod
    async def _service(config: Config, worker: Worker) -> Service:
        loop = asyncio.get_running_loop()
        catalog = await asyncio.to_thread(Catalog.load, config.node_folder)
        hub = Hub()

        def tell(notices: list[Notice]) -> None:
            loop.call_soon_threadsafe(hub.tell_stored, notices)

        writer = await asyncio.to_thread(Writer, config.home / DATABASE, tell)
        hub.begin(await writer.do(lambda queue: queue.last_notice()))
        outputs = config.paths().outputs or config.home / "outputs"
        for run in await writer.do(lambda queue: queue.running()):  # before a row forgets where its half-made files are
            if run.folder is not None and Path(run.folder).parent == outputs:
                await asyncio.to_thread(shutil.rmtree, run.folder, ignore_errors=True)
        await writer.do(lambda queue: queue.recover())
        metrics = Metrics()
        return Service(
            config=config,
            catalog=catalog,
            writer=writer,
            hub=hub,
            dispatcher=Dispatcher(writer, hub, worker, outputs, metrics),
            graphs=GraphStore(config.home / "graphs", SHIPPED_GRAPHS, catalog.inputs_in_order),
            uploads=Uploads(config.home / "inputs"),
            files=Files(config.home / "cache" / "thumbnails"),
            metrics=metrics,
            editor=EDITOR,
        )

    async def close(self) -> None:
        """Stop the worker and close the stores; what ran goes back to the queue."""
        self.service.hub.close()
        await self.service.dispatcher.close()
        await asyncio.to_thread(self.service.writer.close)
        self.lock.release()


def locked(home: Path) -> FileLock:
    """The lock on a data folder. Raises `ServerError` (`in_use`) when another server has it."""
    lock = FileLock(home / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            found = json.loads((home / ADDRESS).read_bytes())
            who = f"the server at {found['url']} (process {found['pid']})"
            what = f"This data folder is in use by {who}."
            fix = "Use that one, stop it, or give this one a folder of its own (PATCHBAY_HOME)."
            raise ServerError(Code.IN_USE, str(home), what, fix) from error
        what = "This data folder is in use by another server, which is just starting."
        raise ServerError(
            Code.IN_USE, str(home), what, "Wait for it, or use another folder (PATCHBAY_HOME)."
        ) from error
    return lock


def application(service: Service, access: Access) -> web.Application:
    """The aiohttp application of a service."""
    app = web.Application(
        middlewares=[_counted, problems_middleware],
        handler_args={"max_line_size": LARGEST_HEADER, "max_field_size": LARGEST_HEADER},
    )
    app[SERVICE] = service
    protect(app, access)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    add_pages(app)
    return app


@web.middleware
async def _counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    request.app[SERVICE].metrics.requests.labels(request.method, str(response.status)).inc()
    return response


async def serve(config: Config, *, host: str, port: int, token: bool, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C. `say` is told the URL once requests are answered.

    Raises `ServerError`: `in_use` for a data folder or a port that another program has, `bad_value` for an address
    beyond this machine without a token.
    """
    listening = _bound(host, port)
    try:
        port = listening.getsockname()[1]
        access = Access(
            token=secrets.token_urlsafe(24) if token else None, host=host, port=port, hosts=tuple(config.hosts)
        )
        server = await Server.open(config)
        gc.freeze()  # what stays for ever is not looked through again: that takes 50 ms, in which nobody is answered
    except BaseException:
        listening.close()
        raise
    runner = web.AppRunner(application(server.service, access), access_log=None, shutdown_timeout=2)
    try:
        await runner.setup()
        await web.SockSite(runner, listening).start()
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        address = {"url": url, "token": access.token, "pid": os.getpid()}
        write_private(config.home / ADDRESS, address)
        say(f"{url}/?token={access.token}" if access.token else f"{url}/")
        await _stopped()
        log.info("stopping")
    finally:
        server.service.hub.close()
        await runner.cleanup()
        await server.close()
        (config.home / ADDRESS).unlink(missing_ok=True)


def _bound(host: str, port: int) -> socket.socket:
    """A socket at the address; port 0 takes one that is free."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        what = f"Nothing can listen at {host}:{port}: {error.strerror or error}."
        raise ServerError(Code.IN_USE, f"{host}:{port}", what, "Choose another --port or --host.") from error


async def _stopped() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await stop.wait()


def write_private(path: Path, data: dict[str, Any]) -> None:
    """Write JSON that only this user may read."""
    before = os.umask(0o077)
    try:
        write_whole(path, json.dumps(data).encode())
    finally:
        os.umask(before)
