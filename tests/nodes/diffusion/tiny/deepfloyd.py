"""Tiny DeepFloyd IF: models that draw on pixels, small pictures first and larger ones after them."""

import diffusers

from tests.nodes.diffusion.tiny import encoders, words


def first(**options):
    return {
        "unet": unet(**options),
        "scheduler": schedule(thresholding=True, dynamic_thresholding_ratio=0.95, sample_max_value=1.0),
        "text_encoder": encoders.t5(),
        "tokenizer": words.t5(),
        "safety_checker": None,
        "feature_extractor": None,
        "watermarker": None,
        "requires_safety_checker": False,
    }


def larger():
    """Its UNet reads a smaller picture beside its own, and how much noise that was given."""
    return {**first(in_channels=6, class_embed_type="timestep"), "image_noising_scheduler": schedule()}


def unet(**options):
    sizes = {
        "sample_size": 32,
        "in_channels": 3,
        "out_channels": 6,
        "layers_per_block": 1,
        "block_out_channels": (32, 64),
        "down_block_types": ("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
        "up_block_types": ("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        "cross_attention_dim": 32,
        "encoder_hid_dim": 32,
        "attention_head_dim": 8,
        "addition_embed_type": "text",
        "addition_embed_type_num_heads": 2,
        "cross_attention_norm": "group_norm",
        "resnet_time_scale_shift": "scale_shift",
        "act_fn": "gelu",
    }
    return diffusers.UNet2DConditionModel(**{**sizes, **options})


def schedule(**options):
    return diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2", variance_type="learned_range", **options)
