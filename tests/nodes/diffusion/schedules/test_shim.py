import copy
import inspect

import diffusers
import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion.schedules.pose import SamplerScheduler
from nodes.diffusion.schedules.processes import process_of
from nodes.diffusion.schedules.scheduler_table import CLASSES, predictions_of
from nodes.diffusion.schedules.schedulers import build
from nodes.diffusion.schedules.shim import NOTHING, Position, SchedulerShim, Window, begin_at

DRIVES = [name for name in CLASSES if "v_prediction" in predictions_of(name) and name != "DPMSolverSDE"]


@pytest.fixture
def fresh(pocket):
    return lambda name="DDIM": build(name, pocket.scheduler, "StableDiffusionPipeline")


@pytest.mark.parametrize("name", DRIVES)
def test_signatures_stay_the_scheduler_s(fresh, name):
    scheduler = fresh(name)
    shim = SchedulerShim(scheduler, lambda *_: None)
    assert inspect.signature(shim.step) == inspect.signature(scheduler.step)
    assert inspect.signature(shim.set_timesteps) == inspect.signature(scheduler.set_timesteps)


@pytest.mark.parametrize("name", DRIVES)
@pytest.mark.parametrize("strength", [0.1, 0.35, 0.5, 1.0])
def test_the_window_is_that_of_stock_image_to_image(fresh, name, strength):
    shim = SchedulerShim(fresh(name), lambda *_: None, window=Window(10, 10 - int(10 * strength)), noised=True)
    shim.set_timesteps(10)
    stock = diffusers.StableDiffusionImg2ImgPipeline(
        **dict.fromkeys(("vae", "text_encoder", "tokenizer", "unet", "safety_checker", "feature_extractor")),
        scheduler=fresh(name),
        requires_safety_checker=False,
    )
    stock.scheduler.set_timesteps(10)
    timesteps, _ = stock.get_timesteps(10, strength, "cpu")
    assert torch.equal(shim.timesteps, timesteps)
    assert getattr(shim, "begin_index", None) == getattr(stock.scheduler, "begin_index", None)


def test_each_step_is_told(fresh):
    told = []
    shim = SchedulerShim(fresh(), lambda *call: told.append(call))
    shim.set_timesteps(3)
    for timestep in shim.timesteps:
        stepped = shim.step(torch.zeros(1, 4, 2, 2), timestep, torch.ones(1, 4, 2, 2), return_dict=False)
        assert told[-1][2]() is stepped[1]
    assert [call[:2] for call in told] == [(1, 3), (2, 3), (3, 3)]


def test_an_exception_stops_the_step(fresh):
    def stop(*_):
        raise KeyboardInterrupt

    shim = SchedulerShim(fresh(), stop)
    shim.set_timesteps(2)
    with pytest.raises(KeyboardInterrupt):
        shim.step(torch.zeros(1, 4, 2, 2), shim.timesteps[0], torch.ones(1, 4, 2, 2))


def test_latents_that_have_noise_are_not_scaled(fresh):
    assert SchedulerShim(fresh("Euler"), lambda *_: None, noised=True).init_noise_sigma == 1
    assert SchedulerShim(fresh("Euler"), lambda *_: None).init_noise_sigma > 10


def test_a_scheduler_that_cannot_be_told_its_beginning_is_left_alone():
    begin_at(object(), 3)


def test_a_beginning_that_the_pipeline_names_counts_from_the_window(fresh):
    shim = SchedulerShim(fresh("Euler"), lambda *_: None, window=Window(10, 3), noised=True)
    shim.set_timesteps(10)
    shim.set_begin_index(0)
    assert shim.begin_index == 3


def test_a_step_draws_from_the_run_s_own_generators(fresh):
    def run(**options):
        torch.manual_seed(1)
        own = [torch.Generator().manual_seed(5)]
        shim = SchedulerShim(fresh("EulerAncestral"), lambda *_: None, own=own, **options)
        shim.set_timesteps(3)
        return shim.step(torch.ones(1, 4, 2, 2), shim.timesteps[0], torch.ones(1, 4, 2, 2))[0]

    before = torch.get_rng_state()
    torch.manual_seed(1)
    expected = torch.get_rng_state()
    assert torch.equal(run(), run())
    assert torch.equal(torch.get_rng_state(), expected)
    torch.set_rng_state(before)


