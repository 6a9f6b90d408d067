"""Writes `schedulers.json` from Diffusers itself: `python -m nodes.diffusion.schedules.scheduler_scan`.

Types and defaults come from the constructors' signatures. Signatures know no ranges and sometimes only `str`; what is
missing stands in `RANGES` and `CHOICES`. Texts are read from the classes' docstrings whenever somebody asks.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from typing import TYPE_CHECKING, Any, Union, get_args

from nodes.diffusion.schedules.scheduler_table import CLASSES, FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_DATA = frozenset({"solver_p", "tau_func"})
"""Options that take a live object, which no document can hold."""

NOT_OFFERED = frozenset({"noise_sampler_seed"})
"""Options that Patchbay sets itself: the seeds are those of `Sample`."""

_SHARE = {"minimum": 0, "maximum": 1}
RANGES: Mapping[str, Mapping[str, float]] = {
    "base_image_seq_len": {"minimum": 1},
    "beta_end": {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "beta_start": {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "clip_sample_range": {"exclusiveMinimum": 0},
    "corrector_order": {"minimum": 0, "maximum": 4},
    "dynamic_thresholding_ratio": _SHARE,
    "eta": {"minimum": 0},
    "flow_shift": {"exclusiveMinimum": 0},
    "max_image_seq_len": {"minimum": 1},
    "num_train_timesteps": {"minimum": 1, "maximum": 100_000},
    "original_inference_steps": {"minimum": 1, "maximum": 1000},
    "predictor_order": {"minimum": 1, "maximum": 4},
    "rho": {"exclusiveMinimum": 0},
    "s_noise": {"minimum": 0},
    "sample_max_value": {"exclusiveMinimum": 0},
    "shift": {"exclusiveMinimum": 0},
    "sigma_data": {"exclusiveMinimum": 0},
    "sigma_max": {"exclusiveMinimum": 0},
    "sigma_min": {"minimum": 0},
    "solver_order": {"minimum": 1, "maximum": 3},
    "steps_offset": {"minimum": 0},
    "timestep_scaling": {"exclusiveMinimum": 0},
}

CHOICES: Mapping[str, tuple[str, ...]] = {
    "algorithm_type": ("data_prediction", "noise_prediction"),  # SASolver's; the others have a Literal
    "beta_schedule": ("linear", "scaled_linear", "squaredcos_cap_v2"),
    "interpolation_type": ("linear", "log_linear"),
    "prediction_type": ("epsilon", "sample", "v_prediction"),
    "timestep_spacing": ("linspace", "leading", "trailing"),
    "variance_type": ("learned", "learned_range"),
}

CORRECTED: Mapping[str, Any] = {"sigma_max": float | None, "shift_terminal": float | None}
"""Options that a signature gives as `bool | None` by mistake."""


def scan() -> dict[str, Any]:
    """The table of all offered schedulers that are importable here, as JSON."""
    from nodes.diffusion.weights.libraries import diffusers

    classes = {name: getattr(diffusers, full) for name, full in CLASSES.items()}
    return {name: _entry(cls) for name, cls in classes.items() if inspect.isfunction(vars(cls).get("step"))}


def _entry(cls: Any) -> dict[str, Any]:  # noqa: ANN401  # diffusers does not type its lazy classes
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return {each.name: _schema(each) for each in parameters if each.name not in NOT_DATA | NOT_OFFERED}


def _schema(parameter: inspect.Parameter) -> dict[str, Any]:
    from pydantic import TypeAdapter

    annotation = parameter.annotation
    if annotation == bool | None and parameter.name in CORRECTED:
        annotation = CORRECTED[parameter.name]
    if parameter.default is None and annotation is float:
        annotation = float | None
    schema = _narrowed(parameter.name, TypeAdapter(_plain(annotation)).json_schema())
    if not isinstance(parameter.default, float) or math.isfinite(parameter.default):
        schema["default"] = parameter.default
    return schema


def _plain(annotation: Any) -> Any:  # noqa: ANN401  # annotations have no common type
    """The annotation without numpy arrays: a list of floats says the same."""
    members = [member for member in get_args(annotation) if getattr(member, "__module__", "") != "numpy"]
    return Union[tuple(members)] if len(members) < len(get_args(annotation)) else annotation  # noqa: UP007


def _narrowed(option: str, schema: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in schema:
        return {"anyOf": [_narrowed(option, part) for part in schema["anyOf"]]}
    if schema.get("type") in {"integer", "number"}:
        return {**schema, **RANGES.get(option, {})}
    if "const" in schema:
        return {"enum": [schema["const"]]}
    if schema.get("type") == "string":
        return {"enum": schema.get("enum") or list(CHOICES[option])}
    return schema


def summary_of(cls: Any) -> str:  # noqa: ANN401  # diffusers does not type its lazy classes
    """The first sentence of a class's docstring."""
    paragraph = " ".join((inspect.getdoc(cls) or "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.) ", paragraph)[0]


def texts_of(cls: Any) -> dict[str, str]:  # noqa: ANN401  # diffusers does not type its lazy classes
    """What the `Args:` section of a class's docstring says of each option, in one line each."""
    section = (inspect.getdoc(cls) or "").partition("\nArgs:\n")[2]
    section = re.split(r"\n(?=\S)", section)[0]
    parts = re.split(r"^ {4}(\w+) \(.*?\):", section, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def main() -> None:
    """Write the table."""
    FILE.write_text(json.dumps(scan(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
