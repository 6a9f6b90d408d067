"""Sending a file that a run made: only as it was made, in parts where a client asks for parts, or as a thumbnail."""

from __future__ import annotations

import asyncio
import io
import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import ETag, web

from engine import Code, ServerError, StoreError
from engine.digests import file_digest
from engine.files import write_whole
from web.server.problems import problem_response
from web.server.uploads import MEDIA_TYPES, opened

if TYPE_CHECKING:
    from pathlib import Path

NARROWEST, WIDEST = 64, 1024

THUMBNAIL = "image/webp"

SHOWN = re.compile(r"image/(png|jpeg|webp|bmp|gif|tiff)|(video|audio)/[\w.+-]+|text/plain|application/json")
"""Media types that a browser may show; any other file could be a page or a program, so it is only saved."""

FOREVER = "private, max-age=31536000, immutable"
"""What is named by its digest never changes."""

ASK_AGAIN = "private, no-cache"
"""What is named otherwise may be another file tomorrow."""

_CHUNK = 256 << 10
_CACHE_LIMIT = 256 << 20


class Thumbnails:
    """Small copies of pictures, kept below `folder` up to a limit of bytes; the oldest ones go first."""

    def __init__(self, folder: Path, limit: int = _CACHE_LIMIT) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()

    def make(self, picture: Path, digest: str, width: int) -> Path:
        """The thumbnail of a picture, at most `width` wide and never enlarged.

        Raises `PatchbayError` (`bad_picture`) and `StoreError` (`not_written`).
        """
        path = self._folder / f"{digest}-{width}.webp"
        with self._lock:  # one at a time: a decoded picture takes up to 256 MiB
            if not path.is_file():
                write_whole(path, _small(picture, width))
                self._prune(path)
        return path

    def _prune(self, newest: Path) -> None:
        states = [(path.stat(), path) for path in self._folder.glob("*.webp")]
        total = sum(state.st_size for state, _ in states)
        for state, path in sorted(states, key=lambda item: item[0].st_mtime_ns):
            if total <= self._limit or path == newest:
                break
            path.unlink(missing_ok=True)
            total -= state.st_size


def _small(path: Path, width: int) -> bytes:
    with opened(path, path.name) as picture:
        picture.draft("RGB", (width, 4 * width))
        small = picture if picture.mode in {"RGB", "RGBA"} else picture.convert("RGBA")
        small.thumbnail((width, 4 * width))
        found = io.BytesIO()
        small.save(found, "WEBP", quality=80)
        return found.getvalue()


class Files:
    """Files over HTTP: those of runs, and pictures that graphs read. Thumbnails are kept below `cache`."""

    def __init__(self, cache: Path) -> None:
        self._thumbnails = Thumbnails(cache)

    async def send(
        self,
        request: web.Request,
        path: Path,
        digest: str,
        media_type: str,
        width: int | None = None,
        keep: str = FOREVER,
    ) -> web.StreamResponse:
        """Send the file, or a thumbnail of it, once its content is known to have this sha256.

        `keep` is how long a browser may hold it, as the value of Cache-Control.

        Raises `ServerError`: `not_found` when the file has gone, `damaged` when it was changed, `bad_request` for a
        `width` that cannot be; `PatchbayError` (`bad_picture`) and `StoreError` (`not_written`) for a thumbnail.
        """
        if width is not None:
            _check_width(width, media_type)
        etag = digest if width is None else f"{digest}-{width}"
        await asyncio.to_thread(_verify, path, digest)
        if any(known.value in {etag, "*"} for known in request.if_none_match or ()):
            return _described(web.Response(status=304), etag, keep)
        if width is None:
            return await _send(request, path, path.name, media_type, etag, keep)
        small = await asyncio.to_thread(self._thumbnails.make, path, digest, width)
        return await _send(request, small, f"{path.stem}-{width}.webp", THUMBNAIL, etag, keep)


def _check_width(width: int, media_type: str) -> None:
    if not NARROWEST <= width <= WIDEST:
        what = f"A thumbnail is {NARROWEST} to {WIDEST} pixels wide, not {width}."
        raise ServerError(Code.BAD_REQUEST, "width", what, "Choose another width.")
    if media_type not in MEDIA_TYPES:
        what = f"A file of the type {media_type} has no thumbnail."
        raise ServerError(Code.BAD_REQUEST, "width", what, "Leave out the width.")


def _verify(path: Path, digest: str) -> None:
    try:
        found = file_digest(path)
    except StoreError as error:
        what = f"{path.name} is not where the run left it: it was moved or deleted."
        raise ServerError(Code.NOT_FOUND, path.name, what, "Run the graph again; the run still has it.") from error
    if found != digest:
        what = f"{path.name} is not what the run made: it was changed, or the disk is failing."
        raise ServerError(Code.DAMAGED, path.name, what, "Run the graph again, and check the disk.")


async def _send(
    request: web.Request, path: Path, name: str, media_type: str, etag: str, keep: str
) -> web.StreamResponse:
    with await asyncio.to_thread(_open, path) as file:
        size = file.seek(0, io.SEEK_END)
        part = _wanted(request, size, etag)
        if part is not None and not part:
            return _no_such_part(size)
        response = _described(web.StreamResponse(status=200 if part is None else 206), etag, keep)
        response.headers.update(_shown(name, media_type))
        if part is not None:
            response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
        part = part or range(size)
        response.content_length = len(part)
        await response.prepare(request)
        if request.method != "HEAD":
            await _copy(file, part, response)
    return response


def _open(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        what = f"{path.name} went while it was being sent: {error.strerror}."
        raise ServerError(Code.NOT_FOUND, path.name, what, "Ask again.") from error


async def _copy(file: io.BufferedReader, part: range, response: web.StreamResponse) -> None:
    file.seek(part.start)
    for start in range(0, len(part), _CHUNK):
        await response.write(await asyncio.to_thread(file.read, min(_CHUNK, len(part) - start)))


def _wanted(request: web.Request, size: int, etag: str) -> range | None:
    """The part of the file that is asked for, empty where there is none such; None is the whole file.

    Several parts at once, and a range in other words than bytes, are answered with the whole, as the standard allows.
    """
    if "Range" not in request.headers or request.headers.get("If-Range", f'"{etag}"') != f'"{etag}"':
        return None
    try:
        return range(size)[request.http_range]
    except ValueError:
        return None


def _no_such_part(size: int) -> web.Response:
    error = ServerError(Code.BAD_REQUEST, "", f"The file has {size} bytes, and none in this range.", "Ask for others.")
    response = problem_response(error, status=416)
    response.headers["Content-Range"] = f"bytes */{size}"
    return response


def _described(response: web.StreamResponse, etag: str, keep: str) -> web.StreamResponse:
    response.etag = ETag(etag)
    response.headers["Cache-Control"] = keep
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _shown(name: str, media_type: str) -> dict[str, str]:
    shown = SHOWN.fullmatch(media_type) is not None
    how, plain = "inline" if shown else "attachment", re.sub(r"[^A-Za-z0-9._-]+", "_", name)
    return {
        "Content-Type": media_type if shown else "application/octet-stream",
        "Content-Disposition": f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
