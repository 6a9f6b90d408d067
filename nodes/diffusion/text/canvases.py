"""Prompts that are encoded with the places of a picture's tokens after them: brought to the size that is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from nodes.diffusion.stages import layouts, stock

if TYPE_CHECKING:
    from nodes.types import Conditioning

_A_WORD = 3
"""What the indicator of a token of the text is; others are 2 or nothing."""


def fitted(pipeline: Any, prompt: Conditioning[Any], size: layouts.Size) -> Conditioning[Any]:  # noqa: ANN401
    """The prompt as the stock call would encode it for pictures of this size; as it is where size has no part in it."""
    if not prompt.encoder.source.family.sized:
        return prompt
    side = layouts.factor(pipeline)
    grid = (size.height // side, size.width // side)
    default = stock.signature(type(pipeline).__name__).defaults["max_sequence_length"]
    longest = int(prompt.options.get("max_sequence_length", default))  # type: ignore[call-overload]  # checked there
    read = prompt.tensors["llm_features"][:, :longest]
    nothing = read.new_zeros(len(read), grid[0] * grid[1], read.shape[2])
    lengths = (prompt.tensors["indicator"] == _A_WORD).sum(1).tolist()
    names = ("position_ids", "segment_ids", "indicator")
    places = pipeline._prepare_ids(lengths, *grid, longest, read.device)  # noqa: SLF001  # it has no public name
    tensors = {"llm_features": torch.cat([read, nothing], 1), **dict(zip(names, places, strict=True))}
    return replace(prompt, tensors=tensors)
