"""The latents of the training pictures, encoded once and kept in shards.

Picture `i` is the one imagined from the seed `i`, so a shard holds latents only: what they show is imagined again.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file

from nodes.pocket import draw
from nodes.pocket.autoencoder import standardise, to_tensor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nodes.pocket.network import Network

SHARD = 1024
"""Pictures in a file."""

_BATCH = 16
_MEASURED = 256
"""Pictures from which the latents' mean and deviation are taken."""


def picture(index: int) -> draw.Picture:
    """What training picture `index` shows."""
    return draw.imagine(Random(index))


@torch.inference_mode()
def encode(vae: Network, indices: range) -> torch.Tensor:
    """The most likely latents of some training pictures: [pictures, 4, 32, 32]."""
    found = []
    for start in range(indices.start, indices.stop, _BATCH):
        batch = [draw.paint(picture(index)) for index in range(start, min(start + _BATCH, indices.stop))]
        with torch.autocast(vae.device.type, torch.bfloat16):
            mode = vae.encode(to_tensor(batch, vae.device)).latent_dist.mode()
        found.append(mode.float().cpu())
    return torch.cat(found)


def settle(vae: Network) -> None:
    """Give each channel of the VAE's latents mean 0 and deviation 1 over the training pictures."""
    sample = encode(vae, range(_MEASURED)).clone()
    standardise(vae, sample.mean((0, 2, 3)).to(vae.device), sample.std((0, 2, 3)).to(vae.device))


def write(vae: Network, folder: Path, pictures: int) -> Iterator[int]:
    """Encode the first `pictures` pictures where that is not done yet; yields how many are done."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, pictures, SHARD):
        file, stop = folder / f"{start:07}.safetensors", min(start + SHARD, pictures)
        if not file.exists():
            fresh = file.with_suffix(".fresh")
            save_file({"latents": encode(vae, range(start, stop)).half().contiguous()}, fresh)
            fresh.replace(file)
        yield stop


def read(folder: Path) -> torch.Tensor:
    """All latents that are written, in the pictures' order."""
    files = sorted(folder.glob("*.safetensors"))
    return torch.cat([load_file(file)["latents"] for file in files])
