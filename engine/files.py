"""Writing files so that a crash or a full disk leaves the old state or the new one, never half of it."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from engine.errors import Code, StoreError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is either all there or as it was, even if the power fails once this has returned.

    Raises `StoreError` (no space, no permission).
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
        sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise _not_written(path, error) from error


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk. A system or a file system that has no such thing is let be."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EBADF, errno.EINVAL):
            raise
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_numbered(stem: Path, suffix: str, data: bytes) -> Path:
    """Write to the first free one of `stem-0001.suffix`, `stem-0002.suffix` ...: nothing is ever overwritten.

    The free name is claimed by creating it, so that two runs at once cannot take the same.
    """
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        number = 1 + max((_number(path, stem.name) for path in stem.parent.glob(f"*{suffix}")), default=0)
        while True:
            path = stem.with_name(f"{stem.name}-{number:04d}{suffix}")
            try:
                path.touch(exist_ok=False)
                break
            except FileExistsError:
                number += 1
    except OSError as error:
        raise _not_written(stem, error) from error
    try:
        write_whole(path, data)
    except StoreError:
        path.unlink(missing_ok=True)
        raise
    return path


def _number(path: Path, name: str) -> int:
    number = path.stem.removeprefix(f"{name}-")
    return int(number) if path.stem.startswith(f"{name}-") and number.isdecimal() else 0


def _not_written(path: Path, error: OSError) -> StoreError:
    what = f"The file was not written: {error.strerror}."
    return StoreError(Code.NOT_WRITTEN, str(path), what, "Free some space or choose another folder.")
