"""Picture files: opened as one of six known formats, whatever their name says, and never larger than the limit.

Looking at a file reads its header only and imports no torch, so a graph that names a bad one is refused when it is
checked.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PIL import Image as Pillow

from engine.errors import Code, PatchbayError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")

LARGEST_PICTURE = 64 << 20
"""Pixels; below the limit at which Pillow itself starts to warn of decompression bombs."""

_UNREADABLE = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    struct.error,
    zlib.error,
    Pillow.DecompressionBombError,
    Pillow.DecompressionBombWarning,
)
"""What Pillow raises about bad files; the warning only where warnings are errors."""


@contextmanager
def opened(path: Path, at: str) -> Iterator[Pillow.Image]:
    """The picture file, its header read; errors of decoding inside the block are worded here too.

    Raises `PatchbayError` at `at`: `file_not_found`, `bad_picture`.
    """
    try:
        with Pillow.open(path, formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST_PICTURE:
                what = f"{path.name} has {picture.width} x {picture.height} pixels; the limit is {LARGEST_PICTURE}."
                raise PatchbayError(Code.BAD_PICTURE, at, what, "Scale it down first.")
            yield picture
    except FileNotFoundError as error:
        raise PatchbayError(Code.FILE_NOT_FOUND, at, f"{path} does not exist.", "Check the name.") from error
    except _UNREADABLE as error:
        what = f"{path.name} is no picture that can be read: {error}."
        raise PatchbayError(Code.BAD_PICTURE, at, what, f"Known formats: {', '.join(FORMATS)}.") from error
