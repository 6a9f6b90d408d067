"""Schedulers and samplers in a stock pipeline of a flow model, here a tiny Flux."""

import inspect
from math import exp

import diffusers
import pytest
import torch

from nodes.diffusion.schedules.proposals import set_timesteps, signature_of
from nodes.diffusion.schedules.samplers import SAMPLERS
from nodes.diffusion.schedules.scheduler_table import CLASSES, predictions_of
from nodes.diffusion.schedules.schedulers import build
from nodes.diffusion.schedules.shim import SchedulerShim, Window
from nodes.types import Sampler

CONFIG = {
    "_class_name": "FlowMatchEulerDiscreteScheduler",
    "use_dynamic_shifting": True,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "shift": 3.0,
}
FLOW = [name for name in CLASSES if "flow" in predictions_of(name)]
STRAIGHT = [name for name in FLOW if name not in {"FlowMatchLCM", "LTXEulerAncestralRF", "SASolver"}]
SAMPLER_NAMES = [name for name in SAMPLERS if name != "dpm_2_ancestral"]


@pytest.fixture(scope="module")
def flux():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    transformer = diffusers.FluxTransformer2DModel(
        patch_size=1,
        in_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=[4, 4, 8],
    )
    absent = dict.fromkeys(("vae", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2"))
    own = torch.Generator().manual_seed(1)
    prompt = {
        "prompt_embeds": torch.randn(1, 7, 32, generator=own),
        "pooled_prompt_embeds": torch.randn(1, 32, generator=own),
    }

    def run(scheduler, steps, *, latents=None):
        stock = diffusers.FlowMatchEulerDiscreteScheduler.from_config(CONFIG)
        pipeline = diffusers.FluxPipeline(scheduler=stock, transformer=transformer, **absent)
        pipeline.scheduler = scheduler or stock
        pipeline.set_progress_bar_config(disable=True)
        noise = torch.Generator().manual_seed(9)
        settings = {"height": 64, "width": 64, "num_inference_steps": steps, "output_type": "latent"}
        with torch.inference_mode():
            return pipeline(**prompt, **settings, generator=noise, latents=latents).images

    return run


def shim(live, *, seed=3, **more):
    return SchedulerShim(live, lambda *_: None, own=[torch.Generator().manual_seed(seed)], **more)


def posing(name):
    return build(Sampler("FlowMatchEuler", "", CONFIG, {}, "", name), {}, "")


@pytest.fixture(scope="module")
def exact(flux):
    return flux(None, 60)


def test_the_shim_changes_no_bit(flux):
    assert torch.equal(flux(shim(build("FlowMatchEuler", CONFIG, "")), 6), flux(None, 6))


def test_the_sampler_is_the_stock_euler(flux):
    assert torch.allclose(flux(shim(posing("euler")), 6), flux(None, 6), atol=1e-5)


@pytest.mark.parametrize("name", STRAIGHT)
def test_a_scheduler_follows_the_flow_though_it_was_not_made_for_the_pipeline(flux, exact, name):
    result = flux(shim(build(name, CONFIG, "")), 12)
    assert (result - exact).norm() / exact.norm() < 0.06


@pytest.mark.parametrize("name", ["euler", "heun", "dpm_2", "lms", "dpmpp_2m", "res_multistep"])
def test_a_sampler_follows_the_flow(flux, exact, name):
    assert (flux(shim(posing(name)), 12) - exact).norm() / exact.norm() < 0.02


@pytest.mark.parametrize("name", [*FLOW, *SAMPLER_NAMES])
def test_nothing_is_drawn_from_the_global_generator_though_the_pipeline_hands_none_on(flux, name):
    make = posing if name in SAMPLERS else lambda name: build(name, CONFIG, "")
    torch.manual_seed(1)
    first = flux(shim(make(name)), 3)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert torch.equal(flux(shim(make(name)), 3), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.isfinite().all()


@pytest.mark.parametrize("name", ["UniPC", "FlowMatchLCM", "SASolver", "FlowMatchHeun"])
def test_two_parts_are_the_whole_in_this_family_too(flux, name):
    whole = flux(shim(build(name, CONFIG, "")), 6)
    first = shim(build(name, CONFIG, ""), window=Window(6, 0, 2))
    left = flux(first, 6)
    rest = shim(build(name, CONFIG, ""), seed=8, window=Window(6, 2), noised=True, resume=first.state())
    assert torch.equal(flux(rest, 6, latents=left), whole)


def test_the_shift_comes_under_whatever_name_a_class_has_for_it():
    live = build("SASolver", CONFIG, "")
    set_timesteps(live, sigmas=[1.0, 0.5], mu=1.2)
    assert live.config.flow_shift == exp(1.2)
    assert len(live.timesteps) == 2
    still = build("SASolver", {**CONFIG, "use_dynamic_shifting": False}, "")
    set_timesteps(still, sigmas=[1.0, 0.5], mu=1.2)
    assert still.config.flow_shift == 3.0


def test_other_models_schedulers_are_left_alone(config_of):
    live = build("DDIM", config_of("epsilon"), "")
    assert signature_of(live) == inspect.signature(live.set_timesteps)
    set_timesteps(live, 4)
    assert len(live.timesteps) == 4
