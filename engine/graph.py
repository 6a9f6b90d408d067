"""The graph: a document that was read, checked for its shape, and may be written. Reading one never runs code."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from engine.document import NO_SIZE, Document, Frame, Interface, Node, write
from engine.errors import Code, GraphError, Problem, StoreError, choose, nearest
from engine.files import write_whole
from engine.migrations import migrate
from engine.picture import extract, is_picture

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterator, Mapping

    from pydantic import BaseModel, JsonValue

    from engine.runtime import Runtime

MAX_BYTES = 64 << 20
MAX_PICTURE_BYTES = 1 << 30
MAX_NODES = 100_000


class Link(NamedTuple):
    """An output port of a node."""

    node: str
    port: str

    def __str__(self) -> str:
        return f"{self.node}.{self.port}"

    @classmethod
    def read(cls, path: str) -> Link:
        """From "node.port"."""
        node, _, port = path.partition(".")
        return cls(node, port)


def as_link(value: JsonValue) -> Link | None:
    """The link that an input's JSON stands for, or None when it is a plain value."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(path := value.get("link"), str):
        return Link.read(path)
    return None


def links_in(value: JsonValue) -> Iterator[Link]:
    """The links of one input: itself, or the links among a list's items."""
    for item in value if isinstance(value, list) else [value]:
        link = as_link(item)
        if link is not None:
            yield link


@dataclass(frozen=True, eq=False)
class Graph:
    """A document and the folder that its relative paths start from."""

    document: Document
    folder: Path | None = None
    origin: str = field(default="graph", repr=False)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Graph:
        """Read a JSON file, or a PNG picture that carries its graph; relative paths start from the file's folder.

        Raises `GraphError` with line and column, or the JSON path, of what is wrong.
        """
        file = Path(path)
        try:
            raw = _read_file(file)
        except OSError as error:
            fix = "Check the path; it is taken from the working directory."
            problem = Problem(Code.FILE_NOT_FOUND, str(file), f"The graph cannot be read: {error.strerror}.", fix)
            raise GraphError([problem]) from error
        return cls.parse(raw, origin=str(file), folder=file.resolve().parent)

    @classmethod
    def parse(cls, raw: bytes | str, *, origin: str = "graph", folder: Path | None = None) -> Graph:
        """Read JSON text, or a PNG picture that carries it.

        `origin` names it in errors; relative paths start from `folder`. Raises `GraphError`.
        """
        if isinstance(raw, bytes) and is_picture(raw):
            raw = _graph_in(raw, origin)
        return cls.from_data(read_json(raw, origin), origin=origin, folder=folder)

    @classmethod
    def from_data(cls, data: object, *, origin: str = "graph", folder: Path | None = None) -> Graph:
        """Check plain data and bring it to today's version."""
        if not isinstance(data, dict):
            what = f"A graph is a JSON object, not {type(data).__name__}."
            raise GraphError([Problem(Code.BAD_DOCUMENT, origin, what, 'Begin with {"version": 1, "nodes": {}}.')])
        migrated = migrate(data)
        try:
            document = Document.model_validate(migrated)
        except ValidationError as error:
            raise GraphError([_problem(item) for item in error.errors()]) from error
        if len(document.nodes) > MAX_NODES:
            what = f"A graph has at most {MAX_NODES:,} nodes."
            raise GraphError([Problem(Code.TOO_LARGE, "nodes", what, "Split it into several graphs.")])
        return cls(document, folder, origin)

    def dumps(self, order: Callable[[str], tuple[str, ...]] = lambda _type: ()) -> str:
        """The canonical text. `order` gives a node type's inputs in signature order; others follow as they are."""
        return write(self.document, order)

    def save(self, path: str | os.PathLike[str], order: Callable[[str], tuple[str, ...]] = lambda _type: ()) -> None:
        """Write the canonical text: the whole file or none of it."""
        write_whole(Path(path), self.dumps(order).encode())

    def with_inputs(self, values: Mapping[str, JsonValue]) -> Graph:
        """The same graph with interface inputs set. Raises `GraphError` (`unknown_input`) for a name it has not."""
        known = self.document.interface.inputs
        unknown = [name for name in values if name not in known]
        if unknown:
            raise GraphError([unknown_input(name, known) for name in unknown])
        return self.with_values({known[name]: value for name, value in values.items()})

    def with_values(self, values: Mapping[str, JsonValue]) -> Graph:
        """The same graph with `node.input` set to other values. Raises `GraphError` for a node it has not."""
        nodes = dict(self.document.nodes)
        for path, value in values.items():
            name, _, port = path.partition(".")
            if name not in nodes:
                what = f'There is no node "{name}".'
                raise GraphError([Problem(Code.UNKNOWN_NODE, path, what, choose(name, nodes))])
            if not port:
                what = f'"{name}" is a node, not one of its inputs.'
                raise GraphError([Problem(Code.UNKNOWN_PORT, path, what, "Write node.input.")])
            nodes[name] = nodes[name].model_copy(update={"inputs": {**nodes[name].inputs, port: value}})
        return Graph(self.document.model_copy(update={"nodes": nodes}), self.folder, self.origin)

    def pinned(self, ports: Collection[str] | None = None) -> Graph:
        """The same graph without `seeds` for these `node.input`s, or for any: what is written there is used."""
        kept = {path: how for path, how in self.document.seeds.items() if ports is not None and path not in ports}
        return Graph(self.document.model_copy(update={"seeds": kept}), self.folder, self.origin)

    def bind(self, /, **values: object) -> Bound:
        """This graph with interface inputs given as run-time values. A node may return it to be run in its place."""
        return Bound(self, values)

    def __call__(self, /, *, runtime: Runtime | None = None, **inputs: object) -> Any:  # noqa: ANN401  # the graph's own
        """Run the graph; returns its one output, or a dict of them by name.

        Raises `GraphError` when it cannot run and `NodeError` when a node fails.
        """
        from engine.runtime import Runtime  # noqa: PLC0415  # the runtime is built on the document

        return (runtime or Runtime.default()).call(self, inputs)


