"""Every stage gives the stock pipeline's bits, on the same modules in the same process."""

import io
import itertools
import threading

import diffusers
import pytest
import torch
from PIL import Image as Pillow

from engine.context import Pace
from engine.errors import Cancelled, Code, PatchbayError
from engine.events import NodePreview, NodeProgress
from engine.settings import Settings
from nodes.diffusion.latents import autoencoding
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures import pixels as picture_functions
from nodes.diffusion.sampling import denoising
from nodes.diffusion.schedules.scheduler_table import CLASSES, predictions_of
from nodes.diffusion.text import prompts
from nodes.types import VAE, BlankLatent, Conditioning, Denoiser, Image, Latent, Scheduler, TextEncoder

NAMED = ("DDIM", "PNDM", "LMS", "Euler", "EulerAncestral", "DPMSolverMultistep", "UniPC", "Heun")
DRIVES = tuple(name for name in CLASSES if "epsilon" in predictions_of(name) and name != "DPMSolverSDE")
OTHERS = tuple(name for name in DRIVES if name not in NAMED)
PROMPT, NEGATIVE = "a red circle on a blue background", "a green square"
SIDE = {"pocket": 64, "sd-32x4": 32}


@pytest.fixture
def run(source):
    """`sample` with few words."""

    def call(latent=None, *, negative=NEGATIVE, batch=1, **options):
        side = SIDE[source.kind]
        positive = prompts.encode_text(TextEncoder(source), PROMPT)
        against = None if negative is None else prompts.encode_text(TextEncoder(source), negative)
        settings = {"scheduler": "DDIM", "steps": 4, "guidance": 3.0, "seed": 7, **options}
        blank = BlankLatent(side, side, batch)
        return denoising.sample(Denoiser(source), positive, against, latent or blank, **settings)

    return call


@pytest.fixture
def expected(source, stock, generators):
    """The stock text-to-image or image-to-image pipeline, as its documentation calls it."""

    def call(  # what a user may set
        image=None, *, scheduler="DDIM", batch=1, guidance=3.0, negative=NEGATIVE, seed=7, strength=None, steps=4
    ):
        side = SIDE[source.kind]
        common = {
            "generator": generators(seed, batch),
            "num_inference_steps": steps,
            "guidance_scale": guidance,
            "output_type": "latent",
        }
        if image is None:
            pipeline = stock(source, scheduler)
            size = {"height": side, "width": side, "num_images_per_prompt": batch}
            return pipeline(PROMPT, negative_prompt=negative, **size, **common).images
        pipeline = stock(source, scheduler, "StableDiffusionImg2ImgPipeline")
        settings = {"image": image, "strength": strength, "num_images_per_prompt": batch}
        return pipeline(PROMPT, negative_prompt=negative, **settings, **common).images

    return call


@pytest.mark.parametrize("scheduler", [*NAMED, *OTHERS])
def test_text_to_image_is_the_stock_pipeline_s(run, expected, scheduler):
    ours = run(scheduler=scheduler).samples
    assert torch.isfinite(ours).all()
    assert torch.equal(ours, expected(scheduler=scheduler))


@pytest.mark.parametrize("scheduler", [*NAMED, *OTHERS])
@pytest.mark.parametrize("denoise", [0.5, 1.0])
def test_image_to_image_is_the_stock_pipeline_s(run, expected, encoded, scheduler, denoise):
    ours = run(encoded, scheduler=scheduler, denoise=denoise, seed=11).samples
    stock = expected(encoded.samples, scheduler=scheduler, batch=2, seed=11, strength=denoise)
    assert torch.isfinite(ours).all()
    assert torch.equal(ours, stock)


@pytest.mark.parametrize("scheduler", ["DDIM", "EulerAncestral"])
@pytest.mark.parametrize("batch", [2, 3])
def test_a_batch_is_the_stock_pipeline_s(run, expected, scheduler, batch):
    assert torch.equal(run(scheduler=scheduler, batch=batch).samples, expected(scheduler=scheduler, batch=batch))


@pytest.mark.parametrize("guidance", [0.0, 1.0, 1.5, 12.0])
@pytest.mark.parametrize("negative", [None, "", NEGATIVE])
def test_guidance_and_negatives_are_the_stock_pipeline_s(run, expected, guidance, negative):
    ours = run(guidance=guidance, negative=negative).samples
    assert torch.equal(ours, expected(guidance=guidance, negative=negative))


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_any_number_of_steps_is_the_stock_pipeline_s(run, expected, steps):
    assert torch.equal(run(steps=steps).samples, expected(steps=steps))


