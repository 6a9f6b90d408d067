"""The server's models as TypeScript types: `python -m web.contract` writes them to web/editor/src/api.gen.ts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from engine.document import Document
from web.server.app import ROUTES
from web.server.openapi import ProblemDocument
from web.server.record import Stored
from web.server.route import Answer
from web.server.stream import StreamEvent

if TYPE_CHECKING:
    from web.server.route import Route

FILE = Path(__file__).parent / "editor" / "src" / "api.gen.ts"

HEAD = "// Written by `python -m web.contract` from the server's models: change those, and run it again."

NAMES = {"Document": "GraphDocument", "Node": "GraphNode", "Interface": "GraphInterface"}
"""Models whose own names mean something else in a browser."""

SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
ANY = "null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue }"

SHORT = 2
"""So many properties stand in one line."""

Schema = Mapping[str, Any]


def contract() -> str:
    """The whole file: the models of documents, refusals, the stream and the routes, then the routes themselves."""
    spoken = [value for route in ROUTES for value in (route.body, *route.answers.values()) if _is_model(value)]
    models = dict.fromkeys([Document, ProblemDocument, StreamEvent, *spoken])
    _, found = models_json_schema([(model, _mode(model)) for model in models])
    named = sorted(((_name(key), schema) for key, schema in found["$defs"].items()), key=lambda pair: pair[0])
    types = [f"{_comment(schema)}export type {name} = {_type(schema)};" for name, schema in named]
    lines = [f'  "{route.method} {route.path}": {_route(route)};' for route in ROUTES if _answers(route)]
    routes = ["/** What is sent and answered as JSON. */", "export type Routes = {", *lines, "};\n"]
    return "\n\n".join([HEAD, *types, "\n".join(routes)])


def _is_model(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


def _mode(model: type[BaseModel]) -> Literal["serialization", "validation"]:
    """What the server writes has every field; clients, and documents, may leave out what has a default."""
    return "serialization" if issubclass(model, (Answer, Stored, StreamEvent)) else "validation"


def _route(route: Route) -> str:
    sent = f"body: {_name(route.body.__name__)}; " if isinstance(route.body, type) else ""
    return f"{{ {sent}answer: {' | '.join(_answers(route))} }}"


def _answers(route: Route) -> dict[str, None]:
    """The types of what a route answers as JSON; nothing for files, pages and streams."""
    models = [model for model in route.answers.values() if model is not None and not isinstance(model, str)]
    return dict.fromkeys(_name(model.__name__) if _is_model(model) else "Record<string, JsonValue>" for model in models)


def _name(model: str) -> str:
    return NAMES.get(model, model)


def _comment(schema: Schema, indent: str = "") -> str:
    text = schema.get("description", "").replace("\n", f"\n{indent} * ")
    return f"{indent}/** {text} */\n" if text else ""


def _type(schema: Schema, indent: str = "") -> str:
    match schema:
        case {"$ref": path}:
            return _name(path.rpartition("/")[2])
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return " | ".join(map(json.dumps, values))
        case {"anyOf": options} | {"oneOf": options}:
            return " | ".join(_type(option, indent) for option in options)
        case {"type": "array", "prefixItems": items}:
            return f"[{', '.join(_type(item, indent) for item in items)}]"
        case {"type": "array", "items": item, "minItems": least, "maxItems": most} if least == most:
            return f"[{', '.join([_type(item, indent)] * most)}]"
        case {"type": "array", "items": item}:
            return f"Array<{_type(item, indent)}>"
        case {"type": "object"}:
            return _object(schema, indent)
        case {"type": name}:
            return SCALARS[name]
        case _:
            return ANY


def _object(schema: Schema, indent: str) -> str:
    if "properties" in schema:
        return _record(schema["properties"], set(schema.get("required", ())), indent)
    (values,) = (
        schema["patternProperties"].values() if "patternProperties" in schema else [schema["additionalProperties"]]
    )
    return f"Record<string, {_type(values, indent)}>"


def _record(fields: Mapping[str, Schema], required: set[str], indent: str) -> str:
    deeper = f"{indent}  "
    lines = [f"{key}{'' if key in required else '?'}: {_type(field, deeper)}" for key, field in fields.items()]
    if len(lines) <= SHORT and not any("description" in field for field in fields.values()):
        return f"{{ {'; '.join(lines)} }}"
    told = [f"{_comment(field, deeper)}{deeper}{line};" for field, line in zip(fields.values(), lines, strict=True)]
    return "\n".join(["{", *told, f"{indent}}}"])


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(contract(), encoding="utf-8")
