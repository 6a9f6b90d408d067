"""Video files: frames written as MP4 with H.264, which browsers and players show."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import torch

from engine.errors import Code, PatchbayError
from engine.inspection import Fact, Inspection
from nodes.types import Image, Video

_FINEST = 1000
"""The greatest denominator of a number of frames per second: 23.976 is 2997/125."""

_QUALITY = {"crf": "17", "preset": "medium"}
"""So good that an eye finds no fault."""


def to_mp4(video: Video, text: str | None = None) -> bytes:
    """An MP4 file of the video, its colours rounded as those of pictures are.

    `text` goes into its `comment`. Raises `bad_value` for sides that are not even, which H.264 needs, and
    `missing_package` without PyAV.
    """
    height, width = video.frames.shape[-2:]
    if height % 2 or width % 2:
        what = f"{width} x {height} pixels cannot be an MP4: its sides are even numbers."
        fix = f"Resize or crop, for instance to {width // 2 * 2} x {height // 2 * 2}."
        raise PatchbayError(Code.BAD_VALUE, "video", what, fix)
    av = _av()
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        if text is not None:
            container.metadata["comment"] = text
        stream = container.add_stream("libx264", rate=_rate(video.fps), options=_QUALITY)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for pixels in video.frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(_eight_bits(pixels), format="rgb24")))
        container.mux(stream.encode())
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


def _av() -> Any:  # noqa: ANN401  # an extra, so it may not be there
    try:
        import av
    except ImportError as error:
        what = "Writing videos needs the package av (PyAV), which is not installed."
        raise PatchbayError(Code.MISSING_PACKAGE, "video", what, "pip install av") from error
    return av
