"""A denoiser as the pipeline sees it for the time of one run: each of its predictions is open to a hand.

The denoiser itself is shared with other runs, so nothing is ever set on it.
"""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from nodes.diffusion.weights.libraries import Transformer2DModelOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Predict = Callable[["Call"], Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A prediction that the pipeline asks for: the arguments by the names of the denoiser's `forward`, in its order.

    `label` is what the pipeline calls it, where it names its calls: "cond" and "uncond" where they come one by one.
    `name` is what the pipeline calls the denoiser. What a denoiser says beside its prediction, of sound, is left in
    `beside` when it is run.
    """

    denoiser: Any
    arguments: Mapping[str, Any]
    label: str | None = None
    name: str = ""
    beside: list[Any] = field(default_factory=list)

    @property
    def samples(self) -> Any:  # noqa: ANN401  # a tensor, or one tensor for each picture
        """The noisy latents."""
        return next(iter(self.arguments.values()))

    def run(self) -> Any:  # noqa: ANN401
        """What the denoiser says. Some take what they are told out of its mappings, so they get copies."""
        told = {name: dict(value) if isinstance(value, dict) else value for name, value in self.arguments.items()}
        said = self.denoiser(**told)
        self.beside[:] = said[1:]
        return said[0]

    def to(self, denoiser: Any) -> Call:  # noqa: ANN401
        """The same, asked of another denoiser."""
        return replace(self, denoiser=denoiser)

    def told(self, **changes: object) -> Call:
        """The same with other arguments, and more of them."""
        return replace(self, arguments={**self.arguments, **changes})

    def part(self, number: int, of: int) -> Call:
        """Of a batch of several batches, one."""
        size = len(self.samples)
        listed = isinstance(self.samples, list)
        return replace(self, arguments=_part(dict(self.arguments), size, number * size // of, size // of, listed))

    def repeated(self, count: int) -> Call:
        """The same with the last `count` samples once more behind the others."""
        size = len(self.samples)
        return replace(self, arguments=_repeated(dict(self.arguments), size, count))


def _repeated(value: Any, size: int, count: int) -> Any:  # noqa: ANN401
    """What is told of `size` samples, told of the last `count` of them once more."""
    if isinstance(value, dict):
        return {name: _repeated(item, size, count) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_repeated(item, size, count) for item in value)
    if isinstance(value, torch.Tensor) and value.ndim and len(value) == size:
        return torch.cat([value, value[-count:]])
    return value


def _part(value: Any, size: int, first: int, count: int, listed: bool) -> Any:  # noqa: ANN401, FBT001
    """What belongs to some of `size` samples: of tensors with an entry for each, of lists if samples are `listed`."""
    if isinstance(value, dict):
        return {name: _part(item, size, first, count, listed) for name, item in value.items()}
    if listed and isinstance(value, list) and len(value) == size:
        return value[first : first + count]
    if isinstance(value, (list, tuple)):
        return type(value)(_part(item, size, first, count, listed) for item in value)
    if isinstance(value, torch.Tensor) and value.ndim and len(value) == size:
        return value[first : first + count]
    return value


class DenoiserShim:
    """Stands for a denoiser; what is not mentioned here is the denoiser's own.

    `predict` is asked in its place, and may ask it as often as it likes.
    """

    def __init__(self, denoiser: Any, predict: Predict, name: str = "") -> None:  # noqa: ANN401  # diffusers does not type its models
        self._denoiser = denoiser
        self._name = name
        self._predict = predict
        self._signature = inspect.signature(denoiser.forward)
        self._label: str | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """A prediction, alone in a tuple or in an object as the denoiser gives it."""
        arguments = dict(self._signature.bind(*args, **kwargs).arguments)
        call = Call(self._denoiser, arguments, self._label, self._name)
        prediction = self._predict(call)
        is_plain = not arguments.get("return_dict", True)
        return (prediction, *call.beside) if is_plain else Transformer2DModelOutput(prediction)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._denoiser, name)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The denoiser's own: pipelines ask what they were given, and free what is a module."""
        return self._denoiser.__class__  # type: ignore[no-any-return]

    @contextmanager
    def cache_context(self, name: str, **more: Any) -> Iterator[None]:  # noqa: ANN401
        """The denoiser's own; the name tells what the calls inside are for."""
        self._label = name
        try:
            with self._denoiser.cache_context(name, **more):
                yield
        finally:
            self._label = None


def install(pipeline: Any, predict: Predict) -> None:  # noqa: ANN401
    """Put a shim before each denoiser of the pipeline that has weights."""
    for name in pipeline.source.family.denoisers:
        denoiser = getattr(pipeline, name, None)
        if hasattr(denoiser, "forward") and name in pipeline.source.parts:
            setattr(pipeline, name, DenoiserShim(denoiser, predict, name))
