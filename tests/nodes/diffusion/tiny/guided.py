"""Families that bring a guider of their own."""

import diffusers
import transformers

from tests.nodes.diffusion.tiny import encoders, vaes, words
from tests.nodes.diffusion.tiny.dits import flow_by_size, flow_match


def _glyphs():
    """What reads the words that a picture is to show, byte by byte."""
    return transformers.ByT5Tokenizer(model_max_length=512)


def hunyuan_image(**options):
    """Its guider takes another formula after the first step, and remembers."""
    return {
        "scheduler": flow_match(shift=5.0),
        "vae": diffusers.AutoencoderKLHunyuanImage(
            in_channels=3,
            out_channels=3,
            latent_channels=4,
            block_out_channels=(32, 32),
            layers_per_block=1,
            spatial_compression_ratio=2,
            sample_size=32,
            scaling_factor=0.75289,
        ),
        "text_encoder": encoders.qwen_vl(),
        "tokenizer": words.byte_level(),
        "text_encoder_2": encoders.t5(),
        "tokenizer_2": _glyphs(),
        "transformer": diffusers.HunyuanImageTransformer2DModel(
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=16,
            num_layers=1,
            num_single_layers=1,
            num_refiner_layers=1,
            patch_size=(1, 1),
            text_embed_dim=32,
            text_embed_2_dim=32,
            rope_axes_dim=(8, 8),
            **options,
        ),
        "guider": diffusers.AdaptiveProjectedMixGuidance(adaptive_projected_guidance_start_step=0),
        "ocr_guider": diffusers.AdaptiveProjectedMixGuidance(adaptive_projected_guidance_start_step=1),
    }


def hunyuan_image_distilled():
    """No guider: its number goes into the model."""
    return {**hunyuan_image(guidance_embeds=True, use_meanflow=True), "guider": None, "ocr_guider": None}


def hunyuan_video_15():
    return {
        "text_encoder": encoders.qwen_vl_text(),
        "tokenizer": words.byte_level(),
        "transformer": diffusers.HunyuanVideo15Transformer3DModel(
            in_channels=9,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=16,
            num_layers=2,
            num_refiner_layers=1,
            text_embed_dim=32,
            text_embed_2_dim=32,
            image_embed_dim=8,
            rope_axes_dim=(4, 6, 6),
        ),
        "vae": diffusers.AutoencoderKLHunyuanVideo15(
            latent_channels=4,
            block_out_channels=(8, 8, 8, 8),
            layers_per_block=1,
            spatial_compression_ratio=8,
            temporal_compression_ratio=4,
        ),
        "scheduler": flow_match(shift=7.0),
        "text_encoder_2": encoders.t5(),
        "tokenizer_2": _glyphs(),
        "guider": diffusers.ClassifierFreeGuidance(guidance_scale=6.0),
    }


def motif_video():
    return {
        "scheduler": flow_by_size(),
        "vae": vaes.wan(),
        "text_encoder": encoders.t5_gemma(),
        "tokenizer": words.gemma(),
        "transformer": diffusers.MotifVideoTransformer3DModel(
            num_attention_heads=2,
            attention_head_dim=16,
            num_layers=1,
            num_single_layers=2,
            num_decoder_layers=1,
            text_embed_dim=32,
            rope_axes_dim=(4, 6, 6),
        ),
        "guider": diffusers.AdaptiveProjectedGuidance(adaptive_projected_guidance_momentum=0.5, eta=0.0),
        "feature_extractor": None,
    }
