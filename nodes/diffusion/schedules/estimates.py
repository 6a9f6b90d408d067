"""What a model takes the finished latents to be, seen from the middle of a run."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch

from nodes.diffusion.schedules.processes import process_of
from nodes.diffusion.schedules.scheduler_table import prediction_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def estimate(scheduler: Any, args: Sequence[object], kwargs: Mapping[str, object], result: Any) -> torch.Tensor:  # noqa: ANN401
    """The clean latents that the step of `scheduler`, called with these arguments, was taken towards.

    Many schedulers give it beside their `result`. For the others it is what the model's output means to its process.
    Where times differ within the latents it is the step's own latents, noise and all.
    """
    if len(result) > 1:
        given: torch.Tensor = result[1]
        return given
    told = inspect.signature(scheduler.step).bind(*args, **kwargs).arguments
    output, sample, time = told["model_output"], told["sample"], torch.as_tensor(told["timestep"])
    if time.numel() != 1:
        latents: torch.Tensor = result[0]
        return latents
    return _clean(scheduler, output.float(), sample.float(), float(time))


def _clean(scheduler: Any, output: torch.Tensor, sample: torch.Tensor, time: float) -> torch.Tensor:  # noqa: ANN401
    process = process_of(scheduler, prediction_of({"_class_name": type(scheduler).__name__, **scheduler.config}))
    sigma = process.sigma_of(time / process.timesteps) if process.flow else process.table[round(time)]
    return process.denoised(output, sample * process.scale(sigma), sigma)
