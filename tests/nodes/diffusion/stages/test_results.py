"""What pipelines give, as pictures."""

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from engine import Code, PatchbayError
from engine.events import NodeMessage
from nodes.diffusion.stages.results import as_image

PIXELS = torch.rand(2, 3, 4, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "found",
    [
        PIXELS,
        PIXELS[None],
        PIXELS.movedim(1, -1).numpy(),
        PIXELS.movedim(1, -1)[None].numpy(),
        list(PIXELS),
        [PIXELS],
        [list(PIXELS)],
        [PIXELS.movedim(1, -1).numpy()],
    ],
    ids=["tensor", "video", "array", "array of videos", "tensors", "videos", "lists", "arrays"],
)
def test_every_form_is_the_same_pictures(found):
    assert torch.equal(as_image(found, "P").pixels, PIXELS)


def test_pictures_of_pillow_are_pictures():
    red = Pillow.new("RGB", (6, 4), (255, 0, 0))
    assert as_image([red, red], "P").pixels.shape == (2, 3, 4, 6)
    assert as_image([[red]], "P").pixels[0, :, 0, 0].tolist() == [1, 0, 0]
    assert as_image(red.convert("L"), "P").pixels.shape == (1, 3, 4, 6)


def test_a_map_becomes_grey_and_numbers_below_zero_are_brought_up(within):
    assert torch.equal(as_image(PIXELS[:, :1], "P").pixels, PIXELS[:, :1].expand(-1, 3, -1, -1))
    events = []
    with within(node="run", emit=events.append):
        assert torch.equal(as_image(PIXELS * 2 - 1, "P").pixels, (PIXELS * 2 - 1) / 2 + 0.5)
    assert [event.text for event in events if isinstance(event, NodeMessage)] == [
        "P gives numbers from -1 to 1; they are shown from 0 to 1."
    ]


def test_what_is_beyond_white_is_cut_off_and_that_is_said(within):
    events = []
    with within(node="run", emit=events.append):
        assert as_image(PIXELS * 2, "P").pixels.max() == 1
    assert [event.text for event in events if isinstance(event, NodeMessage)] == [
        "P gives numbers beyond black and white; they are cut off there."
    ]


@pytest.mark.parametrize(
    "found",
    [
        torch.zeros(1, 4, 8, 8),
        torch.zeros(2, 16),
        torch.zeros(1, 2, 3, 3, dtype=torch.long),
        np.zeros(5),
        [],
        "text",
        None,
    ],
)
def test_what_is_no_picture_is_refused(found):
    with pytest.raises(PatchbayError, match="P gives no pictures") as caught:
        as_image(found, "P")
    assert caught.value.code == Code.UNSUPPORTED_CLASS


def test_the_pictures_are_of_their_own():
    given = PIXELS.clone()
    found = as_image(given, "P").pixels
    given.zero_()
    assert torch.equal(found, PIXELS)
