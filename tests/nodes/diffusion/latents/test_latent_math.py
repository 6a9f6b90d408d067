from dataclasses import replace
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Code, PatchbayError
from nodes.diffusion.latents import latent_math
from nodes.types import Conditioning, Latent, Leftover, ResizeMethod, TextEncoder


@pytest.fixture
def a():
    return Latent(torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1)), "sd1")


@pytest.fixture
def b():
    return Latent(torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2)), "sd1")


@pytest.mark.parametrize("how", ["lerp", "slerp"])
def test_the_ends_are_included_exactly(a, b, how):
    way = latent_math.frames(a, b, 5, how)
    assert way.samples.shape == (5, 4, 8, 8)
    assert torch.equal(way.samples[:1], a.samples)
    assert torch.equal(way.samples[4:], b.samples)


def test_the_arc_keeps_the_length_and_the_line_does_not(a, b):
    length = a.samples.norm()
    b = Latent(b.samples / b.samples.norm() * length, "sd1")
    arc = latent_math.frames(a, b, 7, "slerp").samples.flatten(1).norm(dim=1)
    assert torch.allclose(arc, length.expand(7), rtol=1e-5)
    assert latent_math.mix(a, b, 0.5, "lerp").samples.norm() < 0.8 * length


def test_the_arc_goes_in_equal_angles():
    start, end = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    third = latent_math.slerp(start, end, 1 / 3)[0]
    assert third.tolist() == pytest.approx([3**0.5 / 2, 0.5])


def test_each_sample_has_an_arc_of_its_own(a, b):
    both = latent_math.slerp(torch.cat([a.samples, b.samples]), torch.cat([b.samples, a.samples]), 0.25)
    assert torch.equal(both[:1], latent_math.slerp(a.samples, b.samples, 0.25))
    assert torch.equal(both[1:], latent_math.slerp(b.samples, a.samples, 0.25))


@pytest.mark.parametrize("factor", [1.0, 1.0001, -1.0, 0.0])
def test_parallel_latents_are_mixed_along_the_line(a, factor):
    other = a.samples * factor
    mixed = latent_math.slerp(a.samples, other, 0.25)
    assert torch.equal(mixed, torch.lerp(a.samples, other, 0.25))


def test_zeros_can_be_mixed():
    nothing = torch.zeros(1, 4, 8, 8)
    assert torch.isfinite(latent_math.slerp(nothing, nothing, 0.5)).all()


def test_conditionings_are_mixed_and_say_so(tiny):
    one, other = (
        Conditioning({"prompt_embeds": torch.full((1, 2, 3), n)}, TextEncoder(tiny), f"p{n:g}") for n in (1.0, 3.0)
    )
    mixed = latent_math.mix(one, other, 0.25, "lerp")
    assert mixed.tensors["prompt_embeds"].unique().tolist() == [1.5]
    assert mixed.text == "0.75 * (p1) + 0.25 * (p3)"
    assert mixed.kind == one.kind


def test_a_direction_is_applied(a, b):
    found = latent_math.arithmetic(a, b, a, 2.0)
    assert torch.allclose(found.samples, a.samples + 2 * (b.samples - a.samples))
    first = latent_math.arithmetic(a, b, a, [1, 0, 0, 0]).samples
    assert torch.equal(first[:, 1:], a.samples[:, 1:])
    assert torch.allclose(first[:, 0], b.samples[:, 0], atol=1e-6)


def test_batches_of_one_serve_every_sample(a, b):
    batch = Latent(torch.cat([a.samples, b.samples]), "sd1")
    assert len(latent_math.arithmetic(batch, a, b).samples) == 2
    assert len(latent_math.arithmetic(a, batch, b).samples) == 2
    with pytest.raises(PatchbayError):
        latent_math.arithmetic(batch, Latent(torch.zeros(3, 4, 8, 8), "sd1"), a)


