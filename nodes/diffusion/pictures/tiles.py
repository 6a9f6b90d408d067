"""A model run on a picture tile by tile, so that memory does not grow with the picture.

Tiles overlap. Of an overlap the outer quarter is thrown away, where a tile does not know its surroundings, and over the
middle half one tile fades into the next. So a model that looks no further than a quarter of the overlap gives what it
gives of the whole picture, and any other has no hard seams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Tiles = Iterable[tuple["Span", "Span"]]
    """A tile: its rows and its columns."""


Span = tuple[int, int]


def spans(length: int, tile: int, overlap: int) -> list[Span]:
    """From where to where each tile reaches along a side: all of one size, overlapping by `overlap` at least."""
    if length <= tile:
        return [(0, length)]
    starts = [*range(0, length - tile, tile - overlap), length - tile]
    return [(start, start + tile) for start in starts]


def places(height: int, width: int, tile: int, overlap: int) -> list[tuple[Span, Span]]:
    """The rows and columns of each tile, row by row."""
    return [(rows, columns) for rows in spans(height, tile, overlap) for columns in spans(width, tile, overlap)]


def tiled(
    run: Callable[[torch.Tensor], torch.Tensor], pixels: torch.Tensor, scale: int, overlap: int, tiles: Tiles
) -> torch.Tensor:
    """What `run` makes of one picture [channels, height, width], `scale` times as large, put together of tiles.

    `tiles` are those of `places`.
    """
    height, width = pixels.shape[-2:]
    total = torch.zeros(len(pixels), height * scale, width * scale)
    weight = torch.zeros(1, height * scale, width * scale)
    for rows, columns in tiles:
        said = run(pixels[:, slice(*rows), slice(*columns)]).float().cpu()
        counts = _fade(rows, height, scale, overlap)[:, None] * _fade(columns, width, scale, overlap)
        place = (slice(None), *(slice(start * scale, stop * scale) for start, stop in (rows, columns)))
        total[place] += said * counts
        weight[place] += counts
    return total / weight


def _fade(span: Span, length: int, scale: int, overlap: int) -> torch.Tensor:
    """How much each number along a side of a tile counts: little towards ends that another tile covers."""
    start, stop = span
    at = torch.arange((stop - start) * scale) + 0.5
    counts = torch.ones_like(at)
    if start > 0:
        counts = counts * _rise(at, overlap * scale)
    if stop < length:
        counts = counts * _rise(at, overlap * scale).flip(0)
    return counts


def _rise(at: torch.Tensor, overlap: int) -> torch.Tensor:
    """From 0 in the first quarter of the overlap to 1 in its last."""
    return ((at - overlap / 4) / max(overlap / 2, 1)).clamp(0, 1)
