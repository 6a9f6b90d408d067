"""What a run is asked for: all but the arguments of the stock call that are told as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nodes.diffusion.sampling import windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from nodes.diffusion.disk.source import ModelSource
    from nodes.diffusion.schedules.shim import Window
    from nodes.types import BlankLatent, Conditioning, Guider, Image, Latent, Scheduler


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run is asked for, its prompts and settings of the stock call aside.

    `whole` says that shares of the steps are those of the whole schedule, of which `window` is run. `share` is what a
    scheduler is told of the noise, if it can be told. `own` are the generators of the pictures.
    """

    source: ModelSource
    latent: Latent[Any] | BlankLatent
    scheduler: Scheduler[Any] | str
    guidance: float
    options: Mapping[str, object]
    window: Window
    whole: bool
    share: float | None
    shown: tuple[Image, ...]
    guider: Guider | None
    own: list[torch.Generator]

    @property
    def in_parts(self) -> bool:
        """Whether it is a part of a run."""
        return windows.is_part(self.latent, self.window)


@dataclass(frozen=True, slots=True)
class Prompts:
    """The prompts as they are told, a negative also where the run is not guided by it."""

    positive: Conditioning[Any]
    negative: Conditioning[Any] | None
    is_guided: bool
