"""How a pipeline holds its latents inside, and how Patchbay holds them: [batch, channels, (frames,) height, width].

Transformers read tokens, so some pipelines pack latents before their loop and return them packed. Their own functions
pack and unpack here; what differs between them is how those functions are called, which their signatures say.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.families.family import LATENT_CHANNELS
from nodes.diffusion.stages import items, stock

if TYPE_CHECKING:
    from torch import Tensor

_SPATIAL = (
    "vae_scale_factor",
    "vae_scale_factor_spatial",
    "vae_spatial_compression_ratio",
    "movq_scale_factor",
)
_TEMPORAL = ("vae_scale_factor_temporal", "vae_temporal_compression_ratio")

_PIXELS_OF_A_FIRST_TOKEN = 32
"""How many pixels along a side a token of GLM-Image's language model stands for."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a picture or video: in pixels and frames."""

    width: int
    height: int
    frames: int = 1


def factor(pipeline: Any) -> int:  # noqa: ANN401
    """How many pixels a latent's number stands for, along a side."""
    if _draws_pixels(pipeline):
        return 1
    if hasattr(pipeline, "vqgan"):  # it halves the sides after it has folded them
        config = pipeline.vqgan.config
        return int(config.up_down_scale_factor * 2 ** (config.levels - 1))
    own = next((int(getattr(pipeline, name)) for name in _SPATIAL if hasattr(pipeline, name)), 8)
    return own // (2 if _counts_packing(pipeline) else 1) * patch(pipeline)


def patch(pipeline: Any) -> int:  # noqa: ANN401
    """How many numbers along a side are folded into channels before a family's latents are scaled: 1, or 2."""
    folds = hasattr(pipeline, "_patchify_latents") and not _counts_unfolded(pipeline)
    return 2 if folds or _counts_folded(pipeline) else 1


def temporal_factor(pipeline: Any) -> int:  # noqa: ANN401
    """How many frames a latent's frame stands for, the first one aside."""
    return next((int(getattr(pipeline, name)) for name in _TEMPORAL if hasattr(pipeline, name)), 1)


def multiple(pipeline: Any) -> int:  # noqa: ANN401
    """What the sides of a picture must be multiples of."""
    side = factor(pipeline)
    if items.holds_items(pipeline):
        return side * items.side_of_patch(pipeline)
    if hasattr(pipeline, "movq_scale_factor"):
        return side * side
    if hasattr(pipeline, "generate_prior_tokens"):
        return _PIXELS_OF_A_FIRST_TOKEN
    if not is_packed(pipeline) or _counts_no_packing(pipeline):
        return side
    told = "patch_size" in inspect.signature(pipeline._pack_latents).parameters  # noqa: SLF001
    return side * (_patches(pipeline)["patch_size"] if told else 2)


