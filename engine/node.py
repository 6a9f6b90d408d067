"""A node type is an annotated function: `@node` reads its annotations once and keeps its signature for checkers."""

from __future__ import annotations

import hashlib
import inspect
import re
import textwrap
import types
import typing
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Generic, ParamSpec, Protocol, TypeVar, overload

from pydantic import ConfigDict, PydanticUndefinedAnnotation, Strict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo

from engine.errors import Code, PatchbayError
from engine.graph import Bound, Graph
from engine.types import ListOf, Named, OneOf, Scalar, Type, Var, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.paths import Paths
    from engine.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
T_co = TypeVar("T_co", covariant=True)

REQUIRED: typing.Final = inspect.Parameter.empty
UNIONS: typing.Final = (typing.Union, types.UnionType)


class Lazy(Protocol[T_co]):
    """An input that is computed only if the function asks: `If` never runs the branch that it does not take.

    Ask first and compute afterwards: when the value is not there yet, the call ends here and the function starts over
    once the value has been computed.
    """

    def __call__(self) -> T_co:
        """The value."""
        ...


class Resource(Protocol):
    """Put into `Annotated`: an input that names something outside the graph, such as a file.

    The document holds a string; the function gets what `resolve` makes of it; `digest` goes into the node's key, so a
    file that changed is a different input.
    """

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> object:
        """What the string names. Raises `PatchbayError` when it names nothing usable."""
        ...

    def digest(self, resolved: Any) -> str:  # noqa: ANN401  # each resource knows its own type
        """Identity of the content."""
        ...


class KindRule(Protocol):
    """What a node's own values say about the kinds of its ports, such as a model's config about its family."""

    def __call__(self, values: Mapping[str, object]) -> Mapping[str, str]:
        """Kind by type variable name, for those that can be known before anything runs."""
        ...


