"""A glimpse has the colours of the picture where they are, and costs no decoding."""

from random import Random

import pytest
import torch
from torch.nn import functional

from nodes.diffusion.latents import autoencoding, glimpses
from nodes.pocket import draw
from nodes.types import VAE, Image, Latent


@pytest.fixture
def pictures():
    random = Random(5)  # noqa: S311  # no secret
    drawn = [torch.tensor(draw.paint(draw.imagine(random))) for _ in range(6)]
    return torch.stack(drawn).movedim(-1, 1) / 255


@pytest.fixture
def latent(pocket, pictures):
    return autoencoding.sample_distribution(autoencoding.encode_image(VAE(pocket), Image(pictures)))


def test_it_has_the_colours_of_the_picture_in_their_places(pocket, pictures, latent):
    small = {"size": (32, 32), "mode": "area"}
    wanted = functional.interpolate(pictures, **small)
    seen = functional.interpolate(glimpses.glimpse(pocket, latent).pixels, **small)
    unexplained = (seen - wanted).square().mean() / wanted.var()
    assert unexplained < 0.12
    assert (seen.flip(0) - wanted).square().mean() / wanted.var() > 0.5


def test_nothing_is_decoded(pocket, latent, monkeypatch):
    glimpses.glimpse(pocket, latent)
    for name in ("decode", "encode_image"):
        monkeypatch.delattr(autoencoding, name)
    pixels = glimpses.glimpse(pocket, latent).pixels
    assert pixels.shape == (6, 3, 256, 256)
    assert 0 <= pixels.min() < pixels.max() <= 1


def test_each_vae_has_its_own_map(pocket, tiny, latent):
    first, second = glimpses._fitted(pocket), glimpses._fitted(tiny)
    assert first[0].shape == second[0].shape == (5, 3)
    assert (first[1], second[1]) == (8, 4)
    assert not torch.equal(first[0], second[0])


def test_of_a_video_each_latent_frame_is_a_picture(pocket, latent):
    video = latent.samples[:4].reshape(2, 2, 4, 32, 32).transpose(1, 2)
    seen = glimpses.glimpse(pocket, Latent(video, latent.kind)).pixels
    assert torch.equal(seen, glimpses.glimpse(pocket, Latent(latent.samples[:4], latent.kind)).pixels)


def test_what_cannot_be_encoded_is_decoded(pocket, latent, monkeypatch):
    monkeypatch.setattr(glimpses, "_fitted", lambda _: None)
    first = Latent(latent.samples[:1], latent.kind)
    assert torch.equal(glimpses.glimpse(pocket, first).pixels, autoencoding.decode(VAE(pocket), first).pixels)
