"""What a model's numbers mean: from its own time and prediction to noise levels and clean pictures, and back.

Every diffusion and flow model is the same thing in other units. `sigma` here is the noise level of Karras et al.
(2022): `x` is the picture plus `sigma` times noise. A variance-preserving model is given `x / sqrt(1 + sigma**2)`; a
flow model `x / (1 + sigma)`, and its own level is `sigma / (1 + sigma)`, which runs from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from nodes.diffusion.schedules.scheduler_table import FLOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

HIGHEST_FLOW = 1 - 1e-6
"""Level 1 of a flow model holds nothing of the picture, which is infinite noise here; this is as good as that."""


@dataclass(frozen=True)
class Process:
    """How one model counts time and what it predicts. `table` are its training noise levels, rising, by timestep.

    `straight` leaves a flow model's levels and `x` in its own space, for samplers that only follow the derivative.
    """

    prediction: str
    timesteps: int
    table: tuple[float, ...] = ()
    straight: bool = False

    @property
    def flow(self) -> bool:
        """Whether its own levels run from 0 to 1."""
        return self.prediction == FLOW

    def sigma_of(self, level: float) -> float:
        """The noise level in the space of the samplers for a `level` in the model's own units."""
        if not self.flow or self.straight:
            return level
        level = min(level, HIGHEST_FLOW)
        return level / (1 - level)

    def level_of(self, sigma: float) -> float:
        """The inverse of `sigma_of`."""
        return sigma / (1 + sigma) if self.flow and not self.straight else sigma

    def scale(self, sigma: float) -> float:
        """What `x` is divided by before the model gets it."""
        if self.flow:
            return 1.0 if self.straight else 1 + sigma
        return sqrt(1 + sigma**2)

    def timestep_of(self, sigma: float) -> float:
        """The model's time for a noise level; between its training levels by the logarithm, as k-diffusion does."""
        if self.flow:
            return self.timesteps * self.level_of(sigma)
        if sigma <= 0:
            return 0.0
        return float(np.interp(log(sigma), np.log(self.table), np.arange(len(self.table))))

    def noised(self, clean: Tensor, noise: Tensor, sigma: float) -> Tensor:
        """What the model is given for a clean picture at a noise level."""
        if self.flow:
            level = self.level_of(sigma)
            return clean * (1 - level) + noise * level
        return (clean + noise * sigma) / self.scale(sigma)

    def denoised(self, output: Tensor, x: Tensor, sigma: float) -> Tensor:
        """The clean picture that the model's `output` for `x` means."""
        if self.prediction == "sample":
            return output
        if self.prediction == "epsilon":
            return x - output * sigma
        if self.flow:
            return x / self.scale(sigma) - output * self.level_of(sigma)
        return x / (sigma**2 + 1) - output * (sigma / sqrt(sigma**2 + 1))


def process_of(live: Any, prediction: str) -> Process:  # noqa: ANN401  # diffusers does not type its schedulers
    """The process of the model that a live scheduler of Diffusers was configured for."""
    count = int(live.config.num_train_timesteps)
    if prediction == FLOW:
        return Process(prediction, count)
    kept = live.alphas_cumprod.double().clamp(min=2**-24)  # a last level without any signal would be infinite
    table = ((1 - kept) / kept).sqrt().tolist()
    return Process(prediction, count, tuple(table))


def falling(levels: Sequence[float]) -> bool:
    """Whether every level is below the one before it."""
    return all(before > after for before, after in zip((inf, *levels), levels, strict=False))
