"""What the user chooses for a whole run rather than in a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Device = Literal["auto", "cpu", "cuda", "mps"]
Dtype = Literal["auto", "float32", "float16", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices of the machine and the user; a graph never depends on them except in its numerics.

    `auto` picks the best device present, and half precision only where the device is made for it.
    Budgets are in bytes; `None` lets the device's own memory decide. `downloads` allows a hub id in a graph to fetch
    files; without it only what is on disk is used.
    """

    device: Device = "auto"
    dtype: Dtype = "auto"
    model_budget: int | None = None
    cache_budget: int = 2 << 30
    downloads: bool = False
    previews: bool = False

    @property
    def numerics(self) -> str:
        """What changes the bits of a result without being in the graph."""
        return f"{self.device}/{self.dtype}"
