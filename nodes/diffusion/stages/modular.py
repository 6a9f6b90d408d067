"""Modular pipelines of Diffusers made to look like stock ones, for families that have no other.

A modular pipeline is a row of blocks that hand a state on. Here the row has the three joints of a stock class: the
blocks that words reach before anything is drawn are its `encode_prompt`, those from there up to its latents and those
that decode them are its call. The blocks are Diffusers' own and run as they are; nothing of a family is written down.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from nodes.diffusion.stages import own_guiders
from nodes.diffusion.weights.libraries import PipelineState, diffusers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

WORDS = ("prompt", "negative_prompt")
"""The inputs of blocks that are words."""

REWRITING = "prompt_upsampler"
"""What rows call the block that lets a language model write the prompt anew; here words are read as they are given."""

_COUNTS = "batch_size"
"""What the first block gives that draws: how many prompts there are."""

_DECODING = "decode"
"""What rows call the last of their parts."""

_USUAL = {"return_dict": True}
"""What callers tell every stock pipeline and blocks know nothing of."""

_RESULTS = ("images", "videos")
"""What blocks call what they have drawn."""


@dataclass(frozen=True, slots=True)
class Row:
    """The blocks that run, in order: those that encode words, those that draw latents, those that decode them."""

    encoding: tuple[Any, ...]
    drawing: tuple[Any, ...]
    decoding: tuple[Any, ...]

    @property
    def encoded(self) -> tuple[Any, ...]:
        """What the blocks that draw take of those that encode: the outputs, in order, as the blocks declare them."""
        taken = {each.name for block in self.drawing for each in block.inputs}
        given = {each.name: each for block in self.encoding for each in block.intermediate_outputs}
        return tuple(each for name, each in given.items() if name in taken)


class AsStock:
    """The constructor, the call and the encoder of a stock class, over a modular one.

    The call takes what the blocks take, and gives a tuple with what was drawn: pictures or videos as `output_type`
    says, or latents for "latent". Parts that are not given are made as the blocks say, or none.
    """

    every: Any
    row: Row
    encodes: tuple[str, ...]
    components: Mapping[str, Any]

    def __init__(self, **parts: Any) -> None:  # noqa: ANN401  # diffusers does not type its models
        super().__init__(blocks=self.every)  # type: ignore[call-arg]  # the modular class's own
        for name, part in parts.items():
            if part is not None:
                setattr(self, name, part)
        if parts.get("guider") is None:
            own_guiders.set_scale(self, own_guiders.UNGUIDED)

    def __call__(self, **given: Any) -> tuple[Any]:  # noqa: ANN401
        """Encode, draw and decode, or the first two of them."""
        state = PipelineState()
        for each in self.every.inputs:
            if each.name in given:
                state.set(each.name, given[each.name], each.kwargs_type)
        for each, value in zip(self.row.encoded, self.encode_prompt(state), strict=True):
            state.set(each.name, value, each.kwargs_type)
        self.progress_bar()
        for block in row_of(self.every, (name for name, value in given.items() if value is not None)).drawing:
            block(self, state)
        latents, output_type = state.get("latents"), given["output_type"]
        return (latents if output_type == "latent" else self.decoded(latents, output_type),)

    def encode_prompt(self, state: Any) -> tuple[Any, ...]:  # noqa: ANN401
        """What the blocks that encode make of the words in a state, in the order of `encodes`."""
        for block in self.row.encoding:
            block(self, state)
        return tuple(state.get(name) for name in self.encodes)

    def progress_bar(self) -> None:
        """Called where everything is encoded and the drawing begins, as stock pipelines do; nothing is shown."""

    def decoded(self, latents: Any, output_type: str = "pt") -> Any:  # noqa: ANN401
        """The pictures or videos that latents stand for, which are laid out as the call gives them."""
        state = PipelineState({"latents": latents, "output_type": output_type})
        for block in self.row.decoding:
            block(self, state)
        return next(state.get(name) for name in _RESULTS if state.get(name) is not None)

    def maybe_free_model_hooks(self) -> None:
        """Let parts forget what their hooks remember of a run, as stock pipelines do."""
        for part in self.components.values():
            if hasattr(part, "_reset_stateful_cache"):
                part._reset_stateful_cache()  # noqa: SLF001


@cache
def as_stock(name: str) -> Any:  # noqa: ANN401
    """The modular pipeline class `name` with the looks of a stock one."""
    modular = getattr(diffusers, name)
    blocks = _blocks(modular)
    row = row_of(blocks, WORDS)
    parts = {each.name: None for each in blocks.expected_components}
    inputs = {each.name: each.default for each in blocks.inputs if each.name is not None} | _USUAL
    members = {
        **_folding(row_of(blocks, (*WORDS, "image"))),
        "every": blocks,
        "row": row,
        "encodes": tuple(each.name for each in row.encoded),
        "__init__": _told(AsStock.__init__, parts),
        "__call__": _told(AsStock.__call__, inputs),
    }
    return type(name, (AsStock, modular), members)


def _folding(row: Row) -> dict[str, Any]:
    """By their names what blocks fold numbers into channels with, and unfold them, as stock classes have it too."""
    names = ("_patchify_latents", "_unpatchify_latents")
    every = [(block, name) for block in (*row.drawing, *row.decoding) for name in names]
    return {name: staticmethod(getattr(block, name)) for block, name in every if hasattr(block, name)}


def _told(method: Callable[..., Any], defaults: Mapping[str, Any]) -> Callable[..., Any]:
    """A method with a signature that names what it is told."""
    kind = inspect.Parameter.KEYWORD_ONLY

    @functools.wraps(method)
    def call(self: Any, **given: Any) -> Any:  # noqa: ANN401
        return method(self, **given)

    own = [inspect.Parameter(name, kind, default=default) for name, default in defaults.items()]
    first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    call.__signature__ = inspect.Signature([first, *own])  # type: ignore[attr-defined]
    return call


def _blocks(modular: Any) -> Any:  # noqa: ANN401
    """The blocks of a class that need no other model to write prompts, silent."""
    blocks = getattr(diffusers, modular.default_blocks_name)()
    blocks.sub_blocks.pop(REWRITING, None)
    _quiet(blocks)
    return blocks


def _quiet(block: Any) -> None:  # noqa: ANN401
    if hasattr(block, "set_progress_bar_config"):
        block.set_progress_bar_config(disable=True)
    for each in block.sub_blocks.values():
        _quiet(each)


def row_of(blocks: Any, given: Iterable[str]) -> Row:  # noqa: ANN401
    """The blocks that run where these inputs are given."""
    own = blocks.get_execution_blocks(**dict.fromkeys(given, True)).sub_blocks
    parts: dict[str, list[Any]] = {"encoding": [], "drawing": [], "decoding": []}
    reached, drawing = {*WORDS}, False
    for name, block in own.items():
        outputs = {each.name for each in block.intermediate_outputs}
        drawing = drawing or _COUNTS in outputs
        if name.split(".")[0] == _DECODING:
            parts["decoding"].append(block)
        elif not drawing and reached & {each.name for each in block.inputs}:
            parts["encoding"].append(block)
            reached |= outputs
        else:
            parts["drawing"].append(block)
    return Row(**{part: tuple(found) for part, found in parts.items()})
