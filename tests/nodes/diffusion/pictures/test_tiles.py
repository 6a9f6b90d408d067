"""A picture run tile by tile is the picture run whole, as far as a model looks around."""

import itertools

import pytest
import torch
from torch.nn import functional

from nodes.diffusion.pictures.tiles import places, spans, tiled


def picture(height, width):
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(height + width))


def linear(radius, scale):
    """A model that looks `radius` pixels around, with other numbers at each place of a larger pixel."""
    kernel = torch.randn(3 * scale**2, 3, 2 * radius + 1, 2 * radius + 1, generator=torch.Generator().manual_seed(1))

    def run(pixels):
        said = functional.conv2d(pixels[None], kernel / kernel[0].numel(), padding=radius)
        return functional.pixel_shuffle(said, scale)[0]

    return run


@pytest.mark.parametrize(("scale", "radius", "tile", "overlap"), [(2, 2, 32, 8), (4, 3, 24, 12), (1, 5, 48, 20)])
@pytest.mark.parametrize(("height", "width"), [(40, 70), (97, 33), (24, 24)])
def test_a_linear_model_leaves_no_seams(height, width, scale, radius, tile, overlap):
    pixels, run = picture(height, width), linear(radius, scale)
    found = tiled(run, pixels, scale, overlap, places(height, width, tile, overlap))
    assert found.shape == (3, height * scale, width * scale)
    assert (found - run(pixels)).abs().max() < 1e-6


def test_a_model_that_looks_further_fades_from_tile_to_tile():
    """Each tile of this one has a brightness of its own, as a model with a global view may give."""
    pixels = torch.arange(96.0).expand(3, 32, 96) / 96
    found = tiled(lambda tile: torch.full_like(tile, float(tile.mean())), pixels, 1, 16, places(32, 96, 32, 16))
    assert found[0, 0].diff().abs().max() < 0.03  # a hard seam would be 16 / 96


@pytest.mark.parametrize("length", [1, 31, 32, 33, 48, 64, 200])
def test_tiles_cover_a_side_and_overlap(length):
    found = spans(length, 32, 8)
    assert found[0][0] == 0
    assert found[-1][1] == length
    assert all(stop - start == min(32, length) for start, stop in found)
    assert all(before[1] - after[0] >= 8 for before, after in itertools.pairwise(found))


def test_no_overlap_is_tiles_side_by_side():
    pixels = picture(16, 64)
    assert torch.equal(tiled(lambda tile: tile, pixels, 1, 0, places(16, 64, 32, 0)), pixels)


def test_no_more_than_a_tile_is_run_at_once():
    seen = []

    def run(tile):
        seen.append(tuple(tile.shape))
        return tile

    tiled(run, picture(100, 150), 1, 8, places(100, 150, 40, 8))
    assert set(seen) == {(3, 40, 40)}
