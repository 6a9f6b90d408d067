"""The tensors of a safetensors file, the scales of those that have one multiplied in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors import safe_open

from nodes.diffusion.disk.headers import read_header
from nodes.diffusion.disk.scaled_files import scales, unscaled

if TYPE_CHECKING:
    from pathlib import Path


def is_plain(path: Path) -> bool:
    """Whether a file has no weights with scales."""
    return not scales(read_header(path, str(path)))


def read_tensors(path: Path, dtype: torch.dtype, prefix: str = "") -> dict[str, torch.Tensor]:
    """The tensors whose names start with `prefix`, by the rest; scaled ones in `dtype`, the others as they are stored.

    A weight and its scale are multiplied in single precision and rounded once.
    """
    header = read_header(path, str(path))
    of = scales(header)
    with safe_open(path, framework="pt") as file:

        def tensor(name: str) -> torch.Tensor:
            stored: torch.Tensor = file.get_tensor(name)
            return (stored.float() * file.get_tensor(of[name]).float()).to(dtype) if name in of else stored

        names = [name for name in unscaled(header).shapes if name.startswith(prefix)]
        return {name.removeprefix(prefix): tensor(name) for name in names}
