"""Drawing with the networks while they learn: 20 DDIM steps with guidance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from nodes.pocket import draw
from nodes.pocket.autoencoder import to_pictures
from nodes.pocket.denoiser import Denoiser, scheduler, token_ids

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from transformers import CLIPTokenizer

    from nodes.pocket.network import Network

GUIDANCE, STEPS = 3.0, 20
_BATCH = 16


@torch.inference_mode()
def sample(model: Denoiser, vae: Network, tokenizer: CLIPTokenizer, prompts: list[str]) -> list[NDArray[np.uint8]]:
    """A picture for each prompt, from the same noise every time; a coarse model's latents are enlarged in the end."""
    device, side = next(model.parameters()).device, draw.SIDE // 8
    noise, found = torch.Generator().manual_seed(0), []
    for start in range(0, len(prompts), _BATCH):
        batch = prompts[start : start + _BATCH]
        states = model.text_encoder(token_ids(tokenizer, [*([""] * len(batch)), *batch]).to(device)).last_hidden_state
        latents = torch.randn(len(batch), 4, side, side, generator=noise).to(device)
        if model.coarse:
            latents = nn.functional.avg_pool2d(latents, 2)
        live = scheduler()
        live.set_timesteps(STEPS)
        for time in live.timesteps:
            twice = torch.cat([latents, latents]).contiguous(memory_format=torch.channels_last)
            without, with_words = model.unet(twice, time, states, return_dict=False)[0].chunk(2)
            latents = live.step(without + GUIDANCE * (with_words - without), time, latents).prev_sample
        if model.coarse:
            latents = nn.functional.interpolate(latents, scale_factor=2.0)
        found += to_pictures(vae.decode(latents.contiguous(memory_format=torch.channels_last)).sample)
    return found


def save_sheet(pictures: list[NDArray[np.uint8]], file: Path, columns: int = 8) -> None:
    """One PNG of all pictures at half size, row by row."""
    from PIL import Image

    rows = [np.concatenate(pictures[start : start + columns], 1) for start in range(0, len(pictures), columns)]
    sheet = Image.fromarray(np.concatenate([row for row in rows if row.shape == rows[0].shape]))
    sheet.reduce(2).save(file)
