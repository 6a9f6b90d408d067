"""ControlNets beside a denoiser: what they make of a picture is added inside it, as the stock pipelines add it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.diffusion.stages.checks import check_kind, check_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.diffusion.disk.nets import NetSource
    from nodes.diffusion.disk.source import ModelSource
    from nodes.types import Conditioning, Control

_ALONE: Mapping[str, object] = {"strength": 1, "start": 0, "end": 1, "mode": None, "mask": None, "around": None}
"""What ApplyControl may be told where the model reads the picture itself: nothing but the picture."""


def with_control(conditioning: Conditioning[Any], control: Control) -> Conditioning[Any]:
    """A prompt, or several that act together, each with one more control.

    Raises `bad_value` for a share of the steps that has no steps, and for what the ControlNet does not read.
    """
    check_told(None if control.net is None else control.net.source, {name: getattr(control, name) for name in _ALONE})
    beside = tuple(replace(each, controls=(*each.controls, control)) for each in conditioning.beside)
    return replace(conditioning, controls=(*conditioning.controls, control), beside=beside)


def check_told(net: NetSource | None, told: Mapping[str, object]) -> None:
    """Refuse what means nothing beside this ControlNet, or beside none, and what it lacks. Raises `bad_value`.

    `told` are inputs of ApplyControl by name: `mask` and `around`, which are None where they are not given, and the
    others as far as they are known.
    """
    start, end = told.get("start"), told.get("end")
    if isinstance(start, (int, float)) and isinstance(end, (int, float)):
        check_share(start, end)
    if net is None:
        _check_alone(told)
        return
    if "mode" in told:
        _check_mode(net, told["mode"])
    _check_mask(net, told)


def _check_alone(told: Mapping[str, object]) -> None:
    """Refuse what is said to a model that reads a picture itself, which can only be shown it."""
    for name, usual in _ALONE.items():
        if told.get(name, usual) != usual:
            what = f"Without a ControlNet the model reads the picture itself, in all steps; {name} means nothing to it."
            raise PatchbayError(Code.BAD_VALUE, name, what, f"Leave {name} as it is, or give a ControlNet.")


def _check_mode(net: NetSource, mode: object) -> None:
    if net.modes is None and mode is not None:
        what = f"{net.name} reads one kind of picture, so it has no modes."
        raise PatchbayError(Code.BAD_VALUE, "mode", what, "Leave mode empty.")
    if net.modes is not None and not (isinstance(mode, int) and mode < net.modes):
        what = f"{net.name} is a union of ControlNets for {net.modes} kinds of pictures; which one is this?"
        raise PatchbayError(Code.BAD_VALUE, "mode", what, f"Set mode to 0 to {net.modes - 1}, as its page says.")


def _check_mask(net: NetSource, told: Mapping[str, object]) -> None:
    """Refuse a mask, or a picture to paint in, that is not read or is missing."""
    mask, around = told["mask"], told["around"]
    if around is not None and not net.reads_around:
        what = f"{net.name} reads no picture to paint in."
        raise PatchbayError(Code.BAD_VALUE, "around", what, "Take the picture away; mask the latent to paint a part.")
    is_read = net.reads_mask or around is not None
    if is_read and mask is None:
        what = f"{net.name} paints a part of a picture, and nothing says which."
        raise PatchbayError(Code.BAD_VALUE, "mask", what, "Give it the mask.")
    if mask is not None and not is_read:
        what = f"{net.name} reads no mask{' without the picture to paint in' if net.reads_around else ''}."
        fix = "Give it that picture." if net.reads_around else "Take the mask away; mask the latent to paint a part."
        raise PatchbayError(Code.BAD_VALUE, "mask", what, fix)


def check_controls(source: ModelSource, positive: Conditioning[Any], negative: Conditioning[Any] | None) -> None:
    """Refuse controls that the model cannot follow. Raises `kind_mismatch`, `bad_value`."""
    if negative is not None and any(entry.controls for entry in negative.prompts):
        what = "The controls of a positive prompt steer the negative one too, so a negative has none of its own."
        raise PatchbayError(Code.BAD_VALUE, "negative", what, "Put ApplyControl behind the positive prompt.")
    for control in (control for entry in positive.prompts for control in entry.controls):
        if control.net is not None:
            _check_follows(source, control.net.source)
    _check_shown(source, positive)


def _check_follows(source: ModelSource, net: NetSource) -> None:
    if net.kind:
        check_kind("positive.control", net.kind, "model", source.kind)
    family = source.family
    if net.class_name not in family.controls:
        what = f"A {family.pipeline_class} follows no ControlNet of the class {net.class_name}."
        fix = f"It follows: {', '.join(family.controls)}." if family.controls else "Take ApplyControl away."
        raise PatchbayError(Code.BAD_VALUE, "positive", what, fix)
    misfit = "" if net.kind else net.misfit(source)
    if misfit:
        what = f"{net.name} was made for another model: {misfit}."
        raise PatchbayError(Code.KIND_MISMATCH, "positive.control", what, "Use one for this kind of model.")


def _check_shown(source: ModelSource, positive: Conditioning[Any]) -> None:
    """Refuse pictures without a ControlNet that no model reads, and a model that lacks the one it reads."""
    shown = [[control for control in entry.controls if control.net is None] for entry in positive.prompts]
    if not source.reads_picture and any(shown):
        what = f"{source.name} reads no picture itself."
        raise PatchbayError(Code.BAD_VALUE, "positive", what, "Give ApplyControl a ControlNet.")
    if source.reads_picture and (len(shown[0]) != 1 or any(each != shown[0] for each in shown)):
        what = f"{source.name} was made to follow one picture, which it reads beside the latents."
        fix = "Put one ApplyControl without a ControlNet behind the positive prompt, behind all that it is made of."
        raise PatchbayError(Code.BAD_VALUE, "positive", what, fix)
