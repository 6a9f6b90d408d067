"""Parts of a model from files of their own, in the place of the model's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from engine import node
from nodes.diffusion.component_files import with_text_encoder, with_vae
from nodes.diffusion.headers import read_header
from nodes.load import source_of
from nodes.patches import PatchInput
from nodes.types import VAE, K, TextEncoder

VAEPath = Annotated[
    Path,
    PatchInput("VAE", read_header),
    Field(description="A .safetensors file of a VAE in the model folders."),
]

EncoderPath = Annotated[
    Path,
    PatchInput("text encoder", read_header),
    Field(description="A .safetensors file of a CLIP or T5 text encoder in the model folders."),
]


def check_vae(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse a VAE that does not fit the model."""
    file, source = values.get("file"), source_of(given.get("vae", {}))
    if isinstance(file, Path) and source is not None:
        with_vae(source, file, "file")
    return {}


def check_encoder(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse a text encoder that does not fit the model."""
    file, source = values.get("file"), source_of(given.get("text_encoder", {}))
    if isinstance(file, Path) and source is not None:
        with_text_encoder(source, file, "file")
    return {}


@node("LoadVAE", category="load", facts=check_vae)
def load_vae(vae: VAE[K], *, file: VAEPath) -> VAE[K]:
    """Take a VAE's weights from a file of its own, in the place of a model's.

    What the file does not tell, such as the scale of the latents, stays the model's. Such files are those of the VAEs
    of Stable Diffusion, SDXL, SD 3 and FLUX.1, by whichever program they were written.
    """
    return VAE(with_vae(vae.source, file, "file"))


@node("LoadTextEncoder", category="load", facts=check_encoder)
def load_text_encoder(text_encoder: TextEncoder[K], *, file: EncoderPath) -> TextEncoder[K]:
    """Take the weights of one of a model's text encoders from a file of its own: a CLIP or a T5, the one that it fits.

    The words stay the model's. Two in a row replace two encoders.
    """
    return TextEncoder(with_text_encoder(text_encoder.source, file, "file"))
