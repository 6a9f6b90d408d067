"""A scheduler as the pipeline sees it: progress and cancellation at every step, and a window of the timesteps.

A stock pipeline reads `timesteps`, scales its noise by `init_noise_sigma` and calls `step`. Standing between the two
gives each of them what a node needs, in any pipeline, with the arithmetic left to Diffusers.
"""

from __future__ import annotations

import copy
import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.context import report, stop_if_cancelled
from engine.errors import Code, PatchbayError
from nodes.diffusion.schedules import leftover, noise, proposals
from nodes.diffusion.schedules.estimates import estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Generator, Tensor

    OnStep = Callable[[int, int, Callable[[], Tensor]], None]
    Settle = Callable[[Any, int, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a schedule is run: of `steps` steps those from `first` on, up to `last` or the end."""

    steps: int
    first: int = 0
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """One call of the denoiser among all of them: number `index` of `total`, counted from 0."""

    index: int
    total: int

    def lies_in(self, start: float, end: float) -> bool:
        """Whether it lies wholly inside a share of the calls, as the stock ControlNet pipelines count."""
        return not (self.index / self.total < start or (self.index + 1) / self.total > end)


NOTHING = Window(0, last=0)
"""No step at all."""


class SchedulerShim:
    """Wraps a fresh scheduler; what is not mentioned here is the scheduler's own.

    `on_step(done, total, finished)` is called after each step and stops the pipeline by raising; `total` counts calls
    of the denoiser, which second-order schedulers make twice a step, and `finished()` is what the latents are taken to
    become. Only the steps of `window` are run. `noised` says
    that the latents already carry their noise, so nothing must be scaled. `own` are the generators of the samples:
    every scheduler that draws gets them, also where the pipeline does not hand them on, so none draws from the global
    one. `settle(scheduler, index, latents)` says what becomes of the latents of each step, `index` being the number of
    the next model call. `resume` is what `state()` gave when an earlier run stopped where this one begins. `on_asked`
    is called when timesteps are asked for, `on_timesteps` when they are known, `on_last` with the latents of the last
    step. `asks_twice` says that the pipeline steps to learn what a prediction means, steps back, and steps again with
    `pred_original_sample`; only the second is a step. `share` is the share of the noise that the scheduler makes its
    steps for, if it can be told.
    """

    def __init__(
        self,
        scheduler: Any,  # noqa: ANN401  # diffusers does not type its schedulers
        on_step: OnStep,
        *,
        window: Window | None = None,
        noised: bool = False,
        own: Sequence[Generator] = (),
        settle: Settle | None = None,
        resume: Mapping[str, Any] | None = None,
        on_asked: Callable[[], None] | None = None,
        on_timesteps: Callable[[], None] | None = None,
        on_last: Callable[[Tensor], None] | None = None,
        asks_twice: bool = False,
        share: float | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._on_step = on_step
        self._window = window or Window(0)
        self._noised = noised
        self._own = list(own)
        self._settle = settle
        self._resume = resume
        self._on_asked = on_asked
        self._on_timesteps = on_timesteps
        self._on_last = on_last
        self._asks_twice = asks_twice
        self._told = {} if share is None or _SHARE not in _parameters(scheduler.set_timesteps) else {_SHARE: share}
        self._before: Mapping[str, Any] = {}
        self._done = 0
        self._copied: SchedulerShim | None = None
        self._copies = 0
        self._draws = "generator" in _parameters(scheduler.step)
        # Pipelines look at these signatures to find out what a scheduler accepts.
        self.step = _signed(self._step, scheduler.step)
        self.set_timesteps = _signed(self._set_timesteps, scheduler.set_timesteps)
        self.set_timesteps.__signature__ = proposals.signature_of(scheduler)  # type: ignore[attr-defined]

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:  # noqa: ANN401
        """A copy is a scheduler of its own for the same window, for what is denoised beside the latents: sound, frames.

        It draws from generators of its own, so that each draws the same whatever the others do. The last one made tells
        how far it is where this one makes no steps: where each frame has a scheduler, that of the last frame ends last.
        """

        def on_step(done: int, total: int, _finished: Callable[[], Tensor]) -> None:
            stop_if_cancelled()
            if made is self._copied and not self._done:
                report(done, total)

        self._copies += 1
        made = self._copied = SchedulerShim(
            copy.deepcopy(self._scheduler, memo),
            on_step,
            window=self._window,
            noised=self._noised,
            own=[noise.generator(each.initial_seed() + _APART * self._copies) for each in self._own],
            resume=None if self._resume is None else self._resume[_BESIDE],
        )
        return made

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._scheduler, name)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The scheduler's own: some pipelines ask what they were given."""
        return type(self._scheduler)

    @property
    def timesteps(self) -> Tensor:
        """The timesteps inside the window. The scheduler itself keeps them all: its solver counts from the start."""
        stop = None if self._window.last is None else index_of(self._scheduler, self._window.last)
        window: Tensor = self._scheduler.timesteps[index_of(self._scheduler, self._window.first) : stop]
        return window

    @property
    def _calls(self) -> int:
        """How many calls of the denoiser there are: Wuerstchen's scheduler names the end as one more time."""
        return len(self.timesteps) - (type(self._scheduler).__name__ == "DDPMWuerstchenScheduler")

    @property
    def sigmas(self) -> Any:  # noqa: ANN401  # a tensor, or what the scheduler has in its place
        """The noise levels from the window's first on, as a pipeline counts its calls of the denoiser."""
        own, first = self._scheduler.sigmas, index_of(self._scheduler, self._window.first)
        return own[first:] if first else own

    @property
    def _step_index(self) -> Any:  # noqa: ANN401  # a number, or none yet
        """The scheduler's own count, which some pipelines turn back."""
        return self._scheduler._step_index  # noqa: SLF001

    @_step_index.setter
    def _step_index(self, index: int) -> None:
        self._scheduler._step_index = index  # noqa: SLF001

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
        begin_at(self._scheduler, begin_index + index_of(self._scheduler, self._window.first))

    def _set_timesteps(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        if self._on_asked is not None:
            self._on_asked()
        _check_told(self._scheduler, args, kwargs)
        try:
            proposals.set_timesteps(self._scheduler, *args, **kwargs, **self._told)
        except ZeroDivisionError as error:
            what = f"{type(self._scheduler).__name__} makes no schedule of so few steps."
            raise PatchbayError(Code.BAD_VALUE, "steps", what, "Use two at least.") from error
        self._before = leftover.remembered(self._scheduler)
        if hasattr(self._scheduler, "noise_sampler_seed"):  # it asks the global generator for what it is not told
            self._scheduler.noise_sampler_seed = [each.initial_seed() for each in self._own]
        if self._resume is not None:
            own = {name: value for name, value in self._resume.items() if name != _BESIDE}
            leftover.restore(self._scheduler, own, self._own, self._scheduler.timesteps.device)
        elif self._noised:
            begin_at(self._scheduler, index_of(self._scheduler, self._window.first))
        self._done = 0
        if self._on_timesteps is not None:
            self._on_timesteps()

    def _step(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if self._draws and self._own and kwargs.get("generator") is None:
            kwargs["generator"] = self._own
        if self._asks_twice and "pred_original_sample" not in inspect.signature(self._scheduler.step).parameters:
            what = f"The model's pipeline goes on from clean latents, which {type(self._scheduler).__name__} cannot."
            raise PatchbayError(Code.BAD_VALUE, "scheduler", what, "Use the model's own scheduler.")
        result = self._scheduler.step(*args, **kwargs)
        if self._asks_twice and "pred_original_sample" not in kwargs:
            return result
        self._done += 1
        if self._settle is not None:
            index = index_of(self._scheduler, self._window.first) + self._done
            result = _with_latents(result, self._settle(self._scheduler, index, result[0]))
        total = self._calls
        self._on_step(self._done, total, lambda: estimate(self._scheduler, args, kwargs, result))
        if self._on_last is not None and self._done == total:
            self._on_last(result[0])
        return result

    def position(self, *, whole: bool) -> Position:
        """Where the next call of the denoiser lies among those of the window, or of the `whole` schedule.

        Where a copy makes the steps, it is the last copy's.
        """
        if self._copied is not None and not self._done:
            return self._copied.position(whole=whole)
        if not whole:
            return Position(self._done, self._calls)
        first = index_of(self._scheduler, self._window.first)
        return Position(first + self._done, len(self._scheduler.timesteps))

    def state(self) -> dict[str, Any]:
        """What the solver and the generators hold now, for a run that goes on from here."""
        beside = {} if self._copied is None else {_BESIDE: self._copied.state()}
        return {**leftover.state_of(self._scheduler, self._before, self._own), **beside}


_BESIDE = "beside"
"""The state of the scheduler's copy in its own."""

_APART = 2**40
"""What is added to the seeds of a scheduler's generators for those of a copy, once for each copy."""

_SHARE = "strength"
"""What a scheduler that makes its steps for a share of the noise calls that."""


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


def _check_told(scheduler: Any, args: Sequence[object], kwargs: Mapping[str, object]) -> None:  # noqa: ANN401
    """Refuse what the pipeline tells its scheduler and this one cannot be told. Raises `bad_value`."""
    try:
        proposals.signature_of(scheduler).bind_partial(*args, **kwargs)
    except TypeError as error:
        what = f"The model's pipeline tells its scheduler what {type(scheduler).__name__} cannot be told: {error}."
        raise PatchbayError(Code.BAD_VALUE, "scheduler", what, "Use the model's own scheduler.") from error


def _signed(ours: Callable[..., Any], theirs: Callable[..., Any]) -> Callable[..., Any]:
    """`ours` under the name and signature of `theirs`."""

    @functools.wraps(theirs)
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return ours(*args, **kwargs)

    return call


def _with_latents(result: Any, latents: Tensor) -> Any:  # noqa: ANN401  # a tuple, or an object of the scheduler's
    """What a step gave, with other latents in place of its own."""
    if hasattr(result, "_replace"):  # a named tuple
        return result._replace(prev_sample=latents)
    if isinstance(result, tuple):
        return (latents, *result[1:])
    result.prev_sample = latents
    return result


def index_of(scheduler: Any, step: int) -> int:  # noqa: ANN401  # diffusers does not type its schedulers
    """The number of the model call with which a step begins: some schedulers ask more than once a step."""
    own = getattr(scheduler, "index_of", None)
    return int(own(step)) if own else step * int(getattr(scheduler, "order", 1))


def begin_at(scheduler: Any, index: int) -> None:  # noqa: ANN401
    """Tell `scheduler` that its first step will be number `index`, where it can be told; others look it up."""
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(index)
