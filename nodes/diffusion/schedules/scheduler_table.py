"""Which schedulers of Diffusers are offered, for which models, under which names, with which options.

`schedulers.json` beside this file is written by `scheduler_scan.py` from the signatures of Diffusers' own classes.
What no signature says stands here, as short lists that were reviewed: a scheduler that runs on a model need not be
right for it. Importing this module does not import torch or diffusers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from engine.errors import Code, PatchbayError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(__file__).with_name("schedulers.json")

DIFFUSION = ("epsilon", "v_prediction", "sample")
"""What a model of a variance-preserving process may predict: the noise, the velocity or the picture."""

FLOW, EDM = "flow", "edm"

CLASSES: Mapping[str, str] = {
    "DDIM": "DDIMScheduler",
    "DDIMParallel": "DDIMParallelScheduler",
    "DDPM": "DDPMScheduler",
    "DDPMParallel": "DDPMParallelScheduler",
    "DEIS": "DEISMultistepScheduler",
    "DPMSolverMultistep": "DPMSolverMultistepScheduler",
    "DPMSolverSDE": "DPMSolverSDEScheduler",
    "DPMSolverSinglestep": "DPMSolverSinglestepScheduler",
    "EDMDPMSolverMultistep": "EDMDPMSolverMultistepScheduler",
    "EDMEuler": "EDMEulerScheduler",
    "Euler": "EulerDiscreteScheduler",
    "EulerAncestral": "EulerAncestralDiscreteScheduler",
    "FlowMatchEuler": "FlowMatchEulerDiscreteScheduler",
    "FlowMatchHeun": "FlowMatchHeunDiscreteScheduler",
    "FlowMatchLCM": "FlowMatchLCMScheduler",
    "Heun": "HeunDiscreteScheduler",
    "KDPM2": "KDPM2DiscreteScheduler",
    "KDPM2Ancestral": "KDPM2AncestralDiscreteScheduler",
    "LCM": "LCMScheduler",
    "LMS": "LMSDiscreteScheduler",
    "LTXEulerAncestralRF": "LTXEulerAncestralRFScheduler",
    "PNDM": "PNDMScheduler",
    "SASolver": "SASolverScheduler",
    "TCD": "TCDScheduler",
    "UniPC": "UniPCMultistepScheduler",
}
"""Name in a graph -> class of Diffusers, for every class that can drive the model of another one."""

_WITHOUT_SAMPLE = frozenset({"DPMSolverSDE", "EulerAncestral", "KDPM2", "KDPM2Ancestral", "PNDM"})
"""These raise for models that predict the picture, whatever their signature says."""

_FLOW_ONLY = frozenset({"FlowMatchEuler", "FlowMatchHeun", "FlowMatchLCM", "LTXEulerAncestralRF"})
_EDM_ONLY = frozenset({"EDMDPMSolverMultistep", "EDMEuler"})
_DISTILLED = frozenset({"LCM", "FlowMatchLCM", "TCD"})

OWN: Mapping[str, str] = {
    "AmusedScheduler": "unmasks tokens",
    "BlockRefinementScheduler": "unmasks tokens",
    "CMStochasticIterativeScheduler": "is for consistency models",
    "CogVideoXDDIMScheduler": "shifts the signal-to-noise ratio as CogVideoX was trained",
    "CogVideoXDPMScheduler": "shifts the signal-to-noise ratio as CogVideoX was trained",
    "CosineDPMSolverMultistepScheduler": "is for the cosine schedule of Stable Audio",
    "DDIMInverseScheduler": "adds noise instead of taking it away",
    "DDPMWuerstchenScheduler": "counts time from 1 to 0 as Wuerstchen was trained",
    "DPMSolverMultistepInverseScheduler": "adds noise instead of taking it away",
    "DiscreteDDIMScheduler": "unmasks tokens",
    "EntropyBoundScheduler": "unmasks tokens",
    "FlowMapEulerDiscreteScheduler": "is for models that know two times, as AnyFlow",
    "HeliosDMDScheduler": "works in the stages of Helios",
    "HeliosScheduler": "works in the stages of Helios",
    "IPNDMScheduler": "is for the cosine schedule of Dance Diffusion",
    "KarrasVeScheduler": "is deprecated and has a loop of its own",
    "MiniMaxH3Scheduler": "is for MiniMax",
    "PiflowScheduler": "is for models that predict a whole policy",
    "RFD4ProteinaScheduler": "is for proteins",
    "RePaintScheduler": "needs a picture and a mask at every step",
    "SCMScheduler": "is for the trigonometric flow of Sana-Sprint",
    "ScoreSdeVeScheduler": "has a loop of its own",
    "UnCLIPScheduler": "is for the cosine schedule of unCLIP",
    "VQDiffusionScheduler": "unmasks tokens",
}
"""Every other scheduler that Diffusers exports, and why it is for its own models only."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A scheduler by the name that people know: a Diffusers class, or one of the samplers, with a class's options."""

    name: str
    options: Mapping[str, object] = field(default_factory=dict)
    is_sampler: bool = False


