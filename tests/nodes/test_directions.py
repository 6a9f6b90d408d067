"""Directions, round trips and numbers of latent space, as nodes."""

import json

import pytest
import torch
from safetensors.torch import save_file

from engine import Catalog, Code, Graph, GraphError, PatchbayError, Paths, Settings, context, plan
from nodes import (
    describe_latent,
    distribution_divergence,
    edit_channels,
    follow_direction,
    learn_direction,
    load_direction,
    load_model,
    round_trip,
    save_direction,
    vae_encode,
)
from nodes.directions import DirectionFile, kinds_of
from nodes.pocket import MODEL
from nodes.types import Direction, Image, Latent, LatentDistribution, Leftover


def latent(seed, batch=1, kind="pocket", size=4):
    return Latent(torch.randn(batch, 4, size, size, generator=torch.Generator().manual_seed(seed)), kind)


@pytest.fixture(scope="module")
def parts():
    return load_model(model=MODEL)


@pytest.fixture
def writing(tmp_path):
    token = context._current.set(context.NodeContext(paths=Paths(outputs=tmp_path)))
    yield tmp_path
    context._current.reset(token)


def test_the_direction_leads_from_the_one_mean_to_the_other():
    plus, minus = [latent(0, 2), latent(1)], [latent(2), latent(3, 3)]
    found = learn_direction(plus, minus)
    means = [torch.cat([each.samples for each in side]).mean(0, keepdim=True) for side in (plus, minus)]
    assert torch.allclose(found.delta, means[0] - means[1], atol=1e-6)
    moved = follow_direction(Latent(means[1], "pocket"), found)
    assert torch.allclose(moved.samples, means[0], atol=1e-6)
    assert torch.equal(follow_direction(plus[0], found, strength=0.0).samples, plus[0].samples)


def test_there_and_back_is_where_it_was():
    start, way = latent(0, 3), learn_direction([latent(1)], [latent(2)])
    back = follow_direction(follow_direction(start, way, strength=0.7), way, strength=-0.7)
    assert torch.allclose(back.samples, start.samples, atol=1e-6)


def test_one_shift_for_everywhere_fits_any_size():
    found = learn_direction([latent(0), latent(1, size=8)], [latent(2, size=6)], where="the same everywhere")
    assert found.delta.shape == (1, 4, 1, 1)
    assert follow_direction(latent(3, 2, size=5), found).samples.shape == (2, 4, 5, 5)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: learn_direction([], [latent(0)]), Code.BAD_VALUE),
        (lambda: learn_direction([latent(0)], []), Code.BAD_VALUE),
        (lambda: learn_direction([latent(0), latent(1, size=8)], [latent(2)]), Code.BAD_VALUE),
        (lambda: learn_direction([latent(0)], [latent(2, size=8)]), Code.BAD_VALUE),
        (lambda: learn_direction([latent(0)], [latent(2, kind="sd1")]), Code.KIND_MISMATCH),
        (
            lambda: follow_direction(latent(0, kind="sd1"), Direction(torch.zeros(1, 4, 4, 4), "pocket")),
            Code.KIND_MISMATCH,
        ),
        (lambda: follow_direction(latent(0, size=8), Direction(torch.zeros(1, 4, 4, 4), "pocket")), Code.BAD_VALUE),
        (lambda: follow_direction(latent(0), Direction(torch.zeros(1, 8, 1, 1), "pocket")), Code.BAD_VALUE),
        (lambda: edit_channels(latent(0), scale=[1.0]), Code.BAD_VALUE),
        (lambda: edit_channels(latent(0), offset=[1.0] * 5), Code.BAD_VALUE),
    ],
)
def test_what_does_not_belong_together_is_refused(call, code):
    with pytest.raises(PatchbayError) as caught:
        call()
    assert caught.value.code is code
    assert caught.value.fix


def test_a_saved_direction_comes_back(writing):
    way = learn_direction([latent(0)], [latent(1)])
    first, second = (save_direction(way, name="ways/sun").files[0] for _ in range(2))
    assert (first, second) == tuple(str(writing / "ways" / f"sun-000{number}.safetensors") for number in (1, 2))
    path = DirectionFile().resolve("ways/sun-0001.safetensors", Paths(outputs=writing), Settings(), "at")
    assert kinds_of({"file": path}) == {"K": "pocket"}
    assert load_direction(file=path).digest() == way.digest()
    assert DirectionFile().digest(path) == DirectionFile().digest(path.with_stem("sun-0002"))
    assert kinds_of({}) == {}
    assert way.nbytes == 4 * 64


@pytest.mark.parametrize("metadata", [None, {"kind": "sd1"}, {"patchbay.direction": ""}])
def test_another_file_is_no_direction(tmp_path, metadata):
    save_file({"delta": torch.zeros(1, 4, 2, 2)}, tmp_path / "x.safetensors", metadata)
    with pytest.raises(PatchbayError, match="holds no direction"):
        DirectionFile().resolve("x.safetensors", Paths(inputs=(tmp_path,)), Settings(), "at")


