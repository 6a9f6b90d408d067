"""Sound files, read again with PyAV."""

import io
import math

import av
import pytest
import torch

from engine import Code, PatchbayError
from nodes.diffusion.pictures import sounds
from nodes.diffusion.pictures.movies import to_mp4
from nodes.types import Sound, Video

SECOND = torch.arange(24000) / 24000


@pytest.fixture
def rising():
    """A second of two channels: a tone that grows louder, and one of full loudness."""
    tones = [torch.sin(2 * math.pi * 440 * SECOND) * SECOND, torch.sin(2 * math.pi * 220 * SECOND)]
    return Sound(torch.stack(tones), 24000)


def read(data):
    """The samples as the file has them, and what it says of itself."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        parts = [torch.from_numpy(frame.to_ndarray()) for frame in container.decode(stream)]
        return torch.cat(parts, 1), stream, dict(container.metadata)


def test_a_file_holds_every_sample_to_sixteen_bits(rising):
    found, stream, told = read(sounds.to_flac(rising, "of a fox"))
    assert stream.rate == 24000
    assert told["comment"] == "of a fox"
    assert (found.reshape(-1, 2).t() / 32767 - rising.samples).abs().max() < 2e-5
    assert "comment" not in read(sounds.to_flac(rising))[2]


def test_one_channel_and_numbers_beyond_are_written():
    loud = torch.tensor([[2.0, -3.0, float("nan"), 0.5]])
    assert read(sounds.to_flac(Sound(loud, 16000)))[0].tolist() == [[32767, -32767, 0, 16384]]


def test_a_video_has_a_track_of_its_sound(rising):
    found, stream, _ = read(to_mp4(Video(torch.rand(24, 3, 16, 16), 24.0), sound=rising))
    assert stream.codec.name == "aac"
    assert stream.rate == 24000
    assert float(stream.duration * stream.time_base) == pytest.approx(1.0, abs=0.05)
    inside = slice(8192, 16384)  # AAC begins with silence of its own, and is a little softer
    assert float(found[1, inside].abs().mean()) == pytest.approx(float(rising.samples[1, inside].abs().mean()), rel=0.1)


def test_what_a_file_cannot_hold_is_refused(rising):
    with pytest.raises(PatchbayError, match="3 channels") as caught:
        sounds.to_flac(Sound(torch.zeros(3, 8), 24000))
    assert caught.value.code == Code.BAD_VALUE
    with pytest.raises(PatchbayError, match="23456 samples a second"):
        to_mp4(Video(torch.zeros(1, 3, 16, 16), 8.0), sound=Sound(rising.samples, 23456))


def test_a_sound_is_looked_at_by_its_wave(rising):
    found = rising.inspect(1)
    assert {fact.name: fact.value for fact in found.facts} == {
        "seconds": "1",
        "samples per second": "24000",
        "channels": "2",
        "loudest": "1",
    }
    assert len(found.pictures) == 1
    assert Sound(torch.zeros(2, 0), 24000).inspect(1).pictures == ()


def test_a_wave_is_dark_where_its_samples_are():
    wave = sounds._wave(torch.cat([torch.zeros(1, 300), torch.linspace(-1, 1, 300)[None]], 1))
    dark = (wave[0, 0] < 0.5).sum(0)
    assert dark[:200].max() <= 2
    assert dark[-1] < dark[300:].max() <= 4
