"""What leads from noise to a picture: schedulers, samplers and noise levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic

from engine.inspection import Fact, Inspection
from nodes.types.kinds import K


@dataclass(frozen=True, slots=True)
class Scheduler(Generic[K]):
    """A choice of scheduler: pure data, never a live object.

    `base` is the configuration it inherits (the model's own, by `from_config`), `options` are what the user set.
    `family` is the pipeline class that the configuration belongs to.
    """

    name: str
    kind: str
    base: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    family: str = ""

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Its name and what was set."""
        options = (Fact(name, repr(value)) for name, value in self.options.items())
        return Inspection((Fact("scheduler", self.name), *options))


@dataclass(frozen=True, slots=True)
class Sampler(Scheduler[K]):
    """A sampler of `nodes.diffusion.schedules.samplers` with its settings, in place of a Diffusers scheduler.

    Its noise levels are `sigmas`, in the model's own units and falling, or else those of the scheduler that the other
    fields describe.
    """

    sampler: str = "euler"
    settings: Mapping[str, float] = field(default_factory=dict)
    sigmas: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sigmas(Generic[K]):
    """Noise levels in the model's own units, from where sampling starts to where it ends: one more than steps.

    On a flow model they lie between 0 and 1; elsewhere they are standard deviations, about 14 at the start for Stable
    Diffusion. 0 is the finished picture.
    """

    values: tuple[float, ...]
    kind: str
    flow: bool = False

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """How many steps, and the first and last levels."""
        first, last = (f"{self.values[end]:.4g}" for end in (0, -1))
        return Inspection((Fact("steps", str(len(self.values) - 1)), Fact("from", first), Fact("to", last)))
