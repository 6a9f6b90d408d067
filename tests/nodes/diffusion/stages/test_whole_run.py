"""A whole pipeline gives what the stock pipeline gives, loaded from the same folder and told the same."""

import diffusers
import numpy as np
import pytest
import torch

from engine import Cancelled, Code, PatchbayError
from engine.events import NodeProgress
from nodes.diffusion.disk.source import survey
from nodes.diffusion.disk.whole import home_of, survey_whole
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.stages.whole_run import run
from nodes.types import Image, Mask
from tests.nodes.diffusion.tiny.wholes import WHOLES, build_whole


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The tiny model of a class, made once."""
    root = tmp_path_factory.mktemp("wholes")

    def make(name):
        if not (root / name).exists():
            build_whole(name, root / name)
        return root / name

    return make


def given(whole):
    """The pictures and masks of a case."""
    generator = torch.Generator().manual_seed(3)
    shape = (whole.side, whole.side)
    image = Image(torch.rand(whole.pictures, 3, *shape, generator=generator)) if whole.pictures else None
    mask = Mask((torch.rand(1, 1, *shape, generator=generator) > 0.5).float()) if whole.masks else None
    return image, mask


def ours(path, whole, **changed):
    image, mask = given(whole)
    words = {"prompt": whole.prompt, "negative": whole.negative}
    return run(survey_whole(path, "x"), whole.options, **{**words, "image": image, "mask": mask, "seed": 5, **changed})


def stock(path, name, whole, output="pt"):
    """What the documentation of Diffusers says to write."""
    pipeline = getattr(diffusers, name).from_pretrained(path)
    pipeline.set_progress_bar_config(disable=True)
    image, mask = given(whole)
    told = dict(whole.options)
    if whole.prompt is not None:
        told["prompt"] = whole.prompt
    if whole.negative is not None:
        told["negative_prompt"] = whole.negative
    if image is not None:
        pictures = [to_pillow(each) for each in image.pixels]
        told["image"] = pictures if len(pictures) > 1 else pictures[0]
    if mask is not None:
        told["mask_image"] = to_pillow(mask.coverage[0])
    found = pipeline(**told, generator=torch.Generator().manual_seed(5), output_type=output, return_dict=False)
    found = found[0] if isinstance(found, tuple) else found
    if isinstance(found, np.ndarray):
        found = torch.from_numpy(found).movedim(-1, -3)
    return found.flatten(0, 1) if found.ndim == 5 else found


@pytest.mark.parametrize("name", WHOLES)
def test_a_whole_pipeline_gives_the_pictures_of_the_stock_one(name, folder):
    whole = WHOLES[name]
    pixels = ours(folder(name), whole).pixels
    theirs = stock(folder(name), name, whole)
    if name in {"MarigoldNormalsPipeline", "IFPipeline"}:  # those whose numbers begin at -1
        theirs = theirs / 2 + 0.5
    assert torch.equal(pixels, theirs.expand(-1, 3, -1, -1))
    assert torch.isfinite(pixels).all()
    assert pixels.std() > 0.01
    assert pixels.dtype == torch.float32


def test_a_driven_class_runs_too_on_the_weights_of_load_model(tiny_folder):
    source = survey_whole(tiny_folder, "x")
    with SHELF.use(survey(tiny_folder, at="x"), "unet") as unet:
        before = unet
    found = run(source, {"num_inference_steps": 2, "height": 32, "width": 32}, prompt="a fox", seed=5)
    with SHELF.use(home_of(source, "unet"), "unet") as unet:
        assert unet is before
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(tiny_folder)
    pipeline.set_progress_bar_config(disable=True)
    size = {"num_inference_steps": 2, "height": 32, "width": 32}
    own = torch.Generator().manual_seed(5)
    assert torch.equal(found.pixels, pipeline("a fox", **size, generator=own, output_type="pt").images)


def test_another_seed_gives_other_pictures_and_the_same_one_the_same(folder):
    whole, path = WHOLES["DDPMPipeline"], folder("DDPMPipeline")
    first, again, other = (ours(path, whole, seed=seed).pixels for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_nothing_is_drawn_from_the_global_generator(folder):
    torch.manual_seed(1)
    state = torch.get_rng_state()
    whole = WHOLES["LDMTextToImagePipeline"]
    noisy = type(whole)(whole.make, {**whole.options, "eta": 1.0}, whole.prompt)  # its pipeline hands no generator on
    first = ours(folder("LDMTextToImagePipeline"), noisy).pixels
    assert torch.equal(first, ours(folder("LDMTextToImagePipeline"), noisy).pixels)
    assert torch.equal(torch.get_rng_state(), state)


def test_progress_is_told_and_cancelling_stops_at_a_step(folder, within):
    whole, events = WHOLES["DDPMPipeline"], []
    with within(node="run", emit=events.append):
        ours(folder("DDPMPipeline"), whole)
    steps = [(event.done, event.total) for event in events if isinstance(event, NodeProgress)]
    assert steps == [(1, 3), (2, 3), (3, 3)]

    from threading import Event

    cancel, seen = Event(), []

    def stop_after_one(event):
        seen.append(event)
        cancel.set()

    with within(node="run", emit=stop_after_one, cancel=cancel), pytest.raises(Cancelled):
        ours(folder("DDPMPipeline"), whole)
    assert len(seen) == 1
    with within(node="run"):
        assert torch.equal(
            ours(folder("DDPMPipeline"), whole).pixels, stock(folder("DDPMPipeline"), "DDPMPipeline", whole)
        )


def test_a_pipeline_that_changes_its_parts_leaves_those_of_the_shelf_as_they_were(tmp_path):
    name = "StableDiffusionUpscalePipeline"
    build_with = pytest.warns(FutureWarning, match="scaling_factor")
    with build_with:
        build_whole(name, tmp_path / "model", scaling_factor=0.18215)
    config = tmp_path / "model" / "vae" / "config.json"
    config.write_text(config.read_text().replace("0.08333", "0.18215"))
    source = survey_whole(tmp_path / "model", "x")
    with pytest.warns(FutureWarning, match="scaling_factor"):
        ours(tmp_path / "model", WHOLES[name])
    with SHELF.use(home_of(source, "vae"), "vae") as vae:
        assert vae.config.scaling_factor == 0.18215


@pytest.mark.parametrize(
    ("name", "changed", "code", "at", "reason"),
    [
        ("DDPMPipeline", {"prompt": "a fox"}, Code.BAD_VALUE, "prompt", "takes no prompt"),
        ("MarigoldDepthPipeline", {"image": None}, Code.MISSING_INPUT, "image", 'needs "image"'),
        ("LDMTextToImagePipeline", {"prompt": None}, Code.MISSING_INPUT, "prompt", 'needs "prompt"'),
        ("StableDiffusionInpaintPipeline", {"image": None}, Code.BAD_VALUE, "options", "refuses"),
    ],
)
def test_what_a_pipeline_cannot_be_called_with_is_refused(name, changed, code, at, reason, folder):
    with pytest.raises(PatchbayError, match=reason) as caught:
        ours(folder(name), WHOLES[name], **changed)
    assert (caught.value.code, caught.value.at) == (code, at)


def test_options_are_checked_before_a_weight_is_read(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(SHELF, "use", lambda *_, **__: pytest.fail("a weight was read"))
    source = survey_whole(folder("DDPMPipeline"), "x")
    with pytest.raises(PatchbayError, match='Did you mean "num_inference_steps"'):
        run(source, {"num_inference_step": 2})


def test_other_forms_of_output_can_be_asked_for(folder):
    whole, path = WHOLES["StableDiffusionInstructPix2PixPipeline"], folder("StableDiffusionInstructPix2PixPipeline")
    asked = type(whole)(whole.make, {**whole.options, "output_type": "np"}, whole.prompt, whole.negative, 1)
    assert torch.equal(ours(path, asked).pixels, ours(path, whole).pixels)
    latent = type(whole)(whole.make, {**whole.options, "output_type": "latent"}, whole.prompt, whole.negative, 1)
    with pytest.raises(PatchbayError, match="gives no pictures"):
        ours(path, latent)
