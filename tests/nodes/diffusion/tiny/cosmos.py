"""Cosmos: worlds as videos, and pictures."""

import diffusers

from tests.nodes.diffusion.tiny import encoders, vaes, words
from tests.nodes.diffusion.tiny.dits import flow_match


def transformer(channels, **options):
    sizes = {
        "in_channels": channels,
        "out_channels": channels,
        "num_attention_heads": 2,
        "attention_head_dim": 16,
        "num_layers": 2,
        "mlp_ratio": 2,
        "text_embed_dim": 32,
        "adaln_lora_dim": 4,
        "max_size": (4, 32, 32),
        "patch_size": (1, 2, 2),
        "rope_scale": (2.0, 1.0, 1.0),
        "concat_padding_mask": False,  # it takes torchvision, and is nothing but zeros
        "extra_pos_embed_type": "learnable",
    }
    return diffusers.CosmosTransformer3DModel(**{**sizes, **options})


def first():
    return {
        "text_encoder": encoders.t5(),
        "tokenizer": words.t5(),
        "transformer": transformer(4),
        "vae": diffusers.AutoencoderKLCosmos(
            latent_channels=4,
            encoder_block_out_channels=(8, 8, 8, 8),
            decode_block_out_channels=(8, 8, 8, 8),
            attention_resolutions=(8,),
            resolution=64,
            num_layers=2,
            patch_size=4,
            patch_type="haar",
            scaling_factor=1.0,
            spatial_compression_ratio=4,
            temporal_compression_ratio=4,
            latents_mean=None,
            latents_std=None,
        ),
        "scheduler": diffusers.EDMEulerScheduler(
            sigma_min=0.002,
            sigma_max=80.0,
            sigma_data=0.5,
            sigma_schedule="karras",
            num_train_timesteps=1000,
            prediction_type="epsilon",
            rho=7.0,
            final_sigmas_type="sigma_min",
        ),
    }


def second():
    return {
        "text_encoder": encoders.t5(),
        "tokenizer": words.t5(),
        "transformer": transformer(16),
        "vae": vaes.wan(),
        "scheduler": flow_match(shift=1.0, use_karras_sigmas=True),
    }


def half():
    """The version after the second."""
    return {
        "text_encoder": encoders.qwen_vl(),
        "tokenizer": words.byte_level(),
        "transformer": transformer(
            17,
            out_channels=16,
            text_embed_dim=32,
            use_crossattn_projection=True,
            crossattn_proj_in_channels=96,
            encoder_hidden_states_channels=32,
        ),
        "vae": vaes.wan(),
        "scheduler": diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0
        ),
    }
