"""What changes a model without touching its weights: a list that a source carries, in the order of wiring.

A patch is pure data and part of the source's identity. `patching` makes of a shared module and its patches a module of
their own that shares the weights; those that hold weights in another way own them. Nothing here imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from engine.digests import file_digest
from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.patch import SettingsPatch
from nodes.diffusion.changes.tuning import CachePatch, TilePatch, TunePatch
from nodes.diffusion.changes.weak_layers import WeakPatch
from nodes.diffusion.disk.headers import read_header

if TYPE_CHECKING:
    from nodes.diffusion.disk.source import ModelSource
    from nodes.types import Shown


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
class _OfFile:
    """A patch whose numbers come from a file, over the weights of the plain model."""

    file: PatchFile

    owns_weights: ClassVar = False
    alone: ClassVar = False

    @property
    def numbers(self) -> int:
        """How many numbers it adds to the memory of a part, at most."""
        return self.file.numbers


@dataclass(frozen=True, slots=True)
class LoraPatch(_OfFile):
    """Low-rank additions to a model's layers: how strongly to those of the denoisers, and of the text encoders."""

    strength: float
    text_strength: float

    noun: ClassVar = "LoRA"

    def about(self, source: ModelSource, part: str) -> LoraPatch | None:
        """The same without what does not concern a part; None where nothing is left."""
        if part in source.family.denoisers:
            return replace(self, text_strength=0.0) if self.strength else None
        is_encoder = source.family.is_text(part) and source.parts[part].trained
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


@dataclass(frozen=True, slots=True)
class EmbeddingPatch(_OfFile):
    """Vectors of textual inversion under a token; `keys` says which tensor of the file is for which text encoder.

    The first of `vectors` is the token itself, the others are called token_1, token_2 and so on.
    """

    token: str
    vectors: int
    keys: tuple[tuple[str, str], ...]

    noun: ClassVar = "embedding"

    @property
    def tokens(self) -> list[str]:
        """A token for each vector."""
        return [self.token, *(f"{self.token}_{index}" for index in range(1, self.vectors))]

    def about(self, source: ModelSource, part: str) -> EmbeddingPatch | None:  # noqa: ARG002  # a patch's
        """The same for one text encoder or its tokenizer; None where the part has nothing to do with it."""
        encoder = part.replace("tokenizer", "text_encoder")
        keys = tuple(pair for pair in self.keys if pair[0] == encoder)
        return replace(self, keys=keys) if keys else None

    def digest(self) -> str:
        """Identity of the content."""
        return f"embedding {file_digest(self.file.path)} {self.token!r} {self.keys}"

    def __str__(self) -> str:
        """What it is, in a line."""
        return f"{self.token} from {self.file.path.name}"


@dataclass(frozen=True, slots=True)
class FreeUPatch(SettingsPatch):
    """FreeU's factors: `b1` and `b2` strengthen the backbone of the two deepest stages, `s1` and `s2` the skips."""

    s1: float
    s2: float
    b1: float
    b2: float

    noun: ClassVar = "FreeU"

    def __str__(self) -> str:
        """What it is, in a line."""
        return f"s1 {self.s1:g}, s2 {self.s2:g}, b1 {self.b1:g}, b2 {self.b2:g}"


@dataclass(frozen=True, slots=True)
class AdapterPatch(_OfFile):
    """An IP-Adapter and the pictures that it shows the denoiser, from the share `start` of the steps to `end`.

    A denoiser of its own is made for its file and strength alone; what the pictures say goes with each call.
    """

    strength: float
    start: float = 0.0
    end: float = 1.0
    shown: Shown | None = None

    noun: ClassVar = "IP-Adapter"

    @property
    def is_timed(self) -> bool:
        """Whether it acts in some of the steps only."""
        return (self.start, self.end) != (0.0, 1.0)

    def about(self, source: ModelSource, part: str) -> AdapterPatch | None:
        """What a denoiser is made of, None for any other part."""
        return AdapterPatch(self.file, self.strength) if part in source.family.denoisers else None

    def digest(self) -> str:
        """Identity of the content."""
        shown = "" if self.shown is None else self.shown.digest()
        return f"ip-adapter {file_digest(self.file.path)} {self.strength!r} {self.start!r} {self.end!r} {shown}"

    def __str__(self) -> str:
        """What it is, in a line."""
        share = f", steps {self.start:g} to {self.end:g}" if self.is_timed else ""
        return f"{self.file.path.name} at {self.strength:g}{share}"


Patch = LoraPatch | EmbeddingPatch | FreeUPatch | AdapterPatch | WeakPatch | TunePatch | CachePatch | TilePatch


def check_denoiser(source: ModelSource, at: str) -> None:
    """Refuse a model whose pipeline builds its denoiser anew, which would lose patches. Raises `bad_value`."""
    if "motion_adapter" in source.family.denoisers:
        what = f"A {source.pipeline_class} builds its denoiser from two parts, where a patch would be lost."
        raise PatchbayError(Code.BAD_VALUE, at, what, "Use it without.")


def check_unet(source: ModelSource, at: str) -> None:
    """Refuse a model that FreeU is not made for. Raises `bad_value`."""
    check_denoiser(source, at)
    if "unet" not in source.family.denoisers:
        what = f"FreeU changes the skips of a UNet, and {source.name} is a {source.pipeline_class} without one."
        raise PatchbayError(Code.BAD_VALUE, at, what, "Use it with Stable Diffusion 1, 2 or XL.")
