"""Latents that a pipeline holds as one item among those of the pictures that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

_ITEMS = "JoyImageEditPipeline"
"""It holds [batch, items, channels, frames, height, width], the pictures first."""

_PATCHES = "JoyImageEditPlusPipeline"
"""It holds [batch, patches, channels, frames, height, width] of patches, the pictures last, and is given plain ones."""


def holds_items(pipeline: Any) -> bool:  # noqa: ANN401
    """Whether the pipeline holds its latents so."""
    return type(pipeline).__name__ in {_ITEMS, _PATCHES}


def side_of_patch(pipeline: Any) -> int:  # noqa: ANN401
    """How many numbers a patch has along a side."""
    return int(pipeline.transformer.config.patch_size[-1])


def pack(pipeline: Any, samples: Tensor) -> Tensor:  # noqa: ANN401
    """Latents [batch, channels, height, width] as the pipeline wants them given."""
    frames = samples.unsqueeze(2)
    return frames.unsqueeze(1) if type(pipeline).__name__ == _ITEMS else frames


def unpack(pipeline: Any, latents: Tensor, height: int, width: int) -> Tensor:  # noqa: ANN401
    """What is drawn, of all that the pipeline holds; it has `height` and `width` numbers along its sides."""
    if latents.ndim == 4:  # noqa: PLR2004  # the pipeline has taken it out already
        return latents
    if type(pipeline).__name__ == _ITEMS:
        return latents[:, -1].squeeze(2)
    side = side_of_patch(pipeline)
    rows, columns = height // side, width // side
    tokens = latents[:, : rows * columns].squeeze(3)
    patches = tokens.reshape(len(tokens), rows, columns, *tokens.shape[2:])
    return patches.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
