"""How server and worker talk: frames over a pipe, JSON inside, with bytes after it where a frame carries a picture.

A frame is two lengths (big-endian, 4 bytes each), the JSON and the bytes. Nothing is pickled.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, Protocol

from web.text import dumps

if TYPE_CHECKING:
    from asyncio import StreamReader

HEADER = struct.Struct(">II")

LARGEST = 1 << 28
"""Bytes in one frame. A larger one means that the two no longer understand each other."""


class Source(Protocol):
    """A file to read frames from."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; fewer at the end."""
        ...


def pack(message: dict[str, Any], data: bytes = b"") -> bytes:
    """A frame."""
    text = dumps(message)
    return HEADER.pack(len(text), len(data)) + text + data


def read_frame(source: Source) -> tuple[dict[str, Any], bytes] | None:
    """The next frame of a blocking file, or None at its end."""
    header = source.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    length, extra = _sizes(header)
    body = source.read(length + extra)
    return _open(body, length) if len(body) == length + extra else None


async def receive(reader: StreamReader) -> tuple[dict[str, Any], bytes]:
    """The next frame of a stream. Raises `asyncio.IncompleteReadError` at its end."""
    length, extra = _sizes(await reader.readexactly(HEADER.size))
    return _open(await reader.readexactly(length + extra), length)


def _sizes(header: bytes) -> tuple[int, int]:
    length, extra = HEADER.unpack(header)
    if length + extra > LARGEST:
        message = f"a frame of {length + extra} bytes is larger than {LARGEST}"
        raise ValueError(message)
    return length, extra


def _open(body: bytes, length: int) -> tuple[dict[str, Any], bytes]:
    message: dict[str, Any] = json.loads(body[:length])
    return message, body[length:]
