"""Edges, at the edge to OpenCV, which is no part of the tests' environment everywhere."""

import sys
from types import SimpleNamespace

import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk import packages
from nodes.diffusion.pictures.edges import canny
from nodes.types import Image


def square():
    pixels = torch.zeros(2, 3, 32, 32)
    pixels[0, :, 8:24, 8:24] = 1.0
    return Image(pixels)


@pytest.fixture
def opencv(monkeypatch):
    """A module in its place that marks where a channel is bright, and what it was called with."""
    calls = []

    def mark(picture, low, high):
        calls.append((picture.shape, picture.dtype.name, low, high))
        return (picture[..., 0] > 127).astype("uint8") * 255

    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(Canny=mark))
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: name)
    return calls


def test_each_picture_goes_through_opencv_in_eight_bits(opencv):
    found = canny(square(), 50.0, 150.0).pixels
    assert torch.equal(found, square().pixels)
    assert opencv == [((32, 32, 3), "uint8", 50.0, 150.0)] * 2


def test_an_edge_goes_on_with_what_begins_it(opencv):
    with pytest.raises(PatchbayError, match="Choose low below high"):
        canny(square(), 200.0, 100.0)


def test_without_opencv_the_way_to_it_is_said(monkeypatch):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(PatchbayError, match=r'pip install "patchbay\[preprocess\]"') as caught:
        canny(square(), 100.0, 200.0)
    assert caught.value.code is Code.MISSING_PACKAGE


def test_a_square_has_four_edges():
    pytest.importorskip("cv2")
    found = canny(square(), 100.0, 200.0).pixels
    assert set(found.unique().tolist()) == {0.0, 1.0}
    assert 4 * 14 <= found[0, 0].sum() <= 4 * 18
    assert not found[0, 0, 11:21, 11:21].any()
    assert not found[1].any()
