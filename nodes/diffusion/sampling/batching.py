"""Predictions for and against the prompt as one batch or one after the other, where the model does otherwise.

A pipeline that asks twice a step takes the first answer for what it is. Asked together, it is given something to be
filled in, and the second question is asked for both.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.tuning import ONE_BY_ONE, TunePatch
from nodes.diffusion.sampling import regions
from nodes.diffusion.stages import denoiser_shim

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from nodes.diffusion.sampling.steering import Steering
    from nodes.diffusion.stages.denoiser_shim import Call

_OWN = 'Set guidance_batch of TuneModel to "as the model".'


def install(held: ExitStack, pipeline: Any, steering: Steering, batch: int) -> None:  # noqa: ANN401  # diffusers does not type its pipelines
    """Let the pipeline's denoisers be asked as the patches of its source say. Without such a patch, do nothing.

    Raises `bad_value` where something works on the first prediction before both are there; when `held` ends, too.
    """
    patches = [patch for patch in pipeline.source.patches if isinstance(patch, TunePatch)]
    way = next((patch.guidance_batch for patch in patches), "")
    if not way or steering.negative is None:
        return
    if way == ONE_BY_ONE:
        denoiser_shim.install(pipeline, lambda call: one_by_one(call, batch))
        return
    if steering.guidance is not None or any(map(regions.is_limited, (steering.positive, steering.negative))):
        what = "A guider and several prompts work on the first prediction before the second is asked for."
        raise PatchbayError(Code.BAD_VALUE, "model", what, _OWN)
    together = Together(lambda: pipeline.scheduler.position(whole=False).index)
    denoiser_shim.install(pipeline, together.predict)
    held.push(together.end)


def one_by_one(call: Call, batch: int) -> Any:  # noqa: ANN401  # a tensor, or one tensor for each picture
    """The prediction for a batch of several batches, each asked for by itself."""
    count = len(call.samples) // batch
    said = [call.part(number, count).run() for number in range(count)]
    return torch.cat(said) if isinstance(said[0], torch.Tensor) else [each for part in said for each in part]


class Together:
    """One run of a pipeline that asks twice a step. The first step is asked as ever: it tells the shape of an answer.

    `index` tells the number of the step.
    """

    def __init__(self, index: Callable[[], int]) -> None:
        self._index = index
        self._step = -1
        self._like: torch.Tensor | None = None
        self._first: tuple[Call, torch.Tensor] | None = None

    def end(self, kind: type[BaseException] | None, *_: object) -> None:
        """The run is over: see that every answer was filled in, unless it failed."""
        if kind is None:
            self._check()

    def predict(self, call: Call) -> Any:  # noqa: ANN401
        """For the first call of a step something that the second one fills in, for that one its answer."""
        step = self._index()
        is_second, self._step = step == self._step, step
        if not is_second:
            self._check()
        if self._like is None or (is_second and self._first is None):
            said = call.run()
            self._like = said if is_second else None
            return said
        if self._first is None:
            blank = torch.full_like(self._like, torch.nan)
            self._first = call, blank
            return blank
        (first, blank), self._first = self._first, None
        toward, against = _answer(joined(first, call)).chunk(2)
        blank.copy_(toward)
        return against

    def _check(self) -> None:
        """Refuse to go on from an answer that nothing has filled in."""
        if self._first is not None:
            what = "In some steps the model is asked for the prompt alone, and one batch waits for both."
            raise PatchbayError(Code.BAD_VALUE, "model", what, _OWN)


def _answer(call: Call) -> torch.Tensor:
    try:
        said: torch.Tensor = call.run()
    except (TypeError, ValueError, RuntimeError, LookupError) as error:
        what = f"A {type(call.denoiser).__name__} cannot be asked for both at once: {error}"
        raise PatchbayError(Code.BAD_VALUE, "model", what, _OWN) from error
    return said


def joined(first: Call, second: Call) -> Call:
    """Two calls as one of twice the batch. Raises `bad_value` where they are told what cannot be one."""
    told, other = dict(first.arguments), dict(second.arguments)
    known = inspect.signature(first.denoiser.forward).parameters
    for name in told.keys() & other.keys():
        if f"{name}_mask" in known:
            _even(told, other, name)
    size = len(first.samples)
    return first.told(**{name: _both(name, told.get(name), other.get(name), size) for name in {**told, **other}})


def _even(told: dict[str, Any], other: dict[str, Any], name: str) -> None:
    """Bring prompts [batch, tokens, ...] of different lengths to one, and let a mask say what of them is read."""
    mask = f"{name}_mask"
    if told[name].shape == other[name].shape and (told.get(mask) is None) is (other.get(mask) is None):
        return
    longest = max(told[name].shape[1], other[name].shape[1])
    for each in (told, other):
        value, read = each[name], each.get(mask)
        read = value.new_ones(value.shape[:2], dtype=torch.bool) if read is None else read
        each[name] = functional.pad(value, (0, 0) * (value.ndim - 2) + (0, longest - value.shape[1]))
        each[mask] = functional.pad(read, (0, longest - read.shape[1]))


def _both(name: str, one: Any, two: Any, size: int) -> Any:  # noqa: ANN401  # whatever a denoiser is told
    if isinstance(one, dict):
        return {inner: _both(f"{name}.{inner}", one[inner], two[inner], size) for inner in one}
    if isinstance(one, (list, tuple)) and any(isinstance(item, torch.Tensor) for item in one):
        return type(one)(_both(name, item, other, size) for item, other in zip(one, two, strict=True))
    if not isinstance(one, torch.Tensor) or not isinstance(two, torch.Tensor):
        if one is two or one == two:
            return one
    elif one.ndim and len(one) == size and one.shape == two.shape:
        return torch.cat([one, two])
    elif one.shape == two.shape and torch.equal(one, two):
        return one
    what = f"The model is told another {name} for the prompt than against it, which one batch cannot say."
    raise PatchbayError(Code.BAD_VALUE, "model", what, _OWN)