def test_channels_are_scaled(a):
    assert torch.equal(latent_math.scaled(a, 2).samples, a.samples * 2)
    assert torch.equal(latent_math.scaled(a, [1, 2, 3, 4]).samples[:, 3], a.samples[:, 3] * 4)
    with pytest.raises(PatchbayError, match="3 factors for 4 channels"):
        latent_math.scaled(a, [1, 2, 3])


def test_distances_are_euclidean_and_angular(a):
    (same,) = latent_math.distance(a, a)
    assert same.euclidean == 0
    assert same.cosine == pytest.approx(1)
    (opposite,) = latent_math.distance(a, latent_math.scaled(a, -1))
    assert opposite.cosine == pytest.approx(-1)
    assert opposite.euclidean == pytest.approx(2 * float(a.samples.norm()), rel=1e-5)


def test_what_does_not_fit_is_refused(a, b):
    other_kind = Latent(b.samples, "sdxl")
    other_shape = Latent(torch.zeros(1, 4, 4, 4), "sd1")
    for function in (latent_math.mix, latent_math.frames, latent_math.distance):
        extra = {latent_math.mix: (0.5,), latent_math.frames: (3,), latent_math.distance: ()}[function]
        with pytest.raises(PatchbayError) as caught:
            function(a, other_kind, *extra)
        assert caught.value.code is Code.KIND_MISMATCH
        with pytest.raises(PatchbayError) as caught:
            function(a, other_shape, *extra)
        assert caught.value.code is Code.BAD_VALUE
    with pytest.raises(PatchbayError):
        latent_math.arithmetic(a, other_kind, a)
    batch = Latent(torch.zeros(2, 4, 8, 8), "sd1")
    with pytest.raises(PatchbayError):
        latent_math.frames(batch, batch, 3)


@pytest.mark.parametrize("method", get_args(ResizeMethod))
@given(side=st.integers(1, 9), frames=st.integers(0, 2), factor=st.floats(0.1, 4))
@settings(deadline=None, max_examples=15)
def test_a_resized_latent_keeps_what_is_the_same_everywhere(method, side, frames, factor):
    shape = (2, 3, frames, side, side + 1) if frames else (2, 3, side, side + 1)
    levels = torch.tensor([-1.0, 0.5, 3.0]).reshape(1, 3, *[1] * (len(shape) - 2))
    done = latent_math.resized(Latent(levels.expand(shape).contiguous(), "tiny"), factor, method).samples
    assert done.shape[:-2] == shape[:-2]
    for before, after in zip(shape[-2:], done.shape[-2:], strict=True):
        assert after % 2 == 0
        assert after == 2 or abs(after - factor * before) <= 1
    assert torch.allclose(done, levels.expand(done.shape), atol=1e-5)


def test_a_latent_doubled_by_the_nearest_and_halved_by_area_is_itself():
    latent = Latent(torch.randn(1, 4, 6, 8), "tiny")
    double = latent_math.resized(latent, 2, "nearest")
    assert torch.equal(latent_math.resized(double, 0.5, "area").samples, latent.samples)


def test_an_unfinished_latent_is_not_resized():
    latent = Latent(torch.zeros(1, 4, 2, 2), "tiny", Leftover(2, 5, "DDIM", {}))
    with pytest.raises(PatchbayError, match="left at step 2 of 5"):
        latent_math.resized(latent, 2)


def test_two_sounds_are_mixed_and_what_changes_a_picture_leaves_its_sound(a, b):
    one, other = (replace(each, sound=torch.full((1, 2, 5, 2), float(number))) for number, each in enumerate((a, b)))
    assert (latent_math.mix(one, other, 0.25, "lerp").sound == 0.25).all()
    assert latent_math.mix(one, b, 0.25).sound is None
    assert torch.equal(latent_math.arithmetic(other, one, one).sound, other.sound)
    assert torch.equal(latent_math.scaled(other, 2.0).sound, other.sound)
    assert torch.equal(latent_math.resized(other, 2.0).sound, other.sound)
    assert len(latent_math.frames(one, other, 3).sound) == 3
