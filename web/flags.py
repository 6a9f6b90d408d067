"""Flags of `patchbay run` that come from the graph: its interface, and `--set node.input=value`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine import Code, GraphError, Problem
from engine.errors import nearest
from engine.graph import as_link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import JsonValue

    from engine import Catalog, Graph
    from engine.node import Input


@dataclass(frozen=True)
class Flag:
    """One interface input as a flag: `--name`, the port behind it and the value that the graph has."""

    name: str
    path: str
    port: Input
    default: object

    @property
    def help(self) -> str:
        """What it is, its range and its default, in a line."""
        default = f"Default: {json.dumps(self.default, ensure_ascii=False)}." if self.default is not None else ""
        return f"{port_help(self.port)} {default}".strip()

    @property
    def metavar(self) -> str:
        """The kind of value in capitals."""
        return "VALUE" if len(str(self.port.type)) > 12 else str(self.port.type).upper()  # noqa: PLR2004  # one column


@dataclass
class Given:
    """What the command line gave: values by `node.input`, and files that it named in person."""

    values: dict[str, JsonValue] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)


def port_help(port: Input) -> str:
    """What a port takes, in a line: its description and its range or choices."""
    return f"{port.description} {_range(port.json_schema() or {})}".strip()


def flags_of(graph: Graph, catalog: Catalog) -> dict[str, Flag]:
    """The flags that a graph's interface makes, by name; those of unknown node types are left to the plan."""
    found: dict[str, Flag] = {}
    for name, path in graph.document.interface.inputs.items():
        node_id, _, port_name = path.partition(".")
        node = graph.document.nodes.get(node_id)
        type_ = catalog.types.get(node.type) if node else None
        port = type_.inputs.get(port_name) if type_ else None
        if node is not None and port is not None:
            raw = node.inputs.get(port_name, None if port.required else port.default)
            found[name] = Flag(name, path, port, None if as_link(raw) else raw)  # type: ignore[arg-type]  # JSON or a default
    return found


def read_flags(arguments: Sequence[str], flags: Mapping[str, Flag], graph: Graph) -> Given:
    """`--name value` and `--name=value`, each converted by its port. Raises `GraphError` for an unknown flag."""
    given, problems = Given(), list[Problem]()
    known = graph.document.interface.inputs
    for name, text in _pairs(arguments):
        key = next((key for key in known if key.replace("_", "-") == name.replace("_", "-")), None)
        if key is None:
            fix = nearest(name, known) or f"The graph takes: {', '.join(f'--{key}' for key in known) or 'none'}."
            problems.append(Problem(Code.UNKNOWN_INPUT, f"--{name}", "The graph has no such input.", fix))
        elif text is None:
            problems.append(Problem(Code.MISSING_INPUT, f"--{name}", "A value must follow."))
        else:
            given.values[known[key]] = _convert(text, flags[key].port if key in flags else None, given)
    if problems:
        raise GraphError(problems)
    return given


def read_sets(sets: Sequence[str], graph: Graph, catalog: Catalog, given: Given) -> None:
    """`node.input=value`, added to `given`. Raises `GraphError` for one of another form."""
    for item in sets:
        path, equals, text = item.partition("=")
        node_id, dot, port_name = path.partition(".")
        if not equals or not dot:
            raise GraphError([Problem(Code.BAD_VALUE, f"--set {item}", "This is not of the form node.input=value.")])
        node = graph.document.nodes.get(node_id)
        type_ = catalog.types.get(node.type) if node else None
        given.values[path] = _convert(text, type_.inputs.get(port_name) if type_ else None, given)


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    items = iter(arguments)
    for item in items:
        if not item.startswith("--"):
            fix = "Values follow their flag; quote a value with spaces."
            raise GraphError([Problem(Code.UNKNOWN_INPUT, item, "This belongs to no flag.", fix)])
        name, equals, text = item[2:].partition("=")
        yield (name, text) if equals else (name, next(items, None))


def _convert(text: str, port: Input | None, given: Given) -> JsonValue:
    """The JSON value that a text means for a port: itself where the port takes text, else read as JSON."""
    if port is None or port.adapter is None:
        return _json(text)
    if port.resource is not None:
        file = Path(text)
        if not getattr(port.resource, "writes", False) and file.exists():
            given.files.append(file.absolute())
            return str(file.absolute())
        return text
    try:
        port.adapter.validate_python(text)
    except ValidationError:
        return _json(text)
    return text


def _json(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value


def _range(schema: Mapping[str, object]) -> str:
    parts = schema.get("anyOf", [schema])
    for part in parts if isinstance(parts, list) else []:
        if "enum" in part:
            return f"One of {', '.join(map(str, part['enum']))}."
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    if high is None:
        return f"At least {low}."
    return f"{low} to {high}." if "exclusiveMinimum" not in schema else f"Above {low}, up to {high}."
