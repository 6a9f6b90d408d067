"""A denoiser with weakened layers beside the whole one: a third prediction, which guidance leads away from.

Perturbed attention (Ahn et al., "Self-Rectifying Diffusion Sampling with Perturbed-Attention Guidance", 2024) and
skipped blocks (Stability AI, Stable Diffusion 3.5). The layers belong to a second tree of modules over the shared
weights (`patching`), so no other run sees them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodes.diffusion import weak_layers
from nodes.diffusion.shelf import SHELF
from nodes.diffusion.weak_layers import WeakPatch

if TYPE_CHECKING:
    from contextlib import ExitStack

    from torch import Tensor

    from nodes.diffusion.denoiser_shim import Call
    from nodes.diffusion.shim import Position
    from nodes.diffusion.source import ModelSource
    from nodes.types import Weakening


class Weakened:
    """The denoisers of a run with weakened layers, from the shelf."""

    def __init__(self, held: ExitStack, pipeline: Any, weakening: Weakening) -> None:  # noqa: ANN401
        self._held = held
        self._source: ModelSource = pipeline.source
        self._weakening = weakening
        self._names = {
            id(getattr(pipeline, name)): name for name in self._source.family.denoisers if name in self._source.parts
        }
        self._live: dict[tuple[str, bool], Any] = {}

    def acts(self, position: Position) -> bool:
        """Whether it has its time. Blocks are skipped as in the stock class: between the two ends, which are out."""
        start, end = self._weakening.start, self._weakening.end
        if self._weakening.way == "attention":
            return position.lies_in(start, end)
        return position.total * start < position.index < position.total * end

    def beside(self, call: Call, batch: int) -> tuple[Tensor, Tensor]:
        """What is said of a call, and what the weakened denoiser says of its last `batch` samples.

        Attention is perturbed in one call with the others, as the stock classes do; skipped blocks have a call of their
        own.
        """
        if self._weakening.way == "attention":
            said = self._asked(call.repeated(batch), against=len(call.samples) > batch)
            return said[:-batch], said[-batch:]
        said = call.run()
        return said, self.alone(call.part(len(call.samples) // batch - 1, len(call.samples) // batch))

    def alone(self, call: Call) -> Tensor:
        """What the weakened denoiser says of a call that is for the prompt only."""
        if self._weakening.way == "blocks":
            return self._asked(call, against=False)
        batch = len(call.samples)
        return self._asked(call.repeated(batch), against=False)[batch:]

    def _asked(self, call: Call, *, against: bool) -> Tensor:
        said: Tensor = self._denoiser(call.denoiser, against=against)(**call.arguments)[0]
        return said

    def _denoiser(self, whole: Any, *, against: bool) -> Any:  # noqa: ANN401
        """The weakened counterpart of a denoiser."""
        name = self._names[id(whole)]
        if (name, against) not in self._live:
            layers = weak_layers.usual(self._source, self._weakening)
            source = self._source.patched(WeakPatch(self._weakening.way, layers, against))
            self._live[name, against] = self._held.enter_context(SHELF.use(source, name))
        return self._live[name, against]