def test_options_of_the_scheduler_are_the_stock_pipeline_s(run, source, stock, generators):
    options = {"use_karras_sigmas": True, "algorithm_type": "sde-dpmsolver++"}
    chosen = Scheduler("DPMSolverMultistep", source.kind, source.scheduler, options)
    pipeline = stock(source, "DPMSolverMultistep", **options)
    side = SIDE[source.kind]
    theirs = pipeline(
        PROMPT, negative_prompt=NEGATIVE, height=side, width=side, num_inference_steps=4, guidance_scale=3.0,
        generator=generators(7, 1), output_type="latent",
    ).images  # fmt: skip
    assert torch.equal(run(scheduler=chosen).samples, theirs)


def test_the_whole_way_is_the_way_of_a_pipeline_loaded_by_itself(run, source):
    """Nothing is shared with Patchbay here: what a user compares with."""
    alone = diffusers.StableDiffusionPipeline.from_pretrained(source.path, dtype=torch.float32)
    alone.set_progress_bar_config(disable=True)
    side = SIDE[source.kind]
    own = torch.Generator("cpu").manual_seed(7)
    theirs = alone(
        PROMPT, negative_prompt=NEGATIVE, height=side, width=side, num_inference_steps=4, guidance_scale=3.0,
        generator=own, output_type="pt",
    ).images  # fmt: skip
    name = next(name for name, found in CLASSES.items() if found == source.parts["scheduler"].class_name)
    assert torch.equal(autoencoding.decode(VAE(source), run(scheduler=name)).pixels, theirs)


def test_a_picture_s_way_through_image_to_image_is_the_stock_one(source, picture, stock, generators):
    """The stock class draws latent and noise from one generator, so what comes before the noise is compared."""
    files = [Pillow.open(io.BytesIO(data)) for data in picture.files()]
    picture = Image(torch.cat([picture_functions._to_tensor(file) for file in files]))
    found = autoencoding.encode_image(VAE(source), picture)
    pipeline = stock(source, "DDIM", "StableDiffusionImg2ImgPipeline")
    pixels = pipeline.image_processor.preprocess(files)
    for index, own in enumerate(generators(5, 2)):
        theirs = pipeline.vae.encode(pixels[index : index + 1]).latent_dist
        assert torch.equal(found.mean[index], theirs.mean[0])
        assert torch.equal(found.logvar[index], theirs.logvar[0])
        ours = autoencoding.sample_distribution(found, [5]).samples[index]
        assert torch.equal(ours, (pipeline.vae.config.scaling_factor * theirs.sample(own))[0])
    mode = autoencoding.sample_distribution(found).samples
    assert torch.equal(mode, found.mean * pipeline.vae.config.scaling_factor)


def test_a_sample_of_a_batch_is_near_that_sample_alone(run):
    batch, alone = run(batch=3, seed=5).samples, run(seed=7).samples
    assert torch.allclose(batch[2:], alone, atol=1e-3)


