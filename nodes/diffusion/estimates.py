"""What a model takes the finished latents to be, seen from the middle of a run."""

from __future__ import annotations

import inspect
from math import sqrt
from typing import TYPE_CHECKING, Any

import torch

from nodes.diffusion.scheduler_table import FLOW, prediction_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def estimate(scheduler: Any, args: Sequence[object], kwargs: Mapping[str, object], result: Any) -> torch.Tensor:  # noqa: ANN401
    """The clean latents that the step of `scheduler`, called with these arguments, was taken towards.

    Many schedulers give it beside their `result`. For the others it is computed from what the model said: with
    `a` the signal's share of the variance, `(x - sqrt(1 - a) * output) / sqrt(a)` for noise, `sqrt(a) * x -
    sqrt(1 - a) * output` for v (Salimans and Ho, 2022), and `x - t * output` for a flow. Where times differ within the
    latents it is the step's own latents, noise and all.
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
    prediction = prediction_of({"_class_name": type(scheduler).__name__, **scheduler.config})
    if prediction == FLOW:
        return sample - output * time / int(scheduler.config.num_train_timesteps)
    if prediction == "sample":
        return output
    share = float(scheduler.alphas_cumprod[round(time)])
    signal, noise = sqrt(share), sqrt(1 - share)
    if prediction == "epsilon":
        return (sample - noise * output) / signal
    return signal * sample - noise * output
