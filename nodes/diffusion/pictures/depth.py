"""Depth maps: how near each place of a picture is, by a model of Transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from engine.context import track
from nodes.diffusion.disk.depth_files import DEPTH, PROCESSOR, gives_distances
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.weights.device import kept
from nodes.types import DepthModel, Image

if TYPE_CHECKING:
    from torch import Tensor

_NEAREST = 1e-3
"""A distance in metres; nothing is nearer."""

_EVEN = 1e-5
"""Nearness that differs by no more than this share is one and the same, but for the rounding of a resize."""


def depth_maps(model: DepthModel, image: Image) -> Image:
    """A grey picture of each picture: white is its nearest place, black its farthest, as depth ControlNets read it.

    What a model gives as distances becomes one over them, which is what the others give.
    """
    source = model.source
    with SHELF.use(source, DEPTH) as module, SHELF.use(source, PROCESSOR) as processor, torch.inference_mode():
        found = [_nearness(module, processor, pixels, far=gives_distances(source)) for pixels in track(image.pixels)]
        return Image(kept(torch.stack(found)))


def _nearness(module: Any, processor: Any, pixels: Tensor, *, far: bool) -> Tensor:  # noqa: ANN401  # Transformers'
    """How near each place of a picture [3, height, width] is, from 0 to 1, in each channel."""
    height, width = pixels.shape[-2:]
    read = processor(images=to_pillow(pixels), return_tensors="pt")
    given = {name: value.to(module.device) for name, value in read.items() if hasattr(value, "to")}
    said = module(**{**given, "pixel_values": given["pixel_values"].to(module.dtype)})
    depth = processor.post_process_depth_estimation(said, [(height, width)])[0]["predicted_depth"]
    depth = depth.float()
    near = 1 / depth.clamp(min=_NEAREST) if far else depth
    low, high = near.min(), near.max()
    if high - low <= _EVEN * high.abs():
        return torch.zeros(3, height, width)
    scaled: Tensor = (near - low) / (high - low)
    return scaled.expand(3, height, width)
