"""The training of the UNet and the text encoder, together, on the cached latents."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Any

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import CLIPTextConfig, CLIPTextModel

from nodes.pocket import draw, latents
from nodes.pocket.captions import caption
from nodes.pocket.growth import grow
from nodes.pocket.learner import Learner
from nodes.pocket.vocabulary import LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from transformers import CLIPTokenizer

    from nodes.pocket.clock import Clock
    from nodes.pocket.learner import Look
    from nodes.pocket.network import Network

BATCH = 48
RATE = 2e-3
EMPTY = 0.1
"""The share of captions that are left out, which is what guidance later compares with (arXiv:2207.12598)."""

WIDTH = 128
"""The text encoder's width, and so what the UNet's attention reads."""

CHANNELS = (64, 64, 128, 144)
"""The UNet's channels at 32, 16, 8 and 4 latents a side: few where each costs most."""

HEADS = (2, 2, 4, 4)
"""Attention heads at the same sides."""


_ATTENTION = SDPBackend.MATH
"""Written out, attention this small is faster to learn through than the fused one."""


class Denoiser(nn.Module):
    """The two networks that learn together."""

    def __init__(self, tokenizer: CLIPTokenizer, *, coarse: bool = False) -> None:
        super().__init__()
        self.coarse = coarse
        """Whether it sees latents averaged over 2 x 2 only, and lacks the UNet's outer level."""
        self.text_encoder: Network = CLIPTextModel(_text_config(tokenizer))
        self.unet: Network = _unet(outer=not coarse)

    def forward(self, noisy: torch.Tensor, times: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """The velocity at noisy latents [batch, 4, h, w] of time steps [batch] and token ids [batch, 32]."""
        states = self.text_encoder(ids).last_hidden_state
        found: torch.Tensor = self.unet(noisy, times, states, return_dict=False)[0]
        return found


def scheduler() -> Network:
    """The noise schedule, Stable Diffusion's with a stronger end, for at 32 x 32 latents a trace of the picture stayed.

    Halfway 31 % of the picture's amplitude is left; linear betas with the same end left 20 %, too little for
    image-to-image at half strength to keep its layout.
    """
    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.03,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


def fit(
    model: Denoiser,
    folder: Path,
    tokenizer: CLIPTokenizer,
    clock: Clock,
    device: torch.device,
    measure: Callable[[Denoiser], dict[str, Any]],
    look_every: float,
) -> Iterator[Look | None]:
    """Train until the clock is up, from where the last process left off.

    Yields after each step, now and then a look with what `measure` says of the averaged networks.
    """
    file, batch, last = (
        (folder / "coarse.pt", 2 * BATCH, 0.2) if model.coarse else (folder / "denoiser.pt", BATCH, 0.01)
    )
    learner = Learner(
        model, file, clock, device, RATE, apart=("conv_in", "conv_out", "embedding"), look_every=look_every
    )
    cached = latents.read(folder / "latents").to(device)
    pictures = [latents.picture(index) for index in range(len(cached))]
    random, noise = Random(learner.step), scheduler()
    while clock.progress < 1:
        chosen = random.choices(range(len(pictures)), k=batch)
        words = ["" if random.random() < EMPTY else caption(pictures[index], random) for index in chosen]
        clean = cached[chosen].float()
        with torch.autocast(device.type, torch.bfloat16), sdpa_kernel(_ATTENTION):
            loss = _loss(learner.model, noise, clean, token_ids(tokenizer, words).to(device))
        learner.learn(loss, share=_share(clock.progress, learner.step, last), shown=loss)
        yield learner.look(measure) if learner.is_time_to_look() else None
    yield learner.look(measure)


def grown(coarse: Denoiser, tokenizer: CLIPTokenizer) -> Denoiser:
    """The whole networks, with all that the coarse ones learned."""
    model = Denoiser(tokenizer)
    model.text_encoder.load_state_dict(coarse.text_encoder.state_dict())
    grow(coarse.unet.cpu(), model.unet)
    return model


def token_ids(tokenizer: CLIPTokenizer, words: list[str]) -> torch.Tensor:
    """Token ids [texts, 32], as the pipeline makes them."""
    read = tokenizer(words, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
    ids: torch.Tensor = read.input_ids
    return ids


def _loss(model: Denoiser, noise: Network, clean: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """The velocity's mean squared error (Salimans and Ho, arXiv:2202.00512), its time steps spread evenly."""
    count = len(clean)
    spread = (torch.arange(count) + torch.rand(count)) / count
    times = (spread * len(noise.alphas_cumprod)).long().to(clean.device)
    drawn = torch.randn_like(clean)
    if model.coarse:
        clean, drawn = (nn.functional.avg_pool2d(each, 2) for each in (clean, drawn))
    noisy = noise.add_noise(clean, drawn, times).contiguous(memory_format=torch.channels_last)
    error = model(noisy, times, ids).float() - noise.get_velocity(clean, drawn, times)
    loss: torch.Tensor = error.square().mean()
    return loss


def _share(progress: float, step: int, last: float) -> float:
    """The learning rate's course: up for 150 steps, level for a third of the time, then half a cosine to `last`."""
    fall = 0.5 * (1 - math.cos(math.pi * max(0.0, progress - 1 / 3) * 1.5))
    return min(1.0, (step + 1) / 150) * (1 - (1 - last) * fall)


def _text_config(tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        hidden_act="gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _unet(*, outer: bool) -> Network:
    """A UNet with attention at 8 x 8 latents and in the middle, whose residual branches start at zero."""
    first = 0 if outer else 1
    unet: Network = UNet2DConditionModel(
        sample_size=draw.SIDE // 8 // (1 + first),
        in_channels=4,
        out_channels=4,
        conv_in_kernel=3 if outer else 1,
        conv_out_kernel=3 if outer else 1,
        layers_per_block=1,
        block_out_channels=CHANNELS[first:],
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D")[first:],
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D")[: 4 - first],
        cross_attention_dim=WIDTH,
        attention_head_dim=HEADS[first:],
        norm_num_groups=8,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
    )
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if name.endswith(("conv2.weight", "proj_out.weight", "conv_out.weight")):
                parameter.zero_()
    return unet.to(memory_format=torch.channels_last)
