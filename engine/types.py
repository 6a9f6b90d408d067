"""The one type relation: whether an output may be linked to an input.

A type is plain data, read from a Python annotation by `parse` and exported by `to_json`, so that a browser can refuse
the same links for the same reason. `fits` decides; `subtype` is its reflexive and transitive core, `wrap` and `map` are
the two ways in which a list and a single value meet.
"""

from __future__ import annotations

import types as python_types
import typing
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

FEW: Final = 6
"""How many choices a sentence can hold."""


class Kind:
    """Bound of a type variable that stands for a model family: `K = TypeVar("K", bound=Kind)`.

    Kinds are invariant: all ports of one node that share the variable must be of the same family.
    """


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain value: "str", "int", "float", "bool", "null" or "object" (a JSON object)."""

    name: str

    def __str__(self) -> str:
        return {"str": "text", "null": "nothing"}.get(self.name, self.name)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some literal values. Values are kept with their type, since 1, 1.0 and True are equal in Python."""

    values: tuple[tuple[str, object], ...]

    def __str__(self) -> str:
        if len(self.values) > FEW:
            return f"one of {len(self.values)} names"
        return " or ".join(repr(value) for _, value in self.values)


@dataclass(frozen=True, slots=True)
class Named:
    """A class, with its type arguments and the names of its base classes."""

    name: str
    args: tuple[Type, ...] = ()
    bases: tuple[str, ...] = ()

    def __str__(self) -> str:
        known = [str(arg) for arg in self.args if not isinstance(arg, Var)]
        return f"{self.name}[{', '.join(known)}]" if known else self.name


@dataclass(frozen=True, slots=True)
class KindName:
    """A model family, such as "sd1"."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Var:
    """A type variable: for any type, for one of those it is `within`, or (`kind`) for a model family."""

    name: str
    kind: bool = False
    within: tuple[Type, ...] = ()

    def __str__(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of items of one type."""

    item: Type

    def __str__(self) -> str:
        return f"list of {self.item}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """A union. Made by `union`, so it is flat, has no duplicates and at least two members."""

    members: tuple[Type, ...]

    def __str__(self) -> str:
        return " or ".join(str(member) for member in self.members)


@dataclass(frozen=True, slots=True)
class Anything:
    """Unknown until it runs: fits everything, everything fits it."""

    def __str__(self) -> str:
        return "anything"


Type = Scalar | Choice | Named | KindName | Var | ListOf | OneOf | Anything

ANYTHING: Final = Anything()
NULL: Final = Scalar("null")
_SCALARS: Final[dict[object, str]] = {str: "str", int: "int", float: "float", bool: "bool", type(None): "null"}


def members_of(type_: Type) -> tuple[Type, ...]:
    """The members of a union, or the type itself."""
    return type_.members if isinstance(type_, OneOf) else (type_,)


def union(members: typing.Iterable[Type]) -> Type:
    """The union of types: flattened, without duplicates, a single member standing for itself."""
    flat: dict[Type, None] = {}
    for member in members:
        flat.update(dict.fromkeys(members_of(member)))
    if ANYTHING in flat:
        return ANYTHING
    return next(iter(flat)) if len(flat) == 1 else OneOf(tuple(flat))


def parse(annotation: object) -> Type:
    """The type that a Python annotation means. Raises `TypeError` for a form that no port can have."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return parse(args[0])
    if annotation in _SCALARS or annotation is None:
        return Scalar(_SCALARS[annotation if annotation is not None else type(None)])
    if annotation is Any or annotation is object:
        return ANYTHING
    if isinstance(annotation, TypeVar):
        bound = annotation.__bound__
        within = tuple(parse(constraint) for constraint in annotation.__constraints__)
        return Var(annotation.__name__, isinstance(bound, type) and issubclass(bound, Kind), within)
    if origin is Literal:
        return choice(*args)
    if origin in (Union, python_types.UnionType):
        return union(parse(arg) for arg in args)
    if origin is list:
        return ListOf(parse(args[0]))
    if annotation is dict or origin is dict:
        return Scalar("object")
    return _parse_class(origin or annotation, args)


