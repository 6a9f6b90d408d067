"""What a text encoder said in one stage, so that it is not asked the same twice.

A stock call that encodes a negative encodes a prompt beside it. Where only the negative is wanted, the prompt is given
the same words, and one answer serves both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.diffusion.disk.source import ModelSource


def remembered(source: ModelSource, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a stage that encodes prompts, those that have weights with their answers."""
    return {name: Answers(part) if source.parts[name].weights else part for name, part in parts.items()}


class Answers:
    """Stands for a text encoder for the time of one stage; what is not mentioned here is the encoder's own."""

    def __init__(self, encoder: Any) -> None:  # noqa: ANN401  # transformers' models have no common type
        self._encoder = encoder
        self._known: list[tuple[object, Any]] = []
        self._hooks = _hooks_in(encoder)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """What the encoder says; what it said before where it was asked exactly this and nobody looks inside."""
        if _hooks_in(self._encoder) > self._hooks:
            return self._encoder(*args, **kwargs)
        asked = (args, kwargs)
        for before, said in self._known:
            if _same(before, asked):
                return said
        said = self._encoder(*args, **kwargs)
        self._known.append((asked, said))
        return said

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._encoder, name)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The encoder's own: some pipelines ask what they were given."""
        return self._encoder.__class__  # type: ignore[no-any-return]


def _hooks_in(encoder: Any) -> int:  # noqa: ANN401
    """How many look inside. Transformers itself may, from a model's first call on."""
    return sum(len(module._forward_hooks) for module in encoder.modules())  # noqa: SLF001  # it has no public name


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401  # whatever an encoder is told
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
