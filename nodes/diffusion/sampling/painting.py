"""Painting a part of a picture: what a mask leaves out comes back after every step, as stock inpainting classes do it.

Models of the usual kind know nothing of a mask. After each step the latents outside it are replaced by those of the
picture, with the noise of the next step, so what is painted grows into them. Models that were made for inpainting read
the mask and the picture around it beside the latents; nothing is put back for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from engine.errors import Code, PatchbayError
from nodes.diffusion.control.beside import widen
from nodes.diffusion.latents.autoencoding import encode_image, sample_distribution
from nodes.diffusion.latents.mask_rules import ALONE, NONE, WITH_PICTURE, check_readable
from nodes.diffusion.pictures import pixels
from nodes.diffusion.pictures.masks import binarize
from nodes.diffusion.stages import layouts
from nodes.diffusion.weights.device import kept
from nodes.types import VAE, BlankLatent, Image, Latent, LatentMask, Mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodes.diffusion.disk.source import ModelSource


def masked(latent: Latent[Any], mask: Mask, around: Latent[Any] | None = None) -> Latent[Any]:
    """The latent, to be painted where the mask is. `around` is the picture with that part hidden, encoded.

    Raises `bad_value` for an unfinished latent, and for a mask of other proportions or of another number of pictures.
    """
    if latent.leftover is not None:
        what = f"This latent was left at step {latent.leftover.step} of {latent.leftover.steps}; a mask comes first."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Mask the latent before its first step.")
    (height, width), (rows, columns) = mask.coverage.shape[-2:], latent.samples.shape[-2:]
    if height % rows or width % columns or height // rows != width // columns:
        what = f"The mask has {width} x {height} pixels, which is no multiple of the latent's {columns} x {rows}."
        raise PatchbayError(Code.BAD_VALUE, "mask", what, "Resize it to the picture that was encoded: ResizeMask.")
    _check_batch(mask.coverage, latent.samples)
    return replace(latent, mask=LatentMask(mask.coverage, None if around is None else around.samples))


def encoded(vae: VAE[Any], image: Image, mask: Mask, seeds: Sequence[int] | None = None) -> Latent[Any]:
    """The picture encoded, to be painted where the mask is, with the picture around it for models that read that.

    `seeds` as in `sample_distribution`. Raises `bad_value` for a mask of another size than the picture.
    """
    pixels.check_same_size("mask", image.pixels, mask.coverage)
    latent, around = (sample_distribution(encode_image(vae, each), seeds) for each in (image, hidden(image, mask)))
    return masked(latent, mask, around)


def hidden(image: Image, mask: Mask) -> Image:
    """The picture with what is to be painted hidden: middle grey, which is nothing to a VAE."""
    return Image(torch.where(binarize(mask).coverage > 0, 0.5, image.pixels))


def check(latent: Latent[Any] | BlankLatent, source: ModelSource) -> None:
    """Refuse a model and a latent that cannot paint together. Raises `bad_value`."""
    mask = latent.mask if isinstance(latent, Latent) else None
    if source.reads_mask:
        check_readable(NONE if mask is None else ALONE if mask.around is None else WITH_PICTURE)
    if mask is not None and source.family.whole:
        what = f"{source.family.pipeline_class} cannot paint a part of a picture: {source.family.whole}."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Use a model of another family, or paste with PasteBack.")


def check_size(latent: Latent[Any], size: layouts.Size) -> None:
    """Refuse a mask of another size than the pictures that the latent stands for. Raises `bad_value`."""
    if latent.mask is None:
        return
    height, width = latent.mask.coverage.shape[-2:]
    if (width, height) != (size.width, size.height):
        what = f"The latent's mask has {width} x {height} pixels, its pictures have {size.width} x {size.height}."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Resize the mask to the picture's size: ResizeMask.")


def _check_batch(coverage: torch.Tensor, samples: torch.Tensor) -> None:
    if len(coverage) not in {1, len(samples)}:
        what = f"There are {len(coverage)} masks for {len(samples)} pictures."
        raise PatchbayError(Code.BAD_VALUE, "mask", what, "Give one mask, or one for each picture.")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stays: `mask` is 1 where is painted, `kept` are the picture's latents, all as the loop holds its latents."""

    mask: torch.Tensor
    kept: torch.Tensor
    noise: torch.Tensor

    def settle(self, scheduler: Any, index: int, latents: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
        """The latents after a step, the picture put back with the noise of model call `index`; none after the last."""
        kept = self.kept
        if index < len(scheduler.timesteps):
            timestep = torch.tensor([scheduler.timesteps[index]])
            if hasattr(scheduler, "scale_noise"):  # flow matching
                kept = scheduler.scale_noise(kept, timestep, self.noise)
            else:
                kept = scheduler.add_noise(kept, self.noise, timestep)
        return (1 - self.mask) * kept + self.mask * latents

    def clean(self, pictures: torch.Tensor) -> torch.Tensor:
        """The same for what a sampler takes for clean pictures."""
        return (1 - self.mask) * self.kept.float() + self.mask * pictures


def surroundings(pipeline: Any, samples: torch.Tensor, mask: LatentMask, noise: torch.Tensor) -> Surroundings:  # noqa: ANN401
    """What stays of latents `samples` with a mask, in a run that noises them with `noise`."""
    picture = (samples if mask.kept is None else mask.kept).to(pipeline.device, pipeline.precision).contiguous()
    small = _small(mask, picture, soft=layouts.patch(pipeline) > 1)
    if pipeline.source.reads_mask:
        small = _grown(small)
    whole = (small if picture.ndim == small.ndim else small.unsqueeze(2)).expand_as(picture)
    return Surroundings(*(layouts.within(pipeline, each) for each in (whole, picture, noise.to(picture))))


def _small(mask: LatentMask, samples: torch.Tensor, *, soft: bool = False) -> torch.Tensor:
    """The mask at the size of latents, as the stock classes make it: its nearest pixels, or `soft` between them."""
    mode = "bilinear" if soft else "nearest"
    return functional.interpolate(_hard(mask, len(samples)), size=samples.shape[-2:], mode=mode).to(samples)


def _grown(small: torch.Tensor) -> torch.Tensor:
    """The mask at the size of latents as Kandinsky's classes have it: grown by six of its eight neighbours."""
    rows, columns = small.shape[-2:]
    wide = functional.pad(small, (1, 1, 1, 1))
    moved = [wide[..., 1 + down : 1 + down + rows, 1 + along : 1 + along + columns] for down, along in _NEIGHBOURS]
    return torch.stack(moved).amax(0)


_NEIGHBOURS = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1))
"""Places from which a mask grows, as steps down and along."""


