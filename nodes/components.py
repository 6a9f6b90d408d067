"""VAEs and text encoders from files and folders of their own, in the place of a model's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from engine import Paths, Settings, node
from engine.choices import Choice
from engine.digests import file_digest
from nodes.diffusion.disk.component_files import with_text_encoder, with_vae
from nodes.diffusion.disk.files import files
from nodes.diffusion.disk.gguf_files import header_of
from nodes.diffusion.disk.headers import read_header
from nodes.diffusion.disk.nets import wanted_files
from nodes.diffusion.disk.source import resolve
from nodes.diffusion.disk.vaes import survey_vae
from nodes.load import DECODER, ENCODERS, replaced, source_of
from nodes.patches import PatchInput
from nodes.types import VAE, K, TextEncoder


class VAEInput:
    """An input that names a VAE: a .safetensors file, a local folder in Diffusers' format, or a hub id."""

    noun = "VAE"

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:
        """The file or folder, checked as far as that goes without reading weights. Raises `PatchbayError`."""
        path = resolve(value, paths, downloads=settings.downloads, at=at, lone=wanted_files)
        (survey_vae if path.is_dir() else read_header)(path, at)
        return path

    def digest(self, resolved: Path) -> str:
        """Identity of configuration and weights."""
        if not resolved.is_dir():
            return file_digest(resolved)
        files = survey_vae(resolved, "").files
        return hashlib.sha256(" ".join(file_digest(file) for file in files).encode()).hexdigest()

    def choices(self, paths: Paths, settings: Settings) -> list[Choice]:  # noqa: ARG002  # the protocol's
        """What may be a file of a VAE below the model roots, by name and state alone."""
        return files(paths, self.noun)


VAEPath = Annotated[
    Path,
    VAEInput(),
    Field(description="A .safetensors file in the model folders, a local folder in Diffusers' format, or a hub id."),
]

EncoderPath = Annotated[
    Path,
    PatchInput("text encoder", header_of),
    Field(description="A text encoder in the model folders: a .safetensors file, or of a T5 or a Qwen 3 a .gguf file."),
]


def check_vae(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Which VAE takes the place of the model's; refuses one that does not fit."""
    file, source = values.get("file"), source_of(given.get("vae", {}))
    if isinstance(file, Path) and source is not None:
        with_vae(source, file, "file")
    return replaced(given.get("vae", {}), DECODER, file)


def check_encoder(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Which text encoder takes the place of one of the model's; refuses one that does not fit."""
    file, source = values.get("file"), source_of(given.get("text_encoder", {}))
    if isinstance(file, Path) and source is not None:
        with_text_encoder(source, file, "file")
    return replaced(given.get("text_encoder", {}), ENCODERS, file)


@node("LoadVAE", category="load", facts=check_vae)
def load_vae(vae: VAE[K], *, file: VAEPath) -> VAE[K]:
    """Take another VAE for the same latents: a finer one, or a tiny one that decodes in a fraction of the time.

    A folder is a VAE by itself. Whether a tiny one was made for these latents is not written in it: channels and sizes
    are checked, the rest is yours to know. Of a file the weights are taken, and what it does not tell, such as the
    scale of the latents, stays the model's; such files are those of the VAEs of Stable Diffusion, SDXL, SD 3, FLUX.1,
    Wan and Qwen-Image, by whichever program they were written.
    """
    return VAE(with_vae(vae.source, file, "file"))


@node("LoadTextEncoder", category="load", facts=check_encoder)
def load_text_encoder(text_encoder: TextEncoder[K], *, file: EncoderPath) -> TextEncoder[K]:
    """Take the weights of one of a model's text encoders from a file of its own, the one that it fits.

    The words stay the model's. Two in a row replace two encoders.
    """
    return TextEncoder(with_text_encoder(text_encoder.source, file, "file"))
