from typing import get_args

import diffusers
import pytest

from engine.errors import Code, PatchbayError
from nodes.diffusion.schedulers import CLASSES, build, check_options, options_of
from nodes.types import Scheduler, SchedulerName

FAMILY = "StableDiffusionPipeline"


@pytest.fixture
def stock_config(pocket):
    own = diffusers.DDIMScheduler.from_pretrained(pocket.path / "scheduler")
    return own.config


def refusal(call, *arguments):
    with pytest.raises(PatchbayError) as caught:
        call(*arguments)
    assert caught.value.code is Code.BAD_VALUE
    return caught.value


def test_the_table_and_the_type_name_the_same_schedulers():
    assert tuple(CLASSES) == get_args(SchedulerName)


@pytest.mark.parametrize("name", CLASSES)
def test_a_scheduler_inherits_the_model_s_configuration(pocket, stock_config, name):
    live = build(name, pocket.scheduler, FAMILY)
    stock = getattr(diffusers, CLASSES[name]).from_config(stock_config)
    assert type(live) is type(stock)
    assert dict(live.config) == dict(stock.config)


@pytest.mark.parametrize("name", CLASSES)
def test_options_are_read_from_the_signature(name):
    options = options_of(name)
    assert options["num_train_timesteps"].default == 1000
    assert not {"self", "solver_p", "tau_func"} & set(options)
    assert "numpy" not in str([option.annotation for option in options.values()])


def test_options_are_set(pocket):
    chosen = Scheduler("DPMSolverMultistep", "pocket", pocket.scheduler, {"use_karras_sigmas": True})
    assert build(chosen, {}, FAMILY).config.use_karras_sigmas is True


def test_a_list_of_betas_is_accepted():
    assert check_options("Euler", {"trained_betas": [0.1, 0.2]})


def test_every_scheduler_is_a_fresh_object(pocket):
    assert build("DDIM", pocket.scheduler, FAMILY) is not build("DDIM", pocket.scheduler, FAMILY)


def test_the_model_s_own_scheduler_goes_by_its_class(pocket):
    own = Scheduler("DDIMScheduler", "pocket", pocket.scheduler)
    assert type(build(own, {}, FAMILY)) is diffusers.DDIMScheduler


def test_outdated_configurations_are_corrected_as_the_stock_pipeline_does():
    old = {"_class_name": "DDIMScheduler", "steps_offset": 0, "clip_sample": True}
    assert build("DDPM", old, FAMILY).config.clip_sample is False
    assert build("PNDM", old, FAMILY).config.steps_offset == 1


def test_the_nearest_scheduler_is_named(pocket):
    assert 'Did you mean "Euler"?' in refusal(build, "Eular", pocket.scheduler, FAMILY).what
    refusal(build, "StableDiffusionPipeline", pocket.scheduler, FAMILY)
    refusal(build, "Euler", {}, FAMILY)


def test_the_nearest_option_is_named():
    assert 'Did you mean "use_karras_sigmas"?' in refusal(check_options, "Euler", {"use_karas_sigmas": True}).what
    assert refusal(check_options, "UniPC", {"solver_p": "x"}).at == "scheduler.options.solver_p"


@pytest.mark.parametrize(
    "options",
    [
        {"beta_start": "x"},
        {"beta_start": True},
        {"beta_end": None},
        {"use_karras_sigmas": 1},
        {"timestep_spacing": "log"},
    ],
)
def test_an_option_of_the_wrong_type_is_refused(options):
    refusal(check_options, "DPMSolverMultistep", options)


def test_options_that_contradict_each_other_are_refused(pocket):
    both = {"use_karras_sigmas": True, "use_exponential_sigmas": True}
    refusal(build, Scheduler("Euler", "pocket", pocket.scheduler, both), {}, FAMILY)
