"""Pieces are cut, pasted and padded without touching anything else."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PatchbayError
from nodes.diffusion.pictures import masks, pieces
from nodes.types import Image, Mask, Placement

SIDES = st.integers(8, 40)


def noise(height, width, seed=0, batch=1):
    """A picture of eight bits."""
    own = torch.Generator().manual_seed(seed)
    return Image(torch.randint(0, 256, (batch, 3, height, width), generator=own) / 255)


@st.composite
def masked(draw):
    """A picture and a mask with a rectangle in it, hard or soft."""
    height, width = draw(SIDES), draw(SIDES)
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    coverage = torch.zeros(1, 1, height, width)
    coverage[..., top : draw(st.integers(top + 1, height)), left : draw(st.integers(left + 1, width))] = 1
    soft = masks.blur(Mask(coverage), 1.0).coverage if draw(st.booleans()) else coverage
    return noise(height, width), Mask(torch.maximum(coverage, soft))


@settings(max_examples=60, deadline=None)
@given(masked(), SIDES, SIDES, st.integers(0, 12), st.integers(0, 6))
def test_a_piece_holds_what_is_covered_and_only_that_is_ever_changed(found, width, height, padding, edge):
    picture, mask = found
    piece, small, place = pieces.cut(picture, mask, width, height, padding)
    assert piece.pixels.shape[-2:] == small.coverage.shape[-2:] == (height, width)
    assert 0 <= place.left < place.left + place.width <= picture.pixels.shape[-1]
    assert 0 <= place.top < place.top + place.height <= picture.pixels.shape[-2]
    hard = mask.coverage >= 0.5
    assert hard.sum() == pieces._inside(hard, place).sum()
    pasted = pieces.pasted(picture, Image(1 - piece.pixels), mask, place, edge).pixels
    apart = (masks.grow(mask, edge).coverage == 0).expand_as(pasted)
    assert torch.equal(pasted[apart], picture.pixels[apart])


@settings(max_examples=40, deadline=None)
@given(masked(), st.integers(0, 12), st.integers(0, 6))
def test_an_unchanged_piece_gives_the_picture(found, padding, edge):
    picture, mask = found
    place = pieces.placed(mask, 1, 1, padding)
    piece, _, same = pieces.cut(picture, mask, place.width, place.height, padding)
    assert same == pieces.placed(mask, place.width, place.height, padding)
    if (same.width, same.height) == (place.width, place.height):
        assert torch.equal(pieces.pasted(picture, piece, mask, same, edge).pixels, picture.pixels)


def test_a_piece_has_the_proportions_asked_for_and_stays_inside():
    coverage = torch.zeros(1, 1, 100, 200)
    coverage[..., 90:100, 0:10] = 1
    assert pieces.placed(Mask(coverage), 64, 32, 0) == Placement(0, 68, 64, 32)
    assert pieces.placed(Mask(coverage), 8, 8, 20) == Placement(0, 50, 50, 50)
    coverage[..., 0:100, 100:110] = 1
    assert pieces.placed(Mask(coverage), 64, 64, 0) == Placement(0, 0, 110, 100)


def test_covered_pixels_are_the_piece_s_and_its_edge_is_soft():
    coverage = torch.zeros(1, 1, 32, 32)
    coverage[..., 12:20, 12:20] = 1
    black, white = Image(torch.zeros(1, 3, 32, 32)), Image(torch.ones(1, 3, 32, 32))
    pasted = pieces.pasted(black, white, Mask(coverage), Placement(0, 0, 32, 32), 4).pixels
    assert pasted[..., 12:20, 12:20].min() == 1
    assert 0 < pasted[0, 0, 16, 10] < 1
    assert pasted[0, 0, 16, :8].max() == 0
    assert pieces.pasted(black, white, Mask(coverage), Placement(0, 0, 32, 32), 0).pixels.sum() == 3 * 64


def test_several_pieces_go_into_one_picture():
    coverage = torch.ones(1, 1, 16, 16)
    pasted = pieces.pasted(noise(16, 16), noise(8, 8, 1, batch=3), Mask(coverage), Placement(4, 4, 8, 8), 0)
    assert pasted.pixels.shape == (3, 3, 16, 16)
    assert torch.equal(pasted.pixels[..., 4:12, 4:12], noise(8, 8, 1, batch=3).pixels)


def refusal(call, *args):
    with pytest.raises(PatchbayError) as caught:
        call(*args)
    assert caught.value.fix
    return caught.value


def test_what_cannot_be_cut_or_pasted_says_why():
    picture, nothing = noise(16, 16), Mask(torch.full((1, 1, 16, 16), 0.4))
    assert "covers nothing" in refusal(pieces.cut, picture, nothing, 8, 8, 0).what
    assert refusal(pieces.cut, picture, Mask(torch.ones(1, 1, 8, 8)), 8, 8, 0).at == "mask"
    mask = Mask(torch.ones(1, 1, 16, 16))
    assert refusal(pieces.pasted, picture, picture, Mask(torch.ones(1, 1, 8, 8)), Placement(0, 0, 8, 8), 0).at == "mask"
    assert refusal(pieces.pasted, picture, picture, mask, Placement(10, 0, 8, 8), 0).at == "image"


@settings(max_examples=30, deadline=None)
@given(*[st.integers(0, 9)] * 4, st.sampled_from(["edge", "grey"]), st.integers(0, 3))
def test_a_larger_picture_holds_the_old_one_and_a_mask_of_the_rest(left, top, right, bottom, fill, overlap):
    picture = noise(8, 12)
    larger, mask = pieces.padded(picture, (left, top, right, bottom), overlap, fill)
    assert larger.pixels.shape == (1, 3, 8 + top + bottom, 12 + left + right)
    assert torch.equal(larger.pixels[..., top : top + 8, left : left + 12], picture.pixels)
    old = torch.ones(1, 1, 8 + top + bottom, 12 + left + right)
    old[..., top : top + 8, left : left + 12] = 0
    assert bool((mask.coverage >= old).all())
    reached = [overlap * bool(side) for side in (left, top, right, bottom)]
    kept = (12 - reached[0] - reached[2]) * (8 - reached[1] - reached[3])
    assert (mask.coverage == 0).sum() == kept
    if left:
        assert torch.equal(larger.pixels[..., 0], larger.pixels[..., 1]) or left == 1


def test_the_border_is_the_edge_or_grey():
    picture = noise(8, 8)
    assert torch.equal(pieces.padded(picture, (2, 0, 0, 0), 0, "edge")[0].pixels[..., 0], picture.pixels[..., 0])
    assert (pieces.padded(picture, (2, 0, 0, 0), 0, "grey")[0].pixels[..., 0] == 0.5).all()


def test_too_much_of_either_is_refused():
    assert "leaves nothing" in refusal(pieces.padded, noise(8, 8), (1, 0, 1, 0), 4, "edge").what
    assert "megapixels" in refusal(pieces.padded, noise(8, 8), (4096, 4096, 4096, 4096), 0, "edge").what
