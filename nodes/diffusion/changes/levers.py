"""Levers on a module of one's own: how it computes, and how a VAE goes over large pictures.

Each is refused where it would do nothing or cannot work, before a run and with the reason.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import torch

from engine.context import current
from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.quantising import check_storage
from nodes.diffusion.disk.vaes import own_vae
from nodes.diffusion.weights.device import pick_device, pick_dtype
from nodes.diffusion.weights.libraries import attention_dispatch
from nodes.diffusion.weights.loading import skeleton

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodes.diffusion.changes.tuning import TilePatch, TunePatch
    from nodes.diffusion.disk.parts import Part
    from nodes.diffusion.disk.source import ModelSource

BLOCKS, LAYERS = "blocks", "layers"
"""What is brought to the device one by one."""

_BACKEND = "_attention_backend"
"""What Diffusers' attention processors call the backend that they use; those without it always use PyTorch's own."""


def denoisers(source: ModelSource) -> Iterator[Any]:
    """Each denoiser of a model, without weights."""
    return (skeleton(source.parts[name]) for name in source.family.denoisers if name in source.parts)


def check_tuning(source: ModelSource, patch: TunePatch) -> None:
    """Refuse what would do nothing to a model, or cannot work on this machine. Raises `bad_value`."""
    device = pick_device(current().settings)
    if patch.owns_weights:
        names = [name for name in ("storage", "offload", "channels_last") if getattr(patch, name)]
        check_storage(source, names[0])
    if patch.offload:
        _check_offload(patch, device)
    for module in denoisers(source):
        name = type(module).__name__
        if patch.attention:
            if not _processors(module):
                what = f"The attention of a {name} is always PyTorch's own."
                raise PatchbayError(Code.BAD_VALUE, "attention", what, 'Set it to "as the model".')
            _try_attention(patch.attention, device, pick_dtype(current().settings, device))
        if patch.channels_last and "unet" not in source.family.denoisers:
            what = f"A {name} computes on tokens, which have no channels to put last."
            raise PatchbayError(Code.BAD_VALUE, "channels_last", what, "Use it with a UNet.")
        if patch.compiled and not _blocks(module):
            what = f"Diffusers names no blocks of a {name} that repeat."
            raise PatchbayError(Code.BAD_VALUE, "compile_blocks", what, "Use it without.")
        if patch.offload == BLOCKS and not any(map(_is_row, module.children())):
            what = f"A {name} has no blocks in a row that could come one by one."
            raise PatchbayError(Code.BAD_VALUE, "offload", what, f'Set it to "{LAYERS}".')
    if patch.compiled:
        _try_compiler(device.type)


def _check_offload(patch: TunePatch, device: torch.device) -> None:
    """Refuse to bring weights one by one where that saves nothing, or beside what holds them in another way."""
    if device.type != "cuda":
        what = f"The device is {device.type}, whose memory is the machine's own: bringing weights there saves none."
        raise PatchbayError(Code.BAD_VALUE, "offload", what, 'Set it to "none".')
    if patch.storage or patch.compiled:
        what = "Weights that come and go are neither packed in eight bits nor compiled."
        raise PatchbayError(Code.BAD_VALUE, "offload", what, "Use one of them.")


def check_tiles(source: ModelSource, patch: TilePatch) -> None:
    """Refuse tiles for a VAE that knows none, or not of this size. Raises `bad_value`."""
    tile(skeleton(own_vae(source)), patch)


def tune(module: Any, patch: TunePatch) -> None:  # noqa: ANN401  # diffusers does not type its models
    """Let a denoiser compute as the patch says. What holds weights in another way changes the module's own."""
    if patch.attention:
        backend = attention_dispatch.AttentionBackendName(patch.attention)
        for processor in _processors(module):  # `set_attention_backend` would set it for every other model as well
            setattr(processor, _BACKEND, backend)
    if patch.channels_last:
        module.to(memory_format=torch.channels_last)
    if patch.storage:
        module.enable_layerwise_casting(getattr(torch, patch.storage), compute_dtype=module.dtype)
    if patch.compiled:
        module.compile_repeated_blocks()
    if patch.offload:
        kinds = {BLOCKS: "block_level", LAYERS: "leaf_level"}
        module.enable_group_offload(
            onload_device=pick_device(current().settings), offload_type=kinds[patch.offload], num_blocks_per_group=1
        )


def brought(part: Part, how: str) -> int:
    """How many numbers of a part are on the device at most where its blocks or layers come `how`: one by one."""
    module = skeleton(part)
    if how == LAYERS:
        leaves = (each for each in module.modules() if not any(True for _ in each.children()))
        return max(map(_numbers, leaves))
    blocks = [_numbers(block) for row in module.children() if _is_row(row) for block in row]
    return int(_numbers(module) - sum(blocks) + max(blocks, default=0))


def _is_row(module: torch.nn.Module) -> bool:
    return isinstance(module, (torch.nn.ModuleList, torch.nn.Sequential))


