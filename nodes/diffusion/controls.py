"""ControlNets beside a denoiser: what they make of a picture is added inside it, as the stock pipelines add it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion import layouts
from nodes.diffusion.checks import check_kind, check_share
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


_FLUX, _SD3 = "FluxControlNetModel", "SD3ControlNetModel"


@dataclass(frozen=True, slots=True)
class Hint:
    """A control ready to be used: the live ControlNet, and what it reads of the picture for each sample."""

    control: Control
    net: Any
    picture: torch.Tensor


def with_control(conditioning: Conditioning[Any], control: Control) -> Conditioning[Any]:
    """A prompt, or several that act together, each with one more control.

    Raises `bad_value` for a share of the steps that has no steps.
    """
    check_share(control.start, control.end)
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
    size: Size,
    own: list[torch.Generator],
    *,
    guided: bool,
) -> list[Hint]:
    """The controls with their ControlNets from the shelf; `own` are the generators of the samples.

    A ControlNet for FLUX that reads latents gets a sample of them, drawn before any other noise as in the stock class.
    One for SD 3 gets their mean: there the stock class draws from the global generator, so no seed brings it back.
    Raises `bad_value` for too many or too few pictures.
    """
    found = []
    for control in controls:
        image = resize(control.image, size.width, size.height)
        if len(image.pixels) not in {1, len(own)}:
            what = f"A control of {len(image.pixels)} pictures cannot steer a batch of {len(own)}."
            raise PatchbayError(Code.BAD_VALUE, "positive", what, f"Give it one picture, or {len(own)}.")
        picture = image.pixels.expand(len(own), -1, -1, -1).to(pipeline.device, pipeline.precision)
        net = held.enter_context(SHELF.use(control.net.source, PART))
        found.append(Hint(control, net, _read(held, pipeline, control, net, picture, own, guided=guided)))
    return found


def _read(  # what a hint depends on
    held: ExitStack,
    pipeline: Any,  # noqa: ANN401
    control: Control,
    net: Any,  # noqa: ANN401
    picture: torch.Tensor,
    own: list[torch.Generator],
    *,
    guided: bool,
) -> torch.Tensor:
    """A picture for each sample as the ControlNet reads it: pixels, or latents held as the pipeline holds its own."""
    found = control.net.source.class_name
    if found not in {_FLUX, _SD3}:
        return picture
    picture = picture * 2 - 1
    if found == _FLUX and net.input_hint_block is not None:
        return picture
    source: ModelSource = pipeline.source
    vae = held.enter_context(SHELF.use(source, source.family.decoder))
    if found == _FLUX:
        latents = vae.encode(picture).latent_dist.sample(own)
    else:  # of a batch as large as the stock class's: the last bit depends on that
        latents = vae.encode(torch.cat([picture] * 2) if guided else picture).latent_dist.mode()[: len(own)]
    shift = 0 if found == _SD3 and net.config.force_zeros_for_pooled_projection else vae.config.shift_factor
    return layouts.pack(pipeline, (latents - shift) * vae.config.scaling_factor)


def added(call: Call, hints: Sequence[Hint], position: Position) -> dict[str, Any]:
    """What the denoiser is told beside its own arguments: the sums of what the ControlNets say that have their time."""
    active = [hint for hint in hints if position.lies_in(hint.control.start, hint.control.end)]
    if not active:
        return {}
    if active[0].control.net.source.class_name == _FLUX:
        both = [_of_flux(call, hint) for hint in active]
        return {
            "controlnet_block_samples": _sum([blocks for blocks, _ in both]),
            "controlnet_single_block_samples": _sum([singles for _, singles in both]),
            "controlnet_blocks_repeat": active[0].net.input_hint_block is not None,
        }
    if active[0].control.net.source.class_name == _SD3:
        return {"block_controlnet_hidden_states": _sum([_of_sd3(call, hint) for hint in active])}
    levels = [_of_unet(call, hint) for hint in active]
    return {
        "down_block_additional_residuals": _sum([down for down, _ in levels]),
        "mid_block_additional_residual": _sum([[middle] for _, middle in levels])[0],
    }


def _sum(each: Sequence[Sequence[torch.Tensor] | None]) -> Any:  # noqa: ANN401  # None where none says anything
    """Lists of tensors added up, in order."""
    given = [list(one) for one in each if one is not None]
    total = given[0] if given else None
    for more in given[1:]:
        total = [one + other for one, other in zip(total or (), more, strict=True)]
    return total


def _of_flux(call: Call, hint: Hint) -> tuple[Sequence[torch.Tensor] | None, Sequence[torch.Tensor] | None]:
    """What one ControlNet adds to the blocks of both kinds."""
    names = ("hidden_states", "timestep", "pooled_projections", "encoder_hidden_states", "txt_ids", "img_ids")
    told = {name: call.arguments[name] for name in names}
    if hint.net.config.guidance_embeds:
        told["guidance"] = call.arguments["guidance"]
    blocks, singles = hint.net(
        **told, controlnet_cond=hint.picture, conditioning_scale=hint.control.strength, return_dict=False
    )
    return blocks, singles


def _of_sd3(call: Call, hint: Hint) -> Sequence[torch.Tensor]:
    """What one ControlNet adds to the blocks; some read no pooled words."""
    given = call.arguments
    pooled = given["pooled_projections"]
    reads_pooled = not hint.net.config.force_zeros_for_pooled_projection
    blocks: Sequence[torch.Tensor] = hint.net(
        hidden_states=given["hidden_states"],
        timestep=given["timestep"],
        encoder_hidden_states=given["encoder_hidden_states"],
        pooled_projections=pooled if reads_pooled else torch.zeros_like(pooled),
        controlnet_cond=torch.cat([hint.picture] * (len(call.samples) // len(hint.picture))),
        conditioning_scale=hint.control.strength,
        return_dict=False,
    )[0]
    return blocks


def _of_unet(call: Call, hint: Hint) -> tuple[Sequence[torch.Tensor], torch.Tensor]:
    """What one ControlNet adds to the levels of a UNet, and to its middle."""
    times = len(call.samples) // len(hint.picture)  # guided: once against and once for the prompt
    is_pooled = times == 2 and hint.net.config.global_pool_conditions  # noqa: PLR2004  # both
    down, middle = _asked(call.part(1, 2) if is_pooled else call, hint)
    if not is_pooled:
        return down, middle
    # What such a ControlNet says has no place in the picture, so it is for the prompt alone, as in the stock classes.
    return [_half(each) for each in down], _half(middle)


def _half(residual: torch.Tensor) -> torch.Tensor:
    return torch.cat([torch.zeros_like(residual), residual])


def _asked(call: Call, hint: Hint) -> tuple[Sequence[torch.Tensor], torch.Tensor]:
    given = call.arguments
    down, middle = hint.net(
        given["sample"],
        given["timestep"],
        encoder_hidden_states=given["encoder_hidden_states"],
        controlnet_cond=torch.cat([hint.picture] * (len(call.samples) // len(hint.picture))),
        conditioning_scale=hint.control.strength,
        added_cond_kwargs=given.get("added_cond_kwargs"),
        return_dict=False,
    )
    return down, middle