_KARRAS: Mapping[str, object] = {"use_karras_sigmas": True}
_SDE: Mapping[str, object] = {"algorithm_type": "sde-dpmsolver++"}

PRESETS: Mapping[str, Preset] = {
    "DPM++ 2M": Preset("DPMSolverMultistep"),
    "DPM++ 2M Karras": Preset("DPMSolverMultistep", _KARRAS),
    "DPM++ 2M SDE": Preset("DPMSolverMultistep", _SDE),
    "DPM++ 2M SDE Karras": Preset("DPMSolverMultistep", {**_SDE, **_KARRAS}),
    "DPM++ 3M SDE": Preset("dpmpp_3m_sde", is_sampler=True),
    "DPM++ 2S a": Preset("dpmpp_2s_ancestral", is_sampler=True),
    "DPM++ SDE": Preset("dpmpp_sde", is_sampler=True),
    "DPM++ SDE Karras": Preset("dpmpp_sde", _KARRAS, is_sampler=True),
    "Euler a": Preset("EulerAncestral"),
    "Euler Karras": Preset("Euler", _KARRAS),
    "Euler beta": Preset("Euler", {"use_beta_sigmas": True}),
    "Heun Karras": Preset("Heun", _KARRAS),
    "DPM2": Preset("KDPM2"),
    "DPM2 Karras": Preset("KDPM2", _KARRAS),
    "DPM2 a": Preset("KDPM2Ancestral"),
    "DPM2 a Karras": Preset("KDPM2Ancestral", _KARRAS),
    "LMS Karras": Preset("LMS", _KARRAS),
    "PLMS": Preset("PNDM"),
    "UniPC Karras": Preset("UniPC", _KARRAS),
    "RES multistep": Preset("res_multistep", is_sampler=True),
    "ER-SDE": Preset("er_sde", is_sampler=True),
}
"""Names that people know from other programs and papers."""

FAMILIAR_FLOW: Mapping[str, str] = {
    "Euler": "FlowMatchEuler",
    "EulerAncestral": "LTXEulerAncestralRF",
    "Heun": "FlowMatchHeun",
    "LCM": "FlowMatchLCM",
}
"""What comes nearest on a flow model, and the other way round."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a scheduler: the annotation of its values and its default in Diffusers."""

    annotation: Any
    default: object


def predictions_of(name: str) -> tuple[str, ...]:
    """What a model may predict for the scheduler `name` to be right for it."""
    if name in _FLOW_ONLY:
        return (FLOW,)
    if name in _EDM_ONLY:
        return (EDM,)
    found = tuple(each for each in DIFFUSION if each != "sample" or name not in _WITHOUT_SAMPLE)
    return (*found, FLOW) if "use_flow_sigmas" in _table()[name] else found


def is_distilled(name: str) -> bool:
    """Whether the scheduler is meant for models that were distilled to a few steps; on others it is a blur."""
    return name in _DISTILLED


def prediction_of(config: Mapping[str, object]) -> str:
    """What a model predicts, from the configuration of its own scheduler.

    One of "epsilon", "v_prediction", "sample", "flow" and "edm", or the name of a scheduler class for a model that
    only that class is right for.
    """
    own = str(config.get("_class_name", ""))
    if own in OWN:
        return own
    name = next((name for name, found in CLASSES.items() if found == own), "")
    if name in _EDM_ONLY:
        return EDM
    told = str(config.get("prediction_type", "epsilon"))
    if name in _FLOW_ONLY or told == "flow_prediction" or config.get("use_flow_sigmas") is True:
        return FLOW
    return told