def _numbers(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _processors(module: Any) -> list[Any]:  # noqa: ANN401
    found = (getattr(each, "processor", None) for each in module.modules())
    return [processor for processor in found if hasattr(processor, _BACKEND)]


def _blocks(module: Any) -> list[Any]:  # noqa: ANN401
    names = getattr(module, "_repeated_blocks", None) or ()
    return [each for each in module.modules() if type(each).__name__ in names]


@cache
def _try_attention(name: str, device: torch.device, precision: torch.dtype) -> None:
    """Let a backend work once on a little. Raises `bad_value` with what it says."""
    backend = attention_dispatch.AttentionBackendName(name)
    query = torch.zeros(1, 64, 2, 64, dtype=precision, device=device)
    try:
        attention_dispatch._check_attention_backend_requirements(backend)  # noqa: SLF001  # it has no public name
        attention_dispatch.dispatch_attention_fn(query, query, query, backend=backend)
    except Exception as error:  # the backends raise whatever they like
        what = f"{name} cannot run on {device.type} in {str(precision).removeprefix('torch.')} here: {error}"
        raise PatchbayError(Code.BAD_VALUE, "attention", what, 'Set it to "as the model".') from error


@cache
def _try_compiler(device: str) -> None:
    """Compile a little for a device. Raises `bad_value` with what the compiler says."""
    try:
        torch.compile(lambda x: x.sin() + 1)(torch.zeros(8, device=device))
    except Exception as error:  # so do compilers
        what = f"PyTorch cannot compile for {device} here: {str(error).strip().splitlines()[0]}"
        fix = "Install a compiler (g++ for a CPU, Triton for a GPU), or use it without."
        raise PatchbayError(Code.BAD_VALUE, "compile_blocks", what, fix) from error


_CUT_SHORT = frozenset({"AutoencoderKLHunyuanImageRefiner"})
"""VAEs that put their tiles together to a picture that is too small."""


def tile(vae: Any, patch: TilePatch) -> None:  # noqa: ANN401
    """Let a VAE work in tiles, and picture by picture. Raises `bad_value` for one that cannot."""
    name = type(vae).__name__
    if patch.singly:
        if not hasattr(vae, "use_slicing"):
            what = f"A {name} cannot go picture by picture."
            raise PatchbayError(Code.BAD_VALUE, "singly", what, "Use it without.")
        vae.enable_slicing()
    if patch.size is not None:
        sizes = {} if name in _CUT_SHORT else _tiles(vae, patch.size, patch.overlap)
        if not sizes:
            what = f"Diffusers knows no tiles of a size that one could choose for a {name}."
            raise PatchbayError(Code.BAD_VALUE, "size", what, "Set it to null.")
        vae.enable_tiling()
        for attribute, value in sizes.items():
            setattr(vae, attribute, value)


def _tiles(vae: Any, size: int, overlap: float) -> dict[str, float]:  # noqa: ANN401
    """What a VAE calls the sides of its tiles, in pixels and in latents, and what neighbours share.

    Three ways of saying it are found in Diffusers: one side and a share, two sides and shares, two sides and strides.
    """
    if not (hasattr(vae, "tiled_decode") or hasattr(vae, "_tiled_decode")):  # Cosmos' can be told to, and does nothing
        return {}
    if hasattr(vae, "tile_sample_min_size"):
        ratio = max(1, round(vae.tile_sample_min_size / vae.tile_latent_min_size))
        # of two latents and fewer that tiles share, this class makes nothing but black or no number at all
        _check_size(size, 2 * ratio, overlap if hasattr(vae, "spatial_scale_factor") else 1.0)
        return {
            "tile_sample_min_size": size // ratio * ratio,
            "tile_latent_min_size": size // ratio,
            "tile_overlap_factor": overlap,
        }
    found: dict[str, float] = {}
    for side in ("height", "width"):
        if not hasattr(vae, f"tile_sample_min_{side}"):
            return {}
        ratio = _ratio(vae, side)
        _check_size(size, 2 * ratio, 1.0)
        found[f"tile_sample_min_{side}"] = size // ratio * ratio
        stride = max(1, round(size * (1 - overlap) / ratio)) * ratio
        shared = {
            f"tile_sample_stride_{side}": stride,
            f"tile_overlap_factor_{side}": overlap,
            "tile_overlap_factor": overlap,
        }
        known = {name: value for name, value in shared.items() if hasattr(vae, name)}
        if not known:
            return {}
        found.update(known)
        if hasattr(vae, f"tile_latent_min_{side}"):
            found[f"tile_latent_min_{side}"] = size // ratio
    return found


def _check_size(size: int, least: int, share: float) -> None:
    """Refuse tiles of which a `share` is less than the least number of pixels. Raises `bad_value`."""
    if size * share < least:
        which = "what two of its tiles share" if share < 1 else "a tile"
        what = f"This VAE needs {least} pixels for {which}, and has {size * share:g}."
        raise PatchbayError(Code.BAD_VALUE, "size", what, "Make the tiles larger, or let them overlap more.")


def _ratio(vae: Any, side: str) -> int:  # noqa: ANN401
    """How many pixels a latent's number stands for, along a side."""
    if hasattr(vae, f"tile_latent_min_{side}"):
        pixels, latents = (getattr(vae, f"tile_{space}_min_{side}") for space in ("sample", "latent"))
        return max(1, int(pixels / latents + 0.5))
    return int(vae.spatial_compression_ratio)
