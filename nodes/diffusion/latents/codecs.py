"""What lies between a VAE's own latents and those that a denoiser wants: a shift and a scale, one or one a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError

if TYPE_CHECKING:
    from nodes.diffusion.disk.source import ModelSource

NO_VARIANCE = -30.0
"""The logarithm of the variance that stands for none at all, as Diffusers clamps it."""


_CHUNK = 16
"""How many frames of a video a VAE for pictures encodes at once, as the stock classes do by default."""


def distribution(module: Any, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ANN401
    """Mean and logarithm of the variance of one picture's latents [1, channels, (1,) height, width].

    A VAE for videos takes the picture for a video of one frame. One without a distribution has a variance of nothing.
    """
    return _found(module, pixels.unsqueeze(2) if takes_videos(module) else pixels)


def distribution_of_video(module: Any, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ANN401
    """The same of a video's latents [1, channels, frames, height, width]; `pixels` [1, 3, frames, height, width].

    A VAE for pictures encodes each frame by itself.
    """
    if takes_videos(module):
        return _found(module, pixels)
    frames = pixels.transpose(1, 2)[0]
    found = [_found(module, frames[start : start + _CHUNK]) for start in range(0, len(frames), _CHUNK)]
    mean, logvar = (torch.cat(each).unsqueeze(0).transpose(1, 2) for each in zip(*found, strict=True))
    return mean, logvar


def takes_videos(module: Any) -> bool:  # noqa: ANN401
    """Whether a VAE encodes videos, a picture being one of one frame."""
    return any(type(each).__name__.endswith("Conv3d") for each in module.modules())  # some are no subclass of PyTorch's


def _found(module: Any, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ANN401
    encoded = module.encode(pixels)
    if hasattr(encoded, "latent_dist"):
        return encoded.latent_dist.mean, encoded.latent_dist.logvar
    latents = encoded.latents.contiguous() if "latents" in encoded else encoded.latent  # of a VQ or a tiny model
    return latents, torch.full_like(latents, NO_VARIANCE)


def scale_of(module: Any, source: ModelSource) -> tuple[float | tuple[float, ...], float | tuple[float, ...]]:  # noqa: ANN401
    """Shift and scale of a VAE: a latent for the denoiser is `(latent - shift) * scale`.

    Raises `unsupported_class` for a VAE that does something else.
    """
    config = module.config
    if "num_vq_embeddings" in config:  # denoisers read what its encoder gives
        return 0.0, 1.0
    if "batch_norm_eps" in config:
        what = f"The latents of {source.name} are normalised in a way that pictures cannot be encoded for yet."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, "vae", what, "Start from an empty latent.")
    mean = config.get("latents_mean") if "latents_mean" in config else getattr(module, "latents_mean", None)
    std = config.get("latents_std") if "latents_std" in config else getattr(module, "latents_std", None)
    factor = config.get("scaling_factor") or 1.0
    if mean is None or std is None:
        return config.get("shift_factor") or 0.0, factor
    scale = factor / torch.as_tensor(std, dtype=torch.float32)
    return tuple(torch.as_tensor(mean, dtype=torch.float32).tolist()), tuple(scale.tolist())


def normalised(module: Any, mean: torch.Tensor, logvar: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ANN401
    """Mean and logarithm of the variance by the statistics of the VAE's own batch norm, as FLUX.2 has them.

    Both [batch, channels, height, width], each two by two numbers folded into channels.
    """
    norm = module.bn
    deviation = torch.sqrt(norm.running_var.view(1, -1, 1, 1) + module.config.batch_norm_eps).to(mean)
    return (mean - norm.running_mean.view(1, -1, 1, 1).to(mean)) / deviation, logvar - 2 * deviation.log()


def per_channel(value: float | tuple[float, ...], like: torch.Tensor) -> torch.Tensor | float:
    """A number, or numbers for the channels of `like` [batch, channels, ...]."""
    if isinstance(value, (int, float)):
        return value
    return torch.tensor(value, dtype=like.dtype).view(1, -1, *[1] * (like.ndim - 2))
