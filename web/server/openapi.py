"""The OpenAPI 3.1 document: made from the routes and their models, and from the interface of each saved graph."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from engine import PatchbayError
from web.flags import flags_of
from web.server.body import JSON
from web.server.record import Run
from web.server.route import MAY_LACK, Answer, Query, Route
from web.server.routes_catalog import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from web.flags import Flag
    from web.server.service import Service

REFERENCE = "#/components/schemas/{model}"


class ProblemDocument(Answer):
    """A refusal, RFC 9457: what the first problem is, and all of them under `problems`."""

    model_config = MAY_LACK

    type: str
    title: str
    status: int
    detail: str
    code: str
    at: str
    what: str
    fix: str
    pointer: str | None = None
    problems: list[Trouble]


def document(routes: Iterable[Route], service: Service) -> dict[str, Any]:
    """The document. Saved graphs that cannot be read are left out; `/api/check` says what is wrong with them."""
    routes = [*routes]
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route)
    for name in (item.name for item in service.graphs.list()):
        operation = _graph_operation(name, service)
        if operation is not None:
            paths[f"/api/graphs/{name}/run"] = {"post": operation}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Patchbay", "version": version("patchbay"), "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _models(routes: Iterable[Route]) -> Iterable[type[BaseModel]]:
    yield ProblemDocument
    for route in routes:
        yield from (model for model in (route.body, *route.answers.values()) if _is_model(model))


def _is_model(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    models = [(model, "validation") for model in dict.fromkeys(_models(routes))]
    _, found = models_json_schema(models, ref_template=REFERENCE)  # type: ignore[arg-type]  # a mode of the two
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _operation(route: Route) -> dict[str, Any]:
    names = re.findall(r"{(\w+)", route.path)
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}{''.join(part.title() for part in re.findall(r'[a-z]+', route.path))}",
        "summary": route.summary,
        "parameters": [*map(_path_parameter, names), *_query(route.query), *map(_header, route.headers)],
        "responses": {
            **{str(status): _content(model) for status, model in route.answers.items()},
            "4XX": _problem_answer(),
        },
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _body(route)}
    if route.public:
        operation["security"] = []
    return operation


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _header(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": {"type": "string"}}


def _query(model: type[Query] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema()
    found = []
    for name, original in schema["properties"].items():
        part = {**original}
        text = part.pop("description", "")
        options = [option for option in part.get("anyOf", [part]) if option.get("type") != "null"]
        found.append({"name": name, "in": "query", "description": text, "schema": options[0]})
    return found


def _content(model: object) -> dict[str, Any]:
    if model is None:
        return {"description": "Done"}
    if isinstance(model, str):
        return {"description": "The content", "content": {model: {"schema": {"type": "string", "format": "binary"}}}}
    return {"description": "The answer", "content": {"application/json": {"schema": _schema(model)}}}


def _schema(model: Any) -> dict[str, Any]:  # noqa: ANN401  # a model or a plain type
    if _is_model(model):
        return {"$ref": REFERENCE.format(model=model.__name__)}
    return TypeAdapter(model).json_schema(ref_template=REFERENCE)


def _body(route: Route) -> Mapping[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    if isinstance(route.body, type):
        return {"application/json": {"schema": _schema(route.body)}} | dict.fromkeys(route.pictures, binary)
    return {name: {"schema": {"type": "object"}} if name == JSON else binary for name in route.body or ()}


def _problem_answer() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _schema(ProblemDocument)}}
    return {"description": "A refusal with code, place, reason and fix", "content": content}


def _graph_operation(name: str, service: Service) -> dict[str, Any] | None:
    """One saved graph as an operation of its own: its interface inputs are the body's properties."""
    try:
        graph = service.graphs.read(name).graph
    except PatchbayError:
        return None
    flags = flags_of(graph, service.catalog)
    inputs = {
        "type": "object",
        "additionalProperties": False,
        "properties": {flag.name: _input(flag) for flag in flags.values()},
    }
    wrapped = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "inputs": inputs,
            "outputs": {"type": "array", "minItems": 1, "items": {"enum": [*graph.document.interface.outputs]}},
            "priority": {"type": "integer", "minimum": -1000, "maximum": 1000},
            "idempotency_key": {"type": "string", "minLength": 1, "maxLength": 200},
        },
    }
    return {
        "operationId": f"run_{name}",
        "summary": f"Run {graph.document.name or name}",
        "description": graph.document.description,
        "requestBody": {"required": True, "content": {"application/json": {"schema": wrapped}}},
        "responses": {"202": _content(Run), "200": _content(Run), "4XX": _problem_answer()},
    }


def _input(flag: Flag) -> dict[str, Any]:
    schema = {**(flag.port.json_schema() or {})}
    schema.pop("$defs", None)
    if flag.default is not None:
        schema["default"] = flag.default
    return schema
