"""Arithmetic on latents and conditionings: between two of them, along a direction, and how far apart they are.

Spherical interpolation follows Shoemake, "Animating Rotation with Quaternion Curves" (SIGGRAPH 1985): noise of high
dimension lies near a sphere, and the straight line between two samples runs through where no sample is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch.nn import functional

from engine.errors import Code, PatchbayError
from nodes.diffusion.latents.mask_rules import check_unmasked
from nodes.types import Conditioning, Latent, MixMethod, ResizeMethod, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Value = TypeVar("Value", Latent[Any], Conditioning[Any])

_PARALLEL = 0.9995
"""Cosine beyond which the sphere is as good as flat and the sine to divide by is lost in rounding."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How far two latents are apart: Euclidean length, and cosine of the angle (1: same direction)."""

    euclidean: float
    cosine: float


def lerp(start: torch.Tensor, end: torch.Tensor, amount: float) -> torch.Tensor:
    """The point `amount` of the way along the straight line, ends included exactly."""
    return torch.lerp(start, end, amount)


def slerp(start: torch.Tensor, end: torch.Tensor, amount: float) -> torch.Tensor:
    """The point `amount` of the way along the arc, for each sample of the batch over all of its numbers.

    Nearly parallel samples are mixed along the straight line instead. The ends are included exactly.
    """
    if amount in {0, 1}:
        return end.clone() if amount else start.clone()
    pairs = zip(start, end, strict=True)
    return torch.stack([_arc(one, other, amount) for one, other in pairs])


def _arc(start: torch.Tensor, end: torch.Tensor, amount: float) -> torch.Tensor:
    cosine = _cosine(start, end)
    if not abs(cosine) < _PARALLEL:  # also when a length is zero and the cosine is no number
        return torch.lerp(start, end, amount)
    angle = torch.arccos(torch.tensor(cosine, dtype=torch.float64))
    weights = torch.sin(torch.stack([(1 - amount) * angle, amount * angle])) / torch.sin(angle)
    mixed = start.double() * weights[0] + end.double() * weights[1]
    return mixed.to(start.dtype)


def _cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    one, other = one.double().flatten(), other.double().flatten()
    return float(one @ other / (one.norm() * other.norm()))


def mix(start: Value, end: Value, amount: float, how: MixMethod = "slerp") -> Value:
    """Two latents or two conditionings, mixed: `amount` 0 is the first, 1 the second; beyond, the line goes on.

    Raises `kind_mismatch` for values of different families, `bad_value` for different shapes.
    """
    function = lerp if how == "lerp" else slerp
    _check(start, end)
    if isinstance(start, Latent):
        check_unmasked(start, end)
        sound = None if start.sound is None or end.sound is None else function(start.sound, end.sound, amount)
        return Latent(function(start.samples, end.samples, amount), start.kind, sound=sound)
    text = f"{1 - amount:g} * ({start.text or ''}) + {amount:g} * ({end.text or ''})"
    mixed = {name: _mixed(value, end.tensors[name], amount, function) for name, value in start.tensors.items()}
    return replace(start, tensors=mixed, text=text)


def _mixed(
    one: Any,  # noqa: ANN401  # a tensor, or tensors in lists
    other: Any,  # noqa: ANN401
    amount: float,
    function: Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor],
) -> Any:  # noqa: ANN401
    """Numbers mixed; of masks and ids, which are whole numbers, the larger ones: what either prompt reads is read."""
    if isinstance(one, (list, tuple)):
        return type(one)(_mixed(*pair, amount, function) for pair in zip(one, other, strict=True))
    if not isinstance(one, torch.Tensor):
        return one
    return function(one, other, amount) if one.is_floating_point() else torch.maximum(one, other)


def frames(start: Latent[Any], end: Latent[Any], count: int, how: MixMethod = "slerp") -> Latent[Any]:
    """A batch of `count` latents on the way from one single latent to another, both ends included.

    Raises `bad_value` for fewer than two frames or for batches, `kind_mismatch` for latents of different families.
    """
    _check(start, end)
    if count < 2 or len(start.samples) != 1:  # noqa: PLR2004  # a way has two ends
        what = f"{count} frames between batches of {len(start.samples)} cannot be made."
        raise PatchbayError(Code.BAD_VALUE, "frames", what, "Use at least two frames and single latents.")
    found = [mix(start, end, amount, how) for amount in amounts(count)]
    sounds = [each.sound for each in found if each.sound is not None]
    return Latent(torch.cat([each.samples for each in found]), start.kind, sound=torch.cat(sounds) if sounds else None)


def amounts(count: int) -> list[float]:
    """`count` equally spaced numbers from 0 to 1, both included."""
    return [index / (count - 1) for index in range(count)]


