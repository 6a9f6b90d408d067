"""What changes a model by wiring: each node gives the model on with one more patch, and touches nothing shared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Generic, NamedTuple

from pydantic import Field

from engine import Paths, Settings, node
from engine.digests import file_digest
from nodes.types import Denoiser, K, TextEncoder


class LoraFile:
    """An input that names a LoRA: beside the document or in the model folders."""

    noun = "LoRA"

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:  # noqa: ARG002  # the protocol's
        """The file, its header checked. Raises `PatchbayError`."""
        from nodes.diffusion.lora_files import layers

        path = paths.find(value, paths.models, at)
        layers(path, at)
        return path

    def digest(self, resolved: Path) -> str:
        """Identity of the file's content."""
        return file_digest(resolved)


LoraPath = Annotated[
    Path,
    LoraFile(),
    Field(description="A .safetensors file in the model folders, as Diffusers, PEFT or kohya's scripts write it."),
]
LoraStrength = Annotated[
    float, Field(ge=-20, le=20, description="How much of it is added; 0 is nothing, below 0 the opposite.")
]


class PatchedModel(NamedTuple, Generic[K]):
    """A model and its text encoder, patched."""

    model: Denoiser[K]
    text_encoder: TextEncoder[K]


def check_lora(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse a LoRA that was made for another model."""
    from nodes.diffusion.lora_files import check
    from nodes.load import source_of

    file, source = values.get("file"), source_of(given.get("model", {}))
    if isinstance(file, Path) and source is not None:
        check(file, source, "file")
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
    from nodes.diffusion.patches import LoraPatch, PatchFile

    patch = LoraPatch(PatchFile.at(file, "file"), strength, text_strength)
    text = model.source if text_encoder is None else text_encoder.source
    return PatchedModel(Denoiser(model.source.patched(patch)), TextEncoder(text.patched(patch)))
