"""Pictures made larger, or restored, by a model that was trained for it."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import torch

from engine.context import report
from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.upscaler_files import UPSCALER, survey_upscaler
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.picture_files import LARGEST_PICTURE
from nodes.diffusion.pictures.tiles import places, tiled
from nodes.diffusion.weights.device import kept
from nodes.types import Image

if TYPE_CHECKING:
    from pathlib import Path


def upscaled(image: Image, path: Path, tile: int, overlap: int) -> Image:
    """Pictures as the model in a file makes them, in tiles of at most `tile` pixels that share `overlap` at least.

    Each picture and each tile is run alone, so memory is that of one tile and of the result.
    Raises `bad_value` for an overlap as large as half a tile, and for a result beyond reason.
    """
    if 2 * overlap >= tile:
        what = f"Tiles of {tile} pixels cannot overlap by {overlap}: little more than the overlap would be left."
        raise PatchbayError(Code.BAD_VALUE, "overlap", what, "Choose less than half of the tile.")
    with SHELF.use(survey_upscaler(path, "file"), UPSCALER) as model, torch.inference_mode():
        height, width = image.pixels.shape[-2:]
        scale = int(model.scale)
        if height * width * scale**2 * len(image.pixels) > LARGEST_PICTURE:
            what = f"{width * scale} x {height * scale} pixels are more than {LARGEST_PICTURE >> 20} megapixels"
            raise PatchbayError(Code.BAD_VALUE, "image", f"{what} in all.", "Make the picture smaller first.")

        found = places(height, width, tile, overlap)
        total, done = len(image.pixels) * len(found), count(1)
        report(0, total)

        def run(pixels: torch.Tensor) -> torch.Tensor:
            said: torch.Tensor = model(pixels[None].to(model.device, model.dtype))[0]
            report(next(done), total)
            return said

        made = [tiled(run, pixels, scale, overlap, found) for pixels in image.pixels]
        return Image(kept(torch.stack(made).clamp(0, 1)))
