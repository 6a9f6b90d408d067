"""Edges of pictures, by OpenCV."""

from __future__ import annotations

import importlib

import numpy as np
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.packages import check_edges
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.types import Image


def canny(image: Image, low: float, high: float) -> Image:
    """White edges on black, after Canny, bit for bit `cv2.Canny(picture, low, high)` as Diffusers' examples call it.

    Places whose contrast is above `high` are edges, and those above `low` that touch one.
    Raises `bad_value` for a `low` above `high`, `missing_package` without OpenCV.
    """
    if low > high:
        what = f"{low:g} is more than {high:g}, so what begins an edge would not go on with it."
        raise PatchbayError(Code.BAD_VALUE, "low", what, "Choose low below high.")
    check_edges("image")
    cv2 = importlib.import_module("cv2")
    found = [torch.from_numpy(cv2.Canny(np.asarray(to_pillow(pixels)), low, high)) for pixels in image.pixels]
    return Image((torch.stack(found)[:, None] / 255).expand(-1, 3, -1, -1).contiguous())
