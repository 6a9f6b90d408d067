"""A run in two parts is the whole run: the solver's memory and the generators travel in the latent."""

import threading
from contextlib import ExitStack
from dataclasses import replace

import diffusers
import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes import hand_on_latent
from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.sampling import denoising, windows
from nodes.diffusion.schedules.samplers import SAMPLERS
from nodes.diffusion.schedules.scheduler_table import CLASSES, PRESETS, predictions_of
from nodes.diffusion.schedules.shim import Window
from nodes.diffusion.text import prompts
from nodes.types import VAE, BlankLatent, Denoiser, Latent, Sampler, Scheduler, TextEncoder
from tests.nodes.diffusion.tiny import exact

DRIVES = [name for name in CLASSES if "epsilon" in predictions_of(name) and name != "DPMSolverSDE"]
SLOW = {"KDPM2", "KDPM2Ancestral", "DPM2", "DPM2 a", "DPM2 Karras", "DPM2 a Karras"}
"""These compute their levels for a second."""


@pytest.fixture
def run(tiny):
    positive = prompts.encode_text(TextEncoder(tiny), "a fox")
    negative = prompts.encode_text(TextEncoder(tiny), "a cat")

    def call(scheduler, window, latent=None, *, batch=2, seed=5, guidance=3.0):
        start = latent or BlankLatent(32, 32, batch)
        settings = {"scheduler": scheduler, "steps": window.steps, "guidance": guidance, "seed": seed}
        return denoising.sample(Denoiser(tiny), positive, negative, start, **settings, window=window)

    return call


def sampler(tiny, name, **settings):
    return Sampler("Euler", tiny.kind, tiny.scheduler, {}, "", name, settings)


def parts(run, scheduler, steps, *cuts):
    """The latent after each part, the seed after the first one being another."""
    found = [run(scheduler, Window(steps, 0, cuts[0]))]
    for first, last in zip(cuts, (*cuts[1:], None), strict=True):
        found.append(run(scheduler, Window(steps, first, last), found[-1], seed=99))
    return found


@pytest.mark.parametrize("name", DRIVES)
def test_two_parts_of_a_scheduler_are_the_whole(run, name):
    whole = run(name, Window(6))
    first, last = parts(run, name, 6, 3)
    assert torch.equal(last.samples, whole.samples)
    assert not torch.equal(first.samples, whole.samples)
    assert first.leftover is not None
    assert last.leftover is whole.leftover is None


@pytest.mark.parametrize("name", SAMPLERS)
def test_two_parts_of_a_sampler_are_the_whole(run, tiny, name):
    chosen = sampler(tiny, name)
    assert torch.equal(parts(run, chosen, 5, 2)[-1].samples, run(chosen, Window(5)).samples)


@pytest.mark.parametrize("name", ["PNDM", "Heun", "DPM++ 2M SDE Karras", "DPM++ SDE", "UniPC", "EulerAncestral"])
def test_many_parts_are_the_whole(run, name):
    assert torch.equal(parts(run, name, 6, 1, 2, 5)[-1].samples, run(name, Window(6)).samples)


@pytest.mark.parametrize("name", [name for name in (*DRIVES, *PRESETS) if name not in SLOW])
def test_no_scheduler_draws_from_the_global_generator(run, name):
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        found.append(run(name, Window(3)).samples)
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(*found)


@pytest.mark.parametrize("names", [("EulerAncestral", "LCM"), ("DPM++ 2M SDE", "DPM++ SDE"), ("SASolver", "ER-SDE")])
def test_two_runs_at_once_give_the_bits_of_two_runs_alone(run, names):
    alone = {name: run(name, Window(4)).samples for name in names}
    beside = {}

    def work(name):
        torch.set_num_threads(1)
        for _ in range(2):
            beside[name] = run(name, Window(4)).samples

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(beside[name], alone[name]) for name in names)


def test_another_prompt_may_go_on(run, tiny):
    first = run("DDIM", Window(4, 0, 2))
    assert torch.isfinite(run("DDIM", Window(4, 2), first, guidance=1.0).samples).all()


def test_a_finished_latent_gets_the_noise_of_its_first_step(run):
    picture = Latent(torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0)), "sd-32x4")
    by_share = denoising.sample(*_arguments(run, picture), scheduler="DDIM", steps=4, guidance=3.0, seed=5, denoise=0.5)
    assert torch.equal(run("DDIM", Window(4, 2), picture).samples, by_share.samples)


def _arguments(run, latent):
    closure = dict(zip(run.__code__.co_freevars, (cell.cell_contents for cell in run.__closure__), strict=True))
    return Denoiser(closure["tiny"]), closure["positive"], closure["negative"], latent


def test_what_was_left_is_part_of_the_identity_and_the_size():
    samples = torch.zeros(1, 4, 8, 8)
    plain = Latent(samples, "sd1")
    state = {"memory": [torch.ones(4), None], "count": 3}
    left = replace(plain, leftover=windows.Leftover(2, 4, "x", state))
    other = replace(plain, leftover=windows.Leftover(2, 4, "x", {**state, "count": 4}))
    third = replace(plain, leftover=windows.Leftover(2, 4, "x", {**state, "memory": [torch.zeros(4), None]}))
    assert len({each.digest() for each in (plain, left, other, third)}) == 4
    assert left.nbytes == plain.nbytes + 16


