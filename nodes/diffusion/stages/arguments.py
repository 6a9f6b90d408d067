"""What a pipeline's call may be told: its arguments by their own names, checked against its signature."""

from __future__ import annotations

import inspect
import json
import typing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from engine.errors import Code, PatchbayError, choose, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

PORTS: Mapping[str, tuple[str, ...]] = {
    "prompt": ("prompt",),
    "negative": ("negative_prompt", "neg_prompt"),
    "image": ("image", "video", "images", "input_images", "reference_image"),
    "mask": ("mask_image", "mask"),
    "seed": ("generator",),
}
"""What an input of the node is called by pipelines, the usual name first."""

_OWNED = frozenset(
    {
        *(name for names in PORTS.values() for name in names),
        "return_dict",
        "callback",
        "callback_steps",
        "callback_on_step_end",
        "callback_on_step_end_tensor_inputs",
    }
)
"""Arguments that inputs stand for, and those that only a program has a use for."""

_UNNAMED = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call: its annotation, and whether the call cannot do without it."""

    name: str
    annotation: Any
    needed: bool
    default: Any = None

    def taken(self, value: object) -> object:
        """The JSON value as the argument takes it: a tuple for a list where the signature says so.

        Raises `bad_value` for a value of another type.
        """
        if value is None and self.default is None:
            return None
        adapter = _adapter(self)
        if adapter is None:
            return value
        try:
            return adapter.validate_json(json.dumps(value))
        except ValidationError:
            what = f"{value!r} is not what {self.name} takes: {_written(self.annotation)}."
            raise PatchbayError(Code.BAD_VALUE, f"options.{self.name}", what) from None


@dataclass(frozen=True, slots=True)
class Call:
    """The signature of a pipeline class's call."""

    pipeline: str
    arguments: Mapping[str, Argument]

    def __contains__(self, name: str) -> bool:
        return name in self.arguments

    def named(self, port: str) -> str | None:
        """What the call has for an input of the node; None where it has nothing."""
        return next((name for name in PORTS[port] if name in self.arguments), None)

    def options(self, given: Mapping[str, object]) -> dict[str, object]:
        """The options as the call takes them. Raises `bad_value` for names and types that it does not."""
        return {name: self._option(name).taken(value) for name, value in given.items()}

    def _option(self, name: str) -> Argument:
        port = next((port for port, names in PORTS.items() if name in names and name in self), None)
        if port is not None:
            what, fix = f'"{name}" is an input of the node.', f'Give it as "{port}".'
            raise PatchbayError(Code.BAD_VALUE, f"options.{name}", what, fix)
        free = [each for each in self.arguments if each not in _OWNED]
        if name not in free:
            fix = f"{nearest(name, free)} It takes: {', '.join(free)}.".strip()
            raise PatchbayError(Code.BAD_VALUE, f"options.{name}", f'{self.pipeline} takes no option "{name}".', fix)
        return self.arguments[name]

    def inputs(self, given: Mapping[str, object]) -> dict[str, object]:
        """What the node's inputs are given, under the names of the call; nothing for those that are None.

        Raises `bad_value` for an input that the class has no use for.
        """
        found: dict[str, object] = {}
        for port, value in given.items():
            if value is None:
                continue
            name = self.named(port)
            if name is None:
                has = [port for port in PORTS if self.named(port)]
                what = f"{self.pipeline} takes no {port}."
                raise PatchbayError(Code.BAD_VALUE, port, what, choose(port, has))
            found[name] = value
        return found

    def check(self, values: Mapping[str, object]) -> None:
        """Refuse, before a run, what is known of a node's inputs by then; an input that is linked has no value.

        Raises `bad_value`, `missing_input`.
        """
        given = self.inputs({port: values.get(port, "") for port in PORTS if port != "seed"})
        if "options" in values:
            options = values["options"]
            self.check_whole({**given, **self.options(options if isinstance(options, dict) else {})})

    def check_whole(self, given: Mapping[str, object]) -> None:
        """Raise `missing_input` when something is not given that the call cannot do without."""
        for argument in self.arguments.values():
            if argument.needed and argument.name not in given:
                port = next((port for port, names in PORTS.items() if argument.name in names), None)
                where = port or f"options.{argument.name}"
                what = f'{self.pipeline} needs "{argument.name}": {_written(argument.annotation)}.'
                raise PatchbayError(Code.MISSING_INPUT, where, what, f'Give it as "{port}".' if port else "")


@cache
def call_of(cls: Any) -> Call:  # noqa: ANN401  # diffusers does not type its lazy classes
    """The signature of the call of a pipeline class."""
    function = inspect.unwrap(cls.__call__)
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError):  # some annotations are words only
        hints = {}
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return Call(
        cls.__name__,
        {
            each.name: Argument(
                each.name,
                hints.get(each.name, Any),
                each.default is each.empty,
                None if each.default is each.empty else each.default,
            )
            for each in parameters
            if each.kind not in _UNNAMED
        },
    )


def _adapter(argument: Argument) -> TypeAdapter[Any] | None:
    """What checks a value; None where the annotation is no type that can be checked."""
    config = ConfigDict(arbitrary_types_allowed=True, strict=True)
    try:
        return TypeAdapter(argument.annotation, config=config)
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError):
        return None


def _written(annotation: object) -> str:
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return text.replace("typing.", "")