def is_packed(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline holds its latents as tokens [batch, tokens, features]."""
    return hasattr(pipeline, "_pack_latents") and hasattr(pipeline, "_unpack_latents")


def is_video(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline makes videos, a single picture being one of one frame."""
    call = stock.signature(pipeline.source.family.pipeline_class)
    return any(name in call for name in ("num_frames", "frames", "video_length"))


def dimensions(pipeline: Any) -> int:  # noqa: ANN401
    """How many dimensions latents of the pipeline's family have, as Patchbay holds them."""
    return 5 if is_video(pipeline) else 4


def size_of(pipeline: Any, samples: Tensor) -> Size:  # noqa: ANN401
    """The size that unpacked latents stand for."""
    side = factor(pipeline)
    frames = (samples.shape[2] - 1) * temporal_factor(pipeline) + 1 if samples.ndim == 5 else 1  # noqa: PLR2004
    return Size(samples.shape[-1] * side, samples.shape[-2] * side, frames)


def pack(pipeline: Any, samples: Tensor) -> Tensor:  # noqa: ANN401
    """Latents as the pipeline wants them given."""
    if items.holds_items(pipeline):
        return items.pack(pipeline, samples)
    if draws_embeddings(pipeline):
        return samples.flatten(1)
    if counts_frames_first(pipeline):
        return samples.transpose(1, 2)
    if _counts_one_frame(pipeline):
        return samples.unsqueeze(2)
    if _counts_channels_last(pipeline):
        return _beside_nothing(pipeline, _channels_last(samples))
    if _counts_folded(pipeline):
        return samples.flatten(2).transpose(1, 2)
    if not is_packed(pipeline):
        return samples
    known = {
        "latents": samples,
        "batch_size": len(samples),
        "num_channels_latents": samples.shape[1],
        "height": samples.shape[-2],
        "width": samples.shape[-1],
        **_patches(pipeline),
    }
    packed: Tensor = _called(_packer(pipeline), known)
    return packed


def _packer(pipeline: Any) -> Any:  # noqa: ANN401
    """The pipeline's own function; Diffusers has no public name for it."""
    return pipeline._pack_latents_no_patch if _counts_no_packing(pipeline) else pipeline._pack_latents  # noqa: SLF001


def within(pipeline: Any, samples: Tensor) -> Tensor:  # noqa: ANN401
    """Latents as the pipeline holds them in its loop: some pack what they are given plain."""
    packed = pack(pipeline, samples)
    if _counts_grid(pipeline):
        return packed.flatten(2).transpose(1, 2)
    if patch(pipeline) == 1 or not hasattr(pipeline, "_pack_latents"):
        return packed
    within: Tensor = pipeline._pack_latents(packed)  # noqa: SLF001
    return within


def unpack(pipeline: Any, latents: Tensor, size: Size) -> Tensor:  # noqa: ANN401
    """Latents as Patchbay holds them, from what the pipeline returns for a picture of `size`."""
    if items.holds_items(pipeline):
        side = factor(pipeline)
        return items.unpack(pipeline, latents, size.height // side, size.width // side)
    if draws_embeddings(pipeline):
        return latents[:, :, None, None]
    if counts_frames_first(pipeline):
        return latents.transpose(1, 2)
    if _counts_channels_last(pipeline):
        moved = latents.movedim(-1, 1)
        return moved if hasattr(pipeline, "vae_scale_factor_temporal") else moved.squeeze(2)
    if latents.ndim != 3:  # noqa: PLR2004  # [batch, tokens, features]
        return latents.squeeze(2) if _counts_one_frame(pipeline) and latents.ndim == 5 else latents  # noqa: PLR2004
    if patch(pipeline) > 1:
        side = factor(pipeline)
        return latents.transpose(1, 2).reshape(len(latents), -1, size.height // side, size.width // side)
    if not is_packed(pipeline):
        return latents
    side = factor(pipeline)
    known: dict[str, Any] = {
        "latents": latents,
        "height": size.height,
        "width": size.width,
        "vae_scale_factor": side * (2 if _counts_packing(pipeline) else 1),
        **_patches(pipeline),
    }
    if _counts_no_packing(pipeline):
        plain: Tensor = _called(pipeline._unpack_latents_no_patch, known)  # noqa: SLF001
        return plain
    if "num_frames" in inspect.signature(pipeline._unpack_latents).parameters:  # noqa: SLF001
        frames = (size.frames - 1) // temporal_factor(pipeline) + 1
        known |= {"num_frames": frames, "height": size.height // side, "width": size.width // side}
        video: Tensor = _called(pipeline._unpack_latents, known)  # noqa: SLF001
        return video
    samples: Tensor = _called(pipeline._unpack_latents, known)  # noqa: SLF001
    return samples.squeeze(2) if samples.ndim == 5 else samples  # noqa: PLR2004  # a picture is no video of one frame


def draws_embeddings(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline draws embeddings of pictures [batch, features]: it knows that of no picture."""
    return hasattr(pipeline, "get_zero_embed")


def _draws_pixels(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline draws on pixels, and has a name of its own for what others call latents."""
    return hasattr(pipeline, "prepare_intermediate_images")


def output(pipeline: Any) -> str:  # noqa: ANN401
    """What a stock call is asked for so that it gives latents as they are."""
    return "pt" if draws_embeddings(pipeline) or _draws_pixels(pipeline) else "latent"


def counts_frames_first(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline holds videos as [batch, frames, channels, height, width]."""
    return type(pipeline).__name__.startswith(("CogVideoX", "StableVideoDiffusion"))


def channel_axis(pipeline: Any) -> int:  # noqa: ANN401
    """Along which axis the channels lie in latents as the pipeline holds them."""
    return -1 if is_packed(pipeline) else 2 if counts_frames_first(pipeline) else 1


def _counts_one_frame(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline holds a picture as a video of one frame, though it gives a picture."""
    own = {"Cosmos2TextToImagePipeline", "AnimaModularPipeline", "HunyuanImageRefinerPipeline"}
    return type(pipeline).__name__ in own


def _counts_unfolded(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline folds latents only to scale them."""
    return type(pipeline).__name__ == "BriaFibo2Pipeline"


def _counts_folded(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline's tokens are the folded numbers, made by no function of its own."""
    return type(pipeline).__name__ == "Ideogram4Pipeline"


def _counts_grid(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline takes and gives the folded numbers in rows and columns, and has tokens in its loop only."""
    return type(pipeline).__name__ in {"Flux3ModularPipeline", "Flux3DistilledModularPipeline"}


def _counts_channels_last(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline holds pictures and videos as [batch, frames, height, width, channels]."""
    return type(pipeline).__name__ in {
        "Kandinsky5T2IPipeline",
        "Kandinsky5I2IPipeline",
        "Kandinsky5T2VPipeline",
        "Kandinsky5I2VPipeline",
    }


def _channels_last(samples: Tensor) -> Tensor:
    """A copy, since the pipeline writes into its latents."""
    video = samples if samples.ndim == 5 else samples.unsqueeze(2)  # noqa: PLR2004
    return video.movedim(1, -1).clone(memory_format=torch.contiguous_format)


def _beside_nothing(pipeline: Any, latents: Tensor) -> Tensor:  # noqa: ANN401
    """With the empty first frame and the empty mask that some denoisers read beside latents with channels last."""
    if not getattr(pipeline.transformer, "visual_cond", False):
        return latents
    return torch.cat([latents, torch.zeros_like(latents), torch.zeros_like(latents[..., :1])], -1)


def _counts_packing(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline counts the packing of latents among what its VAE does to a side."""
    return type(pipeline).__name__ in {"BriaPipeline", "ErnieImagePipeline"}


def _counts_no_packing(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline's tokens are single numbers of each channel, though it knows how to pack them too."""
    return hasattr(pipeline, "_pack_latents_no_patch")


def _patches(pipeline: Any) -> dict[str, int]:  # noqa: ANN401
    names = {"patch_size": "transformer_spatial_patch_size", "patch_size_t": "transformer_temporal_patch_size"}
    own = getattr(getattr(pipeline, "transformer", None), "config", {})
    return {ours: int(getattr(pipeline, theirs, None) or own.get(ours) or 1) for ours, theirs in names.items()}


def _called(function: Any, known: dict[str, Any]) -> Any:  # noqa: ANN401
    return function(**{name: known[name] for name in inspect.signature(function).parameters})


def check_sides(width: int, height: int, factor: int) -> None:
    """Refuse sides that are no multiple of `factor`. Raises `bad_value`."""
    if width % factor or height % factor or not width or not height:
        what = f"{width} x {height} pixels cannot be encoded: this model works on multiples of {factor}."
        near = f"{max(factor, round(width / factor) * factor)} x {max(factor, round(height / factor) * factor)}"
        raise PatchbayError(Code.BAD_VALUE, "size", what, f"Resize or crop, for instance to {near}.")


def check_known(pipeline: Any, size: Size) -> None:  # noqa: ANN401
    """Refuse sizes that the pipeline would replace by one of its own. Raises `bad_value`."""
    known = getattr(pipeline, "resolutions", None)
    if known and (size.width, size.height) not in known:
        what = f"This model makes no pictures of {size.width} x {size.height} pixels."
        fix = f"Choose one of {', '.join(f'{width} x {height}' for width, height in known)}."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, fix)
    processor = getattr(pipeline, "vae_image_processor", None)
    nearest = processor.get_default_height_width(None, size.height, size.width) if processor else None
    if nearest and nearest != (size.height, size.width):
        what = f"This model makes no pictures of {size.width} x {size.height} pixels."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, f"The nearest ones have {nearest[1]} x {nearest[0]}.")


def check_frames(
    pipeline: Any,  # noqa: ANN401
    frames: int,
    at: str = "latent",
    fix: str = "Set frames of EmptyLatent",
) -> None:
    """Refuse numbers of frames that the pipeline would replace by another. Raises `bad_value` at `at`."""
    if frames > 1 and not is_video(pipeline):
        what = f"This model makes pictures, and {frames} frames are a video."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Set frames of EmptyLatent to 1.")
    own = getattr(getattr(pipeline, "transformer", None), "config", {}).get("video_length")
    if own and frames not in {1, own}:
        what = f"This model makes videos of {own} frames, not of {frames}."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, f"Set frames of EmptyLatent to {own}, or to 1.")
    least = pipeline.source.family.least_frames
    if frames < least:
        what = f"{frames} frames are too few for this model, which evens out the first ones by those after them."
        raise PatchbayError(Code.BAD_VALUE, at, what, f"Set frames of EmptyLatent to at least {least}.")
    step = temporal_factor(pipeline)
    if (frames - 1) % step:
        near = max(0, round((frames - 1) / step)) * step + 1
        what = f"{frames} frames cannot be made: this model makes 1, {step + 1}, {2 * step + 1} and so on."
        raise PatchbayError(Code.BAD_VALUE, at, what, f"{fix}, for instance to {near}.")


def check_shape(pipeline: Any, samples: Tensor) -> None:  # noqa: ANN401
    """Refuse latents that no model of this kind makes; the plan has checked kinds, a call from Python has not."""
    source = pipeline.source
    vae = source.parts.get(source.family.decoder)
    channels = vae.first_integer(LATENT_CHANNELS) if vae else None
    if channels is not None:
        channels *= patch(pipeline) ** 2 * (2 if hasattr(pipeline, "_reorder_image_tokens") else 1)
    if samples.ndim != dimensions(pipeline) or (channels is not None and samples.shape[1] != channels):
        what = f"A latent of shape {tuple(samples.shape)} does not fit a model of {channels} channels"
        what += " and frames." if is_video(pipeline) else "."
        fix = "Make it with the VAE or the Sample of such a model."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, fix)
