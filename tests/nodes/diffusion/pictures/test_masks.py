import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion.pictures import masks
from nodes.types import Image, Mask


@pytest.fixture
def dot():
    coverage = torch.zeros(1, 1, 9, 11)
    coverage[..., 4, 5] = 1
    return Mask(coverage)


def test_growing_moves_every_side(dot):
    grown = masks.grow(dot, 2)
    assert grown.coverage.sum() == 25
    assert torch.equal(masks.grow(grown, -2).coverage, dot.coverage)
    assert torch.equal(masks.grow(dot, 0).coverage, dot.coverage)
    assert masks.grow(dot, 100).coverage.min() == 1
    assert masks.grow(dot, -1).coverage.max() == 0


def test_blurring_keeps_the_sum_inside_and_the_range_anywhere(dot):
    soft = masks.blur(dot, 1.0).coverage
    assert soft.sum() == pytest.approx(1, abs=1e-2)
    assert soft.shape == dot.coverage.shape
    assert soft[0, 0, 4, 5] == soft.max() < 0.2
    assert torch.allclose(masks.blur(Mask(torch.ones(1, 1, 4, 4)), 50).coverage, torch.ones(1, 1, 4, 4))
    assert masks.blur(dot, 0) is dot
    with pytest.raises(PatchbayError):
        masks.blur(dot, -1)


@pytest.mark.parametrize("pixels", range(5))
def test_what_fades_out_stays_covered_and_ends_where_it_was_said(dot, pixels):
    wide = masks.grow(dot, 1)
    soft = masks.feather(wide, pixels).coverage
    assert torch.equal(soft[wide.coverage == 1], torch.ones(9))
    assert not soft[masks.grow(wide, pixels).coverage == 0].any()
    assert torch.equal(soft, wide.coverage) is (pixels == 0)
    assert torch.equal(masks.feather(Mask(torch.ones(1, 1, 4, 4)), pixels).coverage, torch.ones(1, 1, 4, 4))


def test_inverting_twice_changes_nothing(dot):
    assert torch.equal(masks.invert(masks.invert(dot)).coverage, dot.coverage)


def test_a_threshold_makes_a_mask_hard():
    mask = Mask(torch.tensor([0.0, 0.49, 0.5, 1.0]).view(1, 1, 1, 4))
    assert masks.binarize(mask).coverage.flatten().tolist() == [0, 0, 1, 1]


def test_brightness_is_the_eye_s():
    primaries = Image(torch.eye(3).view(1, 3, 1, 3))
    assert masks.brightness(primaries).coverage.flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])
