"""How the predictions for and against a prompt become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.inspection import Fact, Inspection
from nodes.types.dials import GuiderName
from nodes.types.models import Denoiser


@dataclass(frozen=True, slots=True)
class Weakening:
    """A weaker prediction, which guidance leads away from, and how strongly.

    `way` says where it comes from. From the model itself with some layers weakened: in self-attention every place sees
    only itself ("attention") or asks for the same ("queries"), or blocks are left out ("blocks"). `layers` are patterns
    of their names; none means the family's usual ones. Or from another `model` ("model"). It acts from the share
    `start` of the steps to the share `end`.
    """

    way: Literal["attention", "queries", "blocks", "model"]
    layers: tuple[str, ...]
    strength: float
    start: float = 0.0
    end: float = 1.0
    model: Denoiser[Any] | None = None

    def __str__(self) -> str:
        """What it is, in a line."""
        if self.model is not None:
            return f"{self.model.source.name} at {self.strength:g}"
        return f"{', '.join(self.layers) or 'the usual ones'} at {self.strength:g}"


@dataclass(frozen=True, slots=True)
class Guider:
    """A choice of how the predictions for and against a prompt become one, with its settings by our names.

    With a `weakening` a third prediction takes part.
    """

    name: GuiderName
    settings: Mapping[str, float] = field(default_factory=dict)
    weakening: Weakening | None = None

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Its name and what was set."""
        weak = () if self.weakening is None else (Fact(f"weakened {self.weakening.way}", str(self.weakening)),)
        return Inspection((Fact("guider", self.name), *(Fact(n, f"{v:g}") for n, v in self.settings.items()), *weak))