class FactRule(Protocol):
    """What can be known of the things that a node gives before anything runs, such as what a model predicts.

    Facts travel along the links of node types that have kinds; where two inputs disagree, nothing is known.
    """

    def __call__(self, values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
        """Facts by name, from the node's own values and the facts `given` with each linked input.

        Raises `PatchbayError`, its place an input's name, for what cannot work together.
        """
        ...


@dataclass(frozen=True)
class Input:
    """A named, typed input port. `default` is `REQUIRED` where there is none; `dial` means after the `*`."""

    name: str
    type: Type
    default: object
    dial: bool
    lazy: bool
    resource: Resource | None
    description: str
    adapter: TypeAdapter[Any] | None = field(repr=False)

    @property
    def required(self) -> bool:
        """Whether a graph must give it."""
        return self.default is REQUIRED

    @property
    def hint(self) -> str:
        """What it takes, for whoever gave it something else."""
        return self.description or f"It takes {self.type}."

    @cached_property
    def generic(self) -> bool:
        """Whether its type has variables."""
        return _variables(self.type)

    def json_schema(self) -> dict[str, object] | None:
        """JSON schema of the values it takes, or None when it takes links only."""
        if self.adapter is None:
            return None
        schema = self.adapter.json_schema()
        if self.default is not REQUIRED:
            schema["default"] = self.adapter.dump_python(self.default, mode="json")
        return schema


@dataclass(frozen=True)
class Output:
    """A named, typed output port. `inspectable` values have something to show to whoever looks at one."""

    name: str
    type: Type
    inspectable: bool = True


@dataclass(frozen=True)
class NodeType(Generic[P, R_co]):
    """A declared function: what it takes, what it gives, and how the engine treats it. Calling it calls the function.

    `device` nodes run one at a time on the device; `deterministic=False` keeps results out of the cache; an `effect`
    node is wanted for what it does and runs in every run; one that `expands` may return a graph to be run instead;
    raise `version` to retire cached results whose meaning has changed without a change of this function's own source. A
    `relay` gives what it is given, so links go through it and it has no part in any key.
    `facts` says what the plan can know of its results, and refuses what cannot work together.
    """

    id: str
    function: Callable[P, R_co]
    inputs: Mapping[str, Input]
    outputs: tuple[Output, ...]
    category: str = ""
    version: int = 1
    deterministic: bool = True
    device: bool = False
    effect: bool = False
    kinds: KindRule | None = None
    facts: FactRule | None = None
    expands: bool = False
    identity: Callable[[], str] | None = None
    relay: bool = False

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function as it is, outside any run."""
        return self.function(*args, **kwargs)

    @cached_property
    def is_async(self) -> bool:
        """Whether the function is `async def`."""
        return inspect.iscoroutinefunction(self.function)

    @cached_property
    def lazy(self) -> bool:
        """Whether any input is lazy."""
        return any(port.lazy for port in self.inputs.values())

    @cached_property
    def generic(self) -> bool:
        """Whether any port has a type variable."""
        ports: list[Input | Output] = [*self.inputs.values(), *self.outputs]
        return any(_variables(port.type) for port in ports)

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """Names of the output ports, in order."""
        return tuple(port.name for port in self.outputs)

    @cached_property
    def summary(self) -> str:
        """The docstring's first line: the tooltip."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @cached_property
    def source(self) -> str:
        """Digest of id, version and source: a changed function is a different node type."""
        return hashlib.sha256(f"{self.id}\0{self.version}\0{self._code}".encode()).hexdigest()

    @property
    def _code(self) -> str:
        if self.identity is not None:
            return self.identity()
        try:
            return textwrap.dedent(inspect.getsource(self.function))
        except OSError:  # no source file, as in a REPL: the compiled code is what there is
            code = self.function.__code__
            return repr((code.co_code, code.co_consts, code.co_names))


@overload
def node(
    type_id: str,
    *,
    category: str = ...,
    version: int = ...,
    deterministic: bool = ...,
    device: bool = ...,
    effect: bool = ...,
    kinds: KindRule | None = ...,
    relay: bool = ...,
    facts: FactRule | None = ...,
) -> Callable[[Callable[P, R]], NodeType[P, R]]: ...


@overload
def node(type_id: Callable[P, R]) -> NodeType[P, R]: ...


def node(
    type_id: str | Callable[P, R],
    *,
    category: str = "",
    version: int = 1,
    deterministic: bool = True,
    device: bool = False,
    effect: bool = False,
    kinds: KindRule | None = None,
    relay: bool = False,
    facts: FactRule | None = None,
) -> NodeType[P, R] | Callable[[Callable[P, R]], NodeType[P, R]]:
    """Declare a node type from a function's annotations. The id is what documents store; the function may be renamed.

    Raises `PatchbayError` (`bad_declaration`) naming the parameter, when the module is loaded.
    """

    def declare(function: Callable[P, R]) -> NodeType[P, R]:
        name = type_id if isinstance(type_id, str) else function.__name__
        inputs, outputs, expands = read_signature(name, function)
        given = [port.type for port in outputs]
        if relay and (len(given) != 1 or [port.type for port in inputs.values()] != given):
            raise _bad(name, "A relay gives what it is given.", "Give it one input and one output of one type.")
        return NodeType(
            name,
            function,
            inputs,
            outputs,
            category=category,
            version=version,
            # an effect is no result, and what a returned graph depends on is known only once it is there
            deterministic=deterministic and not effect and not expands,
            device=device,
            effect=effect,
            kinds=kinds,
            facts=facts,
            expands=expands,
            relay=relay,
        )

    return declare if isinstance(type_id, str) else declare(type_id)


def read_signature(name: str, function: Callable[..., object]) -> tuple[dict[str, Input], tuple[Output, ...], bool]:
    """The ports that a function's annotations declare, and whether it may return a graph in place of its outputs."""
    if not re.fullmatch(r"[A-Za-z]\w*", name):
        raise _bad(name, "A node type's id is a word of letters, digits and underscores.", "Choose another id.")
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        fix = "Import the names that annotations use at run time, not under TYPE_CHECKING."
        raise _bad(name, f"Its annotations cannot be read: {error}.", fix) from error
    inputs = {
        parameter.name: _read_input(f"{name}.{parameter.name}", parameter, hints)
        for parameter in inspect.signature(function).parameters.values()
    }
    if "return" not in hints:
        raise _bad(name, "It does not say what it returns.", "Annotate the return type; None for no output.")
    returned, expands = _without_graph(hints["return"])
    if returned is None and expands:
        raise _bad(name, "It does not say what the graph that it returns gives.", "Write `-> T | Bound`.")
    return inputs, _read_outputs(name, returned), expands


def _read_input(at: str, parameter: inspect.Parameter, hints: Mapping[str, object]) -> Input:
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        raise _bad(at, "Ports have names: *args and **kwargs cannot be ports.", "Take a list[T] instead.")
    if parameter.name not in hints:
        raise _bad(at, "It has no annotation.", "Annotate it; the annotation is its type.")
    annotation = hints[parameter.name]
    annotation, lazy = _without_lazy(annotation)
    type_ = _parsed(at, annotation)
    extras = _extras(annotation)
    resource = next((extra for extra in extras if hasattr(extra, "resolve")), None)
    description = next(
        (extra.description for extra in extras if isinstance(extra, FieldInfo) and extra.description), ""
    )
    dial = parameter.kind is inspect.Parameter.KEYWORD_ONLY
    adapter = _adapter(at, _named(type_) if resource else annotation)
    found = Input(parameter.name, type_, parameter.default, dial, lazy, resource, description, adapter)
    _check_default(at, found)
    return found


def _extras(annotation: Any) -> list[Any]:  # noqa: ANN401  # annotations are of no one type
    """What `Annotated` adds to an annotation, or to a member of its union."""
    parts = typing.get_args(annotation) if typing.get_origin(annotation) in UNIONS else (annotation,)
    return [extra for part in parts if typing.get_origin(part) is Annotated for extra in part.__metadata__]


def _named(type_: Type) -> Any:  # noqa: ANN401  # annotations are of no one type
    """What a document holds for a resource: its name, or null where that is allowed."""
    return str | None if _allows_none(type_) else str


def _without_lazy(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401  # annotations are of no one type
    """The annotation of the value, and whether it comes as `Lazy[T]` or `Lazy[T] | None`."""
    if typing.get_origin(annotation) is Lazy:
        return typing.get_args(annotation)[0], True
    parts = typing.get_args(annotation)
    inner = [typing.get_args(part)[0] for part in parts if typing.get_origin(part) is Lazy]
    rest = [part for part in parts if typing.get_origin(part) is not Lazy]
    return (typing.Union[(inner[0], *rest)], True) if inner else (annotation, False)  # known only here


def _adapter(at: str, annotation: object) -> TypeAdapter[Any] | None:
    dialled = _dialled(annotation)
    if dialled is None:
        return None
    try:
        return TypeAdapter(dialled, config=ConfigDict(strict=True, allow_inf_nan=False))
    except (PydanticUserError, PydanticUndefinedAnnotation, TypeError) as error:
        raise _bad(at, f"Its annotation cannot be checked: {error}.", "Use constraints that its type has.") from error


def _dialled(annotation: Any) -> Any:  # noqa: ANN401  # annotations are of no one type
    """The part of an annotation that a JSON value can be, or None: classes come by link only."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner = _dialled(annotation.__origin__)
        return None if inner is None else Annotated[inner, *annotation.__metadata__]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return Annotated[annotation, Strict(strict=False)]  # strict would take members only, which no document holds
    type_ = parse(annotation)
    match type_:
        case OneOf():
            members = [found for part in typing.get_args(annotation) if (found := _dialled(part)) is not None]
            values = [member for member in members if member is not type(None)]
            return typing.Union[tuple(members)] if values else None  # noqa: UP007  # members are known only here
        case Named():
            return None
        case Var(kind=False):
            allowed = annotation.__constraints__
            return typing.Union[allowed] if allowed else typing.Any  # noqa: UP007  # known only here
        case ListOf():
            (item,) = typing.get_args(annotation)
            dialled = _dialled(item)
            return None if dialled is None else list[dialled]  # type: ignore[valid-type]  # known only here
        case _:
            return annotation


def _check_default(at: str, port: Input) -> None:
    if port.default is REQUIRED or (port.default is None and _allows_none(port.type)):
        return
    if port.lazy or port.resource or port.adapter is None:
        raise _bad(at, "A linked input's default can only be None.", "Write `T | None = None`.")
    try:
        port.adapter.validate_python(port.default)
    except ValidationError as error:
        what = f"Its default {port.default!r} does not fit: {error.errors()[0]['msg']}."
        raise _bad(at, what, "Change the default or the annotation.") from error
    except TypeError as error:
        raise _bad(at, f"Its annotation cannot be checked: {error}.", "Use constraints that its type has.") from error


def _allows_none(type_: Type) -> bool:
    return type_ == Scalar("null") or (isinstance(type_, OneOf) and Scalar("null") in type_.members)


def _read_outputs(name: str, annotation: object) -> tuple[Output, ...]:
    cls = typing.get_origin(annotation) or annotation
    if isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields"):
        hints = typing.get_type_hints(cls, include_extras=True)
        return tuple(_output(f"{name}.{item}", item, hints[item]) for item in cls._fields)
    output = _output(name, "", annotation)
    return () if output.type == Scalar("null") else (output,)


def _output(at: str, name: str, annotation: object) -> Output:
    type_ = _parsed(at, annotation)
    return Output(name or port_name(type_), type_, _inspectable(annotation))


def _inspectable(annotation: Any) -> bool:  # noqa: ANN401  # annotations are of no one type
    """Whether a class says of itself what there is to see; what is no class of values is seen as it is."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Annotated, list):
        return _inspectable(parts[0])
    if origin in UNIONS:
        return any(map(_inspectable, parts))
    return not isinstance(parse(annotation), Named) or hasattr(origin or annotation, "inspect")


def _without_graph(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401  # annotations are of no one type
    """The annotation without `Bound` and `Graph`, and whether they were there."""
    parts = typing.get_args(annotation) if typing.get_origin(annotation) in UNIONS else (annotation,)
    rest = tuple(part for part in parts if part not in (Bound, Graph))
    if len(rest) == len(parts):
        return annotation, False
    return (typing.Union[rest] if rest else None), True  # noqa: UP007  # the rest is known only here


def _parsed(at: str, annotation: object) -> Type:
    try:
        return parse(annotation)
    except TypeError as error:
        raise _bad(at, f"{error}.", "Use a class, a scalar, a Literal, an Enum or a list of one.") from error


def port_name(type_: Type) -> str:
    """The name of a single output, after its type: `Latent` gives "latent", a list of them "latents"."""
    match type_:
        case Named(name):
            return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        case ListOf(item):
            return port_name(item) + "s"
        case Scalar("str"):
            return "text"
        case Scalar("int" | "float"):
            return "number"
        case _:
            return "value"


def _variables(type_: Type) -> bool:
    match type_:
        case Var():
            return True
        case Named(args=parts) | OneOf(members=parts):
            return any(map(_variables, parts))
        case ListOf(item):
            return _variables(item)
        case _:
            return False


def _bad(at: str, what: str, fix: str) -> PatchbayError:
    return PatchbayError(Code.BAD_DECLARATION, at, what, fix)
