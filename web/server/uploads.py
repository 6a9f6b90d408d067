"""Pictures that clients send: stored by the digest of their content, once, and only when they are pictures."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine import Code, PatchbayError, StoreError
from engine.digests import file_digest
from engine.files import write_whole
from engine.paths import contains

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL.Image import Image

FOLDER = "uploads"

LIMIT = 64 << 20
"""Bytes of an uploaded picture."""

MOST_PIXELS = 64 << 20
"""As many as a graph may open; below the limit at which Pillow itself starts to warn of decompression bombs."""

SUFFIXES = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "BMP": "bmp", "GIF": "gif", "TIFF": "tif"}
"""The formats that are opened, and what their files are called."""

MEDIA_TYPES = tuple(f"image/{name.lower()}" for name in SUFFIXES)


@dataclass(frozen=True, slots=True)
class Upload:
    """A stored picture. `name` is what a graph calls it."""

    name: str
    width: int
    height: int
    media_type: str


class Uploads:
    """Pictures below `folder`, which is one of the roots that graphs read pictures from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, data: bytes) -> Upload:
        """Store a picture, whose format is told by its content alone. The same bytes are stored once.

        Raises `PatchbayError` (`bad_picture`, `outside_roots`) and `StoreError` (`not_written`).
        """
        with opened(data, "the upload") as picture:
            kind, width, height = str(picture.format), picture.width, picture.height
            picture.verify()
        digest = hashlib.sha256(data).hexdigest()
        name = f"{FOLDER}/{digest}.{SUFFIXES[kind]}"
        path = self._folder / name
        if not contains(self._folder, path):
            what = f"{path} leads out of the folder of pictures."
            raise PatchbayError(Code.OUTSIDE_ROOTS, name, what, "Replace the link by a folder.")
        if not _holds(path, digest):
            write_whole(path, data)
        return Upload(name, width, height, f"image/{kind.lower()}")


@contextmanager
def opened(source: bytes | Path, name: str) -> Iterator[Image]:
    """The picture, its header read; errors of decoding inside the block are worded here too.

    Raises `PatchbayError` (`bad_picture`).
    """
    from PIL import Image  # noqa: PLC0415  # an idle server does without

    warning, bomb = Image.DecompressionBombWarning, Image.DecompressionBombError
    try:
        with Image.open(
            io.BytesIO(source) if isinstance(source, bytes) else source, formats=tuple(SUFFIXES)
        ) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                what = f"It has {picture.width} x {picture.height} pixels; the limit is {MOST_PIXELS}."
                raise PatchbayError(Code.BAD_PICTURE, name, what, "Scale it down first.")
            yield picture
    except (OSError, EOFError, SyntaxError, ValueError, struct.error, zlib.error, warning, bomb) as error:
        what = f"It is no picture that can be read: {error}."
        raise PatchbayError(Code.BAD_PICTURE, name, what, f"Known formats: {', '.join(SUFFIXES)}.") from error


def _holds(path: Path, digest: str) -> bool:
    """Whether the file is there and whole."""
    try:
        return file_digest(path) == digest
    except StoreError:
        return False
