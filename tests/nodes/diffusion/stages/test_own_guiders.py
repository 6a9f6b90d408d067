from types import SimpleNamespace

import diffusers
import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.parts import Part
from nodes.diffusion.schedules.shim import Position
from nodes.diffusion.stages import own_guiders, stock


def pipeline(guider=None, ocr_guider=None, **config):
    transformer = SimpleNamespace(config=config)
    return SimpleNamespace(guider=guider, ocr_guider=ocr_guider, transformer=transformer)


@pytest.fixture
def plain():
    return diffusers.ClassifierFreeGuidance(guidance_scale=6.0, guidance_rescale=0.5)


@pytest.fixture
def remembering():
    return diffusers.AdaptiveProjectedGuidance(adaptive_projected_guidance_momentum=0.5)


def test_a_guider_is_made_with_the_model_s_settings_and_a_strength_of_its_own(tmp_path, plain):
    part = Part("guider", "diffusers", "ClassifierFreeGuidance", tmp_path, dict(plain.config), ())
    made = own_guiders.fresh(part, 2.0)
    assert (made.guidance_scale, made.guidance_rescale) == (2.0, 0.5)


def test_a_run_has_fresh_guiders_with_its_strength(plain):
    held = pipeline(plain)
    own_guiders.begin(held, 3.0, in_parts=True)
    assert held.guider is not plain
    assert (held.guider.guidance_scale, plain.guidance_scale) == (3.0, 6.0)
    assert held.ocr_guider is None


def test_guided_is_what_the_guiders_say(plain):
    held = pipeline(plain)
    assert stock.is_guided(held, 1.0, {})
    own_guiders.set_scale(held, own_guiders.UNGUIDED)
    assert not stock.is_guided(held, 7.0, {})
    assert not stock.is_guided(pipeline(diffusers.ClassifierFreeGuidance(enabled=False)), 7.0, {})
    assert not stock.is_guided(pipeline(), 7.0, {})


def test_what_remembers_runs_no_part_of_the_steps(remembering):
    with pytest.raises(PatchbayError, match="remembers the steps before") as caught:
        own_guiders.begin(pipeline(remembering), 3.0, in_parts=True)
    assert caught.value.code is Code.BAD_VALUE
    own_guiders.begin(pipeline(remembering), 3.0, in_parts=False)
    own_guiders.begin(pipeline(remembering), own_guiders.UNGUIDED, in_parts=True)


def test_guiders_count_the_steps_of_the_run(plain):
    held = pipeline(plain)
    own_guiders.follow(held, lambda: Position(4, 10))
    held.guider.set_state(step=0, num_inference_steps=6, timestep=torch.tensor(1.0))
    assert (held.guider._step, held.guider._num_inference_steps) == (4, 10)


def test_a_model_that_is_told_where_the_next_step_begins_runs_no_part_of_the_steps():
    own_guiders.begin(pipeline(use_meanflow=True), 1.0, in_parts=False)
    with pytest.raises(PatchbayError, match="where the next one begins"):
        own_guiders.begin(pipeline(use_meanflow=True), 1.0, in_parts=True)
