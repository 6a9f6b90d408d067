"""A sampler behind the interface of a scheduler: in any family, told of nothing but outputs."""

import inspect

import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion.schedules.samplers import SAMPLERS
from nodes.diffusion.schedules.schedulers import build
from nodes.types import Sampler, Scheduler

PREDICTIONS = ["epsilon", "v_prediction", "sample", "flow"]


@pytest.fixture
def posing(config_of):
    def make(prediction, name="euler", settings=None, sigmas=None, **options):
        base = "FlowMatchEuler" if prediction == "flow" else "Euler"
        return build(Sampler(base, "", config_of(prediction), options, "", name, settings or {}, sigmas), {}, "")

    return make


@pytest.mark.parametrize("karras", [False, True])
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_euler_is_the_stock_euler(posing, drive, config_of, prediction, karras):
    name = "FlowMatchEuler" if prediction == "flow" else "Euler"
    stock = build(Scheduler(name, "", config_of(prediction), {"use_karras_sigmas": karras}), {}, "")
    ours = posing(prediction, use_karras_sigmas=karras)
    theirs = drive(stock, prediction, 12, seed=3)
    assert torch.allclose(drive(ours, prediction, 12, seed=3), theirs, atol=2e-5)
    assert torch.allclose(ours.timesteps, stock.timesteps.float(), atol=1e-4)


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
def test_the_noise_at_the_start_is_scaled_as_the_stock_euler_s(posing, config_of, drive, spacing):
    stock = build(Scheduler("Euler", "", config_of("epsilon"), {"timestep_spacing": spacing}), {}, "")
    ours = posing("epsilon", timestep_spacing=spacing)
    assert torch.allclose(drive(ours, "epsilon", 5), drive(stock, "epsilon", 5), atol=2e-5)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_draws_the_pictures_of_every_model(posing, drive, gaussian, name, prediction):
    if (name, prediction) == ("dpm_2_ancestral", "flow"):
        return  # refused
    clean = gaussian.end if name == "lcm" else None
    result = drive(posing(prediction, name, use_karras_sigmas=True), prediction, 30, clean=clean)
    assert abs(float(result.mean()) - gaussian.mean) < 0.03
    assert abs(float(result.std()) - gaussian.deviation) < 0.07


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_global_generator_is_neither_asked_nor_touched(posing, drive, name):
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        results.append(drive(posing("epsilon", name), "epsilon", 6, seed=9))
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(*results)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sample_of_a_batch_is_that_sample_alone(posing, drive, name):
    shape = (4, 8, 8)
    both = drive(posing("epsilon", name), "epsilon", 6, seed=4, shape=(2, *shape))
    alone = drive(posing("epsilon", name), "epsilon", 6, seed=5, shape=(1, *shape))
    assert torch.allclose(both[1:], alone, atol=1e-5)


@pytest.mark.parametrize("name", ["euler", "heun", "dpmpp_sde"])
def test_calls_and_levels_are_aligned_and_steps_are_found_among_them(posing, name):
    live = posing("epsilon", name)
    live.set_timesteps(5)
    calls = len(live.timesteps)
    assert calls == {"euler": 5, "heun": 9, "dpmpp_sde": 9}[name]
    assert len(live.sigmas) == calls + 1
    assert [live.index_of(step) for step in range(6)] == [
        min(calls, step * (1 if calls == 5 else 2)) for step in range(6)
    ]


def test_sigmas_of_one_s_own_are_taken(posing):
    live = posing("epsilon", sigmas=(10.0, 3.0, 0.5, 0.0))
    live.set_timesteps(3)
    assert live.levels == (10.0, 3.0, 0.5, 0.0)
    assert float(live.timesteps[0]) == pytest.approx(posing("epsilon").process.timestep_of(10.0))
    with pytest.raises(PatchbayError, match="make 3 steps, and 20 are wanted") as caught:
        live.set_timesteps(20)
    assert caught.value.fix.startswith("Set steps to 3")


@pytest.mark.parametrize(
    ("prediction", "sigmas"),
    [("epsilon", (0.0, 1.0)), ("epsilon", (2.0, 2.0)), ("flow", (1.5, 0.0)), ("epsilon", (float("inf"), 1.0))],
)
def test_sigmas_that_no_sampler_can_follow_are_refused(posing, prediction, sigmas):
    with pytest.raises(PatchbayError, match="fall at every step"):
        posing(prediction, sigmas=sigmas).set_timesteps(1)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_noise_is_added_as_the_stock_euler_adds_it(posing, config_of, prediction):
    ours = posing(prediction)
    ours.set_timesteps(10)
    picture, noise = torch.randn(2, 1, 4, 8, 8)
    noised = ours.add_noise(picture, noise, ours.timesteps[4:5])
    stock = build("FlowMatchEuler" if prediction == "flow" else "Euler", config_of(prediction), "")
    stock.set_timesteps(10)
    if prediction == "flow":
        theirs = stock.scale_noise(picture, stock.timesteps[4:5], noise)
    else:
        stock.set_begin_index(4)
        theirs = stock.add_noise(picture, noise, stock.timesteps[4:5])
        theirs = stock.scale_model_input(theirs, stock.timesteps[4])
    assert torch.allclose(noised, theirs, atol=1e-5)


def test_a_pipeline_may_propose_sigmas(posing):
    live = posing("flow")
    assert "sigmas" in inspect.signature(live.set_timesteps).parameters
    live.set_timesteps(sigmas=[1.0, 0.75, 0.5, 0.25])
    assert live.levels == (1.0, 0.75, 0.5, 0.25, 0.0)


def test_a_shift_that_depends_on_the_size_is_handed_on(config_of):
    config = {**config_of("flow"), "use_dynamic_shifting": True}
    live = build(Sampler("FlowMatchEuler", "", config), {}, "")
    live.set_timesteps(4, mu=1.15)
    stock = build("FlowMatchEuler", config, "")
    stock.set_timesteps(4, mu=1.15)
    assert live.levels == tuple(stock.sigmas.tolist())


def test_steps_can_be_asked_for_as_an_object(posing):
    live = posing("epsilon")
    live.set_timesteps(2)
    own = [torch.Generator().manual_seed(0)]
    found = live.step(torch.zeros(1, 4, 2, 2), live.timesteps[0], torch.ones(1, 4, 2, 2), generator=own)
    assert found.prev_sample.shape == (1, 4, 2, 2)


def test_what_cannot_be_done_before_the_beginning_is_said(posing):
    live = posing("epsilon")
    live.set_timesteps(2)
    with pytest.raises(RuntimeError):
        live.snapshot()
    with pytest.raises(PatchbayError, match="handed none on"):
        live.step(torch.zeros(1, 4, 2, 2), live.timesteps[0], torch.ones(1, 4, 2, 2))
    with pytest.raises(RuntimeError):
        live._resume(torch.zeros(1))


def test_half_precision_is_kept_outside_and_single_inside(posing):
    live = posing("epsilon", "dpmpp_2m")
    live.set_timesteps(3)
    x = torch.randn(1, 4, 2, 2).half()
    own = [torch.Generator().manual_seed(0)]
    for time in live.timesteps:
        x = live.step(torch.ones(1, 4, 2, 2).half(), time, x, generator=own, return_dict=False)[0]
        assert x.dtype is torch.float16
    assert live._x.dtype is torch.float32
