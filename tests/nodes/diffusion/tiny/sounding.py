"""Families that make sound."""

import diffusers
import torch
from diffusers.pipelines.ltx2 import LTX2TextConnectors
from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder

from tests.nodes.diffusion.tiny import encoders, words
from tests.nodes.diffusion.tiny.dits import flow_match


def _transformer():
    return diffusers.LTX2VideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        audio_in_channels=4,
        audio_out_channels=4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=4,
        audio_cross_attention_dim=8,
        num_layers=2,
        caption_channels=16,
        rope_double_precision=False,
    )


def _connectors():
    sizes = {}
    for side, width in (("video", 8), ("audio", 8)):
        sizes |= {
            f"{side}_connector_num_attention_heads": 2,
            f"{side}_connector_attention_head_dim": width,
            f"{side}_connector_num_layers": 1,
            f"{side}_connector_num_learnable_registers": None,
        }
    return LTX2TextConnectors(
        caption_channels=16, text_proj_in_factor=3, connector_rope_base_seq_len=32, rope_double_precision=False, **sizes
    )


def _video_vae():
    return diffusers.AutoencoderKLLTX2Video(
        latent_channels=4,
        block_out_channels=(8,),
        decoder_block_out_channels=(8,),
        layers_per_block=(1, 1),
        decoder_layers_per_block=(1, 1),
        spatio_temporal_scaling=(True,),
        decoder_spatio_temporal_scaling=(True,),
        decoder_inject_noise=(False, False),
        downsample_type=("spatial",),
        upsample_residual=(False,),
        upsample_factor=(1,),
        timestep_conditioning=False,
        patch_size=1,
        patch_size_t=1,
        decoder_causal=False,
    )


def _sound_vae():
    return diffusers.AutoencoderKLLTX2Audio(
        base_channels=4,
        output_channels=2,
        ch_mult=(1,),
        num_res_blocks=1,
        attn_resolutions=None,
        in_channels=2,
        resolution=32,
        latent_channels=2,
        norm_type="pixel",
        causality_axis="height",
        dropout=0.0,
        mid_block_add_attention=False,
        sample_rate=16000,
        mel_hop_length=160,
        is_causal=True,
        mel_bins=8,
    )


def _vocoder():
    return LTX2Vocoder(
        in_channels=16,
        hidden_channels=32,
        out_channels=2,
        upsample_kernel_sizes=[4, 4],
        upsample_factors=[2, 2],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        output_sampling_rate=16000,
    )


def _scaled(vae):
    """A VAE whose latents have another mean and spread than those of the denoiser."""
    torch.nn.init.normal_(vae.latents_mean)
    torch.nn.init.uniform_(vae.latents_std, 0.5, 2.0)
    return vae


def ltx2():
    return {
        "transformer": _transformer(),
        "scheduler": flow_match(),
        "vae": _scaled(_video_vae()),
        "audio_vae": _scaled(_sound_vae()),
        "text_encoder": encoders.gemma3(16),
        "tokenizer": words.gemma(),
        "connectors": _connectors(),
        "vocoder": _vocoder(),
    }
