import diffusers
import pytest

from engine.errors import Code, PatchbayError
from nodes.diffusion.schedules.pose import SamplerScheduler
from nodes.diffusion.schedules.scheduler_table import CLASSES, predictions_of
from nodes.diffusion.schedules.schedulers import build
from nodes.types import Sampler, Scheduler

FAMILY = "StableDiffusionPipeline"
DRIVES = [name for name in CLASSES if "v_prediction" in predictions_of(name) and name != "DPMSolverSDE"]


@pytest.fixture
def stock_config(pocket):
    own = diffusers.DDIMScheduler.from_pretrained(pocket.path / "scheduler")
    return own.config


def refusal(call, *arguments):
    with pytest.raises(PatchbayError) as caught:
        call(*arguments)
    assert caught.value.code is Code.BAD_VALUE
    return caught.value


@pytest.mark.parametrize("name", DRIVES)
def test_a_scheduler_inherits_the_model_s_configuration(pocket, stock_config, name):
    live = build(name, pocket.scheduler, FAMILY)
    stock = getattr(diffusers, CLASSES[name]).from_config(stock_config)
    assert type(live) is type(stock)
    assert dict(live.config) == dict(stock.config)


def test_options_are_set(pocket):
    chosen = Scheduler("DPMSolverMultistep", "pocket", pocket.scheduler, {"use_karras_sigmas": True})
    assert build(chosen, {}, FAMILY).config.use_karras_sigmas is True


def test_every_scheduler_is_a_fresh_object(pocket):
    assert build("DDIM", pocket.scheduler, FAMILY) is not build("DDIM", pocket.scheduler, FAMILY)


def test_what_a_pipeline_does_to_its_scheduler_is_not_seen_by_the_next(pocket):
    changed = build("DDIM", pocket.scheduler, FAMILY)
    changed.register_to_config(steps_offset=7)
    changed.betas.zero_()
    fresh = build("DDIM", pocket.scheduler, FAMILY)
    assert fresh.config.steps_offset != 7
    assert fresh.betas.all()


def test_the_model_s_own_scheduler_goes_by_its_class(pocket):
    own = Scheduler("DDIMScheduler", "pocket", pocket.scheduler)
    assert type(build(own, {}, FAMILY)) is diffusers.DDIMScheduler


def test_outdated_configurations_are_corrected_as_the_stock_pipeline_does():
    old = {"_class_name": "DDIMScheduler", "steps_offset": 0, "clip_sample": True}
    assert build("DDPM", old, FAMILY).config.clip_sample is False
    assert build("PNDM", old, FAMILY).config.steps_offset == 1
    assert build(Scheduler("PNDM", "", old, {}, FAMILY), {}, "").config.steps_offset == 1


def test_the_nearest_scheduler_is_named(pocket):
    assert 'Did you mean "Euler"?' in refusal(build, "Eular", pocket.scheduler, FAMILY).what
    assert 'Did you mean "DPM++ 2M Karras"?' in refusal(build, "DPM++ 2M Karas", pocket.scheduler, FAMILY).what
    refusal(build, "StableDiffusionPipeline", pocket.scheduler, FAMILY)
    refusal(build, "Euler", {}, FAMILY)


def test_options_that_contradict_each_other_are_refused(pocket):
    both = {"use_karras_sigmas": True, "use_exponential_sigmas": True}
    refusal(build, Scheduler("Euler", "pocket", pocket.scheduler, both), {}, FAMILY)


def test_the_shift_of_a_flow_model_is_inherited_by_whatever_name_a_class_has_for_it():
    euler = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}
    assert build("UniPC", euler, "").config.flow_shift == 3.0
    assert build("UniPC", euler, "").config.prediction_type == "flow_prediction"
    unipc = {"_class_name": "UniPCMultistepScheduler", "use_flow_sigmas": True, "flow_shift": 5.0}
    assert build("FlowMatchEuler", {**unipc, "prediction_type": "flow_prediction"}, "").config.shift == 5.0
    assert build(Scheduler("UniPC", "", euler, {"flow_shift": 2.0}), {}, "").config.flow_shift == 2.0


def test_another_prediction_can_be_set_where_a_configuration_is_wrong(pocket):
    live = build(Scheduler("DDIM", "", pocket.scheduler, {"prediction_type": "epsilon"}), {}, FAMILY)
    assert live.config.prediction_type == "epsilon"
    refusal(build, Scheduler("PNDM", "", pocket.scheduler, {"prediction_type": "sample"}), {}, FAMILY)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample", "flow"])
def test_a_sampler_takes_the_levels_of_the_scheduler_it_was_chosen_with(config_of, prediction):
    config = config_of(prediction)
    name = "FlowMatchEuler" if prediction == "flow" else "Euler"
    euler = build(Scheduler(name, "", config, {"use_karras_sigmas": True}), {}, "")
    euler.set_timesteps(8)
    for chosen in (
        Scheduler("DPM++ SDE Karras", "", config),
        Sampler("DPM++ SDE Karras", "", config, sampler="lms"),
        Sampler("Euler", "", config, {"use_karras_sigmas": True}, sampler="heun"),
        Sampler(name, "", config, {"use_karras_sigmas": True}, sampler="heun"),
    ):
        live = build(chosen, {}, "")
        live.set_timesteps(8)
        assert isinstance(live, SamplerScheduler)
        assert live.levels == tuple(float(level) for level in euler.sigmas)


def test_no_sampler_is_right_for_a_model_of_its_own_kind(config_of):
    assert "predicts as EDM does" in refusal(build, "DPM++ SDE", config_of("edm"), "").what
    own = {"_class_name": "CogVideoXDDIMScheduler"}
    assert "is for CogVideoXDDIMScheduler alone" in refusal(build, "ER-SDE", own, "").what
