"""The samplers on pictures of a normal distribution, where both the flow and the distribution have a formula."""

import inspect
import math
from itertools import pairwise
from typing import get_args

import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.schedules.sampler_settings import check_prediction, chosen
from nodes.diffusion.schedules.samplers import SAMPLERS, ancestral_step, levels, settings_of
from nodes.types import SamplerName

ORDERS = {
    "euler": 1,
    "euler_ancestral": 1,
    "heun": 2,
    "dpm_2": 2,
    "dpm_2_ancestral": 2,
    "lms": 3,
    "dpmpp_2s_ancestral": 2,
    "dpmpp_sde": 2,
    "dpmpp_2m": 2,
    "dpmpp_2m_sde": 2,
    "dpmpp_3m_sde": 2,
    "res_multistep": 2,
}
STOCHASTIC = [name for name in SAMPLERS if {"eta", "s_noise"} & settings_of(name).keys()]


def logarithmic(high, low, steps):
    return [math.exp(math.log(high) + (math.log(low) - math.log(high)) * step / steps) for step in range(steps + 1)]


@pytest.fixture
def run(gaussian):
    def call(name, x, sigmas, *, seed=0, clean=None, **settings):
        own = torch.Generator().manual_seed(seed)
        steps = SAMPLERS[name](x, sigmas, lambda: torch.randn(x.shape, generator=own, dtype=x.dtype), **settings)
        answer = None
        while True:
            try:
                asked = steps.send(answer)
            except StopIteration as done:
                return done.value
            answer = (clean or gaussian.clean)(*asked)

    return call


def without_noise(name):
    return {"eta": 0.0} if "eta" in settings_of(name) else {}


def test_the_type_names_the_samplers():
    assert tuple(SAMPLERS) == get_args(SamplerName)


@pytest.mark.parametrize("name", ORDERS)
def test_the_error_falls_with_the_order_of_the_method(name, gaussian, run):
    x = torch.tensor([10.0, -20.0, 5.0], dtype=torch.float64)
    exact = gaussian.end(x, 10.0, 0.1)
    errors = [
        float((run(name, x, logarithmic(10.0, 0.1, steps), **without_noise(name)) - exact).abs().max())
        for steps in (40, 80, 160)
    ]
    orders = [math.log2(before / after) for before, after in pairwise(errors)]
    assert all(abs(order - ORDERS[name]) < 0.6 for order in orders), (errors, orders)


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_result_has_the_mean_and_the_variance_of_the_pictures(name, gaussian, run):
    own = torch.Generator().manual_seed(7)
    noise, pictures = torch.randn(2, 40_000, generator=own, dtype=torch.float64)
    x = gaussian.mean + gaussian.deviation * pictures + 15.0 * noise
    clean = gaussian.end if name == "lcm" else None  # it wants a consistency model
    end = run(name, x, [*logarithmic(15.0, 0.02, 60), 0.0], clean=clean)
    first_order = 0.03 if name in {"euler", "euler_ancestral"} else 0.01
    assert abs(float(end.mean()) - gaussian.mean) < 0.01
    assert abs(float(end.std()) - gaussian.deviation) < first_order


@pytest.mark.parametrize("name", ["euler", "heun", "dpm_2"])
def test_churned_samplers_have_the_right_variance_too(name, gaussian, run):
    x = gaussian.mean + 15.0 * torch.randn(40_000, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    sigmas = [*logarithmic(15.0, 0.02, 160), 0.0]
    end = run(name, x, sigmas, s_churn=40.0, s_tmin=0.05, s_tmax=10.0)
    assert abs(float(end.std()) - gaussian.deviation) < 0.03
    assert not torch.equal(end, run(name, x, sigmas))


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_noise_gives_the_same_bits_and_other_noise_others(name, run):
    x, sigmas = torch.randn(2, 3, generator=torch.Generator().manual_seed(1)) * 10, [10.0, 4.0, 2.0, 1.0, 0.4, 0.0]
    first = run(name, x, sigmas, seed=3)
    assert torch.equal(first, run(name, x, sigmas, seed=3))
    drawn = name in STOCHASTIC and settings_of(name).get("eta") != 0 and "s_churn" not in settings_of(name)
    assert torch.equal(first, run(name, x, sigmas, seed=4)) != drawn


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_levels_are_those_that_the_sampler_asks_at(name, gaussian, run):
    sigmas = [9.0, 5.0, 2.0, 0.7, 0.0]
    settings = {"s_churn": 2.0} if "s_churn" in settings_of(name) else {}
    asked = []

    def clean(x, sigma):
        asked.append(sigma)
        return gaussian.clean(x, sigma)

    run(name, torch.ones(3), sigmas, clean=clean, **settings)
    assert asked == levels(name, sigmas, settings)
    assert levels(name, sigmas[:1], settings) == []
    assert [levels(name, sigmas[: step + 1], settings) == asked[: len(levels(name, sigmas[: step + 1], settings))]
            for step in range(len(sigmas))].count(False) == 0  # fmt: skip


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0, 2.0])
def test_an_ancestral_step_arrives_at_its_level(eta):
    down, up = ancestral_step(3.0, 1.2, eta)
    assert math.hypot(down, up) == pytest.approx(1.2)
    assert ancestral_step(3.0, 0.0, eta) == (0.0, 0.0)


def test_more_eta_is_more_noise():
    assert ancestral_step(3.0, 1.2, 0.5)[1] < ancestral_step(3.0, 1.2, 1.0)[1]


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_names_its_source(name):
    assert inspect.getdoc(SAMPLERS[name])
    assert next(iter(inspect.signature(SAMPLERS[name]).parameters)) == "x"


def test_only_settings_that_a_sampler_has_are_taken():
    assert chosen("dpmpp_sde", {"eta": 0.5, "s_noise": None, "order": None}) == {"eta": 0.5}
    assert chosen("lms", {"order": 2}) == {"order": 2}
    with pytest.raises(PatchbayError, match="dpmpp_2m has no eta; it has no settings"):
        chosen("dpmpp_2m", {"eta": 0.5})
    with pytest.raises(PatchbayError, match="er_sde has no order above 3") as caught:
        chosen("er_sde", {"order": 4})
    assert (caught.value.code, caught.value.at) == (Code.BAD_VALUE, "order")


def test_samplers_know_four_kinds_of_models():
    for prediction in ("epsilon", "v_prediction", "sample", "flow"):
        check_prediction(prediction)
        check_prediction(prediction, "heun", {"s_churn": 0.0})
    with pytest.raises(PatchbayError, match="predicts as EDM does"):
        check_prediction("edm")
    check_prediction("epsilon", "dpm_2_ancestral")
    with pytest.raises(PatchbayError, match="starts from nothing but noise"):
        check_prediction("flow", "dpm_2_ancestral")
    check_prediction("epsilon", "heun", {"s_churn": 1.0})
    with pytest.raises(PatchbayError, match="the picture fades"):
        check_prediction("flow", "heun", {"s_churn": 1.0})
