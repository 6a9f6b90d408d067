"""Pictures over HTTP: what runs have made, and what clients bring."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from aiohttp import web
from pydantic import Field

from engine import Code, PatchbayError, ServerError
from engine.digests import file_digest
from engine.paths import contains
from web.server.body import read_bytes
from web.server.files import ASK_AGAIN, NARROWEST, WIDEST
from web.server.route import Answer, Query, Route, answer, read_query
from web.server.routes_runs import Origin, origin_of
from web.server.service import service_of
from web.server.uploads import LIMIT, opened

if TYPE_CHECKING:
    from web.server.record import Artifact, Run
    from web.server.service import Service

UPLOAD_TIME = 120.0
"""Seconds in which it must have arrived."""

PICTURES = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WebP",
    "image/bmp": "BMP",
    "image/gif": "GIF",
    "image/tiff": "TIFF",
    "application/octet-stream": "any of these; the content decides",
}


class PictureQuery(Query):
    """How large."""

    width: Annotated[int | None, Field(ge=NARROWEST, le=WIDEST, description="A thumbnail of at most this width.")] = (
        None
    )


class Uploaded(Answer):
    """Where a picture lies: `name` can be the file of a LoadImage."""

    name: str
    width: int
    height: int
    media_type: str


async def artifact(request: web.Request) -> web.StreamResponse:
    """A file that a run has made, or a thumbnail of it."""
    service = service_of(request)
    query = read_query(request, PictureQuery)
    found = await _find(service, request.match_info["digest"])
    run, item = next((pair for pair in found if _path(service, *pair).is_file()), found[0])
    return await service.files.send(request, _path(service, run, item), item.digest, item.media_type, query.width)


async def origin(request: web.Request) -> web.Response:
    """Which run, graph and values made a file."""
    service = service_of(request)
    run, _ = (await _find(service, request.match_info["digest"]))[0]
    return answer(await origin_of(service, run.id))


async def _find(service: Service, digest: str) -> list[tuple[Run, Artifact]]:
    found = await service.writer.do(lambda queue: queue.artifact(digest))
    if not found:
        what = "No run has made a file with this digest."
        raise ServerError(Code.NOT_FOUND, digest, what, "GET /api/runs lists runs with their files.")
    return found


def _path(service: Service, run: Run, item: Artifact) -> Path:
    path = Path(str(run.folder)) / item.file
    if service.paths.outputs is None or not contains(service.paths.outputs, path):
        what = "The file lies outside the output folder, so it is not served."
        raise ServerError(Code.NOT_FOUND, item.digest, what, "Was the output folder changed?")
    return path


async def picture(request: web.Request) -> web.StreamResponse:
    """A picture that a graph may name, or a thumbnail of it."""
    service, name = service_of(request), request.match_info["name"]
    query = read_query(request, PictureQuery)
    path, digest, media_type = await asyncio.to_thread(_named, service, name)
    return await service.files.send(request, path, digest, media_type, query.width, ASK_AGAIN)


def _named(service: Service, name: str) -> tuple[Path, str, str]:
    """The file that a node would read under this name, its digest and its media type."""
    path = _resolved(service, name)
    with opened(path, name) as found:
        return path, file_digest(path), f"image/{str(found.format).lower()}"


def _resolved(service: Service, name: str) -> Path:
    """The file, found as the first input that names pictures finds it."""
    ports = (port for type_ in service.catalog.types.values() for port in type_.inputs.values())
    resource = next((port.resource for port in ports if getattr(port.resource, "noun", "") == "picture"), None)
    try:
        path = resource and resource.resolve(name, service.paths, service.settings, name)
    except PatchbayError as error:
        if error.code not in (Code.FILE_NOT_FOUND, Code.OUTSIDE_ROOTS):
            raise
        path = None
    if not isinstance(path, Path):
        what, fix = "A graph finds no picture of this name.", "Upload it, or put it into the input folder."
        raise ServerError(Code.NOT_FOUND, name, what, fix)
    return path


async def upload(request: web.Request) -> web.Response:
    """Keep a picture under the digest of its content; the same picture is kept once."""
    raw = await read_bytes(request, LIMIT, UPLOAD_TIME, tuple(PICTURES))
    stored = await asyncio.to_thread(service_of(request).uploads.store, raw)
    return answer(
        Uploaded(name=stored.name, width=stored.width, height=stored.height, media_type=stored.media_type), 201
    )


ROUTES = (
    Route(
        "GET",
        "/api/artifacts/{digest}",
        artifact,
        "A file that a run has made",
        {200: "*/*", 206: "*/*", 304: None},
        query=PictureQuery,
        headers=("If-None-Match", "Range"),
    ),
    Route("GET", "/api/artifacts/{digest}/origin", origin, "Which graph and values made a file", {200: Origin}),
    Route(
        "GET",
        "/api/inputs/{name:.+}",
        picture,
        "A picture that a graph may name: an uploaded one, one of the input folders, or one that comes with Patchbay",
        {200: "*/*", 206: "*/*", 304: None},
        query=PictureQuery,
        headers=("If-None-Match", "Range"),
    ),
    Route("POST", "/api/uploads", upload, "Keep a picture for LoadImage", {201: Uploaded}, body=PICTURES),
)