@dataclass(frozen=True, slots=True)
class Bound:
    """A graph and run-time values for its interface inputs."""

    graph: Graph
    values: Mapping[str, object]


def unknown_input(name: str, known: Mapping[str, str]) -> Problem:
    """The problem of an interface input that does not exist."""
    what = f'The graph\'s interface has no input "{name}".'
    return Problem(Code.UNKNOWN_INPUT, name, what, choose(name, known))


def _read_file(file: Path) -> bytes:
    with file.open("rb") as opened:
        limit = MAX_PICTURE_BYTES if is_picture(opened.read(8)) else MAX_BYTES
        if file.stat().st_size > limit:
            what = f"The file is larger than {limit >> 20} MiB."
            raise GraphError([Problem(Code.TOO_LARGE, str(file), what, "Split it into several graphs.")])
        opened.seek(0)
        return opened.read()


def _graph_in(png: bytes, origin: str) -> str:
    """The text of the graph in a picture."""
    try:
        found = extract(png)
    except StoreError as error:
        raise GraphError([Problem(error.code, origin, error.what, error.fix)]) from error
    if found is None:
        fix = "Use a picture as Patchbay saved it: many programs drop the graph when they save or send one."
        raise GraphError([Problem(Code.BAD_PICTURE, origin, "This picture carries no graph.", fix)])
    return found


def read_json(raw: bytes | str, origin: str) -> object:
    """Plain data from JSON text, read strictly: UTF-8, no name twice in an object, no NaN, Infinity or half a pair.

    Raises `GraphError` (`broken_json`, or `too_large` when it is nested too deeply) at `origin:line:column`.
    """
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
        found: object = json.loads(
            text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant, parse_float=_finite
        )
        (json.dumps(found, ensure_ascii=False) if "\\u" in text else text).encode()  # half a pair is no character
    except json.JSONDecodeError as error:
        place, what = f"{origin}:{error.lineno}:{error.colno}", f"This is not JSON: {error.msg}."
        raise GraphError([Problem(Code.BROKEN_JSON, place, what, "Mend the text there.")]) from error
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        what = f"This is not UTF-8 text: {error.reason}."
        raise GraphError([Problem(Code.BROKEN_JSON, origin, what, "Save it as UTF-8.")]) from error
    except RecursionError as error:
        raise GraphError([_too_deep(origin)]) from error
    except ValueError as error:
        raise GraphError([Problem(Code.BROKEN_JSON, origin, str(error), "Mend the text there.")]) from error
    return found


def _too_deep(at: str) -> Problem:
    return Problem(Code.TOO_LARGE, at, "The JSON is nested too deeply.", "Nest values less than 200 deep.")


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f'The name "{twice}" stands twice in one object.'
        raise ValueError(message)
    return found


def _refuse_constant(name: str) -> object:
    message = f"{name} is no JSON value."
    raise ValueError(message)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        message = f"The number {text} is too large."
        raise ValueError(message)
    return value


def _problem(error: Any) -> Problem:  # noqa: ANN401  # pydantic's ErrorDetails is not exported
    path = _json_path(error["loc"])
    match error["type"]:
        case "extra_forbidden":
            owner = _json_path(error["loc"][:-1]) or "the document"
            fix = nearest(str(error["loc"][-1]), _fields_at(error["loc"][:-1])) or "Remove it."
            return Problem(Code.UNKNOWN_KEY, path, f'{owner} has no key "{error["loc"][-1]}".', fix)
        case "missing":
            return Problem(Code.BAD_DOCUMENT, path, "This is missing.", "Add it.")
        case "string_pattern_mismatch" if error["loc"][0] in ("interface", "seeds"):
            what = f'"{error["input"]}" is not of the form node.port.'
            return Problem(Code.BAD_DOCUMENT, path, what, "Write node.port.")
        case "string_pattern_mismatch":
            what = f'"{error["input"]}" cannot be a {"frame" if error["loc"][0] == "frames" else "node"}\'s id.'
            return Problem(Code.BAD_DOCUMENT, path, what, "Use letters, digits, _ and -.")
        case kind if kind == NO_SIZE:
            return Problem(Code.BAD_DOCUMENT, path, f"{error['msg']}.", "Give a size above 0, or none.")
        case "recursion_depth_exceeded" | "recursion_loop":
            return _too_deep(path)
        case _:
            return Problem(Code.BAD_DOCUMENT, path, f"{error['msg']}.", "Compare it with a graph that works.")


def _json_path(location: tuple[int | str, ...]) -> str:
    if location[2:3] == ("inputs",):
        location = location[:4]  # the rest is pydantic's own way into a JSON value
    return ".".join(str(part) for part in location if part != "[key]")


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    models: dict[int | str | None, type[BaseModel]]
    models = {None: Document, "nodes": Node, "interface": Interface, "frames": Frame}
    return list(models[location[0] if location else None].model_fields)
