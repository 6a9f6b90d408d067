"""What patches have in common: pure data that says what becomes of a part of a model. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from nodes.diffusion.disk.source import ModelSource


@dataclass(frozen=True, slots=True)
class SettingsPatch:
    """A patch that is its settings alone, and changes a model's denoisers."""

    @property
    def numbers(self) -> int:
        """How many numbers it adds to the memory of a part, at most."""
        return 0

    @property
    def owns_weights(self) -> bool:
        """Whether it holds the weights in another way, so that they cannot be those of the plain model."""
        return False

    @property
    def alone(self) -> bool:
        """Whether one run at a time can use what it makes: something of a run is kept in it."""
        return False

    def concerns(self, source: ModelSource, part: str) -> bool:
        """Whether it changes this part."""
        return part in source.family.denoisers

    def about(self, source: ModelSource, part: str) -> Self | None:
        """Itself for a part that it changes, None for any other."""
        return self if self.concerns(source, part) else None

    def digest(self) -> str:
        """Identity of the content."""
        return repr(self)
