"""Text encoders from files of their own, in the place of a model's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from engine import node
from nodes.diffusion.component_files import with_text_encoder
from nodes.diffusion.headers import read_header
from nodes.load import source_of
from nodes.patches import PatchInput
from nodes.types import K, TextEncoder

EncoderPath = Annotated[
    Path,
    PatchInput("text encoder", read_header),
    Field(description="A .safetensors file of a CLIP or T5 text encoder in the model folders."),
]


def check_encoder(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse a text encoder that does not fit the model."""
    file, source = values.get("file"), source_of(given.get("text_encoder", {}))
    if isinstance(file, Path) and source is not None:
        with_text_encoder(source, file, "file")
    return {}


@node("LoadTextEncoder", category="load", facts=check_encoder)
def load_text_encoder(text_encoder: TextEncoder[K], *, file: EncoderPath) -> TextEncoder[K]:
    """Take the weights of one of a model's text encoders from a file of its own: a CLIP or a T5, the one that it fits.

    The words stay the model's. Two in a row replace two encoders.
    """
    return TextEncoder(with_text_encoder(text_encoder.source, file, "file"))
