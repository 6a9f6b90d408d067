"""Denoisers that read more than latents: what lies beside these in their channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from nodes.diffusion.stages import layouts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nodes.diffusion.control.hints import Reader
    from nodes.types import Control


_NAMED = "easyanimate"
"""The family whose denoiser takes what lies beside latents by a name of its own."""


class Hinted:
    """A denoiser that reads a picture's pixels beside its latents, as pipelines want it that give it latents alone.

    `hint` is the picture for each that is drawn, and `channels` how many the latents have.
    """

    def __init__(self, module: Any, hint: torch.Tensor, channels: int) -> None:  # noqa: ANN401
        self._module = module
        self._hint = hint
        self.config = type(module.config)({**module.config, "in_channels": channels})

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._module, name)

    def __call__(self, *, sample: torch.Tensor, added_cond_kwargs: Mapping[str, Any], **others: Any) -> Any:  # noqa: ANN401
        """The denoiser's answer; guided, there are twice as many latents as pictures."""
        told = {**added_cond_kwargs, "hint": torch.cat([self._hint] * (len(sample) // len(self._hint)))}
        return self._module(sample=sample, added_cond_kwargs=told, **others)


class Widened:
    """A denoiser that reads more than latents, as pipelines want it that give it latents alone.

    `beside` is what it reads beside them, for each picture, and `channels` how many the latents have. Both lie along
    `axis`, or the denoiser takes what is beside them by the name of `control_latents` where that is None. What is not
    mentioned here is the denoiser's own.
    """

    def __init__(self, module: Any, beside: torch.Tensor, channels: int, axis: int | None) -> None:  # noqa: ANN401
        self._module = module
        self._beside = beside
        self._axis = axis
        self.config = type(module.config)({**module.config, "in_channels": channels})

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._module, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """The denoiser's answer; the latents come first, or by name."""
        name = next((name for name in ("hidden_states", "sample") if name in kwargs), None)
        latents = args[0] if name is None else kwargs[name]
        beside = self._beside.repeat(len(latents) // len(self._beside), *[1] * (self._beside.ndim - 1)).to(latents)
        if self._axis is None:
            return self._module(*args, **kwargs, control_latents=beside)
        wide = torch.cat([latents, beside], self._axis)
        return (
            self._module(wide, *args[1:], **kwargs) if name is None else self._module(*args, **{**kwargs, name: wide})
        )


def widen(pipeline: Any, beside: torch.Tensor, channels: int) -> None:  # noqa: ANN401
    """Let the pipeline's denoiser read `beside`, held as the pipeline holds its latents, beside `channels` of these."""
    family = pipeline.source.family
    axis = None if family.name == _NAMED else layouts.channel_axis(pipeline)
    name = family.denoisers[0]
    setattr(pipeline, name, Widened(getattr(pipeline, name), beside, channels, axis))


def show(reader: Reader, controls: Sequence[Control]) -> None:
    """Let a model that was made to follow a picture read it: the control without a ControlNet.

    FLUX draws latents of it before any other noise, as the stock class does. Elsewhere they are the most likely ones,
    where a stock class may draw from the global generator.
    """
    pipeline = reader.pipeline
    if not pipeline.source.reads_picture:
        return
    control = next(control for control in controls if control.net is None)
    name = pipeline.source.family.name
    if pipeline.source.family.decoder == "movq":
        channels = pipeline.movq.config.latent_channels
        pipeline.unet = Hinted(pipeline.unet, reader.pictures(control), channels)
        return
    pictures = reader.pictures(control) * 2 - 1
    is_video = layouts.is_video(pipeline)  # one for all of a batch
    pictures = pictures.transpose(0, 1).unsqueeze(0) if is_video else pictures
    latents = reader.scaled(reader.encoded(pictures, sampled=name == "flux"))
    latents = latents.expand(len(reader.own), *latents.shape[1:]) if is_video else latents
    channels = latents.shape[1] * (4 if layouts.is_packed(pipeline) else 1)
    if name == _NAMED:  # nothing where a first frame could be
        latents = torch.cat([latents, torch.zeros_like(latents)], 1)
    widen(pipeline, layouts.pack(pipeline, latents), channels)
