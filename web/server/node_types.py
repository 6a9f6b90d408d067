"""A node type as clients get it: its ports, their types, and the JSON schema of the values they take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, RootModel

from web.server.route import Answer


class _Described(Answer):
    """Base of what `engine.catalog.describe` writes: nothing in it that is not declared here."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)


class PlainType(_Described):
    """A plain value: "str", "int", "float", "bool", "null" or "object"; or a model family, such as "sd1"."""

    is_: Literal["scalar", "kind"] = Field(alias="is")
    name: str


class ChoiceType(_Described):
    """One of some literal values."""

    is_: Literal["choice"] = Field(alias="is")
    values: list[JsonValue]


class NamedType(_Described):
    """A class, with its type arguments and the names of its base classes."""

    is_: Literal["named"] = Field(alias="is")
    name: str
    args: list[TypeJson]
    bases: list[str]


class VariableType(_Described):
    """A type variable: for any type, for one of those it is `within`, or (`kind`) for a model family."""

    is_: Literal["variable"] = Field(alias="is")
    name: str
    kind: bool
    within: list[TypeJson]


class ListType(_Described):
    """A list of items of one type."""

    is_: Literal["list"] = Field(alias="is")
    item: TypeJson


class UnionType(_Described):
    """One of some types."""

    is_: Literal["union"] = Field(alias="is")
    members: list[TypeJson]


class AnyType(_Described):
    """Unknown until it runs: fits everything, everything fits it."""

    is_: Literal["anything"] = Field(alias="is")


class TypeJson(RootModel[PlainType | ChoiceType | NamedType | VariableType | ListType | UnionType | AnyType]):
    """A port's type, see `engine.types`: `is` says which form it has."""

    model_config = ConfigDict(frozen=True)


class Port(_Described):
    """A named port. `label` is its type in words."""

    name: str
    type: TypeJson
    label: str


class OutputPort(Port):
    """A named output."""

    inspectable: Annotated[bool, Field(description="Whether its values have more to show than one line.")]


class InputPort(Port):
    """A named input."""

    required: bool
    dial: Annotated[bool, Field(description="Whether it is a setting; others are what flows in.")]
    lazy: bool
    description: str
    schema_: Annotated[
        dict[str, JsonValue] | None,
        Field(alias="schema", description="JSON schema of the values it takes; null when it takes links only."),
    ]
    resource: Annotated[str | None, Field(description='What it names outside the graph, such as "model" or "picture".')]


class NodeType(_Described):
    """A node type, see `engine.node`."""

    id: str
    category: str
    summary: str
    inputs: list[InputPort]
    outputs: list[OutputPort]
    device: bool
    effect: bool
    deterministic: bool
    relay: Annotated[bool, Field(description="Whether it hands its input on as it is.")]
    version: int