def _parse_class(cls: object, args: tuple[object, ...]) -> Type:
    if not isinstance(cls, type) or cls is list or cls is tuple:
        message = f"{cls!r} is no type that a port can have"
        raise TypeError(message)
    if issubclass(cls, Enum):
        return choice(*(member.value for member in cls))
    if issubclass(cls, PurePath):
        return Scalar("str")
    bases = tuple(base.__name__ for base in cls.__mro__[1:] if base not in (object, typing.Generic))
    return Named(cls.__name__, tuple(parse(arg) for arg in args), bases)


def choice(*values: object) -> Choice:
    """The type of exactly these literal values."""
    return Choice(tuple((type(value).__name__, value) for value in values))


def type_of(value: object) -> Type:
    """The narrowest type of a value: JSON values by themselves, other objects by their class and `kind`."""
    if value is None:
        return NULL
    if isinstance(value, (str, int, bool)):
        return choice(value)
    if isinstance(value, float):
        return Scalar("float")
    if isinstance(value, (list, tuple)):
        return ListOf(union(type_of(item) for item in value)) if value else ListOf(ANYTHING)
    if isinstance(value, dict):
        return Scalar("object")
    cls = type(value)
    kind = getattr(value, "kind", None)
    parameters = getattr(cls, "__parameters__", ())
    args = (KindName(kind),) if isinstance(kind, str) and parameters else ()
    found = _parse_class(cls, ())
    return Named(found.name, args, found.bases) if isinstance(found, Named) else found


def substitute(type_: Type, replace: typing.Callable[[Var], Type]) -> Type:
    """The type with every variable replaced."""
    match type_:
        case Var():
            return replace(type_)
        case Named(name, args, bases) if args:
            return Named(name, tuple(substitute(arg, replace) for arg in args), bases)
        case ListOf(item):
            return ListOf(substitute(item, replace))
        case OneOf(members):
            return union(substitute(member, replace) for member in members)
        case _:
            return type_


class Bindings:
    """What type variables stand for in one graph: kinds by unification, other variables by the union of what came.

    Every change is logged, so that a rule that turns out not to fit is taken back without copying.
    """

    def __init__(self) -> None:
        self._known: dict[Var, Type] = {}
        self._log: list[tuple[Var, Type | None]] = []

    def mark(self) -> int:
        """A point to go back to."""
        return len(self._log)

    def undo(self, mark: int) -> None:
        """Forget everything bound since `mark`."""
        while len(self._log) > mark:
            var, before = self._log.pop()
            if before is None:
                del self._known[var]
            else:
                self._known[var] = before

    def _set(self, var: Var, type_: Type) -> None:
        self._log.append((var, self._known.get(var)))
        self._known[var] = type_

    def find(self, type_: Type) -> Type:
        """What a kind variable stands for now: a kind, or the variable that represents it."""
        while isinstance(type_, Var) and type_ in self._known:
            type_ = self._known[type_]
        return type_

    def unify(self, left: Type, right: Type) -> bool:
        """Make two kinds the same; False where they are already different."""
        left, right = self.find(left), self.find(right)
        if left == right or ANYTHING in (left, right):
            return True
        if isinstance(right, Var):  # the newer side points to the older one, which keeps `find` short
            self._set(right, left)
        elif isinstance(left, Var):
            self._set(left, right)
        else:
            return False
        return True

    def widen(self, var: Var, type_: Type) -> None:
        """Let a general variable stand for one type more."""
        if type_ != var:
            known = self._known.get(var)
            self._set(var, type_ if known is None else _join(known, type_))

    def resolve(self, type_: Type) -> Type:
        """The type with every bound variable replaced; an unbound one stays."""
        return substitute(type_, lambda var: self.find(var) if var.kind else self._known.get(var, var))


def _join(left: Type, right: Type) -> Type:
    if subtype(left, right, Bindings()):
        return right
    return left if subtype(right, left, Bindings()) else union((left, right))


