"""Latents that a run begins with when it does not begin with noise alone, and what becomes of their masks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from nodes.diffusion.latents import sounding
from nodes.diffusion.sampling import painting
from nodes.diffusion.schedules import noise, schedulers
from nodes.diffusion.schedules.pose import SamplerScheduler
from nodes.diffusion.schedules.shim import SchedulerShim, begin_at, index_of
from nodes.diffusion.stages import layouts, stock
from nodes.diffusion.stages.pipelines import beginning, taught
from nodes.types import Latent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.diffusion.sampling.wish import Wish
    from nodes.types import BlankLatent, LatentMask


@dataclass(frozen=True, slots=True)
class Begun:
    """Latents as the first step wants them, and the noise in them; None where a run goes on that drew none here."""

    latents: torch.Tensor
    noise: torch.Tensor | None


def begun_with(pipeline: Any, wish: Wish, latent: Latent[Any], arguments: Mapping[str, Any]) -> Begun:  # noqa: ANN401
    """The given latents with the noise of the window's first timestep, unless they have that already.

    Only the pipeline knows its timesteps, which may depend on the picture's size, so it is asked up to there.
    """
    source, samples = wish.source, latent.samples
    layouts.check_shape(pipeline, samples)
    # what is unfinished goes on as it is: some pipelines hold their latents in single precision whatever the model's is
    samples = samples.to(pipeline.device, pipeline.precision if latent.leftover is None else samples.dtype)
    if latent.mask is not None:
        samples = samples.contiguous()  # as stock inpainting has them: convolutions round differently in other layouts
    if latent.leftover is not None:
        sounding.begin(pipeline, latent, None, 0, wish.own)
        return Begun(samples.clone(), None if latent.mask is None else latent.mask.noise)  # some write into theirs
    live = taught(pipeline, schedulers.build(wish.scheduler, source.scheduler, source.family.pipeline_class))
    pipeline.scheduler = SchedulerShim(live, lambda *_: None, noised=True, on_timesteps=stock.stop, share=wish.share)
    asked = {
        **beginning(pipeline, layouts.pack(pipeline, samples)),
        "generator": noise.generators(0, len(samples)),
    }
    with suppress(stock.Reached):
        pipeline(**{**arguments, **asked})
    index = index_of(live, wish.window.first)
    begin_at(live, index)
    if source.family.frames_first and samples.ndim == 5:  # noqa: PLR2004  # [batch, channels, frames, height, width]
        samples, drawn = _frame_by_frame(samples, wish.own)
    else:
        drawn = noise.draw(samples.shape[1:], wish.own, samples.dtype).to(samples.device)
    sounding.begin(pipeline, latent, live, index, wish.own)
    if latent.mask is not None and not wish.window.first and not hasattr(live, "scale_noise"):
        return Begun(drawn * live.init_noise_sigma, drawn)
    return Begun(noise.added(live, index, samples, drawn), drawn)


def _frame_by_frame(samples: torch.Tensor, own: list[torch.Generator]) -> tuple[torch.Tensor, torch.Tensor]:
    """The latents of videos and noise for them, as classes have both that lay them out by frames in memory."""
    frames = samples.transpose(1, 2).contiguous()
    drawn = noise.draw(frames.shape[1:], own, samples.dtype).to(samples.device)
    return frames.transpose(1, 2), drawn.transpose(1, 2)


def settling(pipeline: Any, live: Any, latent: Latent[Any] | BlankLatent, begun: Begun | None) -> Any:  # noqa: ANN401
    """What becomes of the latents after each step, where a mask keeps some of them and the model reads none."""
    if not isinstance(latent, Latent) or latent.mask is None or begun is None or begun.noise is None:
        return None
    if pipeline.source.reads_mask and not pipeline.source.family.puts_back:
        return None
    around = painting.surroundings(pipeline, latent.samples, latent.mask, begun.noise)
    if isinstance(live, SamplerScheduler):
        live.settle = around.clean
    return around.settle


def left_of(latent: Latent[Any] | BlankLatent, begun: Begun | None) -> LatentMask | None:
    """The mask that goes on with a latent that is left unfinished."""
    if not isinstance(latent, Latent) or begun is None:
        return None
    return painting.left(latent.samples, latent.mask, begun.noise)
