"""A scheduler as the pipeline sees it: progress and cancellation at every step, and a window of the timesteps.

A stock pipeline reads `timesteps`, scales its noise by `init_noise_sigma` and calls `step`. Standing between the two
gives each of them what a node needs, in any pipeline, with the arithmetic left to Diffusers.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    OnStep = Callable[[int, int, Tensor], None]


class SchedulerShim:
    """Wraps a fresh scheduler; what is not mentioned here is the scheduler's own.

    `on_step(done, total, latents)` is called after each step and stops the pipeline by raising; `total` counts calls
    of the denoiser, which second-order schedulers make twice a step. `first` is the number of steps to leave out, as
    image-to-image does. `noised` says that the latents already carry their noise, so nothing must be scaled.
    """

    def __init__(self, scheduler: Any, on_step: OnStep, *, first: int = 0, noised: bool = False) -> None:  # noqa: ANN401
        self._scheduler = scheduler
        self._on_step = on_step
        self._first = first * scheduler.order
        self._noised = noised
        self._done = 0
        # Pipelines look at these signatures to find out what a scheduler accepts.
        self.step = _signed(self._step, scheduler.step)
        self.set_timesteps = _signed(self._set_timesteps, scheduler.set_timesteps)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._scheduler, name)

    @property
    def timesteps(self) -> Tensor:
        """The timesteps inside the window. The scheduler itself keeps them all: its solver counts from the start."""
        window: Tensor = self._scheduler.timesteps[self._first :]
        return window

    @property
    def init_noise_sigma(self) -> Any:  # noqa: ANN401  # a float or a tensor
        """What the pipeline multiplies the first latents by: the scheduler's own, or 1 for latents that have noise."""
        return 1.0 if self._noised else self._scheduler.init_noise_sigma

    def _set_timesteps(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        self._scheduler.set_timesteps(*args, **kwargs)
        if self._noised:
            begin_at(self._scheduler, self._first)
        self._done = 0

    def _step(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        result = self._scheduler.step(*args, **kwargs)
        self._done += 1
        self._on_step(self._done, len(self.timesteps), result[0])
        return result


def _signed(ours: Callable[..., Any], theirs: Callable[..., Any]) -> Callable[..., Any]:
    """`ours` under the name and signature of `theirs`."""

    @functools.wraps(theirs)
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return ours(*args, **kwargs)

    return call


def begin_at(scheduler: Any, index: int) -> None:  # noqa: ANN401
    """Tell `scheduler` that its first step will be number `index`, where it can be told; others look it up."""
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(index)
