"""With a model that knows the finished latents, its first step already shows them."""

import functools
import math

import pytest
import torch

from nodes.diffusion.schedules.estimates import estimate
from nodes.diffusion.schedules.scheduler_table import CLASSES, is_distilled, predictions_of
from nodes.diffusion.schedules.schedulers import build
from nodes.diffusion.schedules.shim import SchedulerShim
from nodes.types import Sampler, Scheduler

UNITS = ("epsilon", "v_prediction", "sample", "flow")
CASES = [
    (name, kind)
    for name in CLASSES
    for kind in predictions_of(name)
    if kind in UNITS and not is_distilled(name) and name not in {"DPMSolverSDE", "LTXEulerAncestralRF"}
]


def asked(scheduler, kind, time, clean, noise):
    """Latents at a time as the scheduler holds them, and what a perfect model says of them."""
    if kind == "flow":
        level = time / 1000
        return (1 - level) * clean + level * noise, noise - clean
    share = float(scheduler.alphas_cumprod[round(time)])
    signal, other = math.sqrt(share), math.sqrt(1 - share)
    said = {"epsilon": noise, "v_prediction": signal * noise - other * clean, "sample": clean}[kind]
    width = signal if scheduler.init_noise_sigma > 1.5 else 1
    return (signal * clean + other * noise) / width, said


def first_estimate(scheduler, kind):
    told = []
    shim = SchedulerShim(
        scheduler, lambda *call: told.append(call[2]()), own=[torch.Generator().manual_seed(0)], noised=True
    )
    shim.set_timesteps(10, device="cpu")
    torch.manual_seed(1)
    clean, noise = torch.randn(2, 1, 4, 4, 4)
    time = shim.timesteps[0]
    sample, said = asked(scheduler, kind, float(time), clean, noise)
    shim.scale_model_input(sample, time)
    shim.step(said, time, sample, return_dict=False)
    return told[0], clean


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_scheduler_shows_what_it_works_towards(config_of, name, kind):
    options = {"use_flow_sigmas": True} if kind == "flow" and not name.startswith("FlowMatch") else {}
    live = build(Scheduler(name, "", config_of(kind), options), {}, "")
    found, clean = first_estimate(live, kind)
    assert torch.allclose(found, clean, atol=0.05)


@pytest.mark.parametrize("name", ["euler", "dpmpp_2m", "heun"])
def test_every_sampler_shows_what_it_works_towards(config_of, drive, gaussian, name):
    live = build(Sampler("Euler", "", config_of("epsilon"), {}, "", name, {}), {}, "")
    told = []
    step = live.step

    @functools.wraps(step)
    def watched(*args, **kwargs):
        told.append(step(*args, **kwargs))
        return told[-1]

    live.step = watched
    last = drive(live, "epsilon", 30)
    assert torch.allclose(told[-1][1], last, atol=0.02)
    assert abs(float(told[0][1].mean()) - gaussian.mean) < 0.05


def test_where_times_differ_the_latents_are_shown_as_they_are(config_of):
    live = build("FlowMatchEuler", config_of("flow"), "")
    after = torch.ones(1, 4, 2, 2)
    times = torch.arange(16.0).reshape(1, 4, 2, 2)
    assert estimate(live, (torch.zeros(1, 4, 2, 2), times, after), {}, (after,)) is after
