"""The guiders by name, and their settings, without importing torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.stages.checks import check_share

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHARED = {"rescale": "guidance_rescale", "start": "start", "end": "stop"}


@dataclass(frozen=True, slots=True)
class Named:
    """A guider of Diffusers: its class, and our names of its settings -> its own."""

    class_name: str
    settings: Mapping[str, str]


CLASSES: Mapping[str, Named] = {
    "CFG": Named("ClassifierFreeGuidance", _SHARED),
    "CFG-Zero*": Named("ClassifierFreeZeroStarGuidance", {**_SHARED, "zero_steps": "zero_init_steps"}),
    "APG": Named(
        "AdaptiveProjectedGuidance",
        {
            **_SHARED,
            "eta": "eta",
            "threshold": "adaptive_projected_guidance_rescale",
            "momentum": "adaptive_projected_guidance_momentum",
        },
    ),
    "TCFG": Named("TangentialClassifierFreeGuidance", _SHARED),
}
"""Those that need no more than the two predictions; others reach into the denoiser, which is shared."""


def chosen(name: str, given: Mapping[str, object]) -> dict[str, float]:
    """The settings that were given, where the guider has them.

    Raises `bad_value` for one that it does not have, and for a share of the steps that has no steps.
    """
    known = CLASSES[name].settings
    found = {setting: value for setting, value in given.items() if isinstance(value, (int, float))}
    for setting in found:
        if setting not in known:
            own = ", ".join(each for each in known if each not in _SHARED) or "no settings of its own"
            what = f"{name} has no {setting}; it has {own}."
            raise PatchbayError(Code.BAD_VALUE, setting, what, "Set it to null, or choose another guider.")
    check_share(found.get("start", 0.0), found.get("end", 1.0))
    return found
