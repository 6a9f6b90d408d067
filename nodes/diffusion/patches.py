"""What changes a model without touching its weights: a list that a source carries, in the order of wiring.

A patch is pure data and part of the source's identity. `patching` makes of a shared module and its patches a module of
their own that shares the weights. Nothing here imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from engine.digests import file_digest
from nodes.diffusion.headers import read_header

if TYPE_CHECKING:
    from nodes.diffusion.source import ModelSource


@dataclass(frozen=True, slots=True)
class PatchFile:
    """A safetensors file in one state: written anew it is another file. `numbers` is how many it holds."""

    path: Path
    stamp: tuple[int, int, int] = field(repr=False)
    numbers: int = field(repr=False)

    @classmethod
    def at(cls, path: Path, at: str) -> PatchFile:
        """The file as it is now. Raises `pickled_model` or `bad_model`."""
        numbers, state = read_header(path, at).numbers(), path.stat()
        return cls(path, (state.st_size, state.st_mtime_ns, state.st_ino), numbers)


@dataclass(frozen=True, slots=True)
class LoraPatch:
    """Low-rank additions to a model's layers: how strongly to those of the denoisers, and of the text encoders."""

    file: PatchFile
    strength: float
    text_strength: float

    noun: ClassVar = "LoRA"

    @property
    def numbers(self) -> int:
        """How many numbers it adds to the memory of a part, at most."""
        return self.file.numbers

    def about(self, source: ModelSource, part: str) -> LoraPatch | None:
        """The same without what does not concern a part; None where nothing is left."""
        if part in source.family.denoisers:
            return replace(self, text_strength=0.0) if self.strength else None
        is_encoder = source.family.is_text(part) and source.parts[part].weights
        return replace(self, strength=0.0) if is_encoder and self.text_strength else None

    def strength_on(self, source: ModelSource, part: str) -> float:
        """How strongly it acts on a part."""
        return self.strength if part in source.family.denoisers else self.text_strength

    def digest(self) -> str:
        """Identity of the content."""
        return f"lora {file_digest(self.file.path)} {self.strength!r} {self.text_strength!r}"

    def __str__(self) -> str:
        """What it is, in a line."""
        return f"{self.file.path.name} at {self.strength:g}, text {self.text_strength:g}"


Patch = LoraPatch
