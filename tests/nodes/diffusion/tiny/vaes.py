"""Tiny random autoencoders."""

import diffusers
import torch


def kl(channels=4, levels=2, **options):
    """The plain autoencoder for pictures; `levels` of 2 halve the sides once."""
    return diffusers.AutoencoderKL(
        block_out_channels=(8, 16, 16, 16)[:levels],
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        latent_channels=channels,
        norm_num_groups=4,
        layers_per_block=1,
        sample_size=32,
        **options,
    )


def flow(channels=4, levels=2, **options):
    """The plain autoencoder as models of flow matching have it, with a shift."""
    settings = {"scaling_factor": 0.3611, "shift_factor": 0.1159, **options}
    return kl(channels, levels, use_quant_conv=False, use_post_quant_conv=False, **settings)


def dc(channels=4):
    """The deterministic one of high compression."""
    return diffusers.AutoencoderDC(
        latent_channels=channels,
        attention_head_dim=2,
        encoder_block_types=("ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        encoder_qkv_multiscales=((), (5,)),
        decoder_qkv_multiscales=((), (5,)),
        encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=(1, 1),
        upsample_block_type="interpolate",
        downsample_block_type="conv",
        decoder_norm_types="rms_norm",
        decoder_act_fns="silu",
        scaling_factor=0.41407,
    )


def qwen(channels=4):
    return diffusers.AutoencoderKLQwenImage(
        base_dim=24,
        z_dim=channels,
        dim_mult=[1, 2, 4],
        num_res_blocks=1,
        temperal_downsample=[False, True],
        latents_mean=[0.1 * index for index in range(channels)],
        latents_std=[1.0 + 0.5 * index for index in range(channels)],
    )


def wan(channels=16):
    mean, std = [0.1 * (index % 5) for index in range(channels)], [1.0 + 0.1 * index for index in range(channels)]
    return diffusers.AutoencoderKLWan(
        base_dim=3,
        z_dim=channels,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=mean,
        latents_std=std,
    )


def flux2(channels=4):
    """With statistics of its own for each of the four numbers that a channel is folded into."""
    vae = diffusers.AutoencoderKLFlux2(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=channels,
        norm_num_groups=4,
        layers_per_block=1,
        sample_size=32,
    )
    vae.bn.running_mean.copy_(torch.linspace(-0.2, 0.3, 4 * channels))
    vae.bn.running_var.copy_(torch.linspace(0.7, 1.6, 4 * channels))
    return vae


def movq(widths=(32, 64)):
    plain = len(widths) - 1
    return diffusers.VQModel(
        block_out_channels=widths,
        down_block_types=("DownEncoderBlock2D",) * plain + ("AttnDownEncoderBlock2D",),
        up_block_types=("AttnUpDecoderBlock2D",) + ("UpDecoderBlock2D",) * plain,
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=8,
        num_vq_embeddings=12,
        norm_type="spatial",
        vq_embed_dim=4,
    )
