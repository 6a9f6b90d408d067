"""What a solver remembers between steps, taken out of it and put back: so a run stops at a step and goes on exactly.

A scheduler of Diffusers keeps its memory in attributes: all that its steps have changed is stored. A sampler is a
generator, which cannot be stored; it is told again everything that it was told. Either way the state is plain: a dict
of tensors, numbers, None, and lists and tuples of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_REBUILT = frozenset({"noise_sampler"})
"""Objects that a scheduler makes again from its seeds."""

_GENERATORS = "generators"


def remembered(scheduler: Any) -> dict[str, Any]:  # noqa: ANN401  # diffusers does not type its schedulers
    """Everything a scheduler holds now, to be compared with later. Lists are copied, for schedulers change them."""
    return {name: list(value) if isinstance(value, list) else value for name, value in vars(scheduler).items()}


def state_of(
    scheduler: Any,  # noqa: ANN401  # diffusers does not type its schedulers
    before: Mapping[str, Any],
    own: Sequence[torch.Generator],
) -> dict[str, Any]:
    """What has changed in a scheduler since `before`, and where the generators stand."""
    if hasattr(scheduler, "snapshot"):
        return {name: _kept(value) for name, value in scheduler.snapshot().items()}
    changed = {
        name: _kept(value)
        for name, value in remembered(scheduler).items()
        if name not in _REBUILT and not _same(before.get(name), value)
    }
    return {**changed, _GENERATORS: [each.get_state() for each in own]}


def restore(
    scheduler: Any,  # noqa: ANN401  # diffusers does not type its schedulers
    state: Mapping[str, Any],
    own: Sequence[torch.Generator],
    device: torch.device,
) -> None:
    """Put back what `state_of` found."""
    if hasattr(scheduler, "replay"):
        scheduler.replay({name: _moved(value, device) for name, value in state.items()}, own)
        return
    for each, kept in zip(own, state[_GENERATORS], strict=True):
        each.set_state(kept)
    for name, value in state.items():
        if name != _GENERATORS:
            setattr(scheduler, name, _moved(value, device))


def _same(before: Any, now: Any) -> bool:  # noqa: ANN401  # whatever a scheduler holds
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(map(_same, before, now))
    plain = isinstance(now, (bool, int, float, str)) and type(before) is type(now)
    return before is now or (plain and bool(before == now))


def _kept(value: Any) -> Any:  # noqa: ANN401  # whatever a scheduler holds
    """A copy that may be used outside inference mode and is never changed again."""
    if isinstance(value, list):
        return [_kept(item) for item in value]
    if isinstance(value, tuple):  # a shape
        return tuple(map(_kept, value))
    if isinstance(value, torch.Tensor):
        with torch.inference_mode(mode=False):
            return value.detach().to("cpu", copy=True)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    message = f"a scheduler keeps {type(value).__name__} between steps, which cannot be stored"
    raise TypeError(message)


def _moved(value: Any, device: torch.device) -> Any:  # noqa: ANN401  # whatever a scheduler holds
    if isinstance(value, list):
        return [_moved(item, device) for item in value]
    return value.to(device, copy=True) if isinstance(value, torch.Tensor) else value
