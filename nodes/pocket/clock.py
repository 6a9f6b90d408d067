"""How far a stage of training is, by the work done rather than by the clock on the wall."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class Clock:
    """Counts the time that training really had.

    On a CPU that is processor time divided by the threads, so a process that is stopped or shares its cores with others
    loses nothing of its schedule. Elsewhere it is the time passed.
    """

    def __init__(self, minutes: float, device: torch.device) -> None:
        self._seconds = minutes * 60
        self._device = device
        self._before = 0.0
        self._start = self._now()

    @property
    def used(self) -> float:
        """Seconds of training so far."""
        return self._before + self._now() - self._start

    @property
    def progress(self) -> float:
        """From 0 (nothing done) to 1 (the time is up)."""
        return min(1.0, self.used / self._seconds)

    def resume(self, used: float) -> None:
        """Count on from the seconds that a former process used."""
        self._before, self._start = used, self._now()

    def without(self, since: float) -> None:
        """Leave out what passed since `used` was `since`: looking at samples is no training."""
        self._before -= self.used - since

    def _now(self) -> float:
        import torch

        if self._device.type == "cpu":
            return time.process_time() / torch.get_num_threads()
        return time.perf_counter()
