"""Tiny Stable Cascade: the prior, and the decoder that draws after it."""

import diffusers
from diffusers.pipelines.deprecated.wuerstchen import PaellaVQModel

from tests.nodes.diffusion.tiny import encoders, words


def unet(**options):
    sizes = {
        "conditioning_dim": 32,
        "block_out_channels": (16, 32),
        "num_attention_heads": (-1, 4),
        "down_num_layers_per_block": (1, 1),
        "up_num_layers_per_block": (1, 1),
        "timestep_ratio_embedding_dim": 16,
        "clip_text_pooled_in_channels": 32,
        "block_types_per_layer": (
            ("SDCascadeResBlock", "SDCascadeTimestepBlock"),
            ("SDCascadeResBlock", "SDCascadeTimestepBlock", "SDCascadeAttnBlock"),
        ),
    }
    return diffusers.StableCascadeUNet(**{**sizes, **options})


def reading():
    return {
        "text_encoder": encoders.clip_projected(),
        "tokenizer": words.clip(),
        "scheduler": diffusers.DDPMWuerstchenScheduler(),
    }


def prior():
    return {
        **reading(),
        "prior": unet(
            clip_text_in_channels=32,
            clip_image_in_channels=32,
            switch_level=(False,),
            timestep_conditioning_type=("sca", "crp"),
        ),
        "feature_extractor": None,
        "image_encoder": None,
    }


def decoder():
    return {
        **reading(),
        "decoder": unet(
            in_channels=4, out_channels=4, patch_size=2, effnet_in_channels=16, timestep_conditioning_type=("sca",)
        ),
        "vqgan": PaellaVQModel(levels=2, bottleneck_blocks=1, embed_dim=16, num_vq_embeddings=12),
    }
