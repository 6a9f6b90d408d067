"""The document's parts as plain data, and its canonical text: the same document is always the same bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints
from pydantic_core import PydanticCustomError

from engine.migrations import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CORNER = 2
"""Numbers of a spot that say where; what follows says how large."""

NO_SIZE = "no_size"
"""The type of pydantic's error for a spot whose width or height is none."""


def _sized(spot: list[float]) -> list[float]:
    if any(size <= 0 for size in spot[CORNER:]):
        raise PydanticCustomError(NO_SIZE, "A width or height is not above 0")
    return spot


NodeId = Annotated[str, StringConstraints(pattern=r"^[\w-]+$", max_length=100)]
Spot = Annotated[
    list[float],
    Field(min_length=2, max_length=4, description="[x, y], [x, y, width] or [x, y, width, height] in pixels."),
    AfterValidator(_sized),
]
Area = Annotated[
    list[float], Field(min_length=4, max_length=4, description="[x, y, width, height]."), AfterValidator(_sized)
]
PortPath = Annotated[str, StringConstraints(pattern=r"^[\w-]+\.\w+$", max_length=201)]
Tint = Literal["gray", "red", "orange", "green", "blue", "purple"]
Drawing = Literal["random", "increment"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Node(_Part):
    """One placed instance of a node type. A muted node is as if it were absent; a bypassed one hands its input on."""

    type: Annotated[str, Field(min_length=1, max_length=200, description="The node type's id.")]
    inputs: dict[str, JsonValue] = Field(default={}, description='A value, or {"link": "node.port"}, by input name.')
    state: Literal["mute", "bypass"] | None = Field(default=None, description="Mute or bypass the node.")


class Interface(_Part):
    """What makes the graph callable: public names for inputs and outputs of its nodes."""

    inputs: dict[str, PortPath] = Field(default={}, description="Public name to `node.input`.")
    outputs: dict[str, PortPath] = Field(default={}, description="Public name to `node.output`.")


class Frame(_Part):
    """A titled rectangle behind nodes. It is drawn and means nothing."""

    title: str
    spot: Area
    tint: Tint | None = None


class Document(_Part):
    """A graph as it is stored."""

    version: int = VERSION
    name: str = ""
    description: str = ""
    nodes: dict[NodeId, Node] = {}
    interface: Interface = Interface()
    seeds: dict[PortPath, Drawing] = Field(
        default={}, description="`node.input` to how the server chooses its value anew for each run that it takes."
    )
    layout: dict[NodeId, Spot] = Field(default={}, description="Where nodes are drawn, in pixels.")
    frames: dict[NodeId, Frame] = Field(default={}, description="Rectangles behind the nodes, by id.")

    def meaning(self) -> Document:
        """The same document without what is only drawn, and without how seeds are chosen."""
        return self.model_copy(update={"seeds": {}, "layout": {}, "frames": {}})


def write(document: Document, order: Callable[[str], tuple[str, ...]] = lambda _type: ()) -> str:
    """The canonical text. `order` gives a node type's inputs in signature order; others follow as they are."""
    parts = [f'  "version": {document.version}']
    parts += [f'  "{key}": {_json(text)}' for key in ("name", "description") if (text := getattr(document, key))]
    parts.append(f'  "nodes": {_block([_node(*item, order) for item in document.nodes.items()])}')
    interface = [
        f'    "{side}": {_json(ports)}'
        for side in ("inputs", "outputs")
        if (ports := getattr(document.interface, side))
    ]
    if interface:
        parts.append(f'  "interface": {_block(interface)}')
    if document.seeds:
        parts.append(f'  "seeds": {_block(_line(*item) for item in document.seeds.items())}')
    if document.layout:
        spots = (_line(name, _short(spot)) for name, spot in document.layout.items())
        parts.append(f'  "layout": {_block(spots)}')
    if document.frames:
        frames = (_line(name, _frame(frame)) for name, frame in document.frames.items())
        parts.append(f'  "frames": {_block(frames)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _node(name: str, node: Node, order: Callable[[str], tuple[str, ...]]) -> str:
    parts = [f'      "type": {_json(node.type)}']
    if node.state:
        parts.append(f'      "state": "{node.state}"')
    if node.inputs:
        names = [key for key in order(node.type) if key in node.inputs]
        names += [key for key in node.inputs if key not in names]
        inputs = [f"        {_json(key)}: {_json(node.inputs[key])}" for key in names]
        parts.append(f'      "inputs": {_block(inputs, 6)}')
    return f"    {_json(name)}: {_block(parts, 4)}"


def _frame(frame: Frame) -> dict[str, object]:
    tint = {"tint": frame.tint} if frame.tint else {}
    return {"title": frame.title, "spot": _short(frame.spot), **tint}


def _line(name: str, value: object) -> str:
    return f"    {_json(name)}: {_json(value)}"


def _block(lines: Iterable[str], indent: int = 2) -> str:
    text = ",\n".join(lines)
    return f"{{\n{text}\n{' ' * indent}}}" if text else "{}"


def _short(spot: list[float]) -> list[float]:
    return [int(number) if number == int(number) else number for number in spot]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
