"""What a file of textual inversion holds, from its header: which vectors for which text encoder. No tensor, no torch.

Known are files with one tensor, [vectors, width] or [width], under its token (Diffusers) or as `emb_params` (the web
UIs), and files with `clip_l` and `clip_g` for the two encoders of SDXL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.patches import EmbeddingPatch, PatchFile
from nodes.diffusion.disk.headers import read_header

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nodes.diffusion.disk.source import ModelSource

_PAIR = {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}
_NAMELESS = {"emb_params", *_PAIR}
_FIX = "Use an embedding made for this family."


def shapes(path: Path, at: str) -> Mapping[str, tuple[int, ...]]:
    """The tensors of a file. Raises `pickled_model`, or `bad_model` for what is no textual inversion."""
    found = read_header(path, at).shapes
    known = len(found) == 1 or (found and set(found) <= set(_PAIR))
    if not known or any(len(shape) not in {1, 2} or 0 in shape for shape in found.values()):
        what = f"{path} is no textual inversion: it holds {', '.join(sorted(found)[:3]) or 'nothing'}."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Name a .safetensors file of one embedding.")
    return found


def patch(path: Path, token: str, source: ModelSource, at: str) -> EmbeddingPatch:
    """The patch that a file is for a model; without a `token` it is the file's own, or else the file's name.

    Raises `bad_model` at `at` for vectors of another width than the model reads, `bad_value` at `token`.
    """
    found = shapes(path, at)
    first = next(iter(found))
    token = token or (path.stem if first in _NAMELESS else first)
    if not re.fullmatch(r"\S+", token):
        what = f'"{token}" cannot be a token: it has spaces.'
        raise PatchbayError(Code.BAD_VALUE, "token", what, "Set a token without spaces.")
    counts = {shape[0] if len(shape) > 1 else 1 for shape in found.values()}
    if len(counts) > 1:
        raise PatchbayError(Code.BAD_MODEL, at, f"{path} holds different numbers of vectors for two encoders.", _FIX)
    return EmbeddingPatch(PatchFile.at(path, at), token, counts.pop(), _keys(path, found, source, at))


def _keys(
    path: Path, found: Mapping[str, tuple[int, ...]], source: ModelSource, at: str
) -> tuple[tuple[str, str], ...]:
    """Which tensor goes to which text encoder: by name where the file names encoders, else by width."""
    widths = {
        name: width
        for name, part in sorted(source.parts.items())
        if part.class_name.startswith("CLIPText") and (width := part.first_integer(("hidden_size",)))
    }
    if set(found) <= set(_PAIR):
        keys = {_PAIR[key]: key for key in found}
    else:
        ((key, shape),) = found.items()
        keys = {next((name for name, width in widths.items() if width == shape[-1]), "text_encoder"): key}
    for name, key in keys.items():
        if widths.get(name) != found[key][-1]:
            has = f"reads {widths[name]}" if name in widths else "has no such CLIP text encoder"
            what = f"{path} has vectors of {found[key][-1]} numbers for the {name}, and {source.name} {has}."
            raise PatchbayError(Code.BAD_MODEL, at, what, _FIX)
    return tuple(sorted(keys.items()))
