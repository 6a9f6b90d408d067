"""The schedulers by name, their options, and live ones made from the model's own configuration.

Importing this module does not import torch or diffusers; asking for options or a scheduler does.
"""

from __future__ import annotations

import inspect
import json
import warnings
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Union, get_args

from engine.errors import Code, PatchbayError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.types import Scheduler

CLASSES: Mapping[str, str] = {
    "DDIM": "DDIMScheduler",
    "DDPM": "DDPMScheduler",
    "DEIS": "DEISMultistepScheduler",
    "DPMSolverMultistep": "DPMSolverMultistepScheduler",
    "DPMSolverSinglestep": "DPMSolverSinglestepScheduler",
    "Euler": "EulerDiscreteScheduler",
    "EulerAncestral": "EulerAncestralDiscreteScheduler",
    "Heun": "HeunDiscreteScheduler",
    "KDPM2": "KDPM2DiscreteScheduler",
    "KDPM2Ancestral": "KDPM2AncestralDiscreteScheduler",
    "LMS": "LMSDiscreteScheduler",
    "PNDM": "PNDMScheduler",
    "UniPC": "UniPCMultistepScheduler",
}
"""`nodes.types.SchedulerName` -> class of diffusers."""

_NOT_DATA = frozenset({"solver_p", "tau_func"})
"""Options that take a live object, which no document can hold."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a scheduler: the annotation of its values and its default."""

    annotation: Any
    default: object


def scheduler_class(name: str) -> Any:  # noqa: ANN401  # diffusers does not type its lazy classes
    """The diffusers class that `name` stands for; the classes' own names are known too.

    Raises `bad_value` with the nearest known name.
    """
    from nodes.diffusion.libraries import diffusers

    class_name = CLASSES.get(name, name)
    found = getattr(diffusers, class_name, None) if class_name.endswith("Scheduler") else None
    if not inspect.isclass(found):
        what = f'There is no scheduler "{name}". {nearest(name, CLASSES)}'.rstrip()
        raise PatchbayError(Code.BAD_VALUE, "scheduler", what, f"Known: {', '.join(CLASSES)}.")
    return found


@cache
def options_of(name: str) -> Mapping[str, Option]:
    """What the scheduler `name` can be told, from its class's own signature."""
    parameters = inspect.signature(scheduler_class(name).__init__).parameters
    return {
        option: Option(_plain(parameter.annotation), parameter.default)
        for option, parameter in parameters.items()
        if option != "self" and option not in _NOT_DATA
    }


def _plain(annotation: Any) -> Any:  # noqa: ANN401  # annotations have no common type
    """The annotation without numpy arrays: a list of floats says the same."""
    members = [member for member in get_args(annotation) if getattr(member, "__module__", "") != "numpy"]
    return Union[tuple(members)] if len(members) < len(get_args(annotation)) else annotation  # noqa: UP007


def build(scheduler: Scheduler[Any] | str, model_config: Mapping[str, object], family: str) -> Any:  # noqa: ANN401
    """A fresh scheduler, made as stock code does: `Class.from_config(pipeline.scheduler.config, **options)`.

    `model_config` is the configuration of the model's own scheduler and `family` the model's pipeline class; a
    `Scheduler` that inherits another configuration brings it in `base`. Never share the result: pipelines change the
    schedulers they are given.
    Raises `bad_value` for an unknown name, an unknown option or a value that does not fit.
    """
    if isinstance(scheduler, str):
        return scheduler_class(scheduler).from_config(_stock_config(model_config, family))
    options = check_options(scheduler.name, scheduler.options)
    config = _stock_config(scheduler.base or model_config, family)
    try:
        return scheduler_class(scheduler.name).from_config(config, **options)
    except (ValueError, NotImplementedError, TypeError, ImportError) as error:
        what = f"{scheduler.name} does not accept these options together: {error}"
        raise PatchbayError(Code.BAD_VALUE, "scheduler.options", what) from error


def check_options(name: str, options: Mapping[str, object]) -> dict[str, object]:
    """The options, each checked against the signature of the scheduler `name`. Raises `bad_value`."""
    from pydantic import TypeAdapter, ValidationError

    known = options_of(name)
    for option, value in options.items():
        at = f"scheduler.options.{option}"
        if option not in known:
            what = f'{name} has no option "{option}". {nearest(option, known)}'.rstrip()
            raise PatchbayError(Code.BAD_VALUE, at, what, f"Known: {', '.join(known)}.")
        try:
            TypeAdapter(known[option].annotation).validate_python(value, strict=True)
        except ValidationError as error:
            wanted = "; ".join(sorted({detail["msg"] for detail in error.errors()}))
            raise PatchbayError(Code.BAD_VALUE, at, f"{value!r} does not fit: {wanted}.") from error
    return dict(options)


def _stock_config(model_config: Mapping[str, object], family: str) -> Any:  # noqa: ANN401
    return _stock_config_of(json.dumps(model_config, sort_keys=True), family)


@lru_cache(maxsize=64)
def _stock_config_of(model_config: str, family: str) -> Any:  # noqa: ANN401
    """The configuration as it stands in a stock pipeline of that model.

    The model's own scheduler class completes it with its defaults, and the pipeline's constructor corrects outdated
    values. Both decide what another scheduler inherits, so both are left to Diffusers. Its advice to edit the model's
    files is of no use to the user of a graph.
    """
    from nodes.diffusion.libraries import diffusers

    warnings.filterwarnings("ignore", "The configuration file of this scheduler", FutureWarning)
    config = json.loads(model_config)
    own = scheduler_class(str(config.get("_class_name"))).from_config(config)
    pipeline_class = getattr(diffusers, family)
    if "_internal_dict" not in inspect.getsource(pipeline_class.__init__):  # it corrects nothing
        return own.config
    parameters = [
        each for name, each in inspect.signature(pipeline_class.__init__).parameters.items() if name != "self"
    ]
    absent = {each.name: None for each in parameters if each.default is each.empty}
    pipeline = pipeline_class(**{**absent, "scheduler": own, "requires_safety_checker": False})
    return pipeline.scheduler.config
