"""The document's JSON schema with the catalogue in it, so that any editor completes and checks graph files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.document import Document
from engine.node import REQUIRED
from engine.types import ListOf

if TYPE_CHECKING:
    from engine.catalog import AnyNodeType, Catalog
    from engine.node import Input

LINK: dict[str, Any] = {
    "type": "object",
    "properties": {"link": {"type": "string", "pattern": r"^[\w-]+\.\w+$"}},
    "required": ["link"],
    "additionalProperties": False,
    "description": "An output of another node, as node.port.",
}


def document_schema(catalog: Catalog) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of graph files. Node types outside the catalogue may have any inputs."""
    schema = Document.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Patchbay graph"
    schema["$defs"]["Link"] = LINK
    node = schema["$defs"]["Node"]
    node["properties"]["type"]["examples"] = sorted(catalog.types)
    node["allOf"] = [
        {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {"properties": {"inputs": _inputs(type_)}},
        }
        for name, type_ in sorted(catalog.types.items())
    ]
    return schema


def _inputs(type_: AnyNodeType) -> dict[str, Any]:
    return {
        "type": "object",
        "description": type_.summary,
        "properties": {port.name: _input(port) for port in type_.inputs.values()},
        "required": [port.name for port in type_.inputs.values() if port.default is REQUIRED],
        "additionalProperties": False,
    }


def _input(port: Input) -> dict[str, Any]:
    link: dict[str, Any] = {"$ref": "#/$defs/Link"}
    options = [link]
    if isinstance(port.type, ListOf):
        options.append({"type": "array", "items": {"anyOf": [link, {}]}})
    values = port.json_schema()
    if values is not None:
        options.append(values)
    elif not port.required:
        options.append({"type": "null"})
    return {"anyOf": options, "description": port.description or str(port.type)}
