from dataclasses import replace

import numpy as np
import pytest
import torch

from nodes.diffusion.schedules.processes import Process, falling, process_of
from nodes.diffusion.schedules.schedulers import build


@pytest.fixture
def process(config_of):
    def make(prediction):
        name = "FlowMatchEuler" if prediction == "flow" else "Euler"
        return process_of(build(name, config_of(prediction), ""), prediction)

    return make


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample", "flow"])
@pytest.mark.parametrize("level", [0.05, 0.3, 0.95])
def test_a_perfect_model_s_answer_is_its_clean_picture(process, gaussian, training_levels, prediction, level):
    found = process(prediction)
    sigma = found.sigma_of(level)
    x = torch.randn(50, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * (1 + sigma)
    output = gaussian.answer(prediction, x / found.scale(sigma), found.timestep_of(sigma), training_levels)
    assert torch.allclose(found.denoised(output, x, sigma), gaussian.clean(x, sigma), atol=2e-3)


@pytest.mark.parametrize("prediction", ["epsilon", "flow"])
def test_times_belong_to_levels(process, prediction):
    found = process(prediction)
    assert found.level_of(found.sigma_of(0.5)) == pytest.approx(0.5)
    levels = [found.level_of(sigma) for sigma in (0.05, 0.7, 10.0)]
    times = [found.timestep_of(sigma) for sigma in (0.05, 0.7, 10.0)]
    if prediction == "flow":
        assert times == pytest.approx([1000 * level for level in levels])
    else:
        assert np.interp(times, np.arange(1000), found.table) == pytest.approx(levels, rel=2e-3)


def test_a_straight_sampler_sees_a_flow_model_as_it_is(process, gaussian):
    found = replace(process("flow"), straight=True)
    assert found.sigma_of(1.0) == found.level_of(1.0) == found.scale(0.7) == 1.0
    x = torch.randn(50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    output = gaussian.answer("flow", x, 700.0, None)
    assert torch.allclose(found.denoised(output, x, 0.7), gaussian.clean(x / 0.3, 0.7 / 0.3))


def test_bounds_are_those_of_training(process, training_levels):
    found = process("epsilon")
    assert found.table == pytest.approx(training_levels.tolist(), rel=1e-4)
    assert found.timestep_of(0.0) == 0
    assert found.timestep_of(1e9) == 999
    flow = Process("flow", 1000)
    assert 1e5 < flow.sigma_of(1.0) < float("inf")


def test_falling_is_strict():
    assert falling([3.0, 2.0, 0.0])
    assert not falling([3.0, 3.0])
    assert not falling([1.0, 2.0])
