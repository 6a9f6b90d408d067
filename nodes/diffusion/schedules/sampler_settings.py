"""The samplers' settings and names, checked without importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.schedules.scheduler_table import DIFFUSION, FLOW, OWN

if TYPE_CHECKING:
    from collections.abc import Mapping


_MOST: Mapping[str, Mapping[str, float]] = {"er_sde": {"order": 3}}
"""The greatest value of a setting, where a sampler knows no more."""


def chosen(name: str, given: Mapping[str, object]) -> dict[str, float]:
    """The settings that were given, where the sampler has them. Raises `bad_value` for one that it does not have."""
    from nodes.diffusion.schedules.samplers import settings_of

    known = settings_of(name)
    found: dict[str, float] = {}
    for setting, value in given.items():
        if value is None:
            continue
        if setting not in known:
            what = f"{name} has no {setting}; it has {', '.join(known) or 'no settings'}."
            raise PatchbayError(Code.BAD_VALUE, setting, what, "Set it to null, or choose another sampler.")
        if isinstance(value, (int, float)):
            most = _MOST.get(name, {}).get(setting, value)
            if value > most:
                what = f"{name} has no {setting} above {most:g}; {value:g} was given."
                raise PatchbayError(Code.BAD_VALUE, setting, what, f"Choose at most {most:g}.")
            found[setting] = value
    return found


def check_prediction(prediction: str, name: str = "euler", settings: Mapping[str, object] | None = None) -> None:
    """Refuse models whose process the samplers do not know, and what is wrong on flow models. Raises `bad_value`."""
    if prediction not in {*DIFFUSION, FLOW}:
        wanted = f"is for {prediction} alone" if prediction in OWN else f"predicts as {prediction.upper()} does"
        what = f"The samplers know models of noise, velocity, picture and flow; this one {wanted}."
        raise PatchbayError(Code.BAD_VALUE, "scheduler", what, "Use the model's own scheduler.")
    if prediction != FLOW:
        return
    if name == "dpm_2_ancestral":
        what = "dpm_2_ancestral steps along the noise, and a flow model starts from nothing but noise: it has no end."
        raise PatchbayError(Code.BAD_VALUE, "name", what, "Use dpmpp_2s_ancestral.")
    if (settings or {}).get("s_churn"):
        what = "s_churn adds noise to the picture, and on a flow model the picture fades as noise comes."
        raise PatchbayError(Code.BAD_VALUE, "s_churn", what, "Use euler_ancestral or dpmpp_2m_sde for fresh noise.")
