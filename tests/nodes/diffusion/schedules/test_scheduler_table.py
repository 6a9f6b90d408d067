"""Which scheduler is right for which model is measured: pictures drawn from a normal distribution have a formula."""

import inspect
import json
import warnings
from importlib.util import find_spec
from typing import get_args

import diffusers
import numpy as np
import pytest

from engine.errors import Code, PatchbayError
from nodes.diffusion.schedules.scheduler_scan import scan, summary_of, texts_of
from nodes.diffusion.schedules.scheduler_table import (
    CLASSES,
    DIFFUSION,
    FILE,
    OWN,
    PRESETS,
    check_fit,
    check_options,
    nearest_fit,
    options_of,
    prediction_of,
    predictions_of,
    short_name,
)
from nodes.diffusion.schedules.schedulers import build, scheduler_class
from nodes.types import ClassName, PresetName, Scheduler

ALL = (*DIFFUSION, "flow", "edm")
HERE = [name for name in CLASSES if name != "DPMSolverSDE" or find_spec("torchsde")]
RIGHT = [(name, prediction) for name in HERE for prediction in predictions_of(name)]
FEW = dict.fromkeys(("LMS", "KDPM2", "KDPM2Ancestral", "Heun", "LCM", "FlowMatchLCM"), 20) | {"TCD": 50}
"""Steps of those that are slow or of a high order; the others take 60."""
WRONG = [(name, prediction) for name in HERE for prediction in ALL if prediction not in predictions_of(name)]


def refusal(call, *arguments):
    with pytest.raises(PatchbayError) as caught:
        call(*arguments)
    assert caught.value.code is Code.BAD_VALUE
    return caught.value


def distance(gaussian, result):
    """How far mean and deviation of a result are from those of the pictures."""
    return max(abs(float(result.mean()) - gaussian.mean), abs(float(result.std()) - gaussian.deviation))


@pytest.mark.parametrize(("name", "prediction"), RIGHT)
def test_an_offered_scheduler_draws_the_pictures_of_the_model(name, prediction, gaussian, config_of, drive):
    live = build(name, config_of(prediction), "")
    clean = gaussian.end if name.endswith("LCM") else None  # it wants a consistency model
    assert distance(gaussian, drive(live, prediction, FEW.get(name, 60), clean=clean)) < 0.06


@pytest.mark.parametrize(("name", "prediction"), WRONG)
def test_a_refused_scheduler_does_not(name, prediction, gaussian, config_of, drive):
    assert refusal(build, name, config_of(prediction), "").at == "scheduler"
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            live = scheduler_class(name).from_config(config_of(prediction))
            result = drive(live, prediction, 20)
        except (AttributeError, NotImplementedError, ValueError, ArithmeticError):
            return
    assert not distance(gaussian, result) < 0.08


def test_every_scheduler_of_diffusers_is_offered_or_has_a_reason_not_to_be():
    exported = {name for name in dir(diffusers) if name.endswith("Scheduler")}
    assert exported == {*CLASSES.values(), *OWN}


def test_the_types_name_the_same_schedulers():
    assert tuple(CLASSES) == get_args(ClassName)
    assert tuple(PRESETS) == get_args(PresetName)


def test_the_table_is_that_of_the_installed_diffusers():
    table = json.loads(FILE.read_text())
    assert table.keys() == CLASSES.keys()
    assert {name: table[name] for name in scan()} == scan(), "python -m nodes.diffusion.schedules.scheduler_scan"
    assert scan().keys() >= CLASSES.keys() - {"DPMSolverSDE"}


@pytest.mark.parametrize("name", HERE)
def test_options_have_types_defaults_and_texts(name):
    cls = scheduler_class(name)
    texts, parameters = texts_of(cls), inspect.signature(cls.__init__).parameters
    options = options_of(name)
    assert not {"self", "solver_p", "tau_func", "noise_sampler_seed"} & set(options)
    assert summary_of(cls).endswith(".")
    told = [option for option in options if texts.get(option)]
    assert len(told) >= 0.75 * len(options)
    for option, found in options.items():
        if parameters[option].default != float("-inf"):
            assert found.default == parameters[option].default


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_made_of_options_that_there_are(name, config_of):
    assert check_options(name, PRESETS[name].options) == PRESETS[name].options
    assert build(name, config_of("epsilon"), "").config.prediction_type == "epsilon"


