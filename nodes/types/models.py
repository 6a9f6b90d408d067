"""Models and their parts, as they flow between nodes: none holds a weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from engine.digests import file_digest
from engine.inspection import Fact, Inspection
from nodes.types.kinds import K

if TYPE_CHECKING:
    from nodes.diffusion.changes.patches import PatchFile
    from nodes.diffusion.disk.nets import NetSource
    from nodes.diffusion.disk.source import ModelSource


@dataclass(frozen=True)
class Component(Generic[K]):
    """A part of a model, named by where it comes from. Holds no weights: those are on the shelf while they are used."""

    source: ModelSource

    @property
    def kind(self) -> str:
        """The family of the model, and so of the values that the part makes and takes."""
        return self.source.kind

    @property
    def affinity(self) -> ModelSource:
        """What the executor keeps together: nodes of one model run one after another."""
        return self.source.plain

    def digest(self) -> str:
        """Identity of the weights and configuration."""
        return self.source.digest

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Which model it is a part of, and what changes it."""
        source = self.source
        patches = (Fact(patch.noun, str(patch)) for patch in source.patches)
        own = (Fact("model", source.name), Fact("kind", source.kind), Fact("class", source.pipeline_class))
        return Inspection((*own, *patches))


class Denoiser(Component[K]):
    """The model that predicts noise: a UNet or a transformer."""


class TextEncoder(Component[K]):
    """The text encoder and its tokenizer."""


class VAE(Component[K]):
    """The autoencoder between pictures and latents."""


@dataclass(frozen=True, slots=True)
class ControlNet(Generic[K]):
    """A model that steers a denoiser by a picture. Holds no weights: those are on the shelf while they are used."""

    source: NetSource

    @property
    def kind(self) -> str:
        """The kind of the models that it steers."""
        return self.source.kind

    def digest(self) -> str:
        """Identity of the weights and configuration."""
        return self.source.digest

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Which one it is, and for which models."""
        source = self.source
        return Inspection((Fact("model", source.name), Fact("kind", source.kind), Fact("class", source.class_name)))


@dataclass(frozen=True, slots=True)
class IPAdapter:
    """An adapter that lets a denoiser see pictures, and the image encoder that looks at them; None: the model's own."""

    file: PatchFile
    encoder: NetSource | None = None

    def digest(self) -> str:
        """Identity of the weights."""
        encoder = "" if self.encoder is None else self.encoder.digest
        return f"{file_digest(self.file.path)}:{encoder}"

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Which files it is made of."""
        encoder = "the model's own" if self.encoder is None else str(self.encoder.path)
        return Inspection((Fact("file", self.file.path.name), Fact("image encoder", encoder)))


@dataclass(frozen=True, slots=True)
class DepthModel:
    """A model that tells distances in pictures. Holds no weights: those are on the shelf while they are used."""

    source: NetSource

    def digest(self) -> str:
        """Identity of the weights and configuration."""
        return self.source.digest

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Which one it is."""
        return Inspection((Fact("model", self.source.name), Fact("class", self.source.class_name)))


@dataclass(frozen=True, slots=True)
class PoseModel:
    """A model that finds people's joints, and one that finds people; None: the whole picture is one person.

    Holds no weights: those are on the shelf while they are used.
    """

    source: NetSource
    detector: NetSource | None = None

    def digest(self) -> str:
        """Identity of the weights and configurations."""
        return f"{self.source.digest}:{'' if self.detector is None else self.detector.digest}"

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Which ones they are."""
        found = "none" if self.detector is None else self.detector.name
        own = (Fact("model", self.source.name), Fact("class", self.source.class_name))
        return Inspection((*own, Fact("detector", found)))
