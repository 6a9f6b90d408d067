"""Families around a transformer that draw pictures, the youngest ones."""

import diffusers
import torch
import transformers

from tests.nodes.diffusion.tiny import encoders, vaes, words
from tests.nodes.diffusion.tiny.dits import flow_by_size, flow_match


def prx():
    return {
        "transformer": diffusers.PRXTransformer2DModel(
            in_channels=4,
            patch_size=2,
            context_in_dim=32,
            hidden_size=32,
            mlp_ratio=2.0,
            num_heads=2,
            depth=2,
            axes_dim=[8, 8],
        ),
        "scheduler": flow_match(),
        "vae": vaes.flow(),
        "text_encoder": encoders.t5_gemma(),
        "tokenizer": words.gemma(),
    }


def longcat():
    return {
        "transformer": diffusers.LongCatImageTransformer2DModel(
            patch_size=1,
            in_channels=64,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=[8, 4, 4],
        ),
        "scheduler": flow_by_size(),
        "vae": vaes.flow(16),
        "text_encoder": encoders.qwen_vl(),
        "tokenizer": words.byte_level(),
        "text_processor": None,
    }


def krea2():
    return {
        "transformer": diffusers.Krea2Transformer2DModel(
            in_channels=16,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            num_key_value_heads=1,
            intermediate_size=32,
            timestep_embed_dim=16,
            text_hidden_dim=32,
            num_text_layers=3,
            text_num_attention_heads=2,
            text_num_key_value_heads=2,
            text_intermediate_size=32,
            num_layerwise_text_blocks=1,
            num_refiner_text_blocks=1,
            axes_dims_rope=(8, 4, 4),
        ),
        "scheduler": flow_by_size(),
        "vae": vaes.qwen(),
        "text_encoder": encoders.qwen3_vl(),
        "tokenizer": words.byte_level(),
        "text_encoder_select_layers": (1, 2, 3),
    }


def bria():
    return {
        "transformer": diffusers.BriaTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            axes_dims_rope=[8, 4, 4],
        ),
        "scheduler": flow_match(),
        "vae": vaes.flow(),
        "text_encoder": encoders.t5(),
        "tokenizer": words.t5(),
        "image_encoder": None,
        "feature_extractor": None,
    }


def _nucleus_transformer():
    """Its class leaves the experts as memory happens to be, so they are filled in here."""
    transformer = diffusers.NucleusMoEImageTransformer2DModel(
        patch_size=2,
        in_channels=16,
        out_channels=4,
        num_layers=5,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        axes_dims_rope=(8, 4, 4),
        mlp_ratio=8.0,
        num_experts=4,
        capacity_factors=2.0,
        moe_intermediate_dim=16,
    )
    for name, parameter in transformer.named_parameters():
        if "experts" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    return transformer


def nucleus():
    return {
        "transformer": _nucleus_transformer(),
        "scheduler": flow_by_size(),
        "vae": vaes.qwen(),
        "text_encoder": encoders.qwen3_vl(cls=transformers.Qwen3VLForConditionalGeneration),
        "processor": words.byte_level(),
    }


def prx_pixel():
    """It works on pixels, and begins with twice the noise."""
    return {
        "transformer": diffusers.PRXTransformer2DModel(
            in_channels=3,
            patch_size=8,
            context_in_dim=32,
            hidden_size=32,
            mlp_ratio=2.0,
            num_heads=2,
            depth=2,
            axes_dim=[8, 8],
            bottleneck_size=16,
        ),
        "scheduler": flow_match(),
        "text_encoder": encoders.qwen3_vl_text(),
        "tokenizer": words.byte_level(),
        "default_sample_size": 32,
        "prompt_max_tokens": 32,
    }


def bria_fibo():
    """It reads every layer of its text encoder."""
    return {
        "transformer": diffusers.BriaFiboTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=64,
            axes_dims_rope=[8, 4, 4],
            text_encoder_dim=32,
        ),
        "scheduler": flow_by_size(),
        "vae": vaes.wan(),
        "text_encoder": encoders.smol(),
        "tokenizer": words.generic(),
    }


def _ideogram4_transformer():
    return diffusers.Ideogram4Transformer2DModel(
        in_channels=16,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        intermediate_size=32,
        adaln_dim=16,
        llm_features_dim=13 * 16,
        mrope_section=(4, 2, 2),
    )


def ideogram4():
    """It takes thirteen of its text encoder's 36 layers, and has a transformer for what it works against."""
    return {
        "scheduler": flow_match(shift=1.0),
        "vae": vaes.flux2(),
        "text_encoder": encoders.qwen3_vl(16, layers=36),
        "tokenizer": words.byte_level(),
        "transformer": _ideogram4_transformer(),
        "unconditional_transformer": _ideogram4_transformer(),
        "prompt_enhancer_head": None,
    }