def subtype(output: Type, wanted: Type, bindings: Bindings) -> bool:
    """Whether every value of `output` is one of `wanted`. Binds variables as far as it gets, also when it fails."""
    if isinstance(output, Anything) or isinstance(wanted, Anything) or output == wanted:
        return True
    if isinstance(wanted, Var) or isinstance(output, Var):
        return _bind(output, wanted, bindings)
    if isinstance(output, OneOf):
        return all(subtype(member, wanted, bindings) for member in output.members)
    if isinstance(wanted, OneOf):
        return _fits_a_member(output, wanted, bindings)
    if isinstance(output, Choice):
        return _choice_fits(output, wanted)
    if isinstance(output, Scalar):
        return output == Scalar("int") and wanted == Scalar("float")
    if isinstance(output, ListOf) and isinstance(wanted, ListOf):
        return subtype(output.item, wanted.item, bindings)
    if isinstance(output, Named) and isinstance(wanted, Named):
        if wanted.name != output.name and wanted.name not in output.bases:
            return False
        return all(bindings.unify(*pair) for pair in zip(output.args, wanted.args, strict=False))
    return False


def _bind(output: Type, wanted: Type, bindings: Bindings) -> bool:
    kinds = isinstance(output, KindName) or (isinstance(output, Var) and output.kind)
    if kinds or (isinstance(wanted, Var) and wanted.kind):
        return bindings.unify(output, wanted)
    if isinstance(wanted, Var):
        found = bindings.resolve(output)
        if wanted.within and not subtype(found, union(wanted.within), bindings):
            return False
        bindings.widen(wanted, found)
    return True


def _fits_a_member(output: Type, wanted: OneOf, bindings: Bindings) -> bool:
    mark = bindings.mark()
    for member in wanted.members:
        if subtype(output, member, bindings):
            return True
        bindings.undo(mark)
    return False


def _choice_fits(output: Choice, wanted: Type) -> bool:
    if isinstance(wanted, Choice):
        return set(map(repr, output.values)) <= set(map(repr, wanted.values))
    return isinstance(wanted, Scalar) and all(
        name == wanted.name or (name == "int" and wanted.name == "float") for name, _ in output.values
    )


Fit = Literal["direct", "wrap", "map"]
"""How a link works: as it is, as a list of one, or once for each item of the list."""


def fits(output: Type, wanted: Type, bindings: Bindings) -> Fit | None:
    """How `output` may be linked to an input of type `wanted`, or None. Binds variables only when it fits."""
    attempts: list[tuple[Fit, Type, Type]] = [("direct", output, wanted)]
    if not isinstance(output, ListOf):
        attempts += [("wrap", output, part.item) for part in members_of(wanted) if isinstance(part, ListOf)]
    if isinstance(output, ListOf) and not isinstance(wanted, ListOf):
        attempts.append(("map", output.item, wanted))
    mark = bindings.mark()
    for how, given, target in attempts:
        if subtype(given, target, bindings):
            return how
        bindings.undo(mark)
    return None


def kinds_clash(output: Type, wanted: Type) -> bool:
    """Whether two types differ in nothing but their kind: the reason a person needs to hear."""
    match output, wanted:
        case (ListOf(left), _):
            return kinds_clash(left, wanted)
        case (_, ListOf(right)):
            return kinds_clash(output, right)
        case (_, OneOf(members)):
            return any(kinds_clash(output, member) for member in members)
        case (Named(), Named()):
            return output.args != wanted.args and wanted.name in (output.name, *output.bases)
        case _:
            return False


def to_json(type_: Type) -> dict[str, object]:
    """The type as plain data, for clients that check links themselves."""
    match type_:
        case Scalar(name) | KindName(name):
            return {"is": "scalar" if isinstance(type_, Scalar) else "kind", "name": name}
        case Choice(values):
            return {"is": "choice", "values": [value for _, value in values]}
        case Named(name, args, bases):
            return {"is": "named", "name": name, "args": [to_json(arg) for arg in args], "bases": list(bases)}
        case Var(name, kind, within):
            return {"is": "variable", "name": name, "kind": kind, "within": [to_json(part) for part in within]}
        case ListOf(item):
            return {"is": "list", "item": to_json(item)}
        case OneOf(members):
            return {"is": "union", "members": [to_json(member) for member in members]}
        case _:
            return {"is": "anything"}
