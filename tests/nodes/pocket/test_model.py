"""The model in the box: its layout, its latents, and that it draws what is asked."""

from random import Random

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image as Pillow

from nodes.pocket import MODEL, autoencoder, draw, score
from nodes.pocket.scenes import Scene, lit_subject


@pytest.fixture(scope="module")
def pipeline():
    found = StableDiffusionPipeline.from_pretrained(MODEL, dtype=torch.float32)
    found.set_progress_bar_config(disable=True)
    return found


def drawn(pipeline, prompt, seed=0, **options):
    own = torch.Generator().manual_seed(seed)
    options = {"num_inference_steps": 20, "guidance_scale": 3.0, "generator": own, "output_type": "np", **options}
    return (pipeline(prompt, **options).images[0] * 255).round().astype(np.uint8)


def test_it_is_small_and_holds_safetensors_only():
    weights = list(MODEL.rglob("*.safetensors"))
    assert {path.parent.name for path in weights} == {"text_encoder", "unet", "vae"}
    assert sum(path.stat().st_size for path in weights) < 20e6
    assert {path.suffix for path in MODEL.rglob("*") if path.is_file()} == {".safetensors", ".json"}


@pytest.mark.parametrize("kind", draw.KINDS)
def test_pictures_come_back_from_latents(pipeline, kind):
    random = Random(5)
    tests = {kind: autoencoder.to_tensor([draw.paint(draw.KINDS[kind](random, draw.HELD_OUT)) for _ in range(16)])}
    assert autoencoder.round_trip(pipeline.vae, tests)[kind] >= 32


def test_the_encoder_s_deviation_is_real(pipeline):
    pixels = autoencoder.to_tensor([draw.paint(draw.imagine(Random(seed))) for seed in range(8)])
    with torch.no_grad():
        found = pipeline.vae.encode(pixels).latent_dist
        twice = [pipeline.vae.decode(found.sample()).sample for _ in range(2)]
    assert 0.8 < found.mean.std() < 1.2
    assert 0.01 < found.std.mean() < 0.3
    assert 0.0 < (twice[0] - twice[1]).abs().mean() < 0.1


@pytest.mark.parametrize("kind", ["one", "two", "scene"])
def test_it_draws_what_is_asked(pipeline, kind):
    """A few prompts of pairs that training never saw; `python -m nodes.pocket.score` measures with many."""
    pictures, prompts = score.questions(kind, 6)
    found = list(score.ask(pipeline, prompts, steps=20, guidance=3.0))
    row = score.table(pictures, found)[kind]
    for column in {"background", "colour", "colours", "sky", "land"} & row.keys():
        assert row[column] >= 80, (column, row)


def test_its_own_size_is_256_pixels(pipeline):
    assert drawn(pipeline, "a red circle", num_inference_steps=2).shape == (256, 256, 3)


def test_guidance_makes_the_prompt_count(pipeline):
    without, with_guidance = (
        drawn(pipeline, "a large red heart on a yellow background", guidance_scale=scale).astype(int)
        for scale in (1.0, 3.0)
    )
    assert np.abs(without - with_guidance).mean() > 1


def test_what_is_unwanted_goes_away(pipeline):
    """An open background: what the negative prompt names is not what comes."""
    unwanted = [
        drawn(pipeline, "a white cat", seed, negative_prompt="a blue background").astype(int).mean((0, 1))
        for seed in range(3)
    ]
    wanted = [drawn(pipeline, "a white cat on a blue background", seed).astype(int).mean((0, 1)) for seed in range(3)]
    assert np.abs(np.array(unwanted) - wanted).mean() > 30


@pytest.mark.parametrize("x", [-0.5, 0.5])
def test_image_to_image_keeps_the_layout(pipeline, x):
    """Of a scene: a single thing whose caption names no place goes to the middle, as such captions say."""
    picture = draw.paint(Scene("day", "the sea", "", "sailboat", "red", sun=0.0, x=x, horizon=0.1, phase=1.0))
    other = StableDiffusionImg2ImgPipeline(**pipeline.components, requires_safety_checker=False)
    other.set_progress_bar_config(disable=True)
    found = drawn(other, "a yellow sailboat on the sea by day", image=Pillow.fromarray(picture), strength=0.5)
    assert middle_of(found, "yellow") == pytest.approx(middle_of(picture, "red"), abs=0.2)


def middle_of(pixels, colour):
    """Where things of this colour are, from -1 at the left to 1 at the right."""
    distance = np.sqrt(np.square(pixels - np.array(lit_subject(colour, "day"), float)).sum(2))
    return (distance < 60).nonzero()[1].mean() / (draw.SIDE / 2) - 1