def test_nothing_is_left_where_all_steps_are_left_out(fresh):
    shim = SchedulerShim(fresh(), lambda *_: None, window=NOTHING)
    shim.set_timesteps(4)
    assert not len(shim.timesteps)


def test_a_copy_is_a_scheduler_of_its_own(fresh):
    scheduler = fresh("Euler")
    shim = SchedulerShim(scheduler, lambda *_: None)
    found = copy.deepcopy(shim)
    found.set_timesteps(3)
    assert isinstance(found, diffusers.EulerDiscreteScheduler)
    assert found.num_inference_steps == 3
    assert scheduler.num_inference_steps is None
    assert isinstance(shim, diffusers.EulerDiscreteScheduler)


def test_a_copy_goes_on_from_a_state_of_its_own_and_draws_what_it_would_alone(fresh):
    def stepped(shim, between):
        beside = copy.deepcopy(shim)
        for each in (beside, shim):
            each.set_timesteps(4)
        latents = torch.ones(1, 4, 2, 2)
        for timestep in shim.timesteps:
            between(shim, timestep)
            latents = beside.step(torch.zeros(1, 4, 2, 2), timestep, latents, return_dict=False)[0]
        return latents, shim

    def steps(shim, timestep):
        shim.step(torch.zeros(1, 4, 2, 2), timestep, torch.ones(1, 4, 2, 2))

    def made(**how):
        own = [torch.Generator().manual_seed(1)]
        return SchedulerShim(fresh("EulerAncestral"), lambda *_: None, own=own, noised=True, **how)

    alone, _ = stepped(made(), lambda *_: None)
    together, whole = stepped(made(), steps)
    assert torch.equal(alone, together)
    _, first = stepped(made(window=Window(4, 0, 2)), steps)
    _, rest = stepped(made(window=Window(4, 2), resume=first.state()), steps)
    ends = [shim.state()["beside"] for shim in (whole, rest)]
    assert torch.equal(*(end["generators"][0] for end in ends))
    assert ends[0]["_step_index"] == ends[1]["_step_index"]


def test_of_copies_the_last_one_tells_how_far_it_is(fresh, within):
    """Where each frame has a scheduler, the last frame's ends last."""
    shim, seen = SchedulerShim(fresh(), lambda *_: None), []
    first, last = copy.deepcopy(shim), copy.deepcopy(shim)
    with within(emit=seen.append):
        for scheduler in (first, last):
            scheduler.set_timesteps(2)
            scheduler.step(torch.zeros(1, 4, 2, 2), scheduler.timesteps[0], torch.ones(1, 4, 2, 2))
            assert len(seen) == (scheduler is last)
    assert (seen[0].done, seen[0].total) == (1, 2)
    assert shim.position(whole=False) == last.position(whole=False) == Position(1, 2)


def test_the_last_step_is_told(fresh):
    told = []
    shim = SchedulerShim(fresh(), lambda *_: None, on_last=told.append)
    shim.set_timesteps(2)
    for timestep in shim.timesteps:
        assert not told
        latents = shim.step(torch.zeros(1, 4, 2, 2), timestep, torch.ones(1, 4, 2, 2), return_dict=False)[0]
    assert told[0] is latents


def test_what_the_pipeline_tells_and_the_scheduler_cannot_be_told_is_refused(fresh):
    shim = SchedulerShim(fresh("Euler"), lambda *_: None)
    with pytest.raises(PatchbayError, match="EulerDiscreteScheduler cannot be told"):
        shim.set_timesteps(4, original_inference_steps=50)


class Brownian:
    """As DPMSolverSDE: it draws from the global generator unless it is told seeds."""

    order, noise_sampler_seed, step_index, config = 1, None, None, {}

    def set_timesteps(self, steps):
        self.timesteps = torch.arange(steps)
        self.noise_sampler_seed = None

    def step(self, sample):
        self.step_index = len(sample)
        return (sample,)


