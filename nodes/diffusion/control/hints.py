"""What ControlNets read of a picture: its pixels, its latents, or these with a mask."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.nets import ADAPTER, BORROWER, PART, SPARSE
from nodes.diffusion.latents.codecs import per_channel, scale_of, takes_videos
from nodes.diffusion.memory.encodings import remembering
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.masks import HALF, binarize
from nodes.diffusion.pictures.pixels import resize, resize_mask, to_pillow
from nodes.diffusion.stages import layouts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import ExitStack

    from nodes.diffusion.stages.layouts import Size
    from nodes.types import Control, ControlNet


@dataclass(frozen=True, slots=True)
class Hint:
    """A control ready to be used: the live ControlNet, and what it reads, or an adapter has said, for each sample."""

    control: Control
    net: Any
    read: Any

    @property
    def class_name(self) -> str:
        """The ControlNet's class."""
        return type(self.net).__name__

    def beside(self, samples: Sequence[Any]) -> torch.Tensor:
        """What it reads beside samples; guided, they are there once against and once for the prompt."""
        return torch.cat([self.read] * (len(samples) // len(self.read)))


@dataclass(frozen=True, slots=True)
class Reader:
    """A run that pictures are read for: its pipeline, the pictures' size, and the samples' generators."""

    held: ExitStack
    pipeline: Any
    size: Size
    own: list[torch.Generator]
    guided: bool

    def hint(self, control: Control, net: ControlNet[Any]) -> Hint:
        """The control with its ControlNet from the shelf."""
        live = self.held.enter_context(SHELF.use(net.source, PART))
        name = net.source.class_name
        if name == BORROWER:
            live = _lent(live, getattr(self.pipeline, self.pipeline.source.family.denoisers[0]))
        read: Callable[[Reader, Control, Any], Any] = _READ.get(name, _pixels)
        return Hint(control, live, read(self, control, live))

    def picture(self, control: Control) -> torch.Tensor:
        """The pictures of a control in [0, 1], as large as those to come. Raises `bad_value` for a wrong number."""
        image = resize(control.image, self.size.width, self.size.height)
        _check_number("pictures", len(image.pixels), self.count)
        return image.pixels.to(self.pipeline.device, self.pipeline.precision)

    @property
    def count(self) -> int:
        """How many pictures are made: those of a batch, or the frames of a video."""
        return self.size.frames if layouts.is_video(self.pipeline) else len(self.own)

    def pictures(self, control: Control) -> torch.Tensor:
        """The same, one for each picture that is made."""
        return self.picture(control).expand(self.count, -1, -1, -1)

    def mask(self, control: Control) -> torch.Tensor | None:
        """Where is to be painted, 0 or 1, as large as the pictures; one for each."""
        if control.mask is None:
            return None
        coverage = binarize(resize_mask(control.mask, self.size.width, self.size.height)).coverage
        _check_number("masks", len(coverage), self.count)
        return coverage.expand(self.count, -1, -1, -1).to(self.pipeline.device, self.pipeline.precision)

    def encoded(self, pictures: torch.Tensor, *, sampled: bool = False) -> torch.Tensor:
        """The VAE's own latents of pictures in [-1, 1]: the most likely ones, or `sampled` by the generators."""
        vae = self.vae
        found = vae.encode(pictures.unsqueeze(2) if takes_videos(vae) and pictures.ndim == 4 else pictures)  # noqa: PLR2004
        if not hasattr(found, "latent_dist"):
            latents: torch.Tensor = found.latent
            return latents
        drawn: torch.Tensor = found.latent_dist.sample(self.own) if sampled else found.latent_dist.mode()
        return drawn

    def doubled(self, pictures: torch.Tensor) -> torch.Tensor:
        """The same of a batch as large as the stock class encodes: the last bit depends on that."""
        return self.encoded(torch.cat([pictures] * 2) if self.guided else pictures)[: len(pictures)]

    def scaled(self, latents: torch.Tensor, *, shifted: bool = True) -> torch.Tensor:
        """Latents as the denoiser wants them."""
        shift, scale = scale_of(self.vae, self.pipeline.source)
        return (latents - (per_channel(shift, latents) if shifted else 0)) * per_channel(scale, latents)

    @property
    def vae(self) -> Any:  # noqa: ANN401  # diffusers does not type its models
        """The live VAE."""
        source = self.pipeline.source
        name = source.family.decoder
        return remembering(self.held.enter_context(SHELF.use(source, name)), source, name)


def _check_number(noun: str, given: int, wanted: int) -> None:
    if given not in {1, wanted}:
        what = f"A control of {given} {noun} cannot steer {wanted}."
        raise PatchbayError(Code.BAD_VALUE, "positive", what, f"Give it one, or {wanted}.")


def _pixels(reader: Reader, control: Control, net: Any) -> torch.Tensor:  # noqa: ANN401, ARG001
    return reader.pictures(control)


def _of_flux(reader: Reader, control: Control, net: Any) -> torch.Tensor:  # noqa: ANN401
    """Latents drawn before any other noise, as in the stock class; or pixels, for those that have a hint block."""
    pictures = reader.pictures(control) * 2 - 1
    if net.input_hint_block is not None:
        return pictures
    return layouts.pack(reader.pipeline, reader.scaled(reader.encoded(pictures, sampled=True)))


def _of_sd3(reader: Reader, control: Control, net: Any) -> torch.Tensor:  # noqa: ANN401
    """Most likely latents: the stock class draws from the global generator, so no seed brings its own back."""
    pictures = reader.pictures(control) * 2 - 1
    mask = reader.mask(control)
    if mask is not None:
        return _with_mask(reader, pictures, mask)
    return reader.scaled(reader.doubled(pictures), shifted=not net.config.force_zeros_for_pooled_projection)


def _of_qwen(reader: Reader, control: Control, net: Any) -> torch.Tensor:  # noqa: ANN401, ARG001
    pictures = reader.pictures(control) * 2 - 1
    mask = reader.mask(control)
    if mask is None:
        found = reader.scaled(reader.encoded(pictures, sampled=True)).squeeze(2)
    else:
        found = _with_mask(reader, pictures, mask)
    return layouts.pack(reader.pipeline, found)


def _with_mask(reader: Reader, pictures: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Latents of what is kept, and beside them 1 where that is. The stock class draws them from no seed."""
    latents = reader.scaled(reader.encoded(torch.where(mask > 0, -1, pictures)))
    latents = latents.squeeze(2) if latents.ndim == 5 else latents  # noqa: PLR2004  # a video of one frame
    return torch.cat([latents, 1 - functional.interpolate(mask, size=latents.shape[-2:])], 1)


def _doubled(reader: Reader, control: Control, net: Any) -> torch.Tensor:  # noqa: ANN401, ARG001
    """Most likely latents: no seed brings back those of a stock class that draws from the global generator."""
    return reader.scaled(reader.doubled(reader.pictures(control) * 2 - 1))


def _of_z_image(reader: Reader, control: Control, net: Any) -> torch.Tensor:  # noqa: ANN401
    """Most likely latents, and where a ControlNet has room for a mask and the picture around it, these or zeros."""
    latents = reader.scaled(reader.encoded(reader.pictures(control) * 2 - 1)).unsqueeze(2)
    mask = reader.mask(control)
    if mask is not None and control.around is not None:
        around = reader.pictures(replace(control, image=control.around)) * 2 - 1
        found = reader.scaled(reader.encoded(around * (mask < HALF)))
        kept = functional.interpolate(1 - mask, size=found.shape[-2:])
        return torch.cat([latents, kept.unsqueeze(2), found.unsqueeze(2)], 1)
    free = net.config.control_in_dim - latents.shape[1]
    return torch.cat([latents, latents.new_zeros(len(latents), free, *latents.shape[2:])], 1) if free else latents


def _key_frames(reader: Reader, control: Control, net: Any) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ANN401
    """The first frames of a video and nothing of the others, and 1 where they are: pixels, or most likely latents."""
    pictures = resize(control.image, reader.size.width, reader.size.height).pixels
    count = len(pictures)
    if count > reader.count:
        what = f"A control of {count} pictures cannot steer {reader.count} frames."
        raise PatchbayError(Code.BAD_VALUE, "positive", what, "Give it fewer pictures: they are the first frames.")
    pictures = pictures.to(reader.pipeline.device, reader.pipeline.precision)
    if net.use_simplified_condition_embedding:
        pictures = reader.scaled(reader.encoded(pictures * 2 - 1))
    video = pictures.new_zeros(1, pictures.shape[1], reader.count, *pictures.shape[2:])
    given = torch.zeros_like(video[:, :1])
    video[:, :, :count] = pictures.transpose(0, 1)
    given[:, :, :count] = 1
    return video, given


def _features(reader: Reader, control: Control, net: Any) -> list[torch.Tensor]:  # noqa: ANN401
    """What an adapter says, once for all steps, of each picture; some read shades of grey."""
    pictures = reader.picture(control)
    last = pictures.permute(0, 2, 3, 1).contiguous()
    if net.config.in_channels == 1:
        grey = [torch.tensor(list(to_pillow(each).convert("L").tobytes())) for each in pictures]
        last = torch.stack(grey).view(*last.shape[:3], 1).to(pictures) / 255
    pictures = last.permute(0, 3, 1, 2)  # the channels lie last, as in the stock class: rounding depends on it
    weight = torch.tensor(control.strength)
    return [(weight * each).repeat(reader.count // len(each), 1, 1, 1) for each in net(pictures)]


_READ: Mapping[str, Callable[[Reader, Control, Any], Any]] = {
    ADAPTER: _features,
    BORROWER: _of_z_image,
    SPARSE: _key_frames,
    "FluxControlNetModel": _of_flux,
    "SD3ControlNetModel": _of_sd3,
    "QwenImageControlNetModel": _of_qwen,
    "HunyuanDiT2DControlNetModel": _doubled,
    "SanaControlNetModel": _doubled,
}
"""What the ControlNets of a class read; others read pixels."""


def _lent(net: Any, denoiser: Any) -> Any:  # noqa: ANN401
    """A ControlNet with the layers of this model that it works with: a copy, for others use the same net."""
    own = copy(net)
    own.__dict__.update({name: dict(getattr(net, name)) for name in ("_modules", "_parameters")})
    lent: Any = type(net).from_transformer(own, denoiser)
    return lent
