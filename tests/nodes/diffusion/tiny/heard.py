"""Sound beside a video: ours as a stock call gives it, which undoes the scaling of its latents."""

import torch

from nodes.diffusion.latents import sounding
from nodes.types import VAE


def video_as_stock(pipeline, latent):
    """The latents of the video as the stock call gives them."""
    vae = pipeline.vae
    return pipeline._denormalize_latents(latent.samples, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)


def as_stock(pipeline, latent):
    """The latents of the sound as the stock call gives them."""
    vae = pipeline.audio_vae
    packed = pipeline._pack_audio_latents(latent.sound)
    packed = pipeline._denormalize_audio_latents(packed, vae.latents_mean, vae.latents_std)
    return pipeline._unpack_audio_latents(packed, latent.sound.shape[2], num_mel_bins=latent.sound.shape[3])


def equal(source, pipeline, ours, heard):
    """Whether latents and sounds are those that two stock calls gave: one that was asked for latents, one for waves."""
    if not source.family.sound:
        return True, True
    latents, waves = heard
    sounds = torch.stack([sound.samples for sound in sounding.decode(VAE(source), ours)])
    return torch.equal(as_stock(pipeline, ours), latents), torch.equal(sounds, waves.float()) and bool(waves.any())
