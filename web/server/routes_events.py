"""The stream of events: a WebSocket, and the same as server-sent events for clients without one."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Annotated

import structlog
from aiohttp import WSMsgType, web
from pydantic import Field

from engine import StoreError
from web.server.body import parse_model
from web.server.hub import STEP, message_of
from web.server.record import RunId
from web.server.route import Query, Route, read_query
from web.server.service import service_of
from web.worker.wire import HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from web.server.hub import Message
    from web.server.service import Service

HEARTBEAT = 15.0
"""Seconds of silence after which a sign of life is sent."""

TOO_SLOW = 1013
"""The WebSocket close code of a client that was cut off; it may connect again with `after`."""

PAGE = 1000

log = structlog.get_logger()


class EventQuery(Query):
    """Where to begin, and of which run."""

    after: Annotated[
        int | None, Field(ge=0, lt=2**53, description="Everything after this number; without it, what comes from now.")
    ] = None
    run: Annotated[RunId | None, Field(description="Only this run's events, and those of the queue itself.")] = None


async def stream(service: Service, query: EventQuery) -> AsyncIterator[Message | None]:
    """Messages in order, None for a sign of life; ends when the client is too slow or the server stops."""
    listener, oldest = service.hub.subscribe(query.after, query.run)
    try:
        if query.after is not None:
            async for message in _stored(service, query.after, oldest, query.run):
                yield message
        while not listener.lost:
            yield await listener.next(HEARTBEAT)
    finally:
        service.hub.unsubscribe(listener)


async def _stored(service: Service, after: int, oldest: int, run: str | None) -> AsyncIterator[Message]:
    first, end = after // STEP, oldest // STEP + 1
    while first + 1 < end:
        start = first
        page = await service.writer.do(lambda queue, start=start: queue.history(start, end, PAGE, run))  # type: ignore[misc]
        for notice in page:
            yield message_of(notice)
        if len(page) < PAGE:
            return
        first = page[-1].id


async def events(request: web.Request) -> web.StreamResponse:
    """The stream, as the client asks for it."""
    query = read_query(request, EventQuery)
    last = request.headers.get("Last-Event-ID", "")
    if query.after is None and last.isascii() and last.isdecimal():  # how a browser's EventSource connects again
        query = parse_model(EventQuery, {"after": last, "run": query.run})
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await _websocket(request, query)
    return await _server_sent(request, query)


async def _websocket(request: web.Request, query: EventQuery) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=4096, compress=False)
    await socket.prepare(request)
    sending = asyncio.create_task(_send_all(socket, service_of(request), query))
    try:
        async for message in socket:  # clients only listen; this notices when they go
            if message.type is WSMsgType.ERROR:
                break
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await sending
    return socket


async def _send_all(socket: web.WebSocketResponse, service: Service, query: EventQuery) -> None:
    messages = stream(service, query)
    try:
        async for message in messages:
            if message is None:
                continue
            if message.preview is None:
                await socket.send_str(message.text.decode())
            else:
                lengths = HEADER.pack(len(message.text), len(message.preview))
                await socket.send_bytes(lengths + message.text + message.preview)
    except StoreError as error:
        log.warning("events not read", problem=str(error))
    finally:
        await messages.aclose()  # type: ignore[attr-defined]  # an async generator
    await socket.close(code=TOO_SLOW, message=b"too slow, or not now: connect again with ?after=")


async def _server_sent(request: web.Request, query: EventQuery) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    await response.write(b": open\n\n")
    messages = stream(service_of(request), query)
    try:
        async for message in messages:
            if message is not None and message.preview is not None:
                continue
            async with asyncio.timeout(HEARTBEAT):
                await response.write(_line(message))
    except ConnectionError:
        pass  # the client has gone
    except TimeoutError:  # it is there and does not read
        if request.transport is not None:
            request.transport.abort()
    finally:
        await messages.aclose()  # type: ignore[attr-defined]  # an async generator
    return response


def _line(message: Message | None) -> bytes:
    if message is None:
        return b": still here\n\n"
    return b"id: %d\ndata: %b\n\n" % (message.sequence, message.text)


ROUTES = (
    Route(
        "GET",
        "/api/events",
        events,
        "Follow what happens, over a WebSocket or as server-sent events",
        {200: "text/event-stream"},
        query=EventQuery,
        headers=("Last-Event-ID",),
    ),
)
