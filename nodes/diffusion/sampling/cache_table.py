"""The ways to leave out work between steps by name, and their settings, without importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.tuning import CachePatch
from nodes.diffusion.stages.checks import check_share

if TYPE_CHECKING:
    from collections.abc import Mapping

METHODS: Mapping[str, Mapping[str, float]] = {
    "FirstBlock": {"threshold": 0.05},
    "TaylorSeer": {"every": 5, "order": 1, "start": 0.15, "end": 1.0},
    "MagCache": {"threshold": 0.06, "most": 3, "start": 0.2},
    "FasterCache": {"every": 2, "start": 0.32, "end": 1.0},
    "PyramidAttention": {"every": 2, "start": 0.2, "end": 0.9},
}
"""The settings that a method has, with its own values: those of Diffusers, told in shares of the steps."""

RATIOS = "MagCache"
"""The method that has to be told how a model's work shrinks from step to step."""


def chosen(method: str, given: Mapping[str, float | None], ratios: list[float] | None) -> CachePatch:
    """The patch for a method and the settings that are not None.

    Raises `bad_value` for a setting that the method does not have, and for a share of the steps that has no steps.
    """
    own = METHODS[method]
    told = {name: value for name, value in given.items() if value is not None}
    for name in told:
        if name not in own:
            raise _unknown(method, name)
    if ratios is not None and method != RATIOS:
        raise _unknown(method, "ratios")
    check_share(told.get("start", own.get("start", 0.0)), told.get("end", own.get("end", 1.0)))
    return CachePatch(method, tuple(sorted(told.items())), tuple(ratios or ()))


def settings_of(patch: CachePatch) -> dict[str, float]:
    """All settings of the patch's method: those that were given, over its own."""
    return {**METHODS[patch.method], **dict(patch.settings)}


def _unknown(method: str, setting: str) -> PatchbayError:
    own = [*METHODS[method], *(["ratios"] if method == RATIOS else [])]
    what = f"{method} has no {setting}; it has {', '.join(own)}."
    return PatchbayError(Code.BAD_VALUE, setting, what, "Set it to null, or choose another method.")
