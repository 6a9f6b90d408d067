"""What a GGUF file holds, read from its header alone: names, shapes and precisions; no tensor, no torch, no package.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: a magic number, counts, metadata, the names, shapes,
types and places of the tensors, then their bytes.
"""

from __future__ import annotations

import struct
from math import prod
from typing import TYPE_CHECKING, BinaryIO

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.headers import DOWNLOAD_AGAIN, LARGEST_HEADER, Header, read_header

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SUFFIX = ".gguf"

BLOCKS: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
}
"""Number of a type -> its name, how many numbers a block of it holds, and in how many bytes."""

READABLE = frozenset(
    {"Q2_K", "Q3_K", "Q4_0", "Q4_1", "Q4_K", "Q5_0", "Q5_1", "Q5_K", "Q6_K", "Q8_0", "IQ4_NL", "IQ4_XS"}
)
"""The quantised types that Diffusers makes numbers of again."""

ENCODERS: Mapping[str, str] = {
    "T5EncoderModel": "T5ENCODER",
    "UMT5EncoderModel": "T5ENCODER",
    "Qwen3Model": "QWEN3",
    "Qwen3ForCausalLM": "QWEN3",
}
"""Class of a text encoder that is read from such files -> what the format's own package calls models of its build.

In files of others (Llama, Gemma) some numbers are not those that Transformers has.
"""

EMBEDDING = "token_embd.weight"
"""The tensor of its words' vectors [words, width]."""

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value of metadata, by its type."""

_TEXT, _LIST, _ALIGNMENT = 8, 9, "general.alignment"

_MOST_AXES, _DEEPEST = 8, 4


def is_gguf(path: Path) -> bool:
    """Whether a file is named like one."""
    return path.suffix.lower() == SUFFIX


def header_of(path: Path, at: str) -> Header:
    """The header of a GGUF or safetensors file. Raises `PatchbayError` at `at`: `pickled_model`, `bad_model`."""
    return read_gguf(path, at) if is_gguf(path) else read_header(path, at)


def read_gguf(path: Path, at: str) -> Header:
    """The header of the GGUF file at `path`; shapes are as PyTorch has them.

    Raises `bad_model` at `at` for a file that is cut short or is no GGUF file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header, end = _read(_Reader(file, min(size, LARGEST_HEADER)))
    except OSError as error:
        raise PatchbayError(Code.BAD_MODEL, at, f"{path} cannot be read: {error}.") from error
    except (ValueError, KeyError) as error:
        what = f"{path} is damaged or is no GGUF file: {error}."
        raise PatchbayError(Code.BAD_MODEL, at, what, DOWNLOAD_AGAIN) from error
    if end > size:
        what = f"{path} is cut short: its header tells of {end} bytes, the file holds {size}."
        raise PatchbayError(Code.BAD_MODEL, at, what, DOWNLOAD_AGAIN)
    return header


class _Reader:
    """Reads a header's values in order. Raises ValueError beyond `limit` bytes."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit
        self.place = 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        self.place += size
        if self.place > self._limit:
            message = "its header does not end"
            raise ValueError(message)
        return self._file.read(size)

    def number(self, form: str = "Q") -> int:
        """The next whole number, in `struct`'s notation."""
        (value,) = struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))
        return int(value)

    def text(self) -> str:
        """The next string. Raises ValueError for one that is no UTF-8."""
        return self.take(self.number()).decode()

    def pass_over(self, kind: int, depth: int = 0) -> None:
        """Go on behind a value of metadata."""
        if kind == _TEXT:
            self.take(self.number())
        elif kind == _LIST and depth < _DEEPEST:
            inner, count = self.number("I"), self.number()
            if inner in _SIZES:
                self.take(_SIZES[inner] * count)
                return
            for _ in range(count):
                self.pass_over(inner, depth + 1)
        else:
            self.take(_sizes_of(kind))


def _sizes_of(kind: int) -> int:
    if kind not in _SIZES:
        message = f"its metadata has a value of the unknown type {kind}"
        raise ValueError(message)
    return _SIZES[kind]


def _read(reader: _Reader) -> tuple[Header, int]:
    """The header, and where the bytes of the last tensor end."""
    if reader.take(4) != b"GGUF":
        message = "it does not begin as one"
        raise ValueError(message)
    version = reader.number("I")
    if version not in {2, 3}:
        message = f"it has version {version}, and 2 and 3 are known"
        raise ValueError(message)
    tensors, entries = reader.number(), reader.number()
    alignment = _alignment(reader, entries)
    shapes: dict[str, tuple[int, ...]] = {}
    stored: dict[str, tuple[str, int]] = {}
    end = 0
    for _ in range(tensors):
        name = reader.text()
        shapes[name], stored[name], begin = _tensor(reader)
        end = max(end, begin + stored[name][1])
    return Header(shapes, stored), -(-reader.place // alignment) * alignment + end


def _alignment(reader: _Reader, entries: int) -> int:
    """Pass over the metadata; of what its bytes are multiples."""
    found = 32
    for _ in range(entries):
        key, kind = reader.text(), reader.number("I")
        if key == _ALIGNMENT and _SIZES.get(kind) == _SIZES[4]:
            found = reader.number("I") or found
        else:
            reader.pass_over(kind)
    return found


def _tensor(reader: _Reader) -> tuple[tuple[int, ...], tuple[str, int], int]:
    """Shape, precision and bytes, and where they begin. Raises ValueError."""
    axes = reader.number("I")
    if axes > _MOST_AXES:
        message = f"a tensor has {axes} axes"
        raise ValueError(message)
    shape = tuple(reversed([reader.number() for _ in range(axes)]))
    kind, begin = reader.number("I"), reader.number()
    if kind not in BLOCKS:
        message = f"a tensor has the unknown type {kind}"
        raise ValueError(message)
    precision, numbers, size = BLOCKS[kind]
    return shape, (precision, -(-prod(shape) // numbers) * size), begin
