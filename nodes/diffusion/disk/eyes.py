"""Image encoders on disk, found out about without reading a weight or importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.nets import NetSource, configuration, files_of
from nodes.diffusion.disk.parts import read_part, rule_for
from nodes.diffusion.disk.source import stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ENCODER = "image_encoder"
"""What the part is called on the shelf, and its folder in a model's."""

_CLASS = "CLIPVisionModelWithProjection"


def survey_encoder(path: Path, at: str) -> NetSource:
    """Find out what the image encoder in the folder `path` is, or raise `PatchbayError` at `at` with what is wrong.

    Codes: `file_not_found`, `bad_model`, `pickled_model`, `unsupported_class`.
    """
    config = configuration(path, "image encoder", "Transformers", at)
    if not is_encoder(config):
        what = f'{path} is a "{config.get("model_type")}", and no image encoder of CLIP.'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, f"Use a {_CLASS}.")
    parts = {ENCODER: read_part(path, _CLASS, rule_for(path, "transformers", _CLASS), at)}
    return NetSource(path, stamp_of(parts), path.name, "", parts)


def is_encoder(config: Mapping[str, object]) -> bool:
    """Whether a configuration is that of an image encoder."""
    classes = config.get("architectures")
    return config.get("model_type") == "clip_vision_model" or (isinstance(classes, list) and _CLASS in classes)


def wanted_files(names: Iterable[str]) -> list[str]:
    """Of a repository's files, those of an image encoder: its configuration and one variant of its weights."""
    return files_of(names, "model")