def test_a_preset_takes_more_options(config_of):
    chosen = Scheduler("DPM++ 2M Karras", "", config_of("epsilon"), {"solver_order": 3})
    live = build(chosen, {}, "")
    assert (live.config.use_karras_sigmas, live.config.solver_order) == (True, 3)


@pytest.mark.parametrize(
    ("config", "prediction"),
    [
        ({"_class_name": "DDIMScheduler"}, "epsilon"),
        ({"_class_name": "EulerDiscreteScheduler", "prediction_type": "v_prediction"}, "v_prediction"),
        ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, "flow"),
        ({"_class_name": "UniPCMultistepScheduler", "use_flow_sigmas": True}, "flow"),
        ({"_class_name": "DPMSolverMultistepScheduler", "prediction_type": "flow_prediction"}, "flow"),
        ({"_class_name": "EDMEulerScheduler", "prediction_type": "epsilon"}, "edm"),
        ({"_class_name": "CogVideoXDDIMScheduler", "prediction_type": "v_prediction"}, "CogVideoXDDIMScheduler"),
    ],
)
def test_what_a_model_predicts_is_read_from_its_scheduler(config, prediction):
    assert prediction_of(config) == prediction


def test_a_refusal_gives_the_reason_and_the_nearest():
    found = refusal(check_fit, "EulerAncestral", "flow")
    assert found.what == (
        "EulerAncestral is for models that predict noise or velocity (v), and this one predicts flow: it would run and "
        "give a wrong picture."
    )
    assert found.fix == "Use LTXEulerAncestralRF."
    assert refusal(check_fit, "DDIM", "CogVideoXDDIMScheduler").fix == (
        "Use the model's own scheduler (CogVideoXDDIMScheduler)."
    )
    assert "is for consistency models" in refusal(check_fit, "CMStochasticIterativeScheduler", "epsilon").what
    assert refusal(check_fit, "Euler", "edm").fix == "Use EDMEuler."


@pytest.mark.parametrize("prediction", ALL)
@pytest.mark.parametrize("name", CLASSES)
def test_the_nearest_is_right_for_the_model(name, prediction):
    assert prediction in predictions_of(nearest_fit(name, prediction))


def test_the_model_s_own_scheduler_is_never_refused():
    for own in OWN:
        check_fit(own, own)
    check_fit("DDIMScheduler", "epsilon")
    check_fit("DPM++ SDE", "flow")


def test_names_are_names_of_classes():
    assert short_name("DPM++ 2M Karras") == short_name("DPMSolverMultistepScheduler") == "DPMSolverMultistep"
    assert short_name("SCMScheduler") == "SCMScheduler"


def test_the_nearest_option_is_named():
    assert 'Did you mean "use_karras_sigmas"?' in refusal(check_options, "Euler", {"use_karas_sigmas": True}).what
    assert refusal(check_options, "UniPC", {"solver_p": "x"}).at == "options.solver_p"
    assert refusal(check_options, "DDIM", {"x": 1}, "place").at == "place.x"


@pytest.mark.parametrize(
    "options",
    [
        {"beta_start": "x"},
        {"beta_start": True},
        {"beta_end": None},
        {"beta_end": 1.5},
        {"solver_order": 7},
        {"use_karras_sigmas": 1},
        {"timestep_spacing": "log"},
    ],
)
def test_an_option_of_the_wrong_type_or_range_is_refused(options):
    refusal(check_options, "DPMSolverMultistep", options)


def test_a_list_of_betas_is_accepted():
    assert check_options("Euler", {"trained_betas": [0.1, 0.2]})
