"""Reading what a client sends: of the right type, not too large, in time, and strict JSON in the right form."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from engine import Code, GraphError, Problem, ServerError
from engine.graph import read_json as parse_strictly
from web.server.pointers import pointer
from web.server.problems import MOST_PROBLEMS, BodyError

if TYPE_CHECKING:
    from collections.abc import Collection

LIMIT = 4 << 20
"""Bytes of a JSON body."""

TIMEOUT = 10.0
"""Seconds in which a body must have arrived."""

DEEPEST = 100
"""So many lists and objects may lie one within the other."""

JSON = "application/json"

_AT_ONCE = 64 << 10
"""Bytes that are parsed where they are; more would hold up the other clients, so a thread does it."""

ModelT = TypeVar("ModelT", bound=BaseModel)


async def read_json(request: web.Request, limit: int = LIMIT, timeout: float = TIMEOUT) -> object:  # noqa: ASYNC109  # the whole read's, trickle by trickle
    """The body as plain data.

    Raises `ServerError` as `read_bytes` does and `too_large` for what is nested too deeply, and `GraphError`
    (`broken_json`) with line and column.
    """
    raw = await read_bytes(request, limit, timeout, (JSON,))
    return await asyncio.to_thread(parse_json, raw) if len(raw) > _AT_ONCE else parse_json(raw)


async def read_bytes(
    request: web.Request,
    limit: int,
    timeout: float,  # noqa: ASYNC109  # the whole read's, trickle by trickle
    media_types: Collection[str],
) -> bytes:
    """The body as it is. Raises `ServerError`: `wrong_media_type`, `too_large`, `too_slow`, `bad_request`."""
    _check_type(request, media_types)
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(timeout):
            return await _read(request, limit)
    except TimeoutError as error:
        what = f"The body did not arrive within {timeout:g} seconds."
        raise ServerError(Code.TOO_SLOW, "", what, "Send it again, over a better connection.") from error
    except (web.RequestPayloadError, web.PayloadAccessError) as error:
        what = "The body broke off or is not framed as its headers say."
        raise ServerError(Code.BAD_REQUEST, "", what, "Send it whole.") from error


async def _read(request: web.Request, limit: int) -> bytes:
    found = bytearray()
    async for chunk in request.content.iter_any():
        found += chunk
        if len(found) > limit:
            raise _too_large(limit)
    return bytes(found)


def _check_type(request: web.Request, media_types: Collection[str]) -> None:
    named = request.headers.get("Content-Type", "")
    wanted = f"Send it as {' or '.join(media_types)}."
    if not named or request.content_type not in media_types:
        what = f'The body is of the type "{named}".' if named else "The body's type is not said."
        raise ServerError(Code.WRONG_MEDIA_TYPE, "", what, wanted)
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise ServerError(Code.WRONG_MEDIA_TYPE, "", "A compressed body is not taken.", "Send it as it is.")


def _too_large(limit: int) -> ServerError:
    what = f"The body is larger than {limit >> 20} MiB." if limit >> 20 else f"The body is larger than {limit} bytes."
    return ServerError(Code.TOO_LARGE, "", what, "Send less.")


def parse_json(raw: bytes) -> object:
    """Plain data from strict JSON. Raises `GraphError` (`broken_json`) or `ServerError` (`too_large`)."""
    try:
        data = parse_strictly(raw, "body")
    except GraphError as error:
        raise _too_deep() if error.code is Code.TOO_LARGE else error from error.__cause__
    level, depth = [data], 0
    while level := [part for part in level if isinstance(part, (list, dict))]:
        depth += 1
        if depth > DEEPEST:
            raise _too_deep()
        level = [item for part in level for item in _inside(part)]
    return data


def _too_deep() -> ServerError:
    return ServerError(Code.TOO_LARGE, "", f"The JSON is nested more than {DEEPEST} deep.", "Nest it less deeply.")


def _inside(part: list[object] | dict[str, object]) -> list[object]:
    return part if isinstance(part, list) else list(part.values())


def parse_model(model: type[ModelT], data: object, prefix: str = "") -> ModelT:
    """The data as an instance of a pydantic model. `prefix` points to where it lies in the body.

    Raises `BodyError` (`bad_request`) with every problem.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_PROBLEMS]
        places = [_place(data, item["loc"], missing=item["type"] == "missing") for item in found]
        problems = [
            _problem(item["type"], place, item["msg"], prefix) for item, place in zip(found, places, strict=True)
        ]
        raise BodyError(problems) from error


def _place(data: object, location: tuple[int | str, ...], *, missing: bool) -> tuple[int | str, ...]:
    """Where in the data an error is: without the names that pydantic gives the members of a union."""
    place: list[int | str] = []
    for part in location:
        if isinstance(data, dict) and (missing or part in data):
            place.append(part)
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            place.append(part)
            data = data[part]
    return tuple(place)


def _problem(kind: str, location: tuple[int | str, ...], message: str, prefix: str) -> Problem:
    at = prefix + pointer(*location)
    match kind:
        case "missing":
            return Problem(Code.BAD_REQUEST, at, "This is missing.", "Add it.")
        case "extra_forbidden":
            return Problem(Code.BAD_REQUEST, at, f'"{location[-1]}" is not known here.', "Remove it.")
        case _:
            return Problem(Code.BAD_REQUEST, at, f"{message.removeprefix('Value error, ')}.", "Change it.")
