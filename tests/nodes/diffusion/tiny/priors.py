"""Tiny models that draw in two parts: priors and decoders of Kandinsky."""

import diffusers
import transformers
from diffusers.pipelines.kandinsky.text_encoder import MCLIPConfig, MultilingualCLIP

from tests.nodes.diffusion.tiny import encoders, vaes, words

WIDTH = 32
"""The numbers of an embedding."""


def seeing():
    """What looks at pictures."""
    config = transformers.CLIPVisionConfig(
        hidden_size=32,
        projection_dim=WIDTH,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
    )
    return {
        "image_encoder": transformers.CLIPVisionModelWithProjection(config),
        "image_processor": transformers.CLIPImageProcessorPil(crop_size=32, size={"shortest_edge": 32}),
    }


def prior():
    return {
        **seeing(),
        "prior": diffusers.PriorTransformer(
            num_attention_heads=2, attention_head_dim=12, embedding_dim=WIDTH, num_layers=1
        ),
        "text_encoder": encoders.clip_projected(),
        "tokenizer": words.clip(),
        "scheduler": diffusers.UnCLIPScheduler(
            variance_type="fixed_small_log", prediction_type="sample", clip_sample_range=10.0
        ),
    }


def unet(**options):
    sizes = {
        "in_channels": 4,
        "out_channels": 8,
        "down_block_types": ("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
        "up_block_types": ("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        "block_out_channels": (32, 64),
        "layers_per_block": 1,
        "norm_num_groups": 8,
        "cross_attention_dim": 32,
        "attention_head_dim": 4,
        "resnet_time_scale_shift": "scale_shift",
        "encoder_hid_dim": WIDTH,
    }
    return diffusers.UNet2DConditionModel(**{**sizes, **options})


def scheduler(cls=diffusers.DDPMScheduler, **options):
    return cls(beta_start=0.00085, beta_end=0.012, clip_sample=False, **options)


def decoder(**options):
    return {
        "unet": unet(**{"encoder_hid_dim_type": "image_proj", "addition_embed_type": "image", **options}),
        "scheduler": scheduler(variance_type="learned_range"),
        "movq": vaes.movq((32,) * 4),
    }


def reading_decoder(**options):
    """Kandinsky 2.1's: it reads words as well."""
    config = MCLIPConfig(
        vocab_size=100,
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
        transformerDimSize=32,
        imageDimSize=32,
        pad_token_id=1,
    )
    return {
        "unet": unet(encoder_hid_dim_type="text_image_proj", addition_embed_type="text_image", **options),
        "scheduler": scheduler(diffusers.DDIMScheduler),
        "movq": vaes.movq((32,) * 4),
        "text_encoder": MultilingualCLIP(config),
        "tokenizer": words.roberta(),
    }


def painting_decoder():
    """Kandinsky 2.2's for inpainting: its UNet reads a mask and the latents around it."""
    return decoder(in_channels=9)


def reading_painting_decoder():
    return reading_decoder(in_channels=9)


def following_decoder():
    """Kandinsky 2.2's that was made to follow a picture, which its UNet reads beside the latents."""
    return decoder(in_channels=8, addition_embed_type="image_hint")
