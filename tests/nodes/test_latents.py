"""The latent nodes as people call them: shapes, laws, and what the pictures show."""

import pytest
import torch

from engine import Catalog, Graph, GraphError, PatchbayError, Paths, Settings, plan
from nodes import (
    distribution_maps,
    empty_latent,
    latent_arithmetic,
    latent_distance,
    latent_maps,
    load_model,
    mix_latents,
    resize_latent,
    sample_distribution,
    vae_decode,
    vae_encode,
)
from nodes.pocket import MODEL
from nodes.types import Image, Latent
from tests.nodes.diffusion.tiny.table import build


@pytest.fixture(scope="module")
def parts():
    return load_model(model=MODEL)


def latent(seed, batch=1):
    return Latent(torch.randn(batch, 4, 4, 4, generator=torch.Generator().manual_seed(seed)), "pocket")


@pytest.fixture(scope="module")
def picture():
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    return Image(ramp.contiguous())


def test_a_blank_latent_is_its_size():
    blank = empty_latent(width=64, height=32, batch=3).latent
    assert (blank.width, blank.height, blank.batch) == (64, 32, 3)


def test_more_pixels_than_any_machine_has_memory_for_are_refused():
    with pytest.raises(PatchbayError, match="more than 64 megapixels"):
        empty_latent(width=16384, height=16384, batch=256)


def test_the_round_trip_comes_back_close(parts, picture):
    encoded = vae_encode(parts.vae, picture)
    back = vae_decode(parts.vae, encoded.latent)
    assert back.pixels.shape == picture.pixels.shape
    assert (back.pixels - picture.pixels).abs().mean() < 0.03


def test_the_mode_is_the_mean_and_samples_spread_around_it(parts, picture):
    mode = vae_encode(parts.vae, picture)
    one = vae_encode(parts.vae, picture, take="sample", seed=1).latent.samples
    again = vae_encode(parts.vae, picture, take="sample", seed=1).latent.samples
    other = vae_encode(parts.vae, picture, take="sample", seed=2).latent.samples
    assert torch.equal(mode.latent.samples, mode.distribution.mean * mode.distribution.scaling)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    deviation = (mode.distribution.logvar / 2).exp()
    spread = (one / mode.distribution.scaling - mode.distribution.mean) / deviation
    assert 0.8 < spread.std() < 1.2


def test_drawing_uses_the_seeds_from_the_first_on(parts, picture):
    encoded = vae_encode(parts.vae, picture)
    drawn = sample_distribution(encoded.distribution, seed=5, count=3).samples
    assert len(drawn) == 3
    assert torch.equal(drawn[1:2], sample_distribution(encoded.distribution, seed=6, count=1).samples)


def test_mixing_starts_at_one_and_ends_at_the_other():
    a, b = latent(0), latent(1)
    for method in ("lerp", "slerp"):
        mixed = mix_latents(a, b, method=method, frames=5).samples
        assert mixed.shape == (5, 4, 4, 4)
        assert torch.equal(mixed[0], a.samples[0])
        assert torch.equal(mixed[-1], b.samples[0])


def test_arithmetic_is_arithmetic():
    a, b, c = latent(0), latent(1), latent(2)
    assert torch.equal(latent_arithmetic(a, b, c).samples, a.samples + (b.samples - c.samples))
    assert torch.equal(latent_arithmetic(a, scale=2.0).samples, 2 * a.samples)
    assert torch.equal(latent_arithmetic(a, b).samples, a.samples + b.samples)
    assert torch.equal(latent_arithmetic(a, c=b, scale=0.5).samples, a.samples - 0.5 * b.samples)
    one = latent_arithmetic(a, b, c, channels=[0, 1, 0, 0]).samples
    assert torch.equal(one[:, 0], a.samples[:, 0])
    assert torch.equal(one[:, 1], (a.samples + (b.samples - c.samples))[:, 1])
    with pytest.raises(PatchbayError, match="2 factors for 4 channels"):
        latent_arithmetic(a, b, c, channels=[1, 2])


def test_a_latent_resized_there_and_back_is_itself():
    double = resize_latent(latent(0), factor=2.0)
    assert double.samples.shape == (1, 4, 8, 8)
    assert torch.equal(resize_latent(double, factor=0.5, method="area").samples, latent(0).samples)


def test_the_distance_to_itself_is_nothing():
    found = latent_distance(latent(0, batch=2), latent(0, batch=2))
    assert found.euclidean == [0.0, 0.0]
    assert found.cosine == pytest.approx([1.0, 1.0])


def test_latents_of_two_families_do_not_mix():
    with pytest.raises(PatchbayError, match="sd1"):
        mix_latents(latent(0), Latent(latent(1).samples, "sd1"))


def test_maps_are_pictures(parts, picture):
    encoded = vae_encode(parts.vae, picture)
    maps = distribution_maps(encoded.distribution)
    for image in (latent_maps(encoded.latent), maps.mean, maps.deviation):
        assert image.pixels.ndim == 4
        assert image.pixels.min() >= 0
        assert image.pixels.max() <= 1


def test_a_latent_is_handed_on_only_where_it_means_the_same(tmp_path):
    build("StableDiffusionXLPipeline", tmp_path / "sdxl")
    build("StableDiffusionXLImg2ImgPipeline", tmp_path / "refiner")

    def refused(to):
        links = {"latent": {"link": "encode.latent"}, "vae": {"link": "from.vae"}, "to": {"link": "to.vae"}}
        picture = {"vae": {"link": "from.vae"}, "image": {"link": "picture.image"}}
        nodes = {
            "from": {"type": "LoadModel", "inputs": {"model": "sdxl"}},
            "to": {"type": "LoadModel", "inputs": {"model": to}},
            "picture": {"type": "LoadImage", "inputs": {"file": "sailboat.png"}},
            "encode": {"type": "VAEEncode", "inputs": picture},
            "hand": {"type": "HandOnLatent", "inputs": links},
            "decode": {"type": "VAEDecode", "inputs": {"vae": links["to"], "latent": {"link": "hand.latent"}}},
        }
        interface = {"inputs": {}, "outputs": {"image": "decode.image"}}
        document = {"version": 1, "nodes": nodes, "interface": interface}
        graph = Graph.from_data(document, folder=tmp_path)
        try:
            plan(graph, Catalog.load(), Paths(models=(tmp_path,)), Settings())
        except GraphError as error:
            return [problem.at for problem in error.problems]
        return []

    assert refused("refiner") == []
    assert refused("pocket") == ["hand.to"]
