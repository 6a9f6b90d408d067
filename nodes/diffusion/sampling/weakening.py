"""A weaker denoiser beside the model's own: a third prediction, which guidance leads away from.

Perturbed attention (Ahn et al., "Self-Rectifying Diffusion Sampling with Perturbed-Attention Guidance", 2024), smoothed
attention (Hong, "Smoothed Energy Guidance", 2024, with the infinite blur that it recommends: each query is the mean of
all) and skipped blocks (Stability AI, Stable Diffusion 3.5): the layers belong to a second tree of modules over the
shared weights (`patching`), so no other run sees them. Or another model (Karras et al., "Guiding a Diffusion Model with
a Bad Version of Itself", 2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodes.diffusion.changes import weak_layers
from nodes.diffusion.changes.weak_layers import WeakPatch
from nodes.diffusion.memory.shelf import SHELF

if TYPE_CHECKING:
    from collections.abc import Hashable
    from contextlib import ExitStack

    from torch import Tensor

    from nodes.diffusion.disk.source import ModelSource
    from nodes.diffusion.schedules.shim import Position
    from nodes.diffusion.stages.denoiser_shim import Call
    from nodes.types import Weakening


class Weakened:
    """The weaker denoisers of a run, from the shelf. Each is that of a `source` with weakened layers, or of another."""

    def __init__(self, held: ExitStack, weakening: Weakening) -> None:
        self._held = held
        self._weakening = weakening
        self._live: dict[Hashable, Any] = {}

    def acts(self, position: Position) -> bool:
        """Whether it has its time. Blocks are skipped as in the stock class: between the two ends, which are out."""
        start, end = self._weakening.start, self._weakening.end
        if self._weakening.way != "blocks":
            return position.lies_in(start, end)
        return position.total * start < position.index < position.total * end

    def beside(self, call: Call, batch: int, source: ModelSource) -> tuple[Tensor, Tensor]:
        """What is said of a call, and what the weaker denoiser says of its last `batch` samples.

        Attention is perturbed in one call with the others, as the stock classes do; the other ways have a call of their
        own.
        """
        times = len(call.samples) // batch
        if self._weakening.way == "attention":
            said = self._asked(call.repeated(batch), source, against=times > 1)
            return said[:-batch], said[-batch:]
        return call.run(), self.alone(call.part(times - 1, times), source)

    def alone(self, call: Call, source: ModelSource) -> Tensor:
        """What the weaker denoiser says of a call that is for the prompt only."""
        if self._weakening.way != "attention":
            return self._asked(call, source, against=False)
        batch = len(call.samples)
        return self._asked(call.repeated(batch), source, against=False)[batch:]

    def _asked(self, call: Call, source: ModelSource, *, against: bool) -> Tensor:
        weak = self._weak(source, against=against)
        if (weak, call.name) not in self._live:
            self._live[weak, call.name] = self._held.enter_context(SHELF.use(weak, call.name))
        said: Tensor = call.to(self._live[weak, call.name]).run()
        return said

    def _weak(self, source: ModelSource, *, against: bool) -> ModelSource:
        weakening = self._weakening
        if weakening.model is not None:
            return weakening.model.source
        return source.patched(WeakPatch(weakening.way, weak_layers.usual(source, weakening), against))
