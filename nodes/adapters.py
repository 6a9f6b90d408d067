"""Pictures as prompts: nodes that let a model see through an IP-Adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Generic, NamedTuple

from pydantic import Field

from engine import node
from nodes.diffusion.changes.adapter_files import adapter_shape, check_adapter, check_encoder
from nodes.diffusion.changes.patches import PatchFile
from nodes.diffusion.disk.eyes import ENCODER, is_encoder, survey_encoder, wanted_files
from nodes.load import SingleFolder, source_of
from nodes.patches import PatchInput
from nodes.types import Denoiser, Image, IPAdapter, K, ShareEnd, ShareStart

AdapterPath = Annotated[
    Path,
    PatchInput("IP-Adapter", adapter_shape),
    Field(description="A .safetensors file in the model folders: plain, plus or full-face, as in h94/IP-Adapter."),
]
EncoderPath = Annotated[
    Path,
    SingleFolder("image encoder", survey_encoder, is_encoder, wanted_files),
    Field(description="A CLIP image encoder's folder; null for image_encoder beside the adapter, or the model's own."),
]
AdapterStrength = Annotated[float, Field(ge=0, le=5, description="How much the pictures count beside the prompt.")]

FILE, EYES = "ip_adapter", "image_encoder"
"""The facts that tell of an adapter's file and of its image encoder."""


class LoadedAdapter(NamedTuple):
    """An adapter with its image encoder."""

    ip_adapter: IPAdapter


class AdaptedModel(NamedTuple, Generic[K]):
    """A model that is shown pictures."""

    model: Denoiser[K]


def facts_of_adapter(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Where the adapter is, and its image encoder; refuses one that it was not trained with."""
    file, encoder = values.get("file"), values.get("image_encoder")
    if not isinstance(file, Path):
        return {}
    beside = encoder if isinstance(encoder, Path) else _beside(file)
    if beside is not None:
        check_encoder(file, survey_encoder(beside, "image_encoder"), "image_encoder")
    return {FILE: str(file)}


def check_apply(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Refuse an adapter that was made for another model."""
    source, adapter = source_of(given.get("model", {})), given.get("ip_adapter", {})
    if source is not None and FILE in adapter:
        check_adapter(Path(adapter[FILE]), source, "ip_adapter")
    return {}


def _beside(file: Path) -> Path | None:
    """The image encoder's folder beside an adapter's file, where there is one."""
    folder = file.parent / ENCODER
    return folder if folder.is_dir() else None


@node("LoadIPAdapter", category="load", facts=facts_of_adapter)
def load_ip_adapter(*, file: AdapterPath, image_encoder: EncoderPath | None = None) -> LoadedAdapter:
    """Open an IP-Adapter, through which a model is shown pictures beside its prompt.

    Weights are read when something first runs on them.
    """
    folder = image_encoder or _beside(file)
    encoder = None if folder is None else survey_encoder(folder, "image_encoder")
    return LoadedAdapter(IPAdapter(PatchFile.at(file, "file"), encoder))


@node("ApplyIPAdapter", category="load", device=True, facts=check_apply)
def apply_ip_adapter(
    model: Denoiser[K],
    ip_adapter: IPAdapter,
    image: Image,
    *,
    strength: AdapterStrength = 0.6,
    start: ShareStart = 0.0,
    end: ShareEnd = 1.0,
) -> AdaptedModel[K]:
    """Show a model pictures, whose look it follows beside the prompt. Several in a row act together.

    The model itself is left as it is. The bits are those of a stock pipeline after `load_ip_adapter` and
    `set_ip_adapter_scale`: Stable Diffusion 1 and 2, SDXL, FLUX.1. A batch of pictures is looked at as one prompt.
    """
    from nodes.diffusion.sampling.adapting import adapted

    return AdaptedModel(adapted(model, ip_adapter, image, strength, start, end))
