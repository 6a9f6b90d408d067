"""The tensors of a safetensors file, the scales of those that have one multiplied in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors import safe_open

from nodes.diffusion.disk.checkpoints import recognise
from nodes.diffusion.disk.headers import read_header
from nodes.diffusion.disk.scaled_files import scales, unscaled

if TYPE_CHECKING:
    from pathlib import Path


def is_scaled(path: Path) -> bool:
    """Whether a file has weights with scales."""
    return bool(scales(read_header(path, str(path))))


def read_part(path: Path, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The tensors of the one part that is read of a file: all, or those of its transformer among others."""
    found = recognise(read_header(path, str(path)))
    return read_tensors(path, dtype, found.parts.get("transformer", "") if found else "")


def read_tensors(path: Path, dtype: torch.dtype, prefix: str = "") -> dict[str, torch.Tensor]:
    """The tensors whose names start with `prefix`, by name; scaled ones in `dtype`, the others as they are stored.

    A weight and its scale are multiplied in single precision and rounded once.
    """
    header = read_header(path, str(path))
    of = scales(header)
    with safe_open(path, framework="pt") as file:

        def tensor(name: str) -> torch.Tensor:
            stored: torch.Tensor = file.get_tensor(name)
            return (stored.float() * file.get_tensor(of[name]).float()).to(dtype) if name in of else stored

        return {name: tensor(name) for name in unscaled(header).shapes if name.startswith(prefix)}
