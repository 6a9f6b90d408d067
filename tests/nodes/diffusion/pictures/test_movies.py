"""Video files, read again with PyAV."""

import builtins
import io

import av
import pytest
import torch

from engine import Code, PatchbayError
from nodes.diffusion.pictures.movies import cut, look_at_video, to_mp4
from nodes.types import Image, Video


@pytest.fixture
def fading():
    """Ten frames from black to white."""
    levels = torch.linspace(0, 1, 10).view(10, 1, 1, 1)
    return Video(levels.expand(10, 3, 32, 48).contiguous(), 12.5)


def read(data):
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        frames = [torch.from_numpy(frame.to_ndarray(format="rgb24")) for frame in container.decode(stream)]
        return torch.stack(frames), stream.average_rate, dict(container.metadata)


def test_a_file_holds_every_frame_at_its_speed(fading):
    frames, rate, _ = read(to_mp4(fading))
    assert frames.shape == (10, 32, 48, 3)
    assert float(rate) == 12.5
    assert (frames.permute(0, 3, 1, 2) / 255 - fading.frames).abs().max() < 0.03


@pytest.mark.parametrize("fps", [1.0, 16.0, 23.976, 29.97, 240.0])
def test_every_speed_is_kept(fading, fps):
    _, rate, _ = read(to_mp4(Video(fading.frames, fps)))
    assert float(rate) == pytest.approx(fps, rel=1e-4)


def test_a_text_is_kept_whole(fading):
    text = '{"name": "狐狸 ü"}' + "x" * 100_000
    assert read(to_mp4(fading, text))[2]["comment"] == text
    assert "comment" not in read(to_mp4(fading))[2]


def test_a_single_frame_and_numbers_beyond_are_written():
    frames = torch.full((1, 3, 16, 16), 2.0)
    frames[0, 0] = float("nan")
    found, _, _ = read(to_mp4(Video(frames, 8.0)))
    assert found.shape == (1, 16, 16, 3)
    assert (found[0, 8, 8] - torch.tensor([0, 255, 255])).abs().max() < 12


def test_the_same_video_is_the_same_file(fading):
    assert to_mp4(fading, "text") == to_mp4(fading, "text")


def test_odd_sides_are_refused_with_even_ones():
    with pytest.raises(PatchbayError, match="48 x 32") as caught:
        to_mp4(Video(torch.zeros(1, 3, 33, 48), 8.0))
    assert caught.value.code == Code.BAD_VALUE


def test_without_pyav_it_is_said_what_to_install(fading, monkeypatch):
    found = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "av":
            raise ImportError(name)
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(PatchbayError, match="pip install av") as caught:
        to_mp4(fading)
    assert caught.value.code == Code.MISSING_PACKAGE


def test_a_batch_is_cut_in_order(fading):
    halves = cut(Image(fading.frames), 8.0, 5)
    assert torch.equal(torch.cat([each.frames for each in halves]), fading.frames)
    assert [len(each.frames) for each in halves] == [5, 5]
    (whole,) = cut(Image(fading.frames), 8.0, None)
    assert len(whole.frames) == 10
    with pytest.raises(PatchbayError, match="no whole number") as caught:
        cut(Image(fading.frames), 8.0, 4)
    assert caught.value.at == "frames"


def test_a_video_is_looked_at_from_its_first_to_its_last_frame(fading):
    found = look_at_video(fading, 3)
    assert {fact.name: fact.value for fact in found.facts} == {
        "size": "48 x 32",
        "frames": "10",
        "frames per second": "12.5",
        "seconds": "0.8",
    }
    assert len(found.pictures) == 3
    assert len(look_at_video(Video(fading.frames[:2], 8.0), 16).pictures) == 2