def arithmetic(
    base: Latent[Any],
    plus: Latent[Any],
    minus: Latent[Any],
    scale: float | Sequence[float] = 1.0,
) -> Latent[Any]:
    """`base + scale * (plus - minus)`: a direction found between two latents, applied to a third, whose sound stays.

    `scale` is one number or one for each channel. Batches of one serve every sample.
    Raises `kind_mismatch`, or `bad_value` for shapes or scales that do not fit.
    """
    check_unmasked(base, plus, minus)
    _check(base, plus, batches=False)
    _check(base, minus, batches=False)
    batch = max(len(each.samples) for each in (base, plus, minus))
    if any(len(each.samples) not in {1, batch} for each in (base, plus, minus)):
        what = "The batches differ in size."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Use equal batches or single latents.")
    factors = _per_channel(scale, base.samples)
    sound = None if base.sound is None else base.sound.expand(batch, -1, -1, -1)
    return Latent(base.samples + factors * (plus.samples - minus.samples), base.kind, sound=sound)


def scaled(latent: Latent[Any], scale: float | Sequence[float]) -> Latent[Any]:
    """The latent times one number, or times one for each channel. Raises `bad_value` for a wrong number of them."""
    check_unmasked(latent)
    return Latent(latent.samples * _per_channel(scale, latent.samples), latent.kind, sound=latent.sound)


def by_frame(samples: torch.Tensor) -> torch.Tensor:
    """[batch, channels, height, width]: of a video's latents [batch, channels, frames, height, width] each frame."""
    return samples.transpose(1, 2).flatten(0, 1) if samples.ndim == 5 else samples  # noqa: PLR2004


def resized(latent: Latent[Any], factor: float, method: ResizeMethod = "nearest") -> Latent[Any]:
    """The latent with sides `factor` times as long, in even numbers, which every model takes; of videos each frame.

    Raises `bad_value` for an unfinished latent: its noise would no longer be the noise that its solver knows.
    """
    samples = finished(latent).samples
    size = [max(2, 2 * round(side * factor / 2)) for side in samples.shape[-2:]]
    mode = {"nearest": "nearest-exact"}.get(method, method)
    done = functional.interpolate(by_frame(samples), size=size, mode=mode)
    if samples.ndim == 5:  # noqa: PLR2004
        done = done.reshape(len(samples), -1, *done.shape[1:]).transpose(1, 2)
    return Latent(done, latent.kind, sound=latent.sound)


def finished(latent: Latent[Any]) -> Latent[Any]:
    """The same latent. Raises `bad_value` for one that was left between its steps."""
    if latent.leftover is not None:
        what = f"This latent was left at step {latent.leftover.step} of {latent.leftover.steps}."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Run its last steps first.")
    return latent


def distance(one: Latent[Any], other: Latent[Any]) -> list[Distance]:
    """For each sample of the batch how far the two are apart; raises like `mix`."""
    _check(one, other)
    pairs = zip(one.samples, other.samples, strict=True)
    return [Distance(float((a.double() - b.double()).norm()), _cosine(a, b)) for a, b in pairs]


def _per_channel(scale: float | Sequence[float], samples: torch.Tensor) -> torch.Tensor:
    factors = torch.tensor(scale, dtype=samples.dtype)
    if factors.ndim == 1 and len(factors) != samples.shape[1]:
        what = f"There are {len(factors)} factors for {samples.shape[1]} channels."
        raise PatchbayError(Code.BAD_VALUE, "scale", what, "Give one number, or one for each channel.")
    return factors.view(-1, 1, 1)


def _check(one: Value, other: Value, *, batches: bool = True) -> None:
    if one.kind != other.kind:
        what = f"One is of kind {one.kind}, the other of kind {other.kind}."
        raise PatchbayError(Code.KIND_MISMATCH, "latent", what, "Both must come from models of the same family.")
    if not _is_plain(one) or not _is_plain(other):
        what = "One of them is steered by a picture, limited or combined, and only plain prompts can be mixed."
        raise PatchbayError(Code.BAD_VALUE, "conditioning", what, "Mix first, then limit, combine and steer.")
    _check_pictures(one, other)
    shapes = [_shapes(value, 0 if batches else 1) for value in (one, other)]
    if shapes[0] != shapes[1]:
        what = f"One has the shape {shapes[0]}, the other {shapes[1]}."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Make both of the same size.")


def _check_pictures(one: Value, other: Value) -> None:
    own, others = ([each.digest() for each in getattr(value, "pictures", ())] for value in (one, other))
    if own != others:
        what = "The two carry different pictures, and pictures cannot be mixed."
        raise PatchbayError(Code.BAD_VALUE, "conditioning", what, "Give both EncodeText the same pictures.")


def _is_plain(value: Latent[Any] | Conditioning[Any]) -> bool:
    return isinstance(value, Latent) or value.is_plain


def _shapes(value: Latent[Any] | Conditioning[Any], first: int) -> object:
    """The shapes of the value's tensors, from dimension `first` on."""
    if isinstance(value, Latent):
        return tuple(value.samples.shape)[first:]
    found = {name: [tuple(tensor.shape) for tensor in leaves(item)] for name, item in value.tensors.items()}
    return found if len(found) > 1 else next(iter(found.values()), None)