def refused(call, *arguments, **more):
    with pytest.raises(PatchbayError) as caught:
        call(*arguments, **more)
    assert caught.value.code is Code.BAD_VALUE
    return caught.value


def test_a_latent_goes_on_only_where_it_was_left(run, tiny):
    left = run("DDIM", Window(4, 0, 2))
    for scheduler, window in (
        ("DDIM", Window(4, 1)),
        ("DDIM", Window(5, 2)),
        ("Euler", Window(4, 2)),
        (Scheduler("DDIM", tiny.kind, tiny.scheduler, {"clip_sample": True}), Window(4, 2)),
        (sampler(tiny, "euler"), Window(4, 2)),
    ):
        found = refused(run, scheduler, window, left)
        assert found.what == "This latent was left at step 2 of 4 by DDIM."
        assert found.fix == "Go on with SampleSteps: the same scheduler, steps 4, first 2."
    left = run(sampler(tiny, "er_sde"), Window(4, 0, 2))
    assert refused(run, sampler(tiny, "er_sde", s_noise=0.5), Window(4, 2), left).what.endswith("by er_sde.")
    refused(denoising.sample, *_arguments(run, left), scheduler="DDIM", steps=4, guidance=3.0, seed=0)


@pytest.mark.parametrize("window", [Window(4, 3, 3), Window(4, 4), Window(4, 0, 5), Window(4, 3, 2)])
def test_a_window_without_steps_is_refused(run, window):
    assert "There are no steps" in refused(run, "DDIM", window, Latent(torch.zeros(1, 4, 8, 8), "sd-32x4")).what


def test_a_blank_latent_begins_at_the_beginning(run):
    assert "starts with the first step" in refused(run, "DDIM", Window(4, 1)).what


def test_the_whole_window_leaves_nothing(run):
    assert run("DDIM", Window(3, 0, 3)).leftover is None


def test_a_family_that_runs_as_a_whole_is_not_stopped_between_its_steps():
    family = FAMILIES["SanaSprintPipeline"]
    windows.check_parts(BlankLatent(32, 32, 1), Window(4), family)
    with pytest.raises(PatchbayError, match="all of its steps at once"):
        windows.check_parts(BlankLatent(32, 32, 1), Window(4, 0, 2), family)


def test_a_refiner_goes_on_and_others_may_only_begin():
    blank, latent = BlankLatent(32, 32, 1), Latent(torch.zeros(1, 4, 4, 4), "x")
    with pytest.raises(PatchbayError, match="goes on from a picture"):
        windows.check_start(blank, FAMILIES["StableDiffusionXLImg2ImgPipeline"])
    windows.check_start(latent, FAMILIES["StableDiffusionXLImg2ImgPipeline"])
    with pytest.raises(PatchbayError, match="begins with a blank latent only"):
        windows.check_start(latent, FAMILIES["Cosmos2TextToImagePipeline"])
    windows.check_start(blank, FAMILIES["Cosmos2TextToImagePipeline"])


ENSEMBLES = [
    pytest.param("Euler", True, 1),
    *(pytest.param(*case, marks=pytest.mark.slow) for case in [("Euler", False, 2), ("DDIM", True, 2)]),
]


@pytest.mark.parametrize(("name", "guided", "batch"), ENSEMBLES)
def test_a_refiner_goes_on_where_its_base_model_stopped(family, name, guided, batch):
    """The latents of both are of one VAE; the stock classes split the steps by a share of the noise."""
    base, refiner = family("StableDiffusionXLPipeline"), family("StableDiffusionXLImg2ImgPipeline")
    steps, guidance = 5, 3.0 if guided else 1.0
    with ExitStack() as held:
        first, second = (exact.stock_pipeline(held, source) for source in (base, refiner))
        for pipeline in (first, second):
            pipeline.scheduler = getattr(diffusers, CLASSES[name]).from_config(pipeline.scheduler.config)
        given = {
            "prompt": "a fox",
            "negative_prompt": "snow",
            "num_images_per_prompt": batch,
            "num_inference_steps": steps,
            "guidance_scale": guidance,
            "generator": [torch.Generator().manual_seed(3 + index) for index in range(batch)],
            "output_type": "latent",
        }
        left = first(**given, width=64, height=64, denoising_end=0.8).images
        theirs = second(**given, image=left, denoising_start=0.8).images
    latent = BlankLatent(64, 64, batch)
    for source, window in ((base, Window(steps, 0, 4)), (refiner, Window(steps, 4))):
        positive, negative = (prompts.encode_text(TextEncoder(source), text) for text in ("a fox", "snow"))
        if isinstance(latent, Latent):
            latent = hand_on_latent(latent, VAE(base), VAE(refiner))
        settings = {"scheduler": name, "steps": steps, "guidance": guidance, "seed": 3, "window": window}
        latent = denoising.sample(Denoiser(source), positive, negative if guided else None, latent, **settings)
        assert torch.equal(latent.samples, left if source is base else theirs)
