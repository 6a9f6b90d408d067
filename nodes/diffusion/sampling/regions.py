"""Several prompts for one picture: each has its place, its time and its strength, and where they meet they share.

What the denoiser says for each is averaged, weighted by strength and mask.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from engine.errors import Code, PatchbayError
from nodes.diffusion.schedules.shim import Position
from nodes.diffusion.stages import layouts, stock
from nodes.diffusion.stages.checks import check_share
from nodes.types import Area

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nodes.diffusion.families.family import Family
    from nodes.diffusion.stages.denoiser_shim import Call
    from nodes.diffusion.stages.layouts import Size
    from nodes.types import Conditioning

    Run = Callable[[Call, int], torch.Tensor]

EVERYWHERE = Area()


def combined(conditionings: Sequence[Conditioning[Any]]) -> Conditioning[Any]:
    """Prompts that act together. Raises `kind_mismatch` or `bad_value` for those that cannot."""
    entries = [entry for each in conditionings for entry in each.prompts]
    if not entries:
        what = "There is no prompt to combine."
        raise PatchbayError(Code.BAD_VALUE, "conditionings", what, "Give one at least.")
    if len({entry.kind for entry in entries}) > 1:
        what = f"They are of different kinds: {', '.join(sorted({entry.kind for entry in entries}))}."
        raise PatchbayError(Code.KIND_MISMATCH, "conditionings", what, "Encode all with the same text encoder.")
    return replace(entries[0], beside=tuple(entries[1:]))


def limited(conditioning: Conditioning[Any], area: Area) -> Conditioning[Any]:
    """A prompt with a place, a time and a strength. Raises `bad_value` for one that has them, or no time."""
    if conditioning.beside or conditioning.area is not None:
        what = "This prompt is limited or combined already."
        raise PatchbayError(Code.BAD_VALUE, "conditioning", what, "Limit each prompt once, then combine them.")
    check_share(area.start, area.end)
    return replace(conditioning, area=area)


def is_limited(conditioning: Conditioning[Any] | None) -> bool:
    """Whether the prompt is more than one that acts everywhere and always."""
    return conditioning is not None and (bool(conditioning.beside) or conditioning.area is not None)


def check_regions(family: Family, *given: Conditioning[Any] | None) -> None:
    """Refuse several prompts for a family that is not known to take them. Raises `bad_value`."""
    if not family.steers and any(is_limited(each) for each in given):
        what = f"{family.pipeline_class} takes one prompt for the whole picture and all steps."
        fix = "Take CombineConditionings and LimitConditioning away. docs/nodes.md lists the families that take more."
        raise PatchbayError(Code.BAD_VALUE, "positive", what, fix)


class Regions:
    """The prompts in one role of one run, for pictures of `size`; `pipeline` says how it holds latents."""

    def __init__(self, pipeline: Any, conditioning: Conditioning[Any], batch: int, size: Size) -> None:  # noqa: ANN401
        self._pipeline = pipeline
        self._entries = conditioning.prompts
        self._areas = [entry.area or EVERYWHERE for entry in self._entries]
        self._batch = batch
        self._size = size
        self._is_checked = False
        self._told = [self._arguments(entry) for entry in self._entries]

    def average(self, call: Call, said: torch.Tensor, position: Position, run: Run) -> torch.Tensor:
        """The prediction for all prompts, `said` being that for the first one; `run` asks for the others.

        Raises `bad_value` at the first call where some place or step is left without a prompt.
        """
        weights = [self._weight(area, said) for area in self._areas]
        if not self._is_checked:
            self._check(weights, position)
            self._is_checked = True
        active = self._active(position)
        total = torch.zeros_like(said)
        for number in active:
            one = said if number == 0 else run(_steered(call, self._told[number]), number)
            total = total + weights[number] * one
        averaged: torch.Tensor = total / sum(weights[number] for number in active)
        return averaged

    def _active(self, position: Position) -> tuple[int, ...]:
        """The numbers of the prompts that have their time."""
        return tuple(n for n, area in enumerate(self._areas) if position.lies_in(area.start, area.end))

    def _check(self, weights: Sequence[Any], position: Position) -> None:
        indices = range(position.index, position.total)
        for active, index in {self._active(Position(index, position.total)): index for index in indices}.items():
            if not torch.as_tensor(sum(weights[number] for number in active)).gt(0).all():
                where = "in some places" if active else "at all"
                what = f"At step {index + 1} of {position.total} no prompt acts {where}."
                fix = "Combine them with a prompt that has no mask and no limits."
                raise PatchbayError(Code.BAD_VALUE, "positive", what, fix)

    def _weight(self, area: Area, said: torch.Tensor) -> Any:  # noqa: ANN401  # a number, or one for each place
        """How much a prompt counts, in the shape of what the denoiser says."""
        if area.mask is None:
            return area.strength
        multiple = layouts.multiple(self._pipeline)
        is_packed = said.ndim == 3  # noqa: PLR2004  # [batch, tokens, features]
        sides = (self._size.height // multiple, self._size.width // multiple) if is_packed else said.shape[-2:]
        mask = functional.interpolate(area.mask.coverage, tuple(sides), mode="area").to(said) * area.strength
        if len(mask) not in {1, self._batch}:
            what = f"A mask of {len(mask)} pictures cannot limit a prompt for {self._batch}."
            raise PatchbayError(Code.BAD_VALUE, "positive", what, f"Give it one picture, or {self._batch}.")
        if is_packed:
            return mask.flatten(2).transpose(1, 2)
        return mask.unsqueeze(2) if said.ndim == 5 else mask  # noqa: PLR2004  # a picture as a video of one frame

    def _arguments(self, entry: Conditioning[Any]) -> dict[str, Any]:
        """What the denoiser is told of a prompt, by the names of its arguments."""
        pipeline, family = self._pipeline, self._pipeline.source.family
        replay = stock.Replay(entry.tensors, None, self._batch, pipeline.device, pipeline.precision, family.axes)
        return {argument: replay.value(name) for argument, name in family.steers.items()}


def _steered(call: Call, told: dict[str, Any]) -> Call:
    """The call for another prompt; a dot in a name leads into a mapping."""
    changes: dict[str, Any] = {}
    for path, value in told.items():
        name, _, inner = path.partition(".")
        changes[name] = {**call.arguments[name], inner: value} if inner else value
    return call.told(**changes)
