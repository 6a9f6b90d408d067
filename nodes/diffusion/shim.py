"""A scheduler as the pipeline sees it: progress and cancellation at every step, and a window of the timesteps.

A stock pipeline reads `timesteps`, scales its noise by `init_noise_sigma` and calls `step`. Standing between the two
gives each of them what a node needs, in any pipeline, with the arithmetic left to Diffusers.
"""

from __future__ import annotations

import copy
import functools
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Generator, Tensor

    OnStep = Callable[[int, int, Tensor], None]


class SchedulerShim:
    """Wraps a fresh scheduler; what is not mentioned here is the scheduler's own.

    `on_step(done, total, latents)` is called after each step and stops the pipeline by raising; `total` counts calls
    of the denoiser, which second-order schedulers make twice a step. `first` is the number of steps to leave out, as
    image-to-image does; None leaves out all of them. `noised` says that the latents already carry their noise, so
    nothing must be scaled. `on_asked` is called when timesteps are asked for, `on_timesteps` when they are known,
    `on_last` with the latents of the last step. `own` are the generators that a step
    draws from when its pipeline gives none, which would be the process's own.
    """

    def __init__(
        self,
        scheduler: Any,  # noqa: ANN401
        on_step: OnStep,
        *,
        first: int | None = 0,
        noised: bool = False,
        on_timesteps: Callable[[], None] | None = None,
        own: list[Generator] | None = None,
        on_last: Callable[[Tensor], None] | None = None,
        on_asked: Callable[[], None] | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._on_step = on_step
        self._first = None if first is None else first * scheduler.order
        self._noised = noised
        self._on_timesteps = on_timesteps
        self._on_last = on_last
        self._on_asked = on_asked
        self._own = own if own and "generator" in inspect.signature(scheduler.step).parameters else None
        self._done = 0
        # Pipelines look at these signatures to find out what a scheduler accepts.
        self.step = _signed(self._step, scheduler.step)
        self.set_timesteps = _signed(self._set_timesteps, scheduler.set_timesteps)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:  # noqa: ANN401
        """A copy is a scheduler of its own, for what a pipeline denoises beside its latents: sound, single frames."""
        return copy.deepcopy(self._scheduler, memo)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._scheduler, name)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The scheduler's own: some pipelines ask what they were given."""
        return type(self._scheduler)

    @property
    def timesteps(self) -> Tensor:
        """The timesteps inside the window. The scheduler itself keeps them all: its solver counts from the start."""
        timesteps: Tensor = self._scheduler.timesteps
        return timesteps[:0] if self._first is None else timesteps[self._first :]

    @property
    def init_noise_sigma(self) -> Any:  # noqa: ANN401  # a float or a tensor
        """What the pipeline multiplies the first latents by: the scheduler's own, or 1 for latents that have noise."""
        return 1.0 if self._noised else self._scheduler.init_noise_sigma

    def scale_model_input(self, sample: Tensor, *args: Any, **kwargs: Any) -> Tensor:  # noqa: ANN401
        """The scheduler's own; as it is where there is none, which some pipelines tell by the exact class."""
        if not hasattr(self._scheduler, "scale_model_input"):
            return sample
        scaled: Tensor = self._scheduler.scale_model_input(sample, *args, **kwargs)
        return scaled

    def set_begin_index(self, begin_index: int = 0) -> None:
        """Count the beginning that a pipeline names from the window's, for schedulers that are told theirs."""
        if hasattr(self._scheduler, "set_begin_index"):
            self._scheduler.set_begin_index(begin_index + (self._first or 0))

    def _set_timesteps(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        if self._on_asked is not None:
            self._on_asked()
        self._scheduler.set_timesteps(*args, **kwargs)
        if self._noised and self._first is not None:
            begin_at(self._scheduler, self._first)
        self._done = 0
        if self._on_timesteps is not None:
            self._on_timesteps()

    def _step(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if self._own is not None and kwargs.get("generator") is None:
            kwargs["generator"] = self._own if len(self._own) > 1 else self._own[0]
        result = self._scheduler.step(*args, **kwargs)
        self._done += 1
        total = len(self.timesteps)
        self._on_step(self._done, total, result[0])
        if self._on_last is not None and self._done == total:
            self._on_last(result[0])
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
