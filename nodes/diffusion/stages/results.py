"""What pipelines give, in the several forms that they have for pictures and videos, as one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow

from engine.context import say
from engine.errors import Code, PatchbayError
from nodes.types import Image

_MOST_DIMENSIONS = 5


def as_image(found: Any, pipeline: str) -> Image:  # noqa: ANN401  # pipelines are of no one mind
    """The pictures, or the frames of the videos one after another.

    `found` is a tensor [batch, (frames,) channels, height, width], an array [batch, (frames,) height, width, channels],
    a Pillow picture, or a list of these. A map of one channel becomes grey. Maps with numbers below 0, such as normals,
    are brought from [-1, 1] to [0, 1], and what is beyond is cut off; both are said. Raises `unsupported_class` for
    what is no picture.
    """
    pixels = _pixels(found)
    if pixels is None or pixels.shape[1] not in {1, 3}:
        what = f"{pipeline} gives no pictures but {_described(found)}."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, "model", what, "This node runs pipelines that draw.")
    pixels = pixels.detach().to("cpu", torch.float32, copy=True)
    if bool((pixels < 0).any()):
        say(f"{pipeline} gives numbers from -1 to 1; they are shown from 0 to 1.")
        pixels = pixels / 2 + 0.5
    if bool((pixels < 0).any() or (pixels > 1).any()):
        say(f"{pipeline} gives numbers beyond black and white; they are cut off there.")
        pixels = pixels.clamp(0, 1)
    return Image(pixels.expand(-1, 3, -1, -1).contiguous())


def _pixels(found: Any) -> torch.Tensor | None:  # noqa: ANN401
    """[batch, channels, height, width]; None for what has no such form."""
    if isinstance(found, Pillow.Image):
        return torch.from_numpy(np.asarray(found.convert("RGB")).astype(np.float32) / 255).permute(2, 0, 1)[None]
    if isinstance(found, np.ndarray):
        return _pixels(torch.from_numpy(found).movedim(-1, -3)) if found.ndim in {3, 4, _MOST_DIMENSIONS} else None
    if isinstance(found, (list, tuple)):
        parts = [_pixels(item) for item in found]
        if not parts or any(part is None for part in parts):
            return None
        return torch.cat([part for part in parts if part is not None])
    if not isinstance(found, torch.Tensor) or not found.is_floating_point():
        return None
    if found.ndim == _MOST_DIMENSIONS:
        return found.flatten(0, 1)
    return {3: found[None], 4: found}.get(found.ndim)


def _described(found: object) -> str:
    shape = getattr(found, "shape", None)
    return f"a {type(found).__name__}{'' if shape is None else f' of shape {tuple(shape)}'}"
