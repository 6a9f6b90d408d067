import inspect

import diffusers
import pytest
import torch

from nodes.diffusion.scheduler_table import CLASSES, predictions_of
from nodes.diffusion.schedulers import build
from nodes.diffusion.shim import SchedulerShim, Window, begin_at

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
        latents = shim.step(torch.zeros(1, 4, 2, 2), timestep, torch.ones(1, 4, 2, 2), return_dict=False)[0]
        assert told[-1][2] is latents
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