def test_runs_beside_each_other_give_the_bits_that_each_gives_alone(source):
    def picture(prompt, scheduler, seed, guidance):
        positive, negative = (prompts.encode_text(TextEncoder(source), text) for text in (prompt, NEGATIVE))
        blank, chosen = BlankLatent(32, 32, 1), {"scheduler": scheduler, "seed": seed, "guidance": guidance}
        latent = denoising.sample(Denoiser(source), positive, negative, blank, steps=4, **chosen)
        return autoencoding.decode(VAE(source), latent).pixels

    wanted = [
        ("a red circle", "EulerAncestral", 1, 3.0),
        ("a green square on a blue background", "DPMSolverMultistep", 2, 7.5),
        ("a circle", "LCM", 1, 1.0),
    ]
    alone = [picture(*each) for each in wanted]
    assert not any(torch.equal(one, other) for one, other in itertools.combinations(alone, 2))
    start = threading.Barrier(len(wanted))
    beside = [[] for _ in wanted]

    def work(number):
        torch.set_num_threads(1)
        for turn in range(3):  # each round beside other neighbours
            start.wait()
            chosen = (number + turn * number) % len(wanted)
            beside[chosen].append(picture(*wanted[chosen]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(wanted))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(map(len, beside)) == 3 * len(wanted)
    assert all(torch.equal(found, alone[n]) for n, each in enumerate(beside) for found in each)


@pytest.mark.parametrize("scheduler", ["DDIM", "PNDM", "Heun", "UniPC"])
def test_a_cancelled_run_leaves_the_next_one_equal(run, within, scheduler):
    before = run(scheduler=scheduler).samples
    cancel = threading.Event()
    seen = []

    def emit(event):
        if isinstance(event, NodeProgress):
            seen.append(event)
        if len(seen) == 2:
            cancel.set()

    with within(emit=emit, cancel=cancel), pytest.raises(Cancelled):
        run(scheduler=scheduler)
    assert max(event.done for event in seen) == 2
    assert torch.equal(run(scheduler=scheduler).samples, before)
    assert not any(entry.users for entry in SHELF._entries.values())


def test_each_step_is_reported(run, within):
    seen = []
    with within(node="sample", emit=seen.append):
        run(steps=4, scheduler="Heun")
    seen = [event for event in seen if isinstance(event, NodeProgress)]
    assert [(event.done, event.total) for event in seen] == [(done, 7) for done in range(1, 8)]


def test_a_window_is_reported_as_what_it_is(run, within):
    latent = run()
    seen = []
    with within(emit=seen.append):
        run(latent, denoise=0.5)
    seen = [event for event in seen if isinstance(event, NodeProgress)]
    assert [(event.done, event.total) for event in seen] == [(1, 2), (2, 2)]


def test_previews_are_pictures_and_change_nothing(run, within, source):
    seen = []
    with within(emit=seen.append, settings=Settings(previews=True), pace=Pace(0.0)):
        previewed = run().samples
    pictures = [event.value for event in seen if isinstance(event, NodePreview)]
    assert len(pictures) == 4
    assert pictures[0].pixels.shape == (1, 3, SIDE[source.kind], SIDE[source.kind])
    assert torch.equal(previewed, run().samples)


def test_results_may_be_used_outside_inference_mode(run):
    latent = run().samples
    assert not latent.is_inference()
    latent.clone().add_(1).requires_grad_()


def test_values_are_not_changed_by_those_who_use_them(run, source, picture):
    latent = autoencoding.sample_distribution(autoencoding.encode_image(VAE(source), picture))
    before = latent.digest()
    run(latent, denoise=0.5)
    autoencoding.decode(VAE(source), latent)
    assert latent.digest() == before


@pytest.mark.parametrize(
    ("latent", "options"),
    [
        (BlankLatent(64, 64, 1), {"denoise": 0.5}),
        (BlankLatent(61, 64, 1), {}),
        (BlankLatent(64, 0, 1), {}),
        (Latent(torch.zeros(1, 4, 8, 8), "pocket"), {"denoise": 0.2, "steps": 4}),
        (Latent(torch.zeros(1, 4, 8, 8), "pocket"), {"denoise": 0.0}),
        (Latent(torch.zeros(1, 4, 8, 8), "pocket"), {"denoise": 1.1}),
        (Latent(torch.zeros(1, 16, 8, 8), "pocket"), {}),
        (Latent(torch.zeros(4, 8, 8), "pocket"), {}),
    ],
)
@pytest.mark.parametrize("source", ["pocket"], indirect=True)
def test_what_cannot_work_is_refused(run, latent, options):
    with pytest.raises(PatchbayError) as caught:
        run(latent, **options)
    assert caught.value.code is Code.BAD_VALUE


def test_kinds_are_checked_again(pocket, tiny):
    ours = prompts.encode_text(TextEncoder(pocket), PROMPT)
    theirs = Conditioning(ours.tensors, TextEncoder(tiny), PROMPT)
    blank, settings = BlankLatent(64, 64, 1), {"steps": 2, "guidance": 3.0, "seed": 0}
    foreign = Latent(torch.zeros(1, 4, 8, 8), "sdxl")
    scheduler = Scheduler("DDIM", "sdxl", pocket.scheduler)
    for arguments, chosen in (
        ((theirs, None, blank), "DDIM"),
        ((ours, theirs, blank), "DDIM"),
        ((ours, None, foreign), "DDIM"),
        ((ours, None, blank), scheduler),
    ):
        with pytest.raises(PatchbayError) as caught:
            denoising.sample(Denoiser(pocket), *arguments, scheduler=chosen, **settings)
        assert caught.value.code is Code.KIND_MISMATCH
    with pytest.raises(PatchbayError) as caught:
        autoencoding.decode(VAE(pocket), foreign)
    assert caught.value.code is Code.KIND_MISMATCH
