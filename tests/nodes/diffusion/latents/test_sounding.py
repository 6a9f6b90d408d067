"""Sound beside a video, on a tiny LTX 2. That both are the stock call's is tested with every other family."""

from dataclasses import replace

import pytest
import torch

from engine import Code, PatchbayError, Settings
from nodes.diffusion.latents import autoencoding, sounding
from nodes.diffusion.sampling import denoising
from nodes.diffusion.schedules.shim import Window
from nodes.diffusion.text import prompts
from nodes.types import VAE, BlankLatent, Denoiser, Latent, TextEncoder

OPTIONS = {"spatio_temporal_guidance_blocks": [0]}


@pytest.fixture
def source(family):
    return family("LTX2Pipeline")


def run(source, latent, first=0, last=3, scheduler="FlowMatchEuler", seed=7, **more):
    prompt = prompts.encode_text(TextEncoder(source), "a red fox", options={"max_sequence_length": 32})
    return denoising.sample(
        Denoiser(source), prompt, None, latent, scheduler=scheduler, steps=3, guidance=3.0, seed=seed,
        options={**OPTIONS, **more}, window=Window(3, first, last),
    )  # fmt: skip


BLANK = BlankLatent(32, 32, 1, 5)


@pytest.mark.parametrize("scheduler", ["FlowMatchEuler", "FlowMatchHeun"])
def test_sound_goes_on_where_it_was_left(source, scheduler):
    whole = run(source, BLANK, scheduler=scheduler)
    left = run(source, BLANK, 0, 1, scheduler)
    assert left.leftover is not None
    rest = run(source, left, 1, 3, scheduler, seed=8)
    assert torch.equal(rest.sound, whole.sound)
    assert torch.equal(rest.samples, whole.samples)
    assert not torch.equal(left.sound, whole.sound)


def test_what_is_left_in_a_small_precision_goes_on_in_that_of_the_loop(source, within):
    """The pipeline holds its latents in single precision, whatever its model has."""
    with within(settings=Settings(dtype="bfloat16")):
        whole, left = run(source, BLANK), run(source, BLANK, 0, 1)
        assert left.samples.dtype == left.sound.dtype == torch.float32
        rest = run(source, left, 1, 3)
    assert torch.equal(rest.samples, whole.samples)
    assert torch.equal(rest.sound, whole.sound)


def test_a_filled_latent_keeps_of_its_sound_what_the_share_says(source):
    whole = run(source, BLANK)
    near = run(source, Latent(whole.samples, whole.kind, sound=whole.sound), 2, 3, seed=9)
    other = run(source, Latent(whole.samples, whole.kind, sound=-whole.sound), 2, 3, seed=9)
    without = run(source, Latent(whole.samples, whole.kind), 2, 3, seed=9)
    assert near.sound.shape == without.sound.shape == whole.sound.shape
    assert not torch.equal(near.sound, other.sound)
    assert not torch.equal(near.sound, without.sound)


def test_the_length_of_the_sound_follows_the_frames_a_second(source):
    assert run(source, BLANK, frame_rate=12.0).sound.shape[2] == 2 * run(source, BLANK).sound.shape[2]


def test_the_picture_is_decoded_without_the_sound_s_parts(source, monkeypatch):
    latent = run(source, BLANK)
    used = []
    own = autoencoding.SHELF.use
    monkeypatch.setattr(autoencoding.SHELF, "use", lambda *each, **how: used.append(each[1]) or own(*each, **how))
    assert len(autoencoding.decode(VAE(source), latent).pixels) == 5
    assert used == ["vae"]


def test_a_sound_is_made_for_each_video(source):
    found = sounding.decode(VAE(source), run(source, replace(BLANK, batch=2)))
    assert [each.samples.shape[0] for each in found] == [2, 2]
    assert found[0].rate == 16000
    assert not torch.equal(found[0].samples, found[1].samples)


def test_a_latent_is_another_with_another_sound(source):
    latent = run(source, BLANK)
    assert latent.digest() != replace(latent, sound=-latent.sound).digest()
    assert latent.nbytes == latent.samples.nbytes + latent.sound.nbytes


def test_what_has_no_sound_is_refused(source, family):
    silent = replace(run(source, BLANK), sound=None)
    with pytest.raises(PatchbayError, match="has no sound") as caught:
        sounding.decode(VAE(source), silent)
    assert caught.value.code == Code.BAD_VALUE
    other = family("WanPipeline")
    with pytest.raises(PatchbayError, match="makes no sound") as caught:
        sounding.decode(VAE(other), replace(silent, kind=other.kind))
    assert caught.value.at == "vae"
