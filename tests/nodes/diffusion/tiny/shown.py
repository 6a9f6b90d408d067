"""Families that draw videos after pictures."""

import diffusers
import transformers

from tests.nodes.diffusion.tiny import videos, wholes
from tests.nodes.diffusion.tiny.dits import flow_match


def eyes(width=8, side=16):
    """An image encoder and the processor of its pictures, as Wan's classes have them."""
    config = transformers.CLIPVisionConfig(
        hidden_size=width,
        projection_dim=width,
        intermediate_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=side,
        patch_size=4,
    )
    processor = transformers.models.clip.CLIPImageProcessorPil(crop_size=side, size={"shortest_edge": side})
    return {"image_encoder": transformers.CLIPVisionModelWithProjection(config), "image_processor": processor}


def wan():
    """As Wan 2.2 is: without eyes, a picture and a mask beside the latents."""
    parts = videos.wan()
    transformer = videos.wan_transformer(qk_norm="rms_norm_across_heads", in_channels=36)
    return {**parts, "transformer": transformer, "image_encoder": None, "image_processor": None}


def wan_vace():
    parts = videos.wan()
    transformer = videos.wan_transformer(
        diffusers.WanVACETransformer3DModel, vace_layers=[0], vace_in_channels=2 * 16 + 8 * 8
    )
    return {**parts, "transformer": transformer, "scheduler": flow_match()}


def stable_video():
    return wholes.stable_video()


def lucy():
    parts = videos.wan()
    return {**parts, "transformer": videos.wan_transformer(in_channels=32), "scheduler": flow_match()}


def skyreels():
    transformer = videos.wan_transformer(diffusers.SkyReelsV2Transformer3DModel, in_channels=36, image_dim=8)
    return {**videos.skyreels(), "transformer": transformer, **eyes()}


def chrono_edit():
    transformer = videos.wan_transformer(diffusers.ChronoEditTransformer3DModel, in_channels=36, image_dim=8)
    parts = {name: part for name, part in videos.wan().items() if name != "transformer_2"}
    return {**parts, "transformer": transformer, "scheduler": flow_match(), **eyes()}


def cogvideox():
    parts = videos.cogvideox()
    config = {name: value for name, value in parts["transformer"].config.items() if not name.startswith("_")}
    return {**parts, "transformer": diffusers.CogVideoXTransformer3DModel(**{**config, "in_channels": 8})}


def hunyuan_skyreels():
    parts = videos.hunyuan_video()
    config = {name: value for name, value in parts["transformer"].config.items() if not name.startswith("_")}
    return {**parts, "transformer": diffusers.HunyuanVideoTransformer3DModel(**{**config, "in_channels": 8})}
