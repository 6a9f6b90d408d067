"""Videos: frames with a speed, read from files, made of pictures, taken apart and saved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from engine import Paths, Settings, node, say
from engine.context import current
from engine.digests import file_digest
from engine.files import write_numbered
from nodes.images import FileName, Saved
from nodes.types import FramesPerSecond, Image, Sound, Video

FramesEach = Annotated[
    int | None, Field(ge=1, le=4096, description="How many frames each video has; null makes one video of all.")
]


class VideoFile:
    """An input that names a video: beside the document or in the input folder."""

    noun = "video"

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:  # noqa: ARG002  # the protocol's
        """The file. Raises `PatchbayError` when there is none that a graph may read."""
        return paths.find(value, paths.inputs, at)

    def digest(self, resolved: Path) -> str:
        """Identity of the file's content."""
        return file_digest(resolved)


VideoPath = Annotated[Path, VideoFile(), Field(description="MP4, MOV, MKV, WebM or AVI.")]
FirstFrame = Annotated[int, Field(ge=0, le=1_000_000, description="The frame to begin with, counted from 0.")]
FramesRead = Annotated[int | None, Field(ge=1, le=4096, description="How many frames; null for all that follow.")]


@node("LoadVideo", category="video")
def load_video(*, file: VideoPath, first: FirstFrame = 0, frames: FramesRead = None) -> Video:
    """Read a video from a file, or some of its frames. Video models make 5, 9, 13 ... or 9, 17, 25 ... of them."""
    from nodes.diffusion.pictures import movies

    return movies.read(file, first, frames, "file")


@node("ImagesToVideo", category="video")
def images_to_video(image: Image, *, fps: FramesPerSecond = 16.0, frames: FramesEach = None) -> list[Video]:
    """Make a video of a batch of pictures, in their order; or several, each of so many frames.

    What a video model's VAEDecode gives is such a batch.
    """
    from nodes.diffusion.pictures import movies

    return movies.cut(image, fps, frames)


@node("VideoToImages", category="video")
def video_to_images(video: Video) -> Image:
    """The frames of a video as a batch of pictures, in their order."""
    return Image(video.frames)


@node("SaveVideo", category="video", deterministic=False, effect=True)
def save_video(video: Video, sound: Sound | None = None, *, name: FileName) -> Saved:
    """Write a video as an MP4 file `name-0001.mp4`, `name-0002.mp4` ...; no file is ever overwritten.

    It carries the graph of its run in its `comment`, and its sound where one is given.
    """
    from nodes.diffusion.pictures import movies

    context = current()
    stem = context.paths.output(name, "name")
    text = context.graph.dumps() if context.graph is not None else None
    file = str(write_numbered(stem, ".mp4", movies.to_mp4(video, text, sound)))
    say(f"Saved {file}")
    return Saved([file])
