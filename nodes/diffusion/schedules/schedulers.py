"""Live schedulers, made from the model's own configuration and what the graph chose.

Importing this module does not import torch or diffusers; asking for a scheduler does.
"""

from __future__ import annotations

import copy
import inspect
import json
import warnings
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError, nearest
from nodes.diffusion.schedules.sampler_settings import check_prediction
from nodes.diffusion.schedules.scheduler_table import (
    CLASSES,
    FLOW,
    PRESETS,
    check_fit,
    check_options,
    options_of,
    prediction_of,
    preset_of,
)
from nodes.types import Sampler, Scheduler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.diffusion.schedules.pose import SamplerScheduler


def scheduler_class(name: str) -> Any:  # noqa: ANN401  # diffusers does not type its lazy classes
    """The diffusers class that `name` stands for; the classes' own names are known too.

    Raises `bad_value` with the nearest known name.
    """
    from nodes.diffusion.weights.libraries import diffusers

    found_name = preset_of(name).name
    class_name = CLASSES.get(found_name, found_name)
    found = getattr(diffusers, class_name, None) if class_name.endswith("Scheduler") else None
    if not inspect.isclass(found):
        known = [*PRESETS, *CLASSES]
        what = f'There is no scheduler "{name}". {nearest(name, known)}'.rstrip()
        raise PatchbayError(Code.BAD_VALUE, "scheduler", what, f"Known: {', '.join(known)}.")
    missing = [each for each in getattr(found, "_backends", ()) if each not in {"torch", "scipy"}]
    if missing:
        what = f'{name} needs the package "{missing[0]}".'
        raise PatchbayError(Code.MISSING_PACKAGE, "scheduler", what, f"pip install {missing[0]}")
    return found


def build(scheduler: Scheduler[Any] | str, model_config: Mapping[str, object], family: str) -> Any:  # noqa: ANN401
    """A fresh scheduler, made as stock code does: `Class.from_config(pipeline.scheduler.config, **options)`.

    `model_config` is the configuration of the model's own scheduler and `family` the model's pipeline class; a
    `Scheduler` that inherits another configuration brings it in `base`. Never share the result: pipelines change the
    schedulers they are given.
    Raises `bad_value` for an unknown name, an unknown option, a value that does not fit, or a scheduler that cannot be
    right for the model.
    """
    chosen: Scheduler[Any] = Scheduler(scheduler, "") if isinstance(scheduler, str) else scheduler
    chosen = replace(chosen, base=chosen.base or model_config, family=chosen.family or family)
    preset = preset_of(chosen.name)
    if isinstance(chosen, Sampler):
        return posing(chosen)
    if preset.is_sampler:
        return posing(Sampler(chosen.name, chosen.kind, chosen.base, chosen.options, chosen.family, preset.name))
    return _live(chosen)


def _live(chosen: Scheduler[Any]) -> Any:  # noqa: ANN401
    base, options = (json.dumps(dict(each), sort_keys=True) for each in (chosen.base, chosen.options))
    return copy.deepcopy(_made(chosen.name, base, options, chosen.family))


@lru_cache(maxsize=64)
def _made(name: str, base: str, options: str, family: str) -> Any:  # noqa: ANN401
    """A scheduler to be copied, which takes a tenth of the time: a run wants several. Values are as JSON."""
    from torch import inference_mode

    cls = scheduler_class(name)
    preset = preset_of(name)
    told = {**preset.options, **check_options(name, json.loads(options), "scheduler.options")}
    config = _stock_config(base, family)
    prediction = prediction_of({**config, **told, "_class_name": _class_name(json.loads(base))})
    check_fit(name, prediction)
    if prediction == FLOW:
        told = {**_flow_options(preset.name, config), **told}
    try:
        with inference_mode(mode=False):  # a copy may be changed anywhere
            return cls.from_config(_readable(config, cls), **told)
    except (ValueError, NotImplementedError, TypeError, ImportError) as error:
        what = f"{name} does not accept these options together: {error}"
        raise PatchbayError(Code.BAD_VALUE, "scheduler.options", what) from error


def posing(chosen: Sampler[Any]) -> SamplerScheduler:
    """A sampler on the noise levels of the scheduler that it was chosen with, as Euler would have them."""
    from nodes.diffusion.schedules.pose import SamplerScheduler
    from nodes.diffusion.schedules.processes import process_of

    prediction = prediction_of({**chosen.base, **chosen.options})
    check_prediction(prediction, chosen.sampler, chosen.settings)
    euler = "FlowMatchEuler" if prediction == FLOW else "Euler"
    preset = preset_of(chosen.name)
    is_any = preset.is_sampler or preset.name in {"Euler", "FlowMatchEuler"}
    name, options = euler if is_any else chosen.name, {**preset.options, **chosen.options}
    live = _live(Scheduler(name, chosen.kind, chosen.base, options, chosen.family))
    extra = _flow_options(euler, live.config) if prediction == FLOW else {}
    base = scheduler_class(euler).from_config(_readable(live.config, scheduler_class(euler)), **extra)
    return SamplerScheduler(base, process_of(base, prediction), chosen.sampler, chosen.settings, chosen.sigmas)


_PARTING = frozenset({"DDPMScheduler", "DDPMParallelScheduler", "UnCLIPScheduler"})
"""Schedulers that read a variance beside the prediction, in latents of any number of channels."""


def _readable(config: Mapping[str, Any], cls: Any) -> Mapping[str, Any]:  # noqa: ANN401
    """The configuration of a model that predicts its variance too, for a scheduler that cannot read that.

    Not told of it, the scheduler is given the prediction alone: pipelines cut the rest off.
    """
    if cls.__name__ in _PARTING or config.get("variance_type") not in {"learned", "learned_range"}:
        return config
    return {**config, "variance_type": None}


def _flow_options(name: str, config: Mapping[str, Any]) -> dict[str, object]:
    """What a scheduler must be told on a flow model: `from_config` does not know that two classes mean the same."""
    known = options_of(name)
    shift = config.get("shift", config.get("flow_shift"))
    found: dict[str, object] = {"prediction_type": "flow_prediction", "use_flow_sigmas": True}
    if shift is not None:
        found |= {"shift": shift, "flow_shift": shift}
    return {option: value for option, value in found.items() if option in known}


def _class_name(config: Mapping[str, object]) -> str:
    return str(config.get("_class_name"))


@lru_cache(maxsize=64)
def _stock_config(model_config: str, family: str) -> Any:  # noqa: ANN401
    """The configuration as it stands in a stock pipeline of that model.

    The model's own scheduler class completes it with its defaults, and the pipeline's constructor corrects outdated
    values. Both decide what another scheduler inherits, so both are left to Diffusers. Its advice to edit the model's
    files is of no use to the user of a graph.
    """
    from nodes.diffusion.weights.libraries import diffusers

    warnings.filterwarnings("ignore", "The configuration file of this scheduler", FutureWarning)
    config = json.loads(model_config)
    own = scheduler_class(_class_name(config)).from_config(config)
    if not family:
        return own.config
    pipeline_class = getattr(diffusers, family)
    if "_internal_dict" not in inspect.getsource(pipeline_class.__init__):  # it corrects nothing
        return own.config
    parameters = [
        each for name, each in inspect.signature(pipeline_class.__init__).parameters.items() if name != "self"
    ]
    absent: dict[str, Any] = {each.name: None for each in parameters if each.default is each.empty}
    if any(each.name == "requires_safety_checker" for each in parameters):
        absent["requires_safety_checker"] = False
    pipeline = pipeline_class(**{**absent, "scheduler": own})
    return pipeline.scheduler.config
