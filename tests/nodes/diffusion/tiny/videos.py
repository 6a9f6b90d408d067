"""Families that draw videos."""

import diffusers
import transformers

from tests.nodes.diffusion.tiny import encoders, vaes, words
from tests.nodes.diffusion.tiny.dits import flow_by_size, flow_match


def wan_transformer(cls=diffusers.WanTransformer3DModel, **options):
    sizes = {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "in_channels": 16,
        "out_channels": 16,
        "text_dim": 32,
        "freq_dim": 32,
        "ffn_dim": 32,
        "num_layers": 2,
        "cross_attn_norm": True,
        "rope_max_seq_len": 32,
    }
    return cls(**{**sizes, **options})


def wan():
    return {
        "transformer": wan_transformer(qk_norm="rms_norm_across_heads"),
        "transformer_2": None,
        "scheduler": diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        "vae": vaes.wan(),
        "text_encoder": encoders.umt5(),
        "tokenizer": words.t5(),
    }


def skyreels():
    parts = {name: part for name, part in wan().items() if name != "transformer_2"}
    transformer = wan_transformer(diffusers.SkyReelsV2Transformer3DModel, qk_norm="rms_norm_across_heads")
    return {**parts, "transformer": transformer}


def anyflow():
    parts = {name: part for name, part in wan().items() if name != "transformer_2"}
    return {
        **parts,
        "transformer": wan_transformer(diffusers.AnyFlowTransformer3DModel),
        "scheduler": diffusers.FlowMapEulerDiscreteScheduler(),
    }


def ltx():
    return {
        "transformer": diffusers.LTXVideoTransformer3DModel(
            in_channels=8,
            out_channels=8,
            patch_size=1,
            patch_size_t=1,
            num_attention_heads=4,
            attention_head_dim=8,
            cross_attention_dim=32,
            num_layers=1,
            caption_channels=32,
        ),
        "scheduler": flow_by_size(),
        "vae": diffusers.AutoencoderKLLTXVideo(
            latent_channels=8,
            block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8, 8),
            layers_per_block=(1, 1, 1, 1, 1),
            decoder_layers_per_block=(1, 1, 1, 1, 1),
            spatio_temporal_scaling=(True, True, False, False),
            decoder_spatio_temporal_scaling=(True, True, False, False),
            decoder_inject_noise=(False, False, False, False, False),
            upsample_residual=(False, False, False, False),
            upsample_factor=(1, 1, 1, 1),
            timestep_conditioning=False,
            patch_size=1,
            patch_size_t=1,
            encoder_causal=True,
            decoder_causal=False,
        ),
        "text_encoder": encoders.t5(),
        "tokenizer": words.t5(),
    }


def ltx_condition():
    return {**ltx(), "scheduler": flow_match(shift=1.0)}


def hunyuan_video():
    return {
        "transformer": diffusers.HunyuanVideoTransformer3DModel(
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=10,
            num_layers=1,
            num_single_layers=1,
            num_refiner_layers=1,
            patch_size=1,
            patch_size_t=1,
            guidance_embeds=True,
            text_embed_dim=16,
            pooled_projection_dim=8,
            rope_axes_dim=(2, 4, 4),
        ),
        "scheduler": flow_match(shift=7.0),
        "vae": diffusers.AutoencoderKLHunyuanVideo(
            latent_channels=4,
            down_block_types=("HunyuanVideoDownBlock3D",) * 4,
            up_block_types=("HunyuanVideoUpBlock3D",) * 4,
            block_out_channels=(8, 8, 8, 8),
            layers_per_block=1,
            norm_num_groups=4,
            scaling_factor=0.476986,
            spatial_compression_ratio=8,
            temporal_compression_ratio=4,
            mid_block_add_attention=True,
        ),
        "text_encoder": encoders.llama(16, transformers.LlamaModel),
        "tokenizer": words.generic(),
        "text_encoder_2": encoders.clip(8),
        "tokenizer_2": words.clip(),
    }


