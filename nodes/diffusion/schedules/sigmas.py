"""Noise levels as lists of numbers: curves to make them, and edits.

A `table` holds a model's training levels, rising; a curve gives `steps` levels, falling, and 0 at the end. The curves
have the names they have in other programs. Levels are in the model's own units, so all of this holds for flow models
as well, whose levels end at 1.
"""

from __future__ import annotations

from itertools import pairwise
from math import atan, exp, inf, log, tan
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Curve = Callable[[Sequence[float], int], list[float]]


def simple(table: Sequence[float], steps: int) -> list[float]:
    """Every so many levels of the table, counted from the top."""
    return [*(table[-(1 + int(step * len(table) / steps))] for step in range(steps)), 0.0]


def normal(table: Sequence[float], steps: int) -> list[float]:
    """Equal steps in time from the greatest level of the table to the least, then 0."""
    return [*(_at(table, (len(table) - 1) * (1 - share)) for share in _shares(steps)), 0.0]


def sgm_uniform(table: Sequence[float], steps: int) -> list[float]:
    """Equal steps in time of which the last one leads to 0, as in Stability AI's generative-models."""
    return [*(_at(table, (len(table) - 1) * (1 - step / steps)) for step in range(steps)), 0.0]


def karras(table: Sequence[float], steps: int, rho: float = 7.0) -> list[float]:
    """Equal steps in the `rho`-th root of sigma; Karras et al. (2022), formula 5."""
    high, low = table[-1] ** (1 / rho), table[0] ** (1 / rho)
    return [*((high + share * (low - high)) ** rho for share in _shares(steps)), 0.0]


def exponential(table: Sequence[float], steps: int) -> list[float]:
    """Equal steps in the logarithm of sigma, as DPM-Solver takes them; Lu et al. (2022), section 3.4."""
    high, low = log(table[-1]), log(table[0])
    return [*(exp(high + share * (low - high)) for share in _shares(steps)), 0.0]


def beta(table: Sequence[float], steps: int, a: float = 0.6, b: float = 0.6) -> list[float]:
    """Times at equal quantiles of a beta distribution: dense at both ends; Lee et al., "Beta Sampling is All You Need"
    (2024). Between the levels of the table the logarithm is taken, so no level comes twice.
    """  # noqa: D205  # one sentence too long for a line
    from scipy import stats

    quantiles = stats.beta.ppf([1 - step / steps for step in range(steps)], a, b)
    return [*(_at(table, float(quantile) * (len(table) - 1)) for quantile in quantiles), 0.0]


def kl_optimal(table: Sequence[float], steps: int) -> list[float]:
    """Equal steps in the arctangent of sigma; Sabour et al., "Align Your Steps" (2024), theorem 3.1."""
    high, low = atan(table[-1]), atan(table[0])
    return [*(tan(high + share * (low - high)) for share in _shares(steps)), 0.0]


def linear_quadratic(table: Sequence[float], steps: int, threshold: float = 0.025) -> list[float]:
    """Half of the steps for the first `threshold` of the way, in equal parts, then quadratically growing ones; Genmo's
    Mochi (2024), also in Meta's Movie Gen. Meant for flow models.
    """  # noqa: D205  # one sentence too long for a line
    if steps == 1:
        return [table[-1], 0.0]
    half = steps // 2
    slope = threshold / half
    rest = steps - half
    square = (half - threshold * steps) / (half * rest**2)
    linear = slope - 2 * (half - threshold * steps) / rest**2
    ways = [slope * step for step in range(half)]
    ways += [square * step**2 + linear * step + square * half**2 for step in range(half, steps)]
    return [*((1 - way) * table[-1] for way in ways), 0.0]


CURVES: Mapping[str, Curve] = {
    function.__name__: function
    for function in (simple, normal, karras, exponential, beta, sgm_uniform, kl_optimal, linear_quadratic)
}


def between(table: Sequence[float], low: float | None, high: float | None) -> list[float]:
    """The part of the table from `low` to `high`, which are its first and last level. Raises `bad_value`."""
    first = table[0] if low is None else low
    last = table[-1] if high is None else high
    if not 0 < first < last:
        what = f"There are no levels from {first:g} to {last:g}."
        raise PatchbayError(Code.BAD_VALUE, "low", what, "Choose low above 0 and below high.")
    return [first, *(level for level in table if first < level < last), last]


def checked(values: Sequence[float]) -> tuple[float, ...]:
    """Levels that make at least one step, fall or rise all the way, and are not negative. Raises `bad_value`."""
    rising = all(a < b for a, b in pairwise(values))
    falls = all(a > b for a, b in pairwise(values))
    if len(values) < 2 or not (rising or falls) or min(values) < 0 or max(values) == inf:  # noqa: PLR2004  # one step
        shown = ", ".join(f"{value:g}" for value in values[:6])
        what = f"These are no noise levels: {shown or 'none at all'}."
        raise PatchbayError(Code.BAD_VALUE, "values", what, "Give two or more from 0 up that fall all the way.")
    return tuple(float(value) for value in values)


def scaled(values: Sequence[float], factor: float) -> tuple[float, ...]:
    """Every level times a factor."""
    return checked([value * factor for value in values])


def shifted(values: Sequence[float], shift: float, *, flow: bool) -> tuple[float, ...]:
    """The levels of a picture with `shift` times as much noise against signal; above 1 for larger pictures.

    On a flow model `shift * s / (1 - s + shift * s)`, Esser et al., "Scaling Rectified Flow Transformers" (2024),
    formula 23; elsewhere it is the same thing as a factor, for there sigma is that ratio itself.
    """
    if not flow:
        return scaled(values, shift)
    return checked([shift * value / (1 - value + shift * value) for value in values])


def cut(values: Sequence[float], first: int, last: int | None) -> tuple[float, ...]:
    """The levels of the steps from `first` up to `last`, counted from 0. Raises `bad_value` when there are none."""
    steps = len(values) - 1
    end = steps if last is None else last
    if not 0 <= first < end <= steps:
        what = f"There are no steps from {first} to {end} among {steps}."
        raise PatchbayError(Code.BAD_VALUE, "first", what, "Choose first below last, and last at most the steps.")
    return tuple(values[first : end + 1])


def share(values: Sequence[float], denoise: float) -> tuple[float, ...]:
    """The last `denoise` share of the steps, counted as `Sample` counts them. Raises `bad_value` when none is left."""
    steps = len(values) - 1
    kept = min(int(steps * denoise), steps)
    if kept < 1:
        what = f"A share of {denoise:g} of {steps} steps is less than one."
        raise PatchbayError(Code.BAD_VALUE, "denoise", what, "Choose more.")
    return tuple(values[steps - kept :])


def joined(first: Sequence[float], second: Sequence[float]) -> tuple[float, ...]:
    """One after the other; the level where they meet comes once. Raises `bad_value` when they do not go on."""
    meet = first[-1] == second[0]
    return checked([*first, *second[1 if meet else 0 :]])


def _shares(steps: int) -> list[float]:
    return [step / (steps - 1) for step in range(steps)] if steps > 1 else [0.0]


def _at(table: Sequence[float], place: float) -> float:
    """The level at a place between two of the table, by the logarithm."""
    below = min(int(place), len(table) - 2)
    part = place - below
    return exp(log(table[below]) * (1 - part) + log(table[below + 1]) * part)
