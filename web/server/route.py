"""A route as it is declared once: for aiohttp, for the checking of what comes in, and for the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from engine import Code, Problem
from web.server.body import parse_model
from web.server.pointers import pointer
from web.server.problems import BodyError
from web.text import dumps

if TYPE_CHECKING:
    from collections.abc import Sequence

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
QueryT = TypeVar("QueryT", bound="Query")


class Body(BaseModel):
    """Base of what clients send: strict, and nothing in it that is not declared."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Query(BaseModel):
    """Base of what stands behind the question mark: text, read as what is declared."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Answer(BaseModel):
    """Base of what clients get: every field is there, also one that has its default."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


MAY_LACK = ConfigDict(json_schema_serialization_defaults_required=False)
"""For an answer in which a field that has a default may be missing."""


@dataclass(frozen=True)
class Route:
    """One operation. `body` is a model of JSON, or media types of bytes; `answers` are models or media types."""

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, Any]
    body: type[BaseModel] | Mapping[str, str] | None = None
    query: type[Query] | None = None
    pictures: tuple[str, ...] = ()
    """Media types that may stand in the JSON body's place."""
    headers: Sequence[str] = field(default=())
    public: bool = False
    """Whether it needs no token."""

    @property
    def template(self) -> str:
        """The path with no more than the names of its parts."""
        return re.sub(r"{(\w+):[^}]*}", r"{\1}", self.path)


def read_query(request: web.Request, model: type[QueryT]) -> QueryT:
    """The query, checked. Raises `BodyError` (`bad_request`); pointers then name the parameter."""
    twice = [name for name in dict.fromkeys(request.query) if len(request.query.getall(name)) > 1]
    if twice:
        what, fix = "This stands in the address more than once.", "Send it once."
        raise BodyError([Problem(Code.BAD_REQUEST, pointer(name), what, fix) for name in twice])
    return parse_model(model, dict(request.query), "")


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A model or plain data as a JSON response."""
    data = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return web.Response(body=dumps(data), status=status, content_type="application/json", headers=headers)
