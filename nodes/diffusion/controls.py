"""ControlNets beside a denoiser: what they make of a picture is added inside it, as the stock pipelines add it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.checks import check_kind
from nodes.diffusion.nets import PART
from nodes.diffusion.pixels import resize
from nodes.diffusion.shelf import SHELF

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    from nodes.diffusion.denoiser_shim import Call
    from nodes.diffusion.layouts import Size
    from nodes.diffusion.shim import Position
    from nodes.diffusion.source import ModelSource
    from nodes.types import Conditioning, Control


@dataclass(frozen=True, slots=True)
class Hint:
    """A control ready to be used: the live ControlNet, and its picture for each sample."""

    control: Control
    net: Any
    pixels: torch.Tensor


def with_control(conditioning: Conditioning[Any], control: Control) -> Conditioning[Any]:
    """A prompt, or several that act together, each with one more control.

    Raises `bad_value` for a share of the steps that has no steps.
    """
    if control.start >= control.end:
        what = f"There are no steps from {control.start:g} to {control.end:g} of them."
        raise PatchbayError(Code.BAD_VALUE, "start", what, "Choose start below end.")
    beside = tuple(replace(each, controls=(*each.controls, control)) for each in conditioning.beside)
    return replace(conditioning, controls=(*conditioning.controls, control), beside=beside)


def check_controls(source: ModelSource, positive: Conditioning[Any], negative: Conditioning[Any] | None) -> None:
    """Refuse controls that the model cannot follow. Raises `kind_mismatch`, `bad_value`."""
    if negative is not None and any(entry.controls for entry in negative.prompts):
        what = "The controls of a positive prompt steer the negative one too, so a negative has none of its own."
        raise PatchbayError(Code.BAD_VALUE, "negative", what, "Put ApplyControl behind the positive prompt.")
    for control in (control for entry in positive.prompts for control in entry.controls):
        check_kind("positive.control", control.net.kind, "model", source.kind)
        family, found = source.family, control.net.source.class_name
        if found not in family.controls:
            what = f"A {family.pipeline_class} follows no ControlNet of the class {found}."
            fix = f"It follows: {', '.join(family.controls)}." if family.controls else "Take ApplyControl away."
            raise PatchbayError(Code.BAD_VALUE, "positive", what, fix)


def hints(
    held: ExitStack,
    pipeline: Any,  # noqa: ANN401  # diffusers does not type its pipelines
    controls: Sequence[Control],
    batch: int,
    size: Size,
) -> list[Hint]:
    """The controls with their ControlNets from the shelf. Raises `bad_value` for too many or too few pictures."""
    found = []
    for control in controls:
        image = resize(control.image, size.width, size.height)
        if len(image.pixels) not in {1, batch}:
            what = f"A control of {len(image.pixels)} pictures cannot steer a batch of {batch}."
            raise PatchbayError(Code.BAD_VALUE, "positive", what, f"Give it one picture, or {batch}.")
        pixels = image.pixels.expand(batch, -1, -1, -1).to(pipeline.device, pipeline.precision)
        found.append(Hint(control, held.enter_context(SHELF.use(control.net.source, PART)), pixels))
    return found


def controlled(call: Call, hints: Sequence[Hint], position: Position) -> Call:
    """The call with what the ControlNets add, those that have their time now."""
    down: list[torch.Tensor] = []
    middle: torch.Tensor | None = None
    for hint in hints:
        if position.lies_in(hint.control.start, hint.control.end):
            more, most = _residuals(call, hint)
            down = [one + other for one, other in zip(down, more, strict=True)] if down else list(more)
            middle = most if middle is None else middle + most
    if middle is None:
        return call
    return call.told(down_block_additional_residuals=down, mid_block_additional_residual=middle)


def _residuals(call: Call, hint: Hint) -> tuple[list[torch.Tensor], torch.Tensor]:
    """What one ControlNet adds to the levels of a UNet, and to its middle."""
    times = len(call.samples) // len(hint.pixels)  # guided: once against and once for the prompt
    is_pooled = times == 2 and hint.net.config.global_pool_conditions  # noqa: PLR2004  # both
    down, middle = _asked(call.part(1, 2) if is_pooled else call, hint)
    if not is_pooled:
        return down, middle
    # What such a ControlNet says has no place in the picture, so it is for the prompt alone, as in the stock classes.
    return [_half(each) for each in down], _half(middle)


def _half(residual: torch.Tensor) -> torch.Tensor:
    return torch.cat([torch.zeros_like(residual), residual])


def _asked(call: Call, hint: Hint) -> tuple[list[torch.Tensor], torch.Tensor]:
    given = call.arguments
    down, middle = hint.net(
        given["sample"],
        given["timestep"],
        encoder_hidden_states=given["encoder_hidden_states"],
        controlnet_cond=torch.cat([hint.pixels] * (len(call.samples) // len(hint.pixels))),
        conditioning_scale=hint.control.strength,
        added_cond_kwargs=given.get("added_cond_kwargs"),
        return_dict=False,
    )
    return down, middle
