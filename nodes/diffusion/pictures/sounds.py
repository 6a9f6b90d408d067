"""Sounds: written as FLAC files, which browsers and players play, as the track of a video, and looked at."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from engine.errors import Code, PatchbayError
from engine.inspection import Fact, Inspection
from nodes.diffusion.pictures.pyav import pyav
from nodes.types import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodes.types import Sound

_LAYOUTS = {1: "mono", 2: "stereo"}

_AT_ONCE = 1024
"""Samples of a frame, as many as one of AAC holds."""

_LOUDEST = 32767
"""The largest of the whole numbers that stand for a sample, of 16 bits."""

_WIDTH, _HEIGHT = 512, 96
"""Pixels of the picture of a wave."""


def to_flac(sound: Sound, text: str | None = None) -> bytes:
    """A FLAC file of the sound, 16 bits a sample.

    `text` goes into its `comment`. Raises `bad_value` for more than two channels, `missing_package` without PyAV.
    """
    library = pyav("sound")
    file = io.BytesIO()
    with library.open(file, "w", format="flac") as container:
        if text is not None:
            container.metadata["comment"] = text
        stream = container.add_stream("flac", rate=sound.rate, layout=_layout(sound), format="s16")
        mux(container, stream, sound)
    return file.getvalue()


def add_track(container: Any, sound: Sound) -> Any:  # noqa: ANN401  # PyAV is an extra
    """A track for the sound in a video file that is being written. Raises `bad_value` for what AAC cannot hold."""
    rates = pyav("sound").codec.Codec("aac", "w").audio_rates
    if sound.rate not in rates:
        what = f"The sound has {sound.rate} samples a second, and AAC takes {', '.join(map(str, sorted(rates)))}."
        raise PatchbayError(Code.BAD_VALUE, "sound", what, "Save it by itself: SaveSound.")
    return container.add_stream("aac", rate=sound.rate, layout=_layout(sound))


def mux(container: Any, stream: Any, sound: Sound) -> None:  # noqa: ANN401
    """Write the sound into its track."""
    for frame in _frames(sound):
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _layout(sound: Sound) -> str:
    channels = len(sound.samples)
    if channels not in _LAYOUTS:
        what = f"The sound has {channels} channels, and a file here has one or two."
        raise PatchbayError(Code.BAD_VALUE, "sound", what, "Use a model that makes one or two.")
    return _LAYOUTS[channels]


def _frames(sound: Sound) -> Iterator[Any]:
    """The sound in pieces, each with its place in time."""
    library = pyav("sound")
    whole = (torch.nan_to_num(sound.samples).clamp(-1, 1) * _LOUDEST).round().to(torch.int16)
    for start in range(0, whole.shape[1], _AT_ONCE):
        piece = whole[:, start : start + _AT_ONCE].t().reshape(1, -1).contiguous()  # the channels in turns
        frame = library.AudioFrame.from_ndarray(piece.numpy(), format="s16", layout=_layout(sound))
        frame.sample_rate, frame.pts = sound.rate, start
        yield frame


def look_at_sound(sound: Sound, pictures: int) -> Inspection:
    """A sound: how long and how loud it is, and its wave, of which all channels are one."""
    channels, count = sound.samples.shape
    facts = (
        Fact("seconds", f"{count / sound.rate:.4g}"),
        Fact("samples per second", str(sound.rate)),
        Fact("channels", str(channels)),
        Fact("loudest", f"{float(sound.samples.abs().max()) if count else 0.0:.4g}"),
    )
    shown = Image(_wave(sound.samples)).inspect(pictures).pictures if pictures and count else ()
    return Inspection(facts, None, shown)


def _wave(samples: torch.Tensor) -> torch.Tensor:
    """A picture [1, 3, height, width]: dark from the lowest to the highest sample of each column."""
    width = min(_WIDTH, samples.shape[1])
    high = functional.adaptive_max_pool1d(samples.amax(0)[None], width)[0]
    low = -functional.adaptive_max_pool1d(-samples.amin(0)[None], width)[0]
    level = torch.linspace(1, -1, _HEIGHT)[:, None]
    half = 1 / (_HEIGHT - 1)
    inside = (level <= high + half) & (level >= low - half)
    return 1 - 0.8 * inside.float().expand(1, 3, -1, -1)
