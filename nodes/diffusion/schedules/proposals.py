"""What pipelines of flow models propose to a scheduler, translated for those that were not made for them.

Such a pipeline names levels (`sigmas`) and a shift that grows with the size of the picture (`mu`), and refuses
schedulers whose `set_timesteps` does not take both, though they can follow: levels in equal steps are what each of
them makes from a number of steps, and `exp(mu)` is the shift that it knows under another name.
"""

from __future__ import annotations

import inspect
from math import exp
from typing import TYPE_CHECKING, Any

import numpy as np

from nodes.diffusion.schedules.scheduler_table import FLOW, prediction_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_FINISHED = frozenset({"LTXEulerAncestralRFScheduler"})
"""These take proposed levels as finished ones, shift and end included."""

_PROPOSED = ("sigmas", "mu")


def takes_proposals(scheduler: Any) -> bool:  # noqa: ANN401  # diffusers does not type its schedulers
    """Whether a scheduler is set up for a flow model, whose pipelines propose levels and a shift."""
    own = type(scheduler).__name__
    return prediction_of({**scheduler.config, "_class_name": own}) == FLOW


def signature_of(scheduler: Any) -> inspect.Signature:  # noqa: ANN401  # diffusers does not type its schedulers
    """The signature of `set_timesteps`, with the parameters that pipelines of flow models look for."""
    own = inspect.signature(scheduler.set_timesteps)
    if not takes_proposals(scheduler):
        return own
    kept = [each for each in own.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    missing = [name for name in _PROPOSED if name not in own.parameters]
    more = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in missing]
    return own.replace(parameters=[*kept, *more])


def set_timesteps(scheduler: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
    """Call the scheduler's own `set_timesteps` with what it can follow of a pipeline's proposals."""
    if takes_proposals(scheduler):
        kwargs = _translated(scheduler, kwargs)
    scheduler.set_timesteps(*args, **kwargs)


def _translated(scheduler: Any, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    own = inspect.signature(scheduler.set_timesteps).parameters
    told = {name: value for name, value in given.items() if name not in _PROPOSED}
    sigmas, mu = given.get("sigmas"), given.get("mu")
    if sigmas is not None:
        if "sigmas" in own and type(scheduler).__name__ not in _FINISHED:
            told["sigmas"] = np.asarray(sigmas)
        else:
            told["num_inference_steps"] = len(sigmas)
    if mu is not None:
        is_moving = bool(scheduler.config.get("use_dynamic_shifting"))
        if "mu" in own and is_moving:
            told["mu"] = mu
        elif is_moving:
            names = {"shift", "flow_shift"} & scheduler.config.keys()
            scheduler.register_to_config(**dict.fromkeys(names, exp(mu)))
    return told
