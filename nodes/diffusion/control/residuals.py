"""What ControlNets add inside a denoiser, as the stock pipelines add it: the sums of what each of them says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from nodes.diffusion.disk.nets import ADAPTER, BORROWER, SPARSE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nodes.diffusion.control.hints import Hint
    from nodes.diffusion.schedules.shim import Position
    from nodes.diffusion.stages.denoiser_shim import Call


def added(call: Call, hints: Sequence[Hint], position: Position) -> dict[str, Any]:
    """What the denoiser is told beside its own arguments, of the ControlNets that have their time."""
    active = [hint for hint in hints if position.lies_in(hint.control.start, hint.control.end)]
    ways: dict[_Way, list[Hint]] = {}
    for hint in active:
        ways.setdefault(_WAYS.get(hint.class_name, _of_blocks), []).append(hint)
    return {name: value for way, group in ways.items() for name, value in way(call, group).items()}


def _sum(each: Sequence[Sequence[torch.Tensor] | None]) -> Any:  # noqa: ANN401  # None where none says anything
    """Lists of tensors added up, in order."""
    given = [list(one) for one in each if one is not None]
    total = given[0] if given else None
    for more in given[1:]:
        total = [one + other for one, other in zip(total or (), more, strict=True)]
    return total


def _told(call: Call, names: Sequence[str]) -> dict[str, Any]:
    return {name: call.arguments.get(name) for name in names}


def _of_flux(call: Call, hints: Sequence[Hint]) -> dict[str, Any]:
    both = [_blocks_of_flux(call, hint) for hint in hints]
    return {
        "controlnet_block_samples": _sum([blocks for blocks, _ in both]),
        "controlnet_single_block_samples": _sum([singles for _, singles in both]),
        "controlnet_blocks_repeat": hints[0].net.input_hint_block is not None,
    }


def _blocks_of_flux(call: Call, hint: Hint) -> tuple[Sequence[torch.Tensor] | None, Sequence[torch.Tensor] | None]:
    """What one ControlNet adds to the blocks of both kinds."""
    names = ("hidden_states", "timestep", "pooled_projections", "encoder_hidden_states", "txt_ids", "img_ids")
    told = _told(call, names)
    if hint.net.config.guidance_embeds:
        told["guidance"] = call.arguments["guidance"]
    if hint.control.mode is not None:
        told["controlnet_mode"] = torch.full((len(call.samples), 1), hint.control.mode, device=call.samples.device)
    blocks, singles = hint.net(
        **told, controlnet_cond=hint.read, conditioning_scale=hint.control.strength, return_dict=False
    )
    return blocks, singles


def _of_sd3(call: Call, hints: Sequence[Hint]) -> dict[str, Any]:
    return {"block_controlnet_hidden_states": _sum([_blocks_of_sd3(call, hint) for hint in hints])}


def _blocks_of_sd3(call: Call, hint: Hint) -> Sequence[torch.Tensor]:
    """What one ControlNet adds to the blocks; some read no pooled words."""
    given = call.arguments
    pooled = given["pooled_projections"]
    reads_pooled = not hint.net.config.force_zeros_for_pooled_projection
    blocks: Sequence[torch.Tensor] = hint.net(
        hidden_states=given["hidden_states"],
        timestep=given["timestep"],
        encoder_hidden_states=given["encoder_hidden_states"],
        pooled_projections=pooled if reads_pooled else torch.zeros_like(pooled),
        controlnet_cond=hint.beside(call.samples),
        conditioning_scale=hint.control.strength,
        return_dict=False,
    )[0]
    return blocks


_READ: Mapping[str, Sequence[str]] = {
    "QwenImageControlNetModel": (
        "hidden_states",
        "timestep",
        "encoder_hidden_states",
        "encoder_hidden_states_mask",
        "img_shapes",
    ),
    "SanaControlNetModel": ("hidden_states", "timestep", "encoder_hidden_states", "encoder_attention_mask"),
    "HunyuanDiT2DControlNetModel": (
        "hidden_states",
        "timestep",
        "encoder_hidden_states",
        "text_embedding_mask",
        "encoder_hidden_states_t5",
        "text_embedding_mask_t5",
        "image_meta_size",
        "style",
        "image_rotary_emb",
    ),
}
"""What ControlNets of a class read of what the denoiser is told."""


def _of_blocks(call: Call, hints: Sequence[Hint]) -> dict[str, Any]:
    """One list for all blocks, from ControlNets that are asked as their denoiser is."""
    said = []
    for hint in hints:
        blocks = hint.net(
            **_told(call, _READ[hint.class_name]),
            controlnet_cond=hint.beside(call.samples),
            conditioning_scale=hint.control.strength,
            return_dict=False,
        )
        said.append(blocks[0] if isinstance(blocks[0], (list, tuple)) else blocks)
    return {"controlnet_block_samples": _sum(said)}


def _of_z_image(call: Call, hints: Sequence[Hint]) -> dict[str, Any]:
    """A sum for each layer that something is added to."""
    samples, times, prompts = (call.arguments[name] for name in ("x", "t", "cap_feats"))
    total: dict[int, torch.Tensor] = {}
    for hint in hints:
        said = hint.net(samples, times, prompts, hint.beside(samples), conditioning_scale=hint.control.strength)
        for layer, block in said.items():
            total[layer] = total[layer] + block if layer in total else block
    return {"controlnet_block_samples": total}


def _of_unet(call: Call, hints: Sequence[Hint]) -> dict[str, Any]:
    levels = [_levels(call, hint) for hint in hints]
    return {
        "down_block_additional_residuals": _sum([down for down, _ in levels]),
        "mid_block_additional_residual": _sum([[middle] for _, middle in levels])[0],
    }


def _levels(call: Call, hint: Hint) -> tuple[Sequence[torch.Tensor], torch.Tensor]:
    """What one ControlNet adds to the levels of a UNet, and to its middle. Of videos most see the single frames."""
    if hint.class_name == SPARSE:
        video, given = hint.read
        return _answer(call, hint, {"controlnet_cond": video, "conditioning_mask": given})
    if call.samples.ndim == 5:  # noqa: PLR2004  # [batch, channels, frames, height, width]
        call = call.told(sample=call.samples.transpose(1, 2).flatten(0, 1))
    times = len(call.samples) // len(hint.read)  # guided: once against and once for the prompt
    is_pooled = times == 2 and hint.net.config.global_pool_conditions  # noqa: PLR2004  # both
    down, middle = _asked(call.part(1, 2) if is_pooled else call, hint)
    if not is_pooled:
        return down, middle
    # What such a ControlNet says has no place in the picture, so it is for the prompt alone, as in the stock classes.
    return [_half(each) for each in down], _half(middle)


def _half(residual: torch.Tensor) -> torch.Tensor:
    return torch.cat([torch.zeros_like(residual), residual])


def _asked(call: Call, hint: Hint) -> tuple[Sequence[torch.Tensor], torch.Tensor]:
    picture, mode = hint.beside(call.samples), hint.control.mode
    told: dict[str, Any] = {"controlnet_cond": picture}
    if mode is not None:
        kinds = torch.zeros(len(picture), hint.net.config.num_control_type).to(picture)
        kinds[:, mode] = 1
        told = {"controlnet_cond": [picture], "control_type": kinds, "control_type_idx": [mode]}
    return _answer(call, hint, {**told, "added_cond_kwargs": call.arguments.get("added_cond_kwargs")})


def _answer(call: Call, hint: Hint, told: Mapping[str, Any]) -> tuple[Sequence[torch.Tensor], torch.Tensor]:
    given = call.arguments
    down, middle = hint.net(
        given["sample"],
        given["timestep"],
        encoder_hidden_states=given["encoder_hidden_states"],
        conditioning_scale=hint.control.strength,
        return_dict=False,
        **told,
    )
    return down, middle


def _of_adapters(call: Call, hints: Sequence[Hint]) -> dict[str, Any]:
    """The sum of what adapters have said, anew each time: the denoiser uses it up."""
    said = _sum([hint.read for hint in hints])
    return {
        "down_intrablock_additional_residuals": [
            torch.cat([each] * (len(call.samples) // len(each))).clone() for each in said
        ]
    }


if TYPE_CHECKING:
    _Way = Callable[[Call, Sequence[Hint]], dict[str, Any]]

_WAYS: Mapping[str, _Way] = {
    ADAPTER: _of_adapters,
    BORROWER: _of_z_image,
    "ControlNetModel": _of_unet,
    "ControlNetUnionModel": _of_unet,
    SPARSE: _of_unet,
    "FluxControlNetModel": _of_flux,
    "SD3ControlNetModel": _of_sd3,
}
"""How the ControlNets of a class are asked, and what their denoiser is told; others are asked as it is."""
