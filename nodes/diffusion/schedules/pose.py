"""A sampler posing as a scheduler of Diffusers, so that any stock pipeline drives it.

A pipeline loops over `timesteps`, asks the model at each and calls `step` with the answer. The sampler is a generator
that asks at each noise level and waits for the answer: `step` resumes it. The pipeline always holds what the model is
to be given next, so there is nothing for it to scale.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.schedules import noise
from nodes.diffusion.schedules.processes import falling
from nodes.diffusion.schedules.samplers import SAMPLERS, STRAIGHT, levels

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from nodes.diffusion.schedules.processes import Process


class Stepped(NamedTuple):
    """What `step` gives: the latents to go on with, and the clean ones that the model saw."""

    prev_sample: torch.Tensor
    pred_original_sample: torch.Tensor


class SamplerScheduler:
    """The sampler `name` with its `settings` on the noise levels of a live Diffusers scheduler, or on its own.

    `given` are levels in the model's own units, falling. `timesteps` are the times of all model calls, of which a step
    may have two; `sigmas` are the levels that go with them and the last one. `settle` says what becomes of each clean
    picture that the model expects, where only a part of it is painted.
    """

    order = 1

    def __init__(
        self,
        base: Any,  # noqa: ANN401  # diffusers does not type its schedulers
        process: Process,
        name: str,
        settings: Mapping[str, float],
        given: Sequence[float] | None = None,
    ) -> None:
        self.config = base.config
        self.begin_index: int | None = None
        self.timesteps = torch.zeros(0)
        self.sigmas = torch.zeros(0)
        self.settle: Callable[[torch.Tensor], torch.Tensor] | None = None
        self._base = base
        self._name, self._settings = name, settings
        self._given = None if given is None else tuple(given)
        self.process = replace(process, straight=name in STRAIGHT)
        self.levels: tuple[float, ...] = ()
        self._sigmas: list[float] = []
        self._asked: list[float] = []
        self._restart()

    def set_timesteps(
        self,
        num_inference_steps: int | None = None,
        device: Any = None,  # noqa: ANN401  # what torch takes
        sigmas: Any = None,  # noqa: ANN401  # what the pipeline proposes
        mu: float | None = None,
    ) -> None:
        """Find the noise levels of all steps and the times of all model calls. Raises `bad_value`."""
        proposed = {"sigmas": sigmas, "mu": mu}
        told = {name: value for name, value in proposed.items() if value is not None}
        self._base.set_timesteps(num_inference_steps if sigmas is None else None, device="cpu", **told)
        known = {self.process.sigma_of(float(level)): float(time) for level, time in self._pairs()}
        self.levels = self._given or tuple(float(level) for level in self._base.sigmas)
        self._check(len(self._base.sigmas) - 1)
        self._sigmas = [self.process.sigma_of(level) for level in self.levels]
        self._asked = levels(self._name, self._sigmas, self._settings)
        times = [known.get(sigma, self.process.timestep_of(sigma)) for sigma in self._asked]
        self.timesteps = torch.tensor(times, dtype=torch.float32, device=device)
        self.sigmas = torch.tensor([self.process.level_of(sigma) for sigma in [*self._asked, self._sigmas[-1]]])
        self.begin_index = None
        self._restart()

    def _pairs(self) -> zip[tuple[Any, Any]]:
        return zip(self._base.sigmas, self._base.timesteps, strict=False)

    def _check(self, steps: int) -> None:
        own = self.levels
        if len(own) - 1 != steps:
            what = f"These sigmas make {len(own) - 1} steps, and {steps} are wanted."
            raise PatchbayError(Code.BAD_VALUE, "steps", what, f"Set steps to {len(own) - 1}, or make other sigmas.")
        if not falling(own) or own[-1] < 0 or not isfinite(own[0]) or (self.process.flow and own[0] > 1):
            limit = " from at most 1" if self.process.flow else ""
            what = f"A sampler takes sigmas that fall at every step{limit}; these start {_shown(own)}."
            raise PatchbayError(Code.BAD_VALUE, "scheduler", what, "Reverse or cut them.")

    def index_of(self, step: int) -> int:
        """The number of the model call with which a step begins."""
        return len(levels(self._name, self._sigmas[: step + 1], self._settings))

    @property
    def init_noise_sigma(self) -> float:
        """What standard noise is multiplied by to be what the model is given first."""
        sigma = self._sigmas[0]
        if self.process.flow:
            return 1.0
        widened = self.config.get("timestep_spacing", "linspace") not in {"linspace", "trailing"}
        return (self.process.scale(sigma) if widened else sigma) / self.process.scale(sigma)

    def set_begin_index(self, begin_index: int = 0) -> None:
        """Say that the first call of `step` answers model call number `begin_index`, with which a step begins."""
        self.begin_index = begin_index

    def scale_model_input(self, sample: torch.Tensor, *_: object) -> torch.Tensor:
        """The sample itself: it is scaled already."""
        return sample

    def add_noise(self, original: torch.Tensor, drawn: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """The clean latents with noise of the level that belongs to the first of the timesteps."""
        sigma = self._asked[int((self.timesteps - timesteps[0]).abs().argmin())]
        return self.process.noised(original.float(), drawn.float(), sigma).to(original.dtype)

    def step(
        self,
        model_output: torch.Tensor,
        timestep: Any,  # noqa: ANN401, ARG002  # the sampler knows its time
        sample: torch.Tensor,
        generator: torch.Generator | list[torch.Generator] | None = None,
        return_dict: bool = True,  # noqa: FBT001, FBT002, ARG002  # as every scheduler's; both can be one
    ) -> Stepped:
        """Give the sampler the model's answer; what comes back is what the model is to be given next.

        `generator` has one generator for each sample; it is looked at in the first call.
        """
        if self._steps is None:
            self._begin(sample, [generator] if isinstance(generator, torch.Generator) else generator)
        self._told.append(model_output)
        clean = self._resume(model_output)
        scale = self.process.scale(self._sigma) if self.process.flow or not self._over else 1.0
        result = (self._x / scale).to(model_output.dtype)
        return Stepped(result, clean)

    def _restart(self) -> None:
        self._steps: Generator[tuple[torch.Tensor, float], torch.Tensor | None, torch.Tensor] | None = None
        self._x, self._sigma, self._over = torch.zeros(0), 0.0, False
        self._start: tuple[torch.Tensor, int, list[torch.Tensor]] | None = None
        self._told: list[torch.Tensor] = []

    def _begin(self, sample: torch.Tensor, own: list[torch.Generator] | None) -> None:
        first = self._first()
        if own is None:
            what = "A sampler draws from generators of its own; the pipeline handed none on."
            raise PatchbayError(Code.NODE_FAILED, "scheduler", what)
        sample = sample.clone()  # some pipelines write into theirs
        self._start = (sample, first, [each.get_state() for each in own])
        self._open(sample, first, own)

    def _first(self) -> int:
        """The step that the first model call belongs to."""
        return bisect_left(range(len(self._sigmas)), self.begin_index or 0, key=self.index_of)

    def _open(self, sample: torch.Tensor, first: int, own: Sequence[torch.Generator]) -> None:
        x = sample.float() * self.process.scale(self._sigmas[first])
        shape, device = sample.shape[1:], sample.device
        self._steps = SAMPLERS[self._name](
            x, self._sigmas[first:], lambda: noise.draw(shape, own, torch.float32).to(device), **self._settings
        )
        self._resume(None)

    def _resume(self, output: torch.Tensor | None) -> Any:  # noqa: ANN401  # a tensor, if there was an output
        """Give the sampler the model's answer and wait for its next question; returns the clean picture meant."""
        steps = self._steps
        if steps is None:
            message = "the sampler has not begun"
            raise RuntimeError(message)
        answer = None if output is None else self.process.denoised(output.float(), self._x, self._sigma)
        if answer is not None and self.settle is not None:
            answer = self.settle(answer)
        try:
            self._x, self._sigma = steps.send(answer)
        except StopIteration as done:
            self._x, self._sigma, self._over = done.value, self._sigmas[-1], True
        return answer

    def snapshot(self) -> dict[str, Any]:
        """What is needed to go on from here: how it began, and everything that it was told since."""
        if self._start is None:
            message = "a sampler that has not begun has no state"
            raise RuntimeError(message)
        sample, first, states = self._start
        return {"sample": sample, "first": first, "states": list(states), "told": list(self._told)}

    def replay(self, state: Mapping[str, Any], own: Sequence[torch.Generator]) -> None:
        """Bring the sampler to where `snapshot` was taken, its noise included."""
        for each, kept in zip(own, state["states"], strict=True):
            each.set_state(kept.cpu())
        self._start = (state["sample"], state["first"], list(state["states"]))
        self._open(state["sample"], state["first"], own)
        for output in state["told"]:
            self._told.append(output)
            self._resume(output)


def _shown(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values[:4])
