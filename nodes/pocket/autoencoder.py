"""The VAE's training: pictures to latents of an eighth of the side and back."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers import AutoencoderKL

from nodes.pocket import draw
from nodes.pocket.learner import Learner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from nodes.pocket.clock import Clock
    from nodes.pocket.learner import Look
    from nodes.pocket.network import Network

CROP = 64
"""The side of the crops that training mostly sees, in pixels."""

CROPS, WHOLES = 16, 2
"""How many crops or whole pictures make a batch."""

WHOLE_FROM = 0.75
"""Whole pictures follow the crops when this much of the time is over: group norms see other statistics in them."""

KL_WEIGHT = 3e-3
RATE = 2e-3


def build() -> Network:
    """An untrained VAE of 1.6 million parameters that starts out nearly linear and nearly without noise.

    Else hundreds of steps go into beating the noise first: the residual branches start at zero, the remaining
    convolutions keep the signal's size, and the standard deviation starts near 0.05.
    """
    vae: Network = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 32, 64, 96),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=1,
        sample_size=draw.SIDE,
        mid_block_add_attention=False,
        scaling_factor=1.0,
    )
    with torch.no_grad():
        for name, parameter in vae.named_parameters():
            if name.endswith("conv2.weight"):
                parameter.zero_()
            elif parameter.ndim == 4 and name.startswith(("encoder", "decoder")):  # noqa: PLR2004  # a convolution
                torch.nn.init.kaiming_normal_(parameter, nonlinearity="linear")
        vae.quant_conv.weight[:4] *= 2
        vae.quant_conv.weight[4:] *= 0.1
        vae.quant_conv.bias[4:] = -6.0
    return vae.to(memory_format=torch.channels_last)


def to_tensor(pictures: list[NDArray[np.uint8]], device: torch.device | str = "cpu") -> torch.Tensor:
    """Pictures as the VAE reads them: [batch, 3, height, width] from -1 to 1."""
    pixels = torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2)
    return (pixels.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def to_pictures(pixels: torch.Tensor) -> list[NDArray[np.uint8]]:
    """The way back from `to_tensor`."""
    found = ((pixels.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return list(found)


def fit(folder: Path, clock: Clock, device: torch.device) -> Iterator[Look | None]:
    """Train until the clock is up, from where the last process left off.

    Yields after each step, now and then a look.
    """
    learner = Learner(build(), folder / "vae.pt", clock, device, RATE, apart=("conv_in", "conv_out", "quant_conv"))
    random = Random(learner.step)
    tests = _tests()
    while clock.progress < 1:
        whole = clock.progress > WHOLE_FROM
        pixels = _jittered(to_tensor(_wholes(random) if whole else _crops(random), device), random)
        with torch.autocast(device.type, torch.bfloat16):
            loss, absolute = _loss(learner.model, pixels, clock.progress)
        learner.learn(loss, share=_share(clock.progress, learner.step), shown=absolute)
        yield learner.look(lambda model: round_trip(model, tests)) if learner.is_time_to_look() else None
    yield learner.look(lambda model: round_trip(model, tests))


def _share(progress: float, step: int) -> float:
    """The learning rate's course: up for 50 steps, then half a cosine down to a fiftieth."""
    return min(1.0, (step + 1) / 50) * (0.02 + 0.49 * (1 + math.cos(math.pi * progress)))


def _loss(vae: Network, pixels: torch.Tensor, progress: float) -> tuple[torch.Tensor, torch.Tensor]:
    """What to minimise, and the mean absolute error in it.

    Errors of pixels, absolute and squared; errors of the differences of neighbours, which keep edges sharp; and the
    divergence from a standard normal distribution (Kingma and Welling, arXiv:1312.6114), brought in slowly.
    """
    mean, logvar = vae.quant_conv(vae.encoder(pixels)).float().chunk(2, 1)
    logvar = logvar.clamp(-20, 5)
    drawn = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
    error = vae.decoder(vae.post_quant_conv(drawn)).float() - pixels
    absolute = error.abs().mean()
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    divergence = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
    weight = KL_WEIGHT * min(1.0, 0.1 + 3 * progress)
    return absolute + error.square().mean() + 0.5 * edges + weight * divergence, absolute


def _crops(random: Random) -> list[NDArray[np.uint8]]:
    """Crops of random pictures, mostly such that show an edge."""
    found: list[NDArray[np.uint8]] = []
    while len(found) < CROPS:
        pixels = draw.paint(draw.imagine(random))
        for _ in range(6):
            top, left = (random.randrange(draw.SIDE - CROP + 1) for _ in range(2))
            crop = pixels[top : top + CROP, left : left + CROP]
            if crop.std(axis=(0, 1)).max() > 8 or random.random() < 0.08:  # noqa: PLR2004
                found.append(crop)
    return random.sample(found, CROPS)


def _wholes(random: Random) -> list[NDArray[np.uint8]]:
    return [draw.paint(draw.imagine(random)) for _ in range(WHOLES)]


def _jittered(pixels: torch.Tensor, random: Random) -> torch.Tensor:
    """A third of the batches with channels exchanged and contrast changed, so that other colours pass as well."""
    if random.random() > 1 / 3:
        return pixels
    order = random.sample(range(3), 3)
    changed = pixels[:, order] * random.uniform(0.6, 1.0) + random.uniform(-0.2, 0.2)
    return changed.clamp(-1, 1).contiguous(memory_format=torch.channels_last)


def _tests() -> dict[str, torch.Tensor]:
    """Whole pictures of each kind to measure with, the same every time."""
    random = Random(1_000_003)
    return {
        kind: to_tensor([draw.paint(imagine(random, draw.HELD_OUT)) for _ in range(8)])
        for kind, imagine in draw.KINDS.items()
    }


@torch.inference_mode()
def round_trip(vae: Network, tests: dict[str, torch.Tensor]) -> dict[str, float]:
    """Peak signal-to-noise ratio in decibels after encoding and decoding, by kind, and the latents' statistics."""
    row: dict[str, float] = {}
    deviations, spread = [], []
    for kind, pixels in tests.items():
        found = vae.encode(pixels.to(vae.device)).latent_dist
        error = (vae.decode(found.mode()).sample.clamp(-1, 1) - pixels.to(vae.device)) / 2
        row[kind] = round(float((-10 * error.square().mean((1, 2, 3)).log10()).mean()), 2)
        deviations.append(found.std.mean())
        spread.append(found.mean.std())
    row["deviation"] = round(float(torch.stack(deviations).mean()), 4)
    row["spread"] = round(float(torch.stack(spread).mean()), 3)
    return row


@torch.no_grad()
def standardise(vae: Network, mean: torch.Tensor, deviation: torch.Tensor) -> None:
    """Fold a shift and a scale of each latent channel into the 1 x 1 convolutions around the latents.

    Afterwards latents that had this mean and deviation have mean 0 and deviation 1, so the scaling factor is 1.
    """
    before, after, channels = vae.quant_conv, vae.post_quant_conv, len(mean)
    before.weight[:channels] /= deviation.view(-1, 1, 1, 1)
    before.bias[:channels] = (before.bias[:channels] - mean) / deviation
    before.bias[channels:] -= 2 * deviation.log()
    after.bias += after.weight[:, :, 0, 0] @ mean
    after.weight *= deviation.view(1, -1, 1, 1)
