"""The node types that a graph may name: from installed packages (entry points) and from files in the user's folder.

Each source is loaded apart from the others: one that fails to import is named among `problems`, and the rest goes on.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError, Problem
from engine.node import NodeType
from engine.types import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

ENTRY_POINTS = "patchbay.nodes"
CUSTOM = "patchbay_custom"

AnyNodeType = NodeType[..., Any]


@dataclass(frozen=True)
class Catalog:
    """Node types by id, and what could not be loaded."""

    types: Mapping[str, AnyNodeType]
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, types: Iterable[AnyNodeType]) -> Catalog:
        """A catalogue of just these types. Raises `PatchbayError` when two share an id."""
        found: dict[str, AnyNodeType] = {}
        problems: list[Problem] = []
        _add(found, problems, types, "the catalogue")
        if problems:
            first = problems[0]
            raise PatchbayError(first.code, first.at, first.what, first.fix)
        return cls(found)

    @classmethod
    def load(cls, folder: Path | None = None) -> Catalog:
        """Everything installed, and every `*.py` file in `folder`."""
        found: dict[str, AnyNodeType] = {}
        problems: list[Problem] = []
        for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
            _add_guarded(found, problems, point.load, f"entry point {point.value}")
        files = sorted(folder.glob("*.py")) if folder is not None and folder.is_dir() else []
        for file in files:
            _add_guarded(found, problems, partial(_load_file, file), str(file))
        return cls(found, tuple(problems))

    def inputs_in_order(self, type_id: str) -> tuple[str, ...]:
        """A type's inputs in signature order; none for an unknown type. Fits `Graph.dumps`."""
        found = self.types.get(type_id)
        return tuple(found.inputs) if found else ()

    def describe(self) -> list[dict[str, object]]:
        """Every node type as plain data, for programs and for the editor."""
        return [describe(type_) for type_ in self.types.values()]


def describe(type_: AnyNodeType) -> dict[str, object]:
    """One node type as plain data: ports with their types, and the JSON schema of the values they take.

    An input's `resource` says what its value names, such as "model" or "picture"; null where it names nothing.
    """
    inputs = [
        {
            "name": port.name,
            "type": to_json(port.type),
            "label": str(port.type),
            "required": port.required,
            "dial": port.dial,
            "lazy": port.lazy,
            "description": port.description,
            "schema": port.json_schema(),
            "resource": None if port.resource is None else getattr(port.resource, "noun", "file"),
        }
        for port in type_.inputs.values()
    ]
    outputs = [
        {"name": port.name, "type": to_json(port.type), "label": str(port.type), "inspectable": port.inspectable}
        for port in type_.outputs
    ]
    return {
        "id": type_.id,
        "category": type_.category,
        "summary": type_.summary,
        "inputs": inputs,
        "outputs": outputs,
        "device": type_.device,
        "effect": type_.effect,
        "deterministic": type_.deterministic,
        "relay": type_.relay,
        "version": type_.version,
    }


def node_types_in(module: ModuleType | Iterable[AnyNodeType]) -> list[AnyNodeType]:
    """The node types that a module defines at its top level, or that an iterable gives."""
    values: Iterable[object] = vars(module).values() if isinstance(module, ModuleType) else module
    return list({id(value): value for value in values if isinstance(value, NodeType)}.values())


def _add_guarded(found: dict[str, AnyNodeType], problems: list[Problem], load: Callable[[], Any], origin: str) -> None:
    try:
        _add(found, problems, node_types_in(load()), origin)
    except PatchbayError as error:
        what = f"{error.at}: {error.what}"
        problems.append(Problem(Code.BROKEN_NODE_FILE, _line(error, origin), what, error.fix))
    except (Exception, SystemExit) as error:  # noqa: BLE001  # any failure of someone else's file is theirs alone
        what = f"It failed to import: {type(error).__name__}: {error}."
        problems.append(Problem(Code.BROKEN_NODE_FILE, _line(error, origin), what, "Mend or remove the file."))


def _add(found: dict[str, AnyNodeType], problems: list[Problem], types: Iterable[AnyNodeType], origin: str) -> None:
    for type_ in types:
        if type_.id in found:
            what = f'The node type "{type_.id}" is already defined; this one is left out.'
            problems.append(Problem(Code.BAD_DECLARATION, origin, what, "Give it another id."))
        else:
            found[type_.id] = type_


def _load_file(file: Path) -> ModuleType:
    name = f"{CUSTOM}.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        message = "not a Python file"
        raise ImportError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _line(error: BaseException, origin: str) -> str:
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == origin:
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == origin:
        line = error.lineno
    return f"{origin}:{line}" if line else origin
