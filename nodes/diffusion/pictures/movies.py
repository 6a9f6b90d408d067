"""Video files: frames written as MP4 with H.264, which browsers and players show, and read from what cameras write."""

from __future__ import annotations

import io
from fractions import Fraction
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from engine.inspection import Fact, Inspection
from nodes.diffusion.pictures import sounds
from nodes.diffusion.pictures.picture_files import LARGEST_PICTURE
from nodes.diffusion.pictures.pyav import pyav
from nodes.types import Image, Video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nodes.types import Sound

_FINEST = 1000
"""The greatest denominator of a number of frames per second: 23.976 is 2997/125."""

_USUAL_RATE = 25
"""Frames a second of a file that does not say."""

_QUALITY = {"crf": "17", "preset": "medium"}
"""So good that an eye finds no fault."""


_FORMATS = {(4, b"ftyp"): "mp4", (0, b"\x1aE\xdf\xa3"): "matroska", (8, b"AVI "): "avi"}
"""How files begin, and what PyAV reads those as. Others could be lists of addresses that it would go to."""


def read(path: Path, first: int, frames: int | None, at: str) -> Video:
    """The video in a file, from frame `first` on, all of it or so many `frames`; sound is left out.

    Raises `PatchbayError` at `at`: `file_not_found`, `bad_picture` for what is no video or is too short,
    `missing_package` without PyAV.
    """
    av = pyav("video")
    try:
        with path.open("rb") as file, av.open(file, format=_format(path, file, at)) as container:
            stream = container.streams.video[0]
            found = list(_frames(container.decode(stream), path, first, frames, at))
            rate = stream.average_rate or stream.guessed_rate
    except FileNotFoundError as error:
        raise PatchbayError(Code.FILE_NOT_FOUND, at, f"{path} does not exist.", "Check the name.") from error
    except (av.FFmpegError, IndexError) as error:
        what = f"{path.name} holds no video that can be read: {error}."
        raise PatchbayError(Code.BAD_PICTURE, at, what, "Write it anew with a program for videos.") from error
    if not found or (frames is not None and len(found) < frames):
        what = f"{path.name} has only {first + len(found)} frames."
        raise PatchbayError(Code.BAD_PICTURE, "frames", what, f"Ask for fewer than {frames} from frame {first} on.")
    return Video(torch.stack(found), float(rate or _USUAL_RATE))


def _format(path: Path, file: IO[bytes], at: str) -> str:
    """What PyAV reads the file as, which is left at its beginning. Raises `bad_picture` for other files."""
    begins = file.read(16)
    file.seek(0)
    known = (name for (place, mark), name in _FORMATS.items() if begins[place : place + len(mark)] == mark)
    name = next(known, None)
    if name is None:
        what = f"{path.name} is no video of a known kind."
        raise PatchbayError(Code.BAD_PICTURE, at, what, "Give an MP4, MOV, MKV, WebM or AVI file.")
    return name


def _frames(decoded: Iterator[Any], path: Path, first: int, frames: int | None, at: str) -> Iterator[torch.Tensor]:
    """The chosen frames [3, height, width]. Raises `bad_picture` where there are too many."""
    held = 0
    for frame in islice(decoded, first, None if frames is None else first + frames):
        held += frame.width * frame.height
        if held > LARGEST_PICTURE:
            what = f"{path.name} has more than {LARGEST_PICTURE >> 20} megapixels in all of its frames."
            raise PatchbayError(Code.BAD_PICTURE, at, what, "Read some of it with `frames`, or scale it down first.")
        yield torch.from_numpy(frame.to_ndarray(format="rgb24")).permute(2, 0, 1).float() / 255


def to_mp4(video: Video, text: str | None = None, sound: Sound | None = None) -> bytes:
    """An MP4 file of the video, its colours rounded as those of pictures are, with its `sound` if there is one.

    `text` goes into its `comment`. Raises `bad_value` for sides that are not even, which H.264 needs, and for a sound
    that AAC cannot hold, and `missing_package` without PyAV.
    """
    height, width = video.frames.shape[-2:]
    if height % 2 or width % 2:
        what = f"{width} x {height} pixels cannot be an MP4: its sides are even numbers."
        fix = f"Resize or crop, for instance to {width // 2 * 2} x {height // 2 * 2}."
        raise PatchbayError(Code.BAD_VALUE, "video", what, fix)
    av = pyav("video")
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        if text is not None:
            container.metadata["comment"] = text
        stream = container.add_stream("libx264", rate=_rate(video.fps), options=_QUALITY)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        track = None if sound is None else sounds.add_track(container, sound)
        for pixels in video.frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(_eight_bits(pixels), format="rgb24")))
        container.mux(stream.encode())
        if sound is not None:
            sounds.mux(container, track, sound)
    return file.getvalue()


def cut(image: Image, fps: float, frames: int | None) -> list[Video]:
    """The pictures of a batch as videos of `frames` each, in order; None makes one of all.

    Raises `bad_value` when they cannot be shared out evenly.
    """
    total = len(image.pixels)
    each = frames or total
    if total % each:
        what = f"{total} pictures are no whole number of videos of {each} frames."
        raise PatchbayError(Code.BAD_VALUE, "frames", what, "Give the number of frames that each video has.")
    return [Video(part, fps) for part in torch.split(image.pixels, each)]


def look_at_video(video: Video, pictures: int) -> Inspection:
    """A video: its size, length and speed, and frames spread over it, small."""
    count = len(video.frames)
    chosen = torch.linspace(0, count - 1, min(count, max(1, pictures))).round().long()
    found = Image(video.frames[chosen]).inspect(pictures)
    height, width = video.frames.shape[-2:]
    facts = (
        Fact("size", f"{width} x {height}"),
        Fact("frames", str(count)),
        Fact("frames per second", f"{video.fps:g}"),
        Fact("seconds", f"{count / video.fps:.4g}"),
    )
    return Inspection(facts, found.histogram, found.pictures)


def _eight_bits(pixels: torch.Tensor) -> Any:  # noqa: ANN401  # a numpy array
    """One frame [height, width, 3] of bytes, rounded as Diffusers rounds."""
    clean = torch.nan_to_num(pixels).clamp(0, 1)
    return (clean * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def _rate(fps: float) -> Fraction:
    return Fraction(fps).limit_denominator(_FINEST)
