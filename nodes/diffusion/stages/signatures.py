"""The signatures of pipeline calls, read from Diffusers' source without importing it: enough to check a graph.

What another module means by a name is not looked up, so an argument of such a type takes any value here; the call
itself is checked against the real signature.
"""

from __future__ import annotations

import ast
import re
import types
from functools import cache, reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from nodes.diffusion.disk.whole import diffusers_folder
from nodes.diffusion.stages.arguments import Argument, Call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_EXPORTED = re.compile(r'_import_structure\["([\w.]+)"\](?: = |\.extend\()\s*\[([^\]]*)\]')

_PLAIN: dict[str, Any] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "list": list,
    "List": list,
    "dict": dict,
    "Dict": dict,
    "tuple": tuple,
    "Tuple": tuple,
}


@cache
def call_named(name: str) -> Call | None:
    """The call of the pipeline class `name`; None where its source does not say it."""
    for path in _files(name):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)
        if found is not None:
            return _call(found)
    return None


def _files(name: str) -> Iterator[Path]:
    """Where the class may stand: the files of the folder that exports it."""
    root = diffusers_folder() / "pipelines"
    for folder, names in _EXPORTED.findall((root / "__init__.py").read_text(encoding="utf-8")):
        if f'"{name}"' in names:
            paths = sorted((root / folder).rglob("*.py"))
            yield from (path for path in paths if f"class {name}(" in path.read_text(encoding="utf-8"))


def _call(found: ast.ClassDef) -> Call | None:
    """The class's own call; one that it inherits counts as not known, unless the one base is a pipeline as well."""
    own = (node for node in found.body if isinstance(node, ast.FunctionDef) and node.name == "__call__")
    function = next(own, None)
    if function is None:
        bases = [base.id for base in found.bases if isinstance(base, ast.Name)]
        inherited = call_named(bases[0]) if bases else None
        return inherited and Call(found.name, inherited.arguments)
    return Call(found.name, {each.name: each for each in _arguments(function.args)})


def _arguments(given: ast.arguments) -> Iterator[Argument]:
    first = [*given.posonlyargs, *given.args]
    named = [*first, *given.kwonlyargs]
    defaults = [*[None] * (len(first) - len(given.defaults)), *given.defaults, *given.kw_defaults]
    by_words = any(_has_words(each.annotation) for each in named)
    for each, default in list(zip(named, defaults, strict=True))[1:]:
        annotation = Any if by_words else _type(each.annotation)
        yield Argument(each.arg, annotation, default is None, _constant(default))


def _has_words(annotation: ast.expr | None) -> bool:
    """Whether it names a type in words that only a type checker reads: Diffusers' own signature is not read then."""
    inner = ast.walk(annotation) if annotation is not None else ()
    return any(isinstance(node, ast.Constant) and isinstance(node.value, str) for node in inner)


def _constant(default: ast.expr | None) -> object:
    """The default, where it is written as a plain value; anything else is something."""
    if default is None:
        return None
    return default.value if isinstance(default, ast.Constant) else ...


def _type(node: ast.expr | None) -> Any:  # noqa: ANN401  # a type, or anything
    match node:
        case ast.Constant(value=None):
            return types.NoneType
        case ast.Name(id=name):
            return _PLAIN.get(name, Any)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _either([_type(left), _type(right)])
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            return _either([_type(inner), types.NoneType])
        case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=several)):
            return _either([_type(each) for each in several])
        case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in _PLAIN:
            several = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return _PLAIN[name][tuple(... if _is_dots(each) else _type(each) for each in several)]
    return Any


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _either(several: list[Any]) -> Any:  # noqa: ANN401
    """One of several types; of anything and something, anything."""
    return Any if Any in several else reduce(or_, several)
