"""The promise: a shipped graph gives the stock pipeline's pixels, bit for bit, on the same modules in one process."""

from contextlib import ExitStack
from pathlib import Path

import diffusers
import pytest
import torch
from PIL import Image as Pillow

import graphs
from engine import Catalog, Graph, Runtime
from nodes.diffusion.disk.source import survey
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.schedules.scheduler_table import CLASSES
from nodes.pictures import FOLDER as PICTURES
from nodes.pocket import MODEL

GRAPHS = Path(graphs.__file__).parent
SCHEDULERS = ["DDIM", "PNDM", "LMS", "Euler", "EulerAncestral", "DPMSolverMultistep", "UniPC", "Heun"]
PROMPTS = {"pocket": "a red mushroom on a yellow background", "tiny": "a cat"}


@pytest.fixture(scope="module")
def runtime():
    return Runtime(Catalog.load())


@pytest.fixture(scope="module", params=["pocket", "tiny"])
def model(request):
    return MODEL if request.param == "pocket" else request.getfixturevalue("tiny_folder")


@pytest.fixture(scope="module")
def drawn(model, tmp_path_factory):
    """The picture in the box; for the tiny model a small one, since its latents are a quarter of its pictures."""
    whole = PICTURES / "sailboat.png"
    if model == MODEL:
        return whole
    small = tmp_path_factory.mktemp("drawn") / "small.png"
    Pillow.open(whole).convert("RGB").resize((96, 64)).save(small)
    return small


@pytest.fixture
def stock(model):
    """A stock pipeline as its documentation says: the model's own scheduler, then another `from_config`."""
    source = survey(model, at="test")
    with ExitStack() as held:
        names = ("tokenizer", "text_encoder", "unet", "vae")
        parts = {name: held.enter_context(SHELF.use(source, name)) for name in names}

        def make(pipeline_class, scheduler):
            own = getattr(diffusers, source.parts["scheduler"].class_name).from_pretrained(model / "scheduler")
            pipeline = pipeline_class(
                **parts, scheduler=own, safety_checker=None, feature_extractor=None, requires_safety_checker=False
            )
            pipeline.scheduler = getattr(diffusers, CLASSES[scheduler]).from_config(pipeline.scheduler.config)
            pipeline.set_progress_bar_config(disable=True)
            return pipeline

        yield make


def generators(seed, batch):
    return [torch.Generator("cpu").manual_seed(seed + index) for index in range(batch)]


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_text_to_image_gives_the_stock_pixels(runtime, model, stock, scheduler, batch):
    prompt, negative = PROMPTS["pocket" if model == MODEL else "tiny"], "grey"
    given = {"prompt": prompt, "negative": negative, "scheduler": scheduler, "steps": 5, "seed": 7, "guidance": 3.5}
    graph = Graph.load(GRAPHS / "text_to_image.json")
    ours = runtime.call(graph, {**given, "model": model, "batch": batch, "width": 64, "height": 96}).pixels
    theirs = stock(diffusers.StableDiffusionPipeline, scheduler)(
        prompt,
        negative_prompt=negative,
        num_inference_steps=5,
        guidance_scale=3.5,
        width=64,
        height=96,
        num_images_per_prompt=batch,
        generator=generators(7, batch),
        output_type="pt",
    ).images
    assert ours.shape == (batch, 3, 96, 64)
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("denoise", [0.5, 1.0])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_image_to_image_gives_the_stock_pixels(runtime, model, drawn, stock, scheduler, denoise):
    prompt = PROMPTS["pocket" if model == MODEL else "tiny"]
    given = {"prompt": prompt, "scheduler": scheduler, "steps": 6, "seed": 3, "guidance": 4.0, "denoise": denoise}
    graph = Graph.load(GRAPHS / "image_to_image.json")
    picture = Pillow.open(drawn).convert("RGB")
    size = {"width": picture.width, "height": picture.height}
    ours = runtime.call(graph, {**given, "model": model, "image": drawn, **size}).pixels
    pipeline = stock(diffusers.StableDiffusionImg2ImgPipeline, scheduler)
    pixels = pipeline.image_processor.preprocess(picture)
    with torch.inference_mode():
        latent = pipeline.vae.encode(pixels).latent_dist.mode() * pipeline.vae.config.scaling_factor
    theirs = pipeline(
        prompt,
        negative_prompt="",
        image=latent,
        strength=denoise,
        num_inference_steps=6,
        guidance_scale=4.0,
        generator=generators(3, 1),
        output_type="pt",
    ).images
    assert torch.equal(ours, theirs)