def cogvideox():
    return {
        "transformer": diffusers.CogVideoXTransformer3DModel(
            num_attention_heads=4,
            attention_head_dim=16,
            in_channels=4,
            out_channels=4,
            time_embed_dim=2,
            text_embed_dim=32,
            num_layers=1,
            sample_width=4,
            sample_height=4,
            sample_frames=9,
            patch_size=2,
            temporal_compression_ratio=4,
            max_text_seq_length=226,
            use_rotary_positional_embeddings=True,
        ),
        "scheduler": diffusers.CogVideoXDDIMScheduler(
            beta_schedule="scaled_linear", prediction_type="v_prediction", rescale_betas_zero_snr=True,
            timestep_spacing="trailing", set_alpha_to_one=True, snr_shift_scale=1.0,
        ),
        "vae": diffusers.AutoencoderKLCogVideoX(
            down_block_types=("CogVideoXDownBlock3D",) * 4,
            up_block_types=("CogVideoXUpBlock3D",) * 4,
            block_out_channels=(8, 8, 8, 8),
            latent_channels=4,
            layers_per_block=1,
            norm_num_groups=2,
            temporal_compression_ratio=4,
        ),
        "text_encoder": encoders.t5(),
        "tokenizer": words.t5(),
    }  # fmt: skip


def mochi():
    return {
        "transformer": diffusers.MochiTransformer3DModel(
            patch_size=2,
            num_attention_heads=2,
            attention_head_dim=8,
            num_layers=2,
            pooled_projection_dim=16,
            in_channels=12,
            text_embed_dim=32,
            time_embed_dim=4,
            max_sequence_length=16,
        ),
        "scheduler": flow_match(shift=1.0, invert_sigmas=True),
        "vae": diffusers.AutoencoderKLMochi(
            latent_channels=12,
            out_channels=3,
            encoder_block_out_channels=(32, 32, 32, 32),
            decoder_block_out_channels=(32, 32, 32, 32),
            layers_per_block=(1, 1, 1, 1, 1),
        ),
        "text_encoder": encoders.t5(),
        "tokenizer": words.t5(),
    }


def sana_video():
    return {
        "transformer": diffusers.SanaVideoTransformer3DModel(
            in_channels=16,
            out_channels=16,
            num_attention_heads=2,
            attention_head_dim=12,
            num_layers=2,
            num_cross_attention_heads=2,
            cross_attention_head_dim=12,
            cross_attention_dim=24,
            caption_channels=32,
            sample_size=8,
            patch_size=(1, 2, 2),
        ),
        "scheduler": flow_match(),
        "vae": vaes.wan(),
        "text_encoder": encoders.gemma2(),
        "tokenizer": words.gemma(),
    }


def easyanimate():
    return {
        "transformer": diffusers.EasyAnimateTransformer3DModel(
            num_attention_heads=2,
            attention_head_dim=16,
            in_channels=4,
            out_channels=4,
            time_embed_dim=2,
            text_embed_dim=32,
            num_layers=1,
            sample_width=16,
            sample_height=16,
            patch_size=2,
        ),
        "scheduler": flow_match(),
        "vae": diffusers.AutoencoderKLMagvit(
            latent_channels=4,
            block_out_channels=(8, 8, 8, 8),
            down_block_types=["SpatialDownBlock3D", *["SpatialTemporalDownBlock3D"] * 3],
            up_block_types=["SpatialUpBlock3D", *["SpatialTemporalUpBlock3D"] * 3],
            layers_per_block=1,
            norm_num_groups=2,
            spatial_group_norm=False,
        ),
        "text_encoder": encoders.qwen2_vl(),
        "tokenizer": words.byte_level(),
    }


def latte():
    return {
        "tokenizer": words.t5(),
        "text_encoder": encoders.t5(),
        "vae": vaes.kl(),
        "transformer": diffusers.LatteTransformer3DModel(
            sample_size=16,
            num_layers=1,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=3,
            caption_channels=32,
            in_channels=4,
            cross_attention_dim=24,
            out_channels=8,
            attention_bias=True,
            activation_fn="gelu-approximate",
            num_embeds_ada_norm=1000,
            norm_type="ada_norm_single",
            norm_elementwise_affine=False,
            norm_eps=1e-6,
            video_length=2,
        ),
        "scheduler": diffusers.DDIMScheduler(beta_schedule="linear", clip_sample=False),
    }


def allegro():
    return {
        "tokenizer": words.t5(),
        "text_encoder": encoders.t5(),
        "vae": diffusers.AutoencoderKLAllegro(
            block_out_channels=(4, 4, 4, 4),
            layers_per_block=1,
            norm_num_groups=2,
            latent_channels=4,
            temporal_compression_ratio=4,
            sample_size=128,
        ),
        "transformer": diffusers.AllegroTransformer3DModel(
            num_attention_heads=2,
            attention_head_dim=12,
            num_layers=1,
            cross_attention_dim=24,
            caption_channels=32,
            sample_width=40,
            sample_height=40,
            sample_frames=6,
        ),
        "scheduler": diffusers.EulerAncestralDiscreteScheduler(beta_schedule="scaled_linear", beta_end=0.012),
    }
