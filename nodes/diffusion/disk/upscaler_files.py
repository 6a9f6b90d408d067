"""Upscalers on disk: one safetensors file each, found out about without reading a weight or importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.headers import read_header
from nodes.diffusion.disk.nets import NetSource
from nodes.diffusion.disk.packages import SPANDREL
from nodes.diffusion.disk.parts import Part
from nodes.diffusion.disk.source import stamp_of

if TYPE_CHECKING:
    from pathlib import Path

UPSCALER = "upscaler"
"""What the part is called on the shelf."""


def survey_upscaler(path: Path, at: str) -> NetSource:
    """The upscaler in a file, as the shelf takes it. Raises `pickled_model`, `bad_model`."""
    header = read_header(path, at)
    if not header.shapes:
        raise PatchbayError(
            Code.BAD_MODEL, at, f"{path} holds no tensors.", "Name the .safetensors file of an upscaler."
        )
    part = Part(
        UPSCALER, SPANDREL, "", path.parent, {}, (), weights=(path,), numbers=header.numbers(), shapes=header.shapes
    )
    parts = {UPSCALER: part}
    return NetSource(path, stamp_of(parts), path.stem, "", parts)
