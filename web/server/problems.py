"""Refusals over HTTP: every error becomes one RFC 9457 document with the fields of `PatchbayError`."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web

from engine import Code, PatchbayError, Problem, ServerError
from engine.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiohttp.typedefs import Handler

MEDIA_TYPE = "application/problem+json"

MOST_PROBLEMS = 100
"""So many problems of one request are told; the first few are what a person mends."""

Pointer = Callable[[str], str | None]
"""From an error's place to a JSON pointer into the request's body; None where the body does not hold the place."""

POINTER: web.RequestKey[Pointer] = web.RequestKey("pointer")
"""A handler that knows where its body keeps the graph puts its `Pointer` here; errors then say `pointer`."""

STATUS: Mapping[Code, int] = {
    **dict.fromkeys(Code, 422),
    Code.BROKEN_JSON: 400,
    Code.BAD_REQUEST: 400,
    Code.UNAUTHORIZED: 401,
    Code.WRONG_ORIGIN: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.TOO_SLOW: 408,
    Code.CONFLICT: 409,
    Code.IN_USE: 409,
    Code.DAMAGED: 410,
    Code.CHANGED_MEANWHILE: 412,
    Code.WRONG_MEDIA_TYPE: 415,
    Code.WRONG_HOST: 421,
    Code.VERSION_NEEDED: 428,
    Code.INTERNAL: 500,
    Code.NOT_WRITTEN: 507,
}
"""The HTTP status of each code. A body that is too large is 413, see `status_of`; a graph that is, 422."""

_HEADERS = {Code.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"}}

_CODES = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED, 413: Code.TOO_LARGE, 415: Code.WRONG_MEDIA_TYPE}

_log = structlog.stdlib.get_logger(__name__)


class BodyError(ServerError):
    """A request's body that has the wrong form. Carries every problem; their places are JSON pointers into it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.code, first.at, first.what, first.fix)


def status_of(error: PatchbayError) -> int:
    """The HTTP status of an error."""
    if error.code is Code.TOO_LARGE and isinstance(error, ServerError):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return STATUS[error.code]


def problem_response(error: PatchbayError, pointer: Pointer | None = None, status: int | None = None) -> web.Response:
    """The error as a response. `status` overrides the code's own."""
    status = status or status_of(error)
    body = {
        "type": f"urn:patchbay:error:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": status,
        "detail": f"{error.what} {error.fix}".rstrip(),
        **_fields(error, error.problem, pointer),
        "problems": [_fields(error, problem, pointer) for problem in _problems_of(error)[:MOST_PROBLEMS]],
    }
    return web.json_response(body, status=status, headers=_HEADERS.get(error.code), content_type=MEDIA_TYPE)


def _problems_of(error: PatchbayError) -> Sequence[Problem]:
    return error.problems if isinstance(error, (GraphError, BodyError)) else (error.problem,)


def _fields(error: PatchbayError, problem: Problem, pointer: Pointer | None) -> dict[str, Any]:
    fields = {"code": problem.code, "at": problem.at, "what": problem.what, "fix": problem.fix}
    if isinstance(error, BodyError):
        return {**fields, "pointer": problem.at}
    place = pointer(problem.at) if pointer is not None else None
    return fields if place is None else {**fields, "pointer": place}


@web.middleware
async def problems_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error with a problem document. It belongs outermost.

    What no handler foresaw is logged with its traceback and answered as `internal`, without a word of the cause. Once
    the answer has begun nothing can be told any more: the error then goes on, and the connection is closed.
    """
    try:
        return await handler(request)
    except PatchbayError as error:
        if request.writer.output_size:
            raise
        if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("refused", path=request.path, code=error.code, what=error.what)
        return problem_response(error, request.get(POINTER))
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return _foreign(request, error)
    except ConnectionResetError:
        raise
    except Exception:
        _log.exception("failed", method=request.method, path=request.path)
        if request.writer.output_size:
            raise
        fix = "Look into the server's log, and report it with what you sent."
        return problem_response(ServerError(Code.INTERNAL, "", "The server failed; this is a bug.", fix))


def _foreign(request: web.Request, error: web.HTTPException) -> web.Response:
    """An error of aiohttp's own: no such route, no such method, a body beyond its limits."""
    code = _CODES.get(error.status, Code.BAD_REQUEST)
    response = problem_response(ServerError(code, "", *_sentences(request, error)), status=error.status)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _sentences(request: web.Request, error: web.HTTPException) -> tuple[str, str]:
    match error:
        case web.HTTPNotFound():
            return f"There is nothing at {request.path}.", "/api/openapi.json lists the routes."
        case web.HTTPMethodNotAllowed():
            methods = ", ".join(sorted(error.allowed_methods))
            return f"{request.path} does not take {error.method}.", f"It takes {methods}."
        case _:
            return f"{error.reason}.", ""
