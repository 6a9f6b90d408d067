"""A graph inside a PNG picture: one uncompressed iTXt chunk before the pixels, which stay byte for byte as they are.

Uncompressed, because a compressed text of more than 1 MiB makes Pillow refuse the whole picture. The layout is that of
the PNG specification, third edition, 5.3 (chunks) and 11.3.3.4 (iTXt).
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.errors import Code, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
KEYWORD: Final = b"patchbay"
MAX_TEXT: Final = 64 << 20
MAX_CHUNKS: Final = 200_000
"""More chunks than any picture has, and few enough to walk over in a blink."""

_UNCOMPRESSED: Final = KEYWORD + b"\0" + b"\0\0" + b"\0" + b"\0"
"""Keyword, compression flag and method, no language, no translated keyword."""
_AROUND: Final = 12
"""What a chunk has around its data: four bytes each for length, type and checksum."""


class _Chunk(NamedTuple):
    type: bytes
    start: int
    end: int


def is_picture(data: bytes) -> bool:
    """Whether these are the bytes of a PNG file, or its first few."""
    return data.startswith(SIGNATURE)


def embed(png: bytes, text: str) -> bytes:
    """The picture with `text` in it, in place of one that was put in before.

    Raises `StoreError`: `bad_picture` for what is no PNG file or a text above `MAX_TEXT`, `damaged` for a broken one.
    """
    data = _UNCOMPRESSED + text.encode()
    if len(data) > MAX_TEXT:
        what = f"The text is larger than {MAX_TEXT >> 20} MiB."
        raise StoreError(Code.BAD_PICTURE, "", what, "Keep it in a file of its own.")
    kept: list[bytes] = [SIGNATURE]
    written = False
    for chunk in _chunks(png):
        if chunk.type == b"IDAT" and not written:
            kept.append(_packed(b"iTXt", data))
            written = True
        if not _is_ours(png, chunk):
            kept.append(png[chunk.start : chunk.end])
    if not written:
        raise _refused(Code.DAMAGED, "has no pixels")
    return b"".join(kept)


def extract(png: bytes) -> str | None:
    """The text that `embed` put in, or None for a picture that carries none.

    Every chunk's length and checksum is looked at, and no pixel is unpacked. Raises `StoreError`: `bad_picture` for
    what is no PNG file or a text above `MAX_TEXT`, `damaged` for a broken one.
    """
    found: str | None = None
    for chunk in _chunks(png):
        if found is None and _is_ours(png, chunk):
            found = _text(png[chunk.start + 8 : chunk.end - 4])
    return found


def _chunks(png: bytes) -> Iterator[_Chunk]:
    """The chunks from IHDR to IEND, each with the length and the checksum that it says."""
    if not is_picture(png):
        raise StoreError(Code.BAD_PICTURE, "", "This is no PNG file.", "Give a PNG picture.")
    view = memoryview(png)
    place = len(SIGNATURE)
    for number in range(MAX_CHUNKS):
        if place + _AROUND > len(png):
            raise _refused(Code.DAMAGED, "ends too early")
        length, type_ = struct.unpack_from(">I4s", png, place)
        end = place + _AROUND + length
        if end > len(png):
            raise _refused(Code.DAMAGED, "ends too early")
        if (number == 0) != (type_ == b"IHDR"):
            raise _refused(Code.DAMAGED, "does not begin with one header")
        if zlib.crc32(view[place + 4 : end - 4]) != struct.unpack_from(">I", png, end - 4)[0]:
            raise _refused(Code.DAMAGED, "does not match its checksums")
        yield _Chunk(type_, place, end)
        if type_ == b"IEND":
            return
        place = end
    raise _refused(Code.DAMAGED, f"has more than {MAX_CHUNKS:,} parts")


def _is_ours(png: bytes, chunk: _Chunk) -> bool:
    return chunk.type == b"iTXt" and png.startswith(KEYWORD + b"\0", chunk.start + 8)


def _text(data: bytes) -> str:
    """The text of an iTXt chunk of ours; language and translated keyword are another program's to choose."""
    fields = data[len(KEYWORD) + 3 :].split(b"\0", 2)
    if len(data) > MAX_TEXT:
        raise _refused(Code.BAD_PICTURE, f"has a text of more than {MAX_TEXT >> 20} MiB")
    if data[len(KEYWORD) + 1 : len(KEYWORD) + 2] != b"\0" or len(fields) < 3:  # noqa: PLR2004  # language, keyword, text
        raise _refused(Code.DAMAGED, "has a text that Patchbay did not write")
    try:
        return fields[2].decode()
    except UnicodeDecodeError as error:
        raise _refused(Code.DAMAGED, "has a text that is not UTF-8") from error


def _packed(type_: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + type_ + data + struct.pack(">I", zlib.crc32(type_ + data))


def _refused(code: Code, how: str) -> StoreError:
    return StoreError(code, "", f"The picture {how}.", "Use another copy of it.")
