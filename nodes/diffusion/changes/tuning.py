"""How a model is run, as patches of it: pure data, part of its identity. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.patch import SettingsPatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodes.diffusion.disk.source import ModelSource

STORAGE_BYTES = 1
"""What a weight takes in either of the storages: both are of eight bits."""


TOGETHER: Final = "together"
ONE_BY_ONE: Final = "one by one"


@dataclass(frozen=True, slots=True)
class TunePatch(SettingsPatch):
    """How a denoiser computes: the backend of its attention, its blocks compiled, and how its weights are held.

    `attention` and `storage` are names of Diffusers and PyTorch, or empty for the model's own. With `offload` its
    weights stay in the machine's memory, and one of its "blocks" or "layers" at a time is on the device.
    `guidance_batch` says how it is asked for and against the prompt: `TOGETHER`, `ONE_BY_ONE`, or empty for the
    family's own way.
    """

    attention: str = ""
    channels_last: bool = False
    compiled: bool = False
    storage: str = ""
    offload: str = ""
    guidance_batch: str = ""

    noun: ClassVar = "tuning"

    @property
    def owns_weights(self) -> bool:
        """Whether it holds the weights in another way, so that they cannot be those of the plain model."""
        return self.channels_last or bool(self.storage or self.offload)

    @property
    def alone(self) -> bool:
        """Whether one run at a time can use it: stored weights are unpacked in place, and others come and go."""
        return bool(self.storage or self.offload)

    def __str__(self) -> str:
        """What it is, in a line."""
        said = {
            f"attention {self.attention}": self.attention,
            "channels last": self.channels_last,
            "blocks compiled": self.compiled,
            f"stored as {self.storage}": self.storage,
            f"{self.offload} brought one by one": self.offload,
            f"guided {self.guidance_batch}": self.guidance_batch,
        }
        return ", ".join(words for words, chosen in said.items() if chosen)


@dataclass(frozen=True, slots=True)
class CachePatch(SettingsPatch):
    """Work of a denoiser that is left out between steps: a method of `cache_table` and the settings that were given."""

    method: str
    settings: tuple[tuple[str, float], ...] = ()
    ratios: tuple[float, ...] = ()

    noun: ClassVar = "cache"

    @property
    def alone(self) -> bool:
        """Yes: what it remembers belongs to one run."""
        return True

    def __str__(self) -> str:
        """What it is, in a line."""
        return ", ".join([self.method, *(f"{name} {value:g}" for name, value in self.settings)])


@dataclass(frozen=True, slots=True)
class TilePatch(SettingsPatch):
    """How a VAE goes over large pictures: in tiles of `size` pixels a side (None: whole), and picture by picture.

    Neighbouring tiles share `overlap` of their side.
    """

    size: int | None
    overlap: float
    singly: bool

    noun: ClassVar = "tiles"

    def concerns(self, source: ModelSource, part: str) -> bool:
        """Whether it is the VAE."""
        return part == source.family.decoder

    def __str__(self) -> str:
        """What it is, in a line."""
        tiles = "" if self.size is None else f"{self.size} pixels, overlap {self.overlap:g}"
        return ", ".join(filter(None, [tiles, "picture by picture" if self.singly else ""]))


Lever = TunePatch | CachePatch | TilePatch


def check_once(patches: Iterable[object], lever: Lever, at: str) -> None:
    """Refuse a second lever of a kind: which of the two counts would be a guess. Raises `bad_value`."""
    for patch in patches:
        if type(patch) is type(lever):
            what = f"It has its {lever.noun} already: {patch}."
            raise PatchbayError(Code.BAD_VALUE, at, what, "Say all of it in one node.")
        if {type(patch), type(lever)} == {TunePatch, CachePatch}:
            _check_beside_cache(next(each for each in (patch, lever) if isinstance(each, TunePatch)), at)


def _check_beside_cache(patch: TunePatch, at: str) -> None:
    """Refuse a tuning that a cache works against. Raises `bad_value`."""
    if patch.compiled:
        what = "A cache decides anew at each step what is run, which would compile the blocks again and again."
        raise PatchbayError(Code.BAD_VALUE, at, what, "Use either the cache or compiled blocks.")
    if patch.guidance_batch:
        what = "A cache tells the predictions of a step apart by how the model is asked for them."
        raise PatchbayError(Code.BAD_VALUE, at, what, 'Use it with guidance_batch "as the model".')