def test_a_scheduler_that_wants_seeds_gets_those_of_the_generators_and_keeps_them():
    own = [torch.Generator().manual_seed(5), torch.Generator().manual_seed(6)]
    first = SchedulerShim(Brownian(), lambda *_: None, own=own)
    first.set_timesteps(3)
    assert first.noise_sampler_seed == [5, 6]
    first.step(torch.zeros(2))
    others = [torch.Generator().manual_seed(8), torch.Generator().manual_seed(9)]
    second = SchedulerShim(Brownian(), lambda *_: None, own=others, window=Window(3, 1), resume=first.state())
    second.set_timesteps(3)
    assert (second.noise_sampler_seed, second.step_index) == ([5, 6], 2)


def test_own_generators_are_used_only_where_the_pipeline_hands_none_on(fresh):
    def stepped(**given):
        shim = SchedulerShim(fresh("EulerAncestral"), lambda *_: None, own=[torch.Generator().manual_seed(1)])
        shim.set_timesteps(3)
        return shim.step(torch.ones(1, 4, 2, 2), shim.timesteps[0], torch.ones(1, 4, 2, 2), **given)[0]

    assert torch.equal(stepped(), stepped())
    assert torch.equal(stepped(generator=None), stepped())
    assert not torch.equal(stepped(generator=[torch.Generator().manual_seed(2)]), stepped())


@pytest.mark.parametrize("return_dict", [True, False])
@pytest.mark.parametrize("name", ["Euler", "sampler"])
def test_what_becomes_of_each_step_s_latents_is_said_with_the_next_call_s_number(fresh, name, return_dict):
    scheduler, told = fresh("Euler"), []
    if name == "sampler":
        scheduler = SamplerScheduler(scheduler, process_of(scheduler, "epsilon"), "euler", {})

    def settle(live, index, latents):
        told.append((live is scheduler, index, float(latents.mean())))
        return torch.zeros_like(latents)

    own = [torch.Generator().manual_seed(1)]
    shim = SchedulerShim(scheduler, lambda *_: None, window=Window(4, 2), noised=True, own=own, settle=settle)
    shim.set_timesteps(4)
    for timestep in shim.timesteps:
        result = shim.step(torch.zeros(1, 4, 2, 2), timestep, torch.ones(1, 4, 2, 2), return_dict=return_dict)
        assert not (result.prev_sample if return_dict else result[0]).any()
    assert [(mine, index) for mine, index, _ in told] == [(True, 3), (True, 4)]
    assert told[0][2] != 0


def test_a_pipeline_finds_the_noise_levels_of_its_own_steps():
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    shim = SchedulerShim(scheduler, lambda *_: None, window=Window(4, 1), noised=True)
    shim.set_timesteps(4)
    assert torch.equal(shim.sigmas, scheduler.sigmas[1:])
    assert len(SchedulerShim(scheduler, lambda *_: None).sigmas) == 5


def test_where_a_pipeline_asks_twice_only_the_second_is_a_step():
    told = []
    shim = SchedulerShim(diffusers.EDMEulerScheduler(), lambda *call: told.append(call[:2]), asks_twice=True)
    shim.set_timesteps(2)
    x = torch.ones(1, 4, 2, 2)
    clean = shim.step(x, shim.timesteps[0], x, return_dict=False)[1]
    shim._step_index -= 1
    assert shim._scheduler._step_index == 0
    assert told == []
    shim.step(clean, shim.timesteps[0], x, return_dict=False, pred_original_sample=clean)
    assert told == [(1, 2)]


def test_a_scheduler_that_cannot_be_asked_twice_is_refused(fresh):
    shim = SchedulerShim(fresh(), lambda *_: None, asks_twice=True)
    shim.set_timesteps(2)
    with pytest.raises(PatchbayError, match="DDIMScheduler cannot"):
        shim.step(torch.zeros(1, 4, 2, 2), shim.timesteps[0], torch.ones(1, 4, 2, 2))