def check_fit(name: str, prediction: str, at: str = "scheduler") -> None:
    """Refuse a scheduler that cannot be right for a model of this prediction, naming the nearest that is.

    Raises `bad_value`.
    """
    if preset_of(name).is_sampler:
        name = "FlowMatchEuler" if prediction == FLOW else "Euler"
    short = short_name(name)
    if short == prediction or prediction in (predictions_of(short) if short in CLASSES else ()):
        return
    if short in OWN:
        why = f"{short} {OWN[short]}"
    else:
        why = f"{short} is for models that predict {' or '.join(map(_told, predictions_of(short)))}"
    what = f"{why}, and this one predicts {_told(prediction)}: it would run and give a wrong picture."
    raise PatchbayError(Code.BAD_VALUE, at, what, f"Use {nearest_fit(short, prediction)}.")


def nearest_fit(name: str, prediction: str) -> str:
    """The offered scheduler closest to `name` that is right for a model of this prediction."""
    if prediction in OWN:
        return f"the model's own scheduler ({prediction})"
    twins = {**FAMILIAR_FLOW, **{flow: other for other, flow in FAMILIAR_FLOW.items()}}
    twin = twins.get(name, name)
    right = [each for each in CLASSES if prediction in predictions_of(each)]
    fallback = {FLOW: "FlowMatchEuler", EDM: "EDMEuler"}.get(prediction, "DPMSolverMultistep")
    return twin if twin in right else fallback


def _told(prediction: str) -> str:
    known = {"epsilon": "noise", "v_prediction": "velocity (v)", "sample": "the picture", FLOW: "flow"}
    return known.get(prediction, f"as {prediction} wants" if prediction in OWN else prediction.upper())


def preset_of(name: str) -> Preset:
    """What a name in a graph stands for: a preset, or the scheduler itself without options."""
    return PRESETS.get(name) or Preset(name)


def short_name(name: str) -> str:
    """The name in a graph for a preset, a class of Diffusers or that name itself."""
    found = preset_of(name).name
    return next((short for short, full in CLASSES.items() if full == found), found)


@cache
def options_of(name: str) -> Mapping[str, Option]:
    """What the scheduler `name` can be told. Empty for a class outside the table, which is used as it comes."""
    entry = _table().get("Euler" if preset_of(name).is_sampler else short_name(name), {})
    return {option: Option(annotation_of(schema), schema.get("default")) for option, schema in entry.items()}


@cache
def _table() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def annotation_of(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401  # annotations have no common type
    """The annotation that a schema of the table stands for."""
    from pydantic import Field

    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    if "anyOf" in schema:
        return Union[tuple(annotation_of(part) for part in schema["anyOf"])]  # noqa: UP007  # known only here
    if schema["type"] == "array":
        return list[annotation_of(schema["items"])]  # type: ignore[misc]  # known only here
    plain = {"integer": int, "number": float, "boolean": bool, "string": str, "null": None}[schema["type"]]
    bounds = {short: schema[long] for long, short in _BOUNDS.items() if long in schema}
    return Annotated[plain, Field(**bounds)] if bounds else plain


_BOUNDS = {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt"}


def check_options(name: str, options: Mapping[str, object], at: str = "options") -> dict[str, object]:
    """The options, each checked against what the scheduler `name` can be told. Raises `bad_value`."""
    from pydantic import TypeAdapter, ValidationError

    known = options_of(name)
    for option, value in options.items():
        place = f"{at}.{option}"
        if option not in known:
            what = f'{name} has no option "{option}". {nearest(option, known)}'.rstrip()
            raise PatchbayError(Code.BAD_VALUE, place, what, f"Known: {', '.join(known)}.")
        try:
            TypeAdapter(known[option].annotation).validate_python(value, strict=True)
        except ValidationError as error:
            wanted = "; ".join(sorted({detail["msg"] for detail in error.errors()}))
            raise PatchbayError(Code.BAD_VALUE, place, f"{value!r} does not fit: {wanted}.") from error
    return dict(options)
