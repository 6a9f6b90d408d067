"""Noise that depends on a seed and a shape, and on nothing else.

It is drawn on the CPU in single precision and then converted, so every device starts from the same numbers. Sample i
of a batch has a generator of its own, seeded with `seed + i`: alone it comes out the same as among others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

_SEEDS = 2**63


def generators(seed: int, batch: int) -> list[torch.Generator]:
    """One CPU generator for each of `batch` samples, seeded with `seed`, `seed + 1` and so on."""
    return [generator(seed + index) for index in range(batch)]


def generator(seed: int) -> torch.Generator:
    """A CPU generator with this seed, modulo 2**63."""
    return torch.Generator("cpu").manual_seed(seed % _SEEDS)


def draw(shape: Sequence[int], own: Sequence[torch.Generator], dtype: torch.dtype) -> torch.Tensor:
    """Standard normal noise [len(own), *shape], sample i drawn from generator i."""
    samples = [torch.randn(1, *shape, generator=each, dtype=torch.float32) for each in own]
    return torch.cat(samples).to(dtype)


def added(scheduler: Any, index: int, samples: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """Latents with the noise of the scheduler's timestep number `index`."""
    timestep = scheduler.timesteps[index : index + 1].repeat(len(samples))
    if hasattr(scheduler, "scale_noise"):  # flow matching
        mixed: torch.Tensor = scheduler.scale_noise(samples, timestep, drawn)
    elif scheduler.config.get("prediction_type") == "trigflow":  # its timesteps are angles
        angle = timestep.view(-1, *[1] * (samples.ndim - 1)).to(samples.device)
        mixed = torch.cos(angle) * samples + torch.sin(angle) * drawn
    else:
        mixed = scheduler.add_noise(samples, drawn, timestep)
    return mixed
