"""Where models come from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Generic, NamedTuple

from pydantic import Field

from engine import Paths, Settings, node
from engine.choices import Choice
from engine.digests import file_digest
from nodes.diffusion.mask_rules import MASK, READS
from nodes.diffusion.scheduler_table import prediction_of
from nodes.diffusion.source import resolve, survey
from nodes.types import VAE, Denoiser, K, Scheduler, TextEncoder


class ModelFile:
    """An input that names a model: "pocket", a local Diffusers folder or .safetensors file, or a hub id.

    Without `weights` a folder is good for its configurations only.
    """

    noun = "model"
    loads = True

    def __init__(self, *, weights: bool = True) -> None:
        self._weights = weights

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:
        """The folder or file, checked as far as that goes without reading weights. Raises `PatchbayError`."""
        path = resolve(value, paths, downloads=settings.downloads, at=at)
        if path.is_dir():
            survey(path, weights=self._weights, at=at)
        return path

    def digest(self, resolved: Path) -> str:
        """Identity of configurations and weights."""
        if resolved.is_dir():
            return survey(resolved, weights=self._weights, at="").digest
        return hashlib.sha256(file_digest(resolved).encode()).hexdigest()

    def choices(self, paths: Paths, settings: Settings) -> list[Choice]:  # noqa: ARG002  # the protocol's
        """The models that are on this machine, and what is wrong with those that cannot be used."""
        from nodes.diffusion.listing import models

        return models(paths, weights=self._weights)


ModelPath = Annotated[
    Path,
    ModelFile(),
    Field(description='"pocket" (in the box), a local Diffusers folder or .safetensors file, or a hub id.'),
]


ConfigPath = Annotated[
    Path,
    ModelFile(weights=False),
    Field(description="For a single file: a Diffusers folder of the same family; its weights are not read."),
]


class LoadedModel(NamedTuple, Generic[K]):
    """The parts of a model. Each can be taken out and wired elsewhere."""

    model: Denoiser[K]
    text_encoder: TextEncoder[K]
    vae: VAE[K]
    scheduler: Scheduler[K]


def kinds_of(values: Mapping[str, object]) -> dict[str, str]:
    """The model's family from its configuration files, weights unread."""
    model, config = values.get("model"), values.get("config")
    if not isinstance(model, Path):
        return {}
    return {"K": survey(model, config=config if isinstance(config, Path) else None, at="model").kind}


def facts_of(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """What the model predicts, from the configuration of its scheduler, and whether it reads a mask."""
    model, config = values.get("model"), values.get("config")
    if not isinstance(model, Path):
        return {}
    source = survey(model, config=config if isinstance(config, Path) else None, at="model")
    reads = {READS: MASK} if source.reads_mask else {}
    return {"prediction": prediction_of(source.scheduler), **reads}


@node("LoadModel", category="load", kinds=kinds_of, facts=facts_of)
def load_model(*, model: ModelPath, config: ConfigPath | None = None) -> LoadedModel[K]:
    """Open a model. Weights are read when something first runs on them.

    A single .safetensors file holds weights only; `config` then names a Diffusers folder of the same family for the
    configurations and the tokenizer.
    """
    source = survey(model, config=config, at="model")
    name, family = str(source.scheduler["_class_name"]), source.family.pipeline_class
    own: Scheduler[K] = Scheduler(name, source.kind, source.scheduler, family=family)
    return LoadedModel(Denoiser(source), TextEncoder(source), VAE(source), own)
