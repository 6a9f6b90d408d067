"""What a safetensors file holds, read from its header alone: names and shapes, no tensor, no torch.

Format: https://huggingface.co/docs/safetensors: eight bytes of header length, a JSON header, then the bytes of the
tensors without gaps. A file cut short is found out here, before anything is loaded.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.errors import Code, PatchbayError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST_HEADER = 100_000_000
"""Bytes; the limit that the safetensors library sets itself."""

PICKLES = frozenset({".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle"})
"""Suffixes of files that run code when they are opened."""

DOWNLOAD_AGAIN = "Download the file again."


@dataclass(frozen=True, slots=True)
class Header:
    """The tensors of a file: name -> shape, and name -> precision ("F16") and bytes."""

    shapes: Mapping[str, tuple[int, ...]]
    stored: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def numbers(self, prefix: str = "") -> int:
        """How many numbers the tensors whose names start with `prefix` hold."""
        return sum(prod(shape) for name, shape in self.shapes.items() if name.startswith(prefix))

    def precisions(self, prefix: str = "") -> dict[str, int]:
        """In which precisions these tensors are stored, with the bytes of each, most bytes first."""
        found: dict[str, int] = {}
        for name, (precision, size) in self.stored.items():
            if name.startswith(prefix):
                found[precision] = found.get(precision, 0) + size
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def read_header(path: Path, at: str) -> Header:
    """The header of the safetensors file at `path`.

    Raises `PatchbayError` at `at`: `pickled_model` for a pickle whatever its name, `bad_model` for a file that is
    truncated or is no safetensors file.
    """
    refuse_pickle(path, at)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            entries, data = _entries(file, size)
    except OSError as error:
        raise PatchbayError(Code.BAD_MODEL, at, f"{path} cannot be read: {error}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"{path} is damaged or is no safetensors file: {_reason(path, error)}."
        raise PatchbayError(Code.BAD_MODEL, at, what, DOWNLOAD_AGAIN) from error
    present = size - data
    needed = max((entry.end for entry in entries.values()), default=0)
    if needed != present:
        state = "cut short" if needed > present else "too long"
        what = f"{path} is {state}: its header tells of {needed} bytes of tensors, the file holds {present}."
        raise PatchbayError(Code.BAD_MODEL, at, what, DOWNLOAD_AGAIN)
    return Header(
        {name: entry.shape for name, entry in entries.items()},
        {name: (entry.precision, entry.end - entry.begin) for name, entry in entries.items()},
    )


def refuse_pickle(path: Path, at: str) -> None:
    """Raise `pickled_model` when the name or the first bytes of `path` are a pickle's."""
    pickled = path.suffix.lower() in PICKLES
    if not pickled and path.is_file():
        with path.open("rb") as file:
            pickled = _starts_a_pickle(file.read(8), path.stat().st_size)
    if pickled:
        what = f"{path} is a pickle, and opening a pickle can run any code."
        fix = "Use the .safetensors version of this model, or convert it where you trust it."
        raise PatchbayError(Code.PICKLED_MODEL, at, what, fix)


def _starts_a_pickle(start: bytes, size: int) -> bool:
    """A zip archive's or a pickle's first bytes, where they cannot be the length of a header."""
    looks = start[:4] == b"PK\x03\x04" or (start[:1] == b"\x80" and start[1:2] <= b"\x05")
    return looks and int.from_bytes(start, "little") > min(LARGEST_HEADER, size - 8)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a header says of a tensor."""

    precision: str
    shape: tuple[int, ...]
    begin: int
    end: int


def _entries(file: BinaryIO, size: int) -> tuple[dict[str, _Entry], int]:
    """The tensors by name, and where their data starts. Raises ValueError, KeyError or TypeError."""
    (length,) = struct.unpack("<Q", file.read(8).ljust(8, b"\xff"))
    if length > min(LARGEST_HEADER, size - 8):
        message = f"the header would be {length} bytes long in a file of {size}"
        raise ValueError(message)
    header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {name: _entry(entry) for name, entry in header.items()}, 8 + length


def _entry(entry: dict[str, Any]) -> _Entry:
    begin, end = entry["data_offsets"]
    shape = tuple(entry["shape"])
    if not all(isinstance(number, int) and number >= 0 for number in (*shape, begin, end)) or end < begin:
        message = "a tensor's shape or place makes no sense"
        raise ValueError(message)
    return _Entry(str(entry["dtype"]), shape, begin, end)


def _reason(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        start = file.read(24)
    if start.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; the weights themselves were never fetched"
    return str(error) or type(error).__name__
