"""What people see and hear: pictures, videos, sounds, and places in pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.inspection import Fact, Inspection
from nodes.types.tensors import digest_of_tensors

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Pictures: `pixels` [batch, 3, height, width], float32 in [0, 1], on the CPU."""

    pixels: Tensor

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self.pixels.nbytes)

    def digest(self) -> str:
        """Identity of the content."""
        return digest_of_tensors(self.pixels)

    def inspect(self, pictures: int) -> Inspection:
        """Size and number, and the pictures themselves, small."""
        from nodes.diffusion.latents.looks import look_at_image

        return look_at_image(self, pictures)

    def files(self) -> list[bytes]:
        """Each picture of the batch as the bytes of a PNG file."""
        from nodes.diffusion.pictures.pixels import to_png

        return [to_png(pixels) for pixels in self.pixels]


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """A video: `frames` [frames, 3, height, width], float32 in [0, 1], on the CPU, `fps` of them a second.

    Several videos are a list of these, so that each has its own length and speed.
    """

    frames: Tensor
    fps: float

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self.frames.nbytes)

    def digest(self) -> str:
        """Identity of the content."""
        return f"{self.fps!r}:{digest_of_tensors(self.frames)}"

    def inspect(self, pictures: int) -> Inspection:
        """Size, length and speed, and some of its frames, small."""
        from nodes.diffusion.pictures.movies import look_at_video

        return look_at_video(self, pictures)

    def files(self) -> list[bytes]:
        """The video as the bytes of an MP4 file."""
        from nodes.diffusion.pictures.movies import to_mp4

        return [to_mp4(self)]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A sound: `samples` [channels, samples], float32 in [-1, 1], on the CPU, `rate` of them a second.

    Several sounds are a list of these, so that each has its own length.
    """

    samples: Tensor
    rate: int

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self.samples.nbytes)

    def digest(self) -> str:
        """Identity of the content."""
        return f"{self.rate}:{digest_of_tensors(self.samples)}"

    def inspect(self, pictures: int) -> Inspection:
        """Its length, its rate and how loud it is, and its wave."""
        from nodes.diffusion.pictures.sounds import look_at_sound

        return look_at_sound(self, pictures)

    def files(self) -> list[bytes]:
        """The sound as the bytes of a FLAC file."""
        from nodes.diffusion.pictures.sounds import to_flac

        return [to_flac(self)]


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Where: `coverage` [batch, 1, height, width], float32 in [0, 1]; 1 means "here"."""

    coverage: Tensor

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self.coverage.nbytes)

    def digest(self) -> str:
        """Identity of the content."""
        return digest_of_tensors(self.coverage)

    def inspect(self, pictures: int) -> Inspection:
        """How much it covers, and the masks themselves, small."""
        from nodes.diffusion.latents.looks import look_at_mask

        return look_at_mask(self, pictures)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a piece was cut out of a picture: the rectangle's corner and size there, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """The rectangle."""
        corner = Fact("corner", f"{self.left}, {self.top}")
        return Inspection((corner, Fact("size", f"{self.width} x {self.height}")))
