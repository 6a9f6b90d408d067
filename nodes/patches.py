"""What changes a model by wiring: each node gives the model on with one more patch, and touches nothing shared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Generic, NamedTuple

from pydantic import Field

from engine import Paths, Settings, node
from engine.choices import Choice
from engine.digests import file_digest
from nodes.diffusion.changes import embedding_files, lora_files
from nodes.load import ENCODERS, source_of
from nodes.types import Denoiser, K, TextEncoder


class PatchInput:
    """An input that names a file of one sort: beside the document or in the model folders. `check` reads its header."""

    def __init__(self, noun: str, check: Callable[[Path, str], object]) -> None:
        self.noun = noun
        self._check = check

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:  # noqa: ARG002  # the protocol's
        """The file, its header checked. Raises `PatchbayError`."""
        path = paths.find(value, paths.models, at)
        self._check(path, at)
        return path

    def digest(self, resolved: Path) -> str:
        """Identity of the file's content."""
        return file_digest(resolved)

    def choices(self, paths: Paths, settings: Settings) -> list[Choice]:  # noqa: ARG002  # the protocol's
        """What may be such a file below the model roots, by name and state alone: whether it is one, `resolve` says."""
        from nodes.diffusion.disk.files import files

        return files(paths, self.noun)


LoraPath = Annotated[
    Path,
    PatchInput("LoRA", lora_files.layers),
    Field(description="A .safetensors file in the model folders, as Diffusers, PEFT or kohya's scripts write it."),
]
LoraStrength = Annotated[
    float, Field(ge=-20, le=20, description="How much of it is added; 0 is nothing, below 0 the opposite.")
]


EmbeddingPath = Annotated[
    Path,
    PatchInput("embedding", embedding_files.shapes),
    Field(description="A .safetensors file of textual inversion in the model folders."),
]
Token = Annotated[
    str,
    Field(
        max_length=100, description="How a prompt calls it; empty for the file's own name for it, or the file's name."
    ),
]
FreeUFactor = Annotated[float, Field(ge=0, le=4)]


class PatchedModel(NamedTuple, Generic[K]):
    """A model and its text encoder, patched."""

    model: Denoiser[K]
    text_encoder: TextEncoder[K]


class FreedModel(NamedTuple, Generic[K]):
    """A model whose skips are weighed."""

    model: Denoiser[K]


def check_lora(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse a LoRA that was made for another model."""
    from nodes.diffusion.changes.patches import check_denoiser

    file, source = values.get("file"), source_of(given.get("model", {}))
    if source is not None:
        check_denoiser(source, "model")
    if isinstance(file, Path) and source is not None:
        lora_files.check(file, source, "file")
    return {key: value for key, value in given.get("text_encoder", {}).items() if key == ENCODERS}


def check_embedding(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse an embedding that was made for another model."""
    file, source = values.get("file"), source_of(given.get("text_encoder", {}))
    if isinstance(file, Path) and source is not None:
        embedding_files.patch(file, str(values.get("token", "")), source, "file")
    return {}


def check_free_u(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Refuse a model that FreeU is not made for."""
    from nodes.diffusion.changes.patches import check_unet

    source = source_of(given.get("model", {}))
    if source is not None:
        check_unet(source, "model")
    return {}


@node("ApplyLora", category="load", facts=check_lora)
def apply_lora(
    model: Denoiser[K],
    text_encoder: TextEncoder[K] | None = None,
    *,
    file: LoraPath,
    strength: LoraStrength = 1.0,
    text_strength: LoraStrength = 1.0,
) -> PatchedModel[K]:
    """Add a LoRA to a model and its text encoder. Several in a row add up.

    The model itself is left as it is: it can be used beside, at the same time. Without a text encoder the model's own
    is taken. The bits are those of a stock pipeline after `load_lora_weights` and `set_adapters`.
    """
    from nodes.diffusion.changes.patches import LoraPatch, PatchFile, check_denoiser

    check_denoiser(model.source, "model")
    patch = LoraPatch(PatchFile.at(file, "file"), strength, text_strength)
    text = model.source if text_encoder is None else text_encoder.source
    return PatchedModel(Denoiser(model.source.patched(patch)), TextEncoder(text.patched(patch)))


@node("AddEmbedding", category="load", facts=check_embedding)
def add_embedding(text_encoder: TextEncoder[K], *, file: EmbeddingPath, token: Token = "") -> TextEncoder[K]:
    """Teach a text encoder a word by textual inversion. Prompts use it by its token.

    The encoder itself and its tokenizer are left as they are. The bits are those of a stock pipeline after
    `load_textual_inversion`.
    """
    return TextEncoder(text_encoder.source.patched(embedding_files.patch(file, token, text_encoder.source, "file")))


@node("FreeU", category="load", facts=check_free_u)
def free_u(
    model: Denoiser[K],
    *,
    s1: Annotated[FreeUFactor, Field(description="Of the skips, first stage.")] = 0.9,
    s2: Annotated[FreeUFactor, Field(description="Of the skips, second stage.")] = 0.2,
    b1: Annotated[FreeUFactor, Field(description="Of the backbone, first stage; 1.3 suits SDXL.")] = 1.5,
    b2: Annotated[FreeUFactor, Field(description="Of the backbone, second stage; 1.4 suits SDXL.")] = 1.6,
) -> FreedModel[K]:
    """Weigh a UNet's backbone against its skips, for cleaner pictures at no cost (FreeU).

    Si et al., "FreeU: Free Lunch in Diffusion U-Net" (2023). The defaults are those for Stable Diffusion 1.5.
    """
    from nodes.diffusion.changes.patches import FreeUPatch, check_unet

    check_unet(model.source, "model")
    return FreedModel(Denoiser(model.source.patched(FreeUPatch(s1, s2, b1, b2))))
