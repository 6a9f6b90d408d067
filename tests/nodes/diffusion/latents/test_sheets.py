import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.latents import sheets
from nodes.types import Image


def plain(value, size=(16, 16), batch=1):
    return Image(torch.full((batch, 3, *size), float(value)))


def test_pictures_lie_in_reading_order():
    sheet = sheets.grid([plain(0.2, batch=2), plain(0.6), plain(1.0)], 2).pixels
    assert sheet.shape == (1, 3, 56, 56)
    found = [sheet[0, 0, y, x].item() for y in (16, 40) for x in (16, 40)]
    assert found == pytest.approx([0.2, 0.2, 0.6, 1.0], abs=0.01)


def test_a_sheet_is_about_square_unless_told():
    assert sheets.grid([plain(0)] * 5).pixels.shape == (1, 3, 56, 80)
    assert sheets.grid([plain(0)] * 2, 9).pixels.shape == (1, 3, 32, 56)


def test_smaller_pictures_are_centred():
    sheet = sheets.grid([plain(1, (4, 4)), plain(1, (16, 8))], 2).pixels
    assert sheet[0, 0, 16, 12] == 1
    assert sheet[0, 0, 10, 12] < 0.2


def test_labels_stand_below_their_pictures():
    bare, labelled = (sheets.grid([plain(0, (64, 128))], 1, labels).pixels for labels in ([], ["DDIM, 20 steps"]))
    assert labelled.shape[2] > bare.shape[2]
    assert torch.equal(labelled[..., :72, :], bare[..., :72, :])
    assert labelled[..., 74:, :].max() > 0.8


def test_long_labels_are_broken_and_cut_but_stay_in_their_cell():
    short = sheets.grid([plain(0, (64, 64))], 1, ["x"]).pixels
    for label in ("word " * 100, "w" * 500, ""):
        sheet = sheets.grid([plain(0, (64, 64))] * 2, 2, [label, "x"]).pixels
        assert sheet.shape[2] <= short.shape[2] + 40
        assert torch.equal(sheet[..., 72:, 72:80], sheet[..., :1, :1].expand_as(sheet[..., 72:, 72:80]))


@pytest.mark.parametrize(
    "arguments", [([],), ([plain(0)], -1), ([plain(0)], 1, ["a", "b"]), ([plain(0, (9000, 9000))],)]
)
def test_a_sheet_that_cannot_be_is_refused(arguments):
    with pytest.raises(PatchbayError) as caught:
        sheets.grid(*arguments)
    assert caught.value.code is Code.BAD_VALUE


def test_equal_pictures_differ_nowhere():
    same = sheets.difference(plain(0.3), plain(0.3), 100).pixels
    assert same.max() < 0.02
    far = sheets.difference(plain(0), plain(1)).pixels
    assert far.min(-1).values.min() > 0.6
    assert sheets.difference(plain(0), plain(0.01), 50).pixels.mean() > 0.2


def test_a_difference_needs_equal_sizes_and_a_gain():
    with pytest.raises(PatchbayError):
        sheets.difference(plain(0), plain(0, (4, 4)))
    with pytest.raises(PatchbayError):
        sheets.difference(plain(0), plain(0), 0)


def test_channels_are_shown_each_in_a_tile():
    latents = torch.zeros(2, 4, 8, 8)
    latents[:, 0] = -1
    latents[:, 3] = 1
    maps = sheets.channel_maps(latents).pixels
    assert maps.shape == (2, 3, 280, 280)
    negative, zero, positive = maps[0, :, 70, 70], maps[0, :, 70, 210], maps[0, :, 210, 210]
    assert negative[2] > negative[0]
    assert positive[0] > positive[2]
    assert zero.max() - zero.min() < 0.01


def test_latents_of_nothing_and_any_channel_count_are_shown():
    assert torch.isfinite(sheets.channel_maps(torch.zeros(1, 16, 200, 100)).pixels).all()


def test_a_video_s_channels_are_shown_frame_by_frame():
    latents = torch.zeros(2, 4, 3, 8, 8)
    latents[1, 0, 2] = 1
    frames = sheets.channel_maps(latents).pixels
    assert frames.shape == (6, 3, 280, 280)
    assert torch.equal(frames[5], sheets.channel_maps(latents[1:, :, 2]).pixels[0])
