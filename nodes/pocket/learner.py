"""A model that learns: its optimiser, its moving average, and the checkpoint it goes on from."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

import torch

from nodes.pocket.muon import Optimiser
from nodes.pocket.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nodes.pocket.clock import Clock

Look = tuple[dict[str, Any], Network]
"""A row of the table and the averaged model that it is about."""

AVERAGE = 0.999
"""How much of the averaged weights each step keeps; less at the start, while there is little to average."""

LOOK_EVERY = 60.0
"""Seconds of training between two looks at the averaged model."""


class Learner:
    """Trains `model` and keeps `average`, the moving average of its weights, which is what is used in the end."""

    def __init__(  # what a training is made of
        self,
        model: Network,
        file: Path,
        clock: Clock,
        device: torch.device,
        rate: float,
        apart: tuple[str, ...],
        *,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self.model = model.to(device)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(requires_grad=False)
        self.step = 0
        self._optimiser = Optimiser(self.model, rate, apart)
        self._file = file
        self._clock = clock
        self._shown = 0.0
        self._every = look_every
        if file.exists():
            self._resume(device)
        self._looked = clock.used

    def learn(self, loss: torch.Tensor, share: float, shown: torch.Tensor) -> None:
        """One step with `share` of the full learning rate; `shown` is the number that the table shows as loss."""
        self._optimiser.step(loss, share)
        self.step += 1
        keep = min(AVERAGE, (1 + self.step) / (12 + self.step))
        averages, parameters = list(self.average.parameters()), list(self.model.parameters())
        with torch.no_grad():
            torch._foreach_lerp_(averages, parameters, 1 - keep)
        fresh = max(0.02, 1 / self.step)
        self._shown += fresh * (float(shown.detach()) - self._shown)

    def is_time_to_look(self) -> bool:
        """Whether the last look was a while ago."""
        return self._clock.used - self._looked > self._every

    def look(self, measure: Callable[[Network], dict[str, Any]]) -> Look:
        """A row of the table, with what `measure` says, and the averaged model; saves the checkpoint first."""
        since = self._clock.used
        self.save()
        row = {
            "step": self.step,
            "minutes": round(since / 60, 1),
            "time": time.strftime("%H:%M"),
            "loss": round(self._shown, 4),
            **measure(self.average),
        }
        self._clock.without(since)
        self._looked = self._clock.used
        return row, self.average

    def save(self) -> None:
        """Write the checkpoint; a process killed meanwhile leaves the former one whole."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self.step,
            "used": self._clock.used,
            "shown": self._shown,
        }
        fresh = self._file.with_suffix(".fresh")
        torch.save(state, fresh)
        fresh.replace(self._file)

    def _resume(self, device: torch.device) -> None:
        state = torch.load(self._file, map_location=device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.step, self._shown = state["step"], state["shown"]
        self._clock.resume(state["used"])