def test_a_broken_file_and_one_of_another_shape_are_refused(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"\x80\x04nothing")
    with pytest.raises(PatchbayError, match="cannot be read"):
        DirectionFile().resolve("x.safetensors", Paths(inputs=(tmp_path,)), Settings(), "at")
    save_file({"delta": torch.zeros(4)}, tmp_path / "y.safetensors", {"patchbay.direction": "sd1"})
    with pytest.raises(PatchbayError, match=r"\[1, channels, height, width\]"):
        load_direction(file=tmp_path / "y.safetensors")


def test_files_outside_the_roots_are_refused(tmp_path):
    (tmp_path / "secret.safetensors").write_bytes(b"")
    inside = tmp_path / "inputs"
    inside.mkdir()
    with pytest.raises(PatchbayError) as caught:
        DirectionFile().resolve("../secret.safetensors", Paths(inputs=(inside,)), Settings(), "at")
    assert caught.value.code is Code.OUTSIDE_ROOTS


def test_the_plan_knows_the_kind_of_a_direction_in_a_file(tmp_path):
    save_file({"delta": torch.zeros(1, 4, 1, 1)}, tmp_path / "x.safetensors", {"patchbay.direction": "sd1"})
    nodes = {
        "load": {"type": "LoadModel", "inputs": {"model": "pocket"}},
        "picture": {"type": "LoadImage", "inputs": {"file": "sailboat.png"}},
        "encode": {"type": "VAEEncode", "inputs": {"vae": {"link": "load.vae"}, "image": {"link": "picture.image"}}},
        "way": {"type": "LoadDirection", "inputs": {"file": "x.safetensors"}},
        "go": {
            "type": "FollowDirection",
            "inputs": {"latent": {"link": "encode.latent"}, "direction": {"link": "way.direction"}},
        },
    }
    document = {"version": 1, "nodes": nodes, "interface": {"outputs": {"x": "go.latent"}}}
    with pytest.raises(GraphError) as caught:
        plan(Graph.parse(json.dumps(document)), Catalog.load(), Paths(inputs=(tmp_path,)), Settings())
    assert [(problem.code, problem.at) for problem in caught.value.problems] == [("kind_mismatch", "go.direction")]


def test_channels_are_edited_one_by_one():
    start = latent(0, 2)
    edited = edit_channels(start, scale=[1.0, 2.0, 1.0, 0.0], offset=[0.0, 0.0, 3.0, 1.0]).samples
    assert torch.equal(edited[:, 0], start.samples[:, 0])
    assert torch.equal(edited[:, 1], 2 * start.samples[:, 1])
    assert torch.equal(edited[:, 2], start.samples[:, 2] + 3)
    assert torch.equal(edited[:, 3], torch.ones(2, 4, 4))
    assert torch.equal(edit_channels(start).samples, start.samples)


def test_a_round_trip_shows_its_error_and_says_how_large_it_is(parts):
    picture = Image(torch.linspace(0, 1, 64).expand(2, 3, 64, 64).contiguous())
    found = round_trip(parts.vae, picture, gain=8.0)
    assert found.image.pixels.shape == found.error.pixels.shape == picture.pixels.shape
    error = (found.image.pixels - picture.pixels).double().square().mean().item()
    assert found.psnr == pytest.approx([-10 * torch.log10(torch.tensor(error)).item()] * 2, abs=0.1)
    assert 15 < found.psnr[0] < 100


def test_the_divergence_is_that_of_diffusers(parts):
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    found = vae_encode(parts.vae, Image(torch.rand(2, 3, 64, 64))).distribution
    theirs = DiagonalGaussianDistribution(torch.cat([found.mean, found.logvar], 1)).kl()
    assert distribution_divergence(found).kl == pytest.approx(theirs.tolist(), rel=1e-4)
    normal = LatentDistribution(torch.zeros(1, 4, 2, 2), torch.zeros(1, 4, 2, 2), 1.0, 0.0, "x")
    assert distribution_divergence(normal).kl == [0.0]


def test_a_latent_is_described_in_numbers():
    plain = Latent(torch.zeros(2, 4, 8, 8), "pocket")
    text = describe_latent(plain, Image(torch.zeros(2, 3, 64, 64)))
    assert text.splitlines()[:2] == [
        "2 latents of 4 x 8 x 8 = 256 numbers each, kind pocket",
        "64 x 64 pixels of 3 colours = 12,288 numbers: 48.0 times as many",
    ]
    left = Latent(plain.samples, "pocket", Leftover(3, 8, "x", {}))
    assert describe_latent(left).endswith("not finished: left at step 3 of 8")


def test_equal_pictures_are_equal():
    from nodes.diffusion.latents.latent_report import EQUAL, psnr

    assert psnr(Image(torch.ones(1, 3, 4, 4)), Image(torch.ones(1, 3, 4, 4))) == [EQUAL]
    assert psnr(Image(torch.ones(1, 3, 4, 4)), Image(torch.full((1, 3, 4, 4), 0.9))) == pytest.approx([20.0], abs=1e-4)
