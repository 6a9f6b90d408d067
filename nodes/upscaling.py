"""Pictures made larger by models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from engine import node
from nodes.diffusion.disk import packages
from nodes.diffusion.disk.upscaler_files import survey_upscaler
from nodes.patches import PatchInput
from nodes.types import Image

UpscalerPath = Annotated[
    Path,
    PatchInput("upscaler", survey_upscaler),
    Field(description="A .safetensors file in the model folders, of any architecture that spandrel knows."),
]
Tile = Annotated[int, Field(ge=32, le=8192, description="Pixels of a side run at once; less needs less memory.")]
Overlap = Annotated[int, Field(ge=0, le=1024, description="Pixels that neighbouring tiles share at least.")]


def check_upscaler(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Refuse to upscale where the library for it is not installed."""
    packages.check_upscaler("file")
    return {}


@node("UpscaleModel", category="image", device=True, facts=check_upscaler)
def upscale_model(image: Image, *, file: UpscalerPath, tile: Tile = 512, overlap: Overlap = 64) -> Image:
    """Make pictures larger, or restore them, by a model such as ESRGAN; how much larger is the model's own.

    Large pictures are run in tiles that fade into each other. Needs `pip install "patchbay[upscale]"`.
    """
    from nodes.diffusion.pictures.upscaling import upscaled

    return upscaled(image, file, tile, overlap)
