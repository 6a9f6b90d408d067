"""Guiders that a model brings along as parts: how its prediction for the prompt and the one against it become one.

Guiders keep the number of the step and the predictions before, so each run has fresh ones with the model's own
settings. The strength of the guidance is the run's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.diffusion.weights.libraries import diffusers

if TYPE_CHECKING:
    from collections.abc import Callable

    from nodes.diffusion.disk.parts import Part
    from nodes.diffusion.schedules.shim import Position

UNGUIDED = 1.0
"""The strength with which a guider takes the prediction for the prompt as it is."""

_NAMES = ("guider", "ocr_guider")
"""What pipelines call their guiders: the second one is for prompts that ask for written words."""


def fresh(part: Part, scale: float) -> Any:  # noqa: ANN401  # diffusers does not type its lazy classes
    """A guider as the model has it, with this strength."""
    return getattr(diffusers, part.class_name).from_config(dict(part.config), guidance_scale=scale)


def set_scale(pipeline: Any, scale: float) -> None:  # noqa: ANN401
    """Give the pipeline fresh guiders with this strength, where it has any."""
    for name, own in _of(pipeline).items():
        setattr(pipeline, name, own.new(guidance_scale=scale))


def is_guided(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether any of the pipeline's guiders wants a prediction against a negative prompt."""
    return any(own._enabled and own.num_conditions > 1 for own in _of(pipeline).values())  # noqa: SLF001  # as pipelines ask


def begin(pipeline: Any, scale: float, *, in_parts: bool) -> None:  # noqa: ANN401
    """Give the pipeline fresh guiders with this strength, where it has any, for all steps or a part of them.

    Raises `bad_value` for a part of them where a guider remembers the steps before, or where a model that was distilled
    so as to need none is told at each step where the next one begins.
    """
    set_scale(pipeline, scale)
    if not hasattr(pipeline, "guider"):
        return
    if in_parts and pipeline.transformer.config.get("use_meanflow"):
        what = "This model is told at each step where the next one begins, and a part of a run does not know that."
        raise PatchbayError(Code.BAD_VALUE, "last", what, "Run all steps at once.")
    remembers = any(own.config.get("adaptive_projected_guidance_momentum") for own in _of(pipeline).values())
    if in_parts and remembers and is_guided(pipeline):
        what = "The guidance of this model remembers the steps before, and is not carried from one part to the next."
        raise PatchbayError(Code.BAD_VALUE, "last", what, "Run all steps at once, or set guidance to 1.")


def follow(pipeline: Any, position: Callable[[], Position]) -> None:  # noqa: ANN401
    """Let the guiders count the steps of the run, of which a pipeline may see only some."""
    for own in _of(pipeline).values():
        own.set_state = _counting(own.set_state, position)


def _counting(set_state: Callable[..., None], position: Callable[[], Position]) -> Callable[..., None]:
    def counted(step: int, num_inference_steps: int, timestep: Any) -> None:  # noqa: ANN401, ARG001  # of its window
        here = position()
        set_state(step=here.index, num_inference_steps=here.total, timestep=timestep)

    return counted


def _of(pipeline: Any) -> dict[str, Any]:  # noqa: ANN401
    found = {name: getattr(pipeline, name, None) for name in _NAMES}
    return {name: own for name, own in found.items() if own is not None}