def _hard(mask: LatentMask, batch: int) -> torch.Tensor:
    """The mask in pixels, 0 or 1, one for each picture."""
    return binarize(Mask(mask.coverage)).coverage.expand(batch, -1, -1, -1)


def left(samples: torch.Tensor, mask: LatentMask | None, noise: torch.Tensor | None) -> LatentMask | None:
    """The mask that an unfinished latent goes on with; the run began with `samples` and `noise`."""
    if mask is None or mask.kept is not None:
        return mask
    return replace(mask, kept=samples, noise=None if noise is None else kept(noise))


def show(pipeline: Any, latent: Latent[Any]) -> None:  # noqa: ANN401
    """Let the pipeline's denoiser read the latent's mask and the picture around it, if it was made for that."""
    source: ModelSource = pipeline.source
    mask = latent.mask
    if not source.reads_mask or mask is None or mask.around is None:
        return
    if source.family.decoder == "movq":
        beside, channels = _hidden_latents(pipeline, latent, mask), latent.samples.shape[1]
    else:
        beside, channels = _hidden_pixels(pipeline, latent, mask, mask.around)
    widen(pipeline, beside, channels)


def _hidden_pixels(
    pipeline: Any,  # noqa: ANN401
    latent: Latent[Any],
    mask: LatentMask,
    hidden: torch.Tensor,
) -> tuple[torch.Tensor, int]:
    """The mask and the latents of the picture with a part of it `hidden`, and the channels of what lies beside."""
    batch, channels = latent.samples.shape[:2]
    around = hidden.to(pipeline.device, pipeline.precision).expand(batch, -1, -1, -1)
    if not layouts.is_packed(pipeline):
        return torch.cat([_small(mask, around), around], 1), channels
    squares = functional.pixel_unshuffle(_hard(mask, batch), layouts.factor(pipeline)).to(around)
    return torch.cat([layouts.pack(pipeline, each) for each in (around, squares)], -1), channels * 4


def _hidden_latents(pipeline: Any, latent: Latent[Any], mask: LatentMask) -> torch.Tensor:  # noqa: ANN401
    """The way of Kandinsky, which hides a part of the picture's latents, not of its pixels, and says what is kept."""
    picture = (latent.samples if mask.kept is None else mask.kept).to(pipeline.device, pipeline.precision).contiguous()
    keep = 1 - _grown(_small(mask, picture))
    return torch.cat([picture * keep, keep], 1)
