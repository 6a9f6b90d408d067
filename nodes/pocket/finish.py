"""The trained parts as a model folder in the layout of Diffusers, in half precision."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from diffusers import StableDiffusionPipeline

from nodes.pocket import vocabulary
from nodes.pocket.denoiser import Denoiser, scheduler

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import CLIPTokenizer

    from nodes.pocket.network import Network


def save(folder: Path, vae: Network, model: Denoiser, tokenizer: CLIPTokenizer) -> None:
    """Write what `StableDiffusionPipeline.from_pretrained` reads, and the list of known words."""
    parts: dict[str, Network] = {"vae": vae, "text_encoder": model.text_encoder, "unet": model.unet}
    halves = {name: copy.deepcopy(part).to("cpu", torch.float16).eval() for name, part in parts.items()}
    pipeline: Network = StableDiffusionPipeline(
        **halves,
        tokenizer=tokenizer,
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    vocabulary.write_words(folder / "tokenizer", "pocket")
