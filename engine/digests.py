"""Digests of files, taken once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from engine.errors import Code, StoreError

if TYPE_CHECKING:
    from pathlib import Path

_known: dict[tuple[str, int, int, int], str] = {}


def file_digest(path: Path) -> str:
    """The sha256 of a file's content, remembered by path, size, time and inode.

    A file in the hub's cache is a link to a blob that is named by its sha256; that name is believed.
    Raises `StoreError` when the file cannot be read.
    """
    real = path.resolve()
    if real.parent.name == "blobs" and len(real.name) == hashlib.sha256().digest_size * 2:
        return real.name
    try:
        stat = real.stat()
        identity = (str(real), stat.st_size, stat.st_mtime_ns, stat.st_ino)
        if identity not in _known:
            with real.open("rb") as file:
                _known[identity] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        what = f"The file cannot be read: {error.strerror}."
        fix = "Check that it is still there and may be read."
        raise StoreError(Code.FILE_NOT_FOUND, str(path), what, fix) from error
    return _known[identity]
