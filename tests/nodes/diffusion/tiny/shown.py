"""Families that draw videos after pictures."""

import diffusers
import transformers

from tests.nodes.diffusion.tiny import cosmos, encoders, guided, videos, wholes, words
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


HUNYUAN_TEMPLATE = {
    "template": "<|start_header_id|>s<|end_header_id|>n<image>n<|start_header_id|>u<|end_header_id|>n{}<|eot_id|>"
    "<|start_header_id|>a<|end_header_id|>n",
    "crop_start": 11,
    "image_emb_start": 5,
    "image_emb_end": 21,
    "image_emb_len": 16,
}
"""What a prompt is put into: 11 tokens before it, the sixth of which stands for 16 of a picture."""


def hunyuan_video(**options):
    """Its text encoder reads the picture, and its first frame is one."""
    parts = videos.hunyuan_video()
    config = {name: value for name, value in parts["transformer"].config.items() if not name.startswith("_")}
    config |= {"image_condition_type": "token_replace", **options}
    return {
        **parts,
        "transformer": diffusers.HunyuanVideoTransformer3DModel(**config),
        "text_encoder": encoders.llava(16),
        "tokenizer": words.headed(),
        "image_processor": eyes()["image_processor"],
    }


def hunyuan_video_concatenating():
    """Its denoiser reads the picture and a mask beside the latents."""
    return hunyuan_video(image_condition_type="latent_concat", in_channels=9)


def _siglip(width=8, side=16):
    """Sizes of an image encoder, and the processor of its pictures."""
    config = transformers.SiglipVisionConfig(
        hidden_size=width,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=side,
        patch_size=4,
    )
    return config, transformers.SiglipImageProcessorPil(size={"height": side, "width": side})


def hunyuan_video_15():
    parts = guided.hunyuan_video_15()
    config = {name: value for name, value in parts["transformer"].config.items() if not name.startswith("_")}
    config |= {"target_size": 32}
    eyes, processor = _siglip()
    return {
        **parts,
        "transformer": diffusers.HunyuanVideo15Transformer3DModel(**config),
        "image_encoder": transformers.SiglipVisionModel(eyes),
        "feature_extractor": processor,
    }


def cosmos_first():
    return {**cosmos.first(), "transformer": cosmos.transformer(5, out_channels=4)}


def cosmos_second():
    return {**cosmos.second(), "transformer": cosmos.transformer(17, out_channels=16)}


def motif_video():
    parts = guided.motif_video()
    config = {name: value for name, value in parts["transformer"].config.items() if not name.startswith("_")}
    eyes, processor = _siglip()
    return {
        **parts,
        "transformer": diffusers.MotifVideoTransformer3DModel(**{**config, "image_embed_dim": 8}),
        "text_encoder": encoders.t5_gemma_2(eyes),
        "feature_extractor": processor,
    }


def easyanimate():
    """Its denoiser reads a video and a mask over what is to be drawn."""
    parts = videos.easyanimate()
    config = {name: value for name, value in parts["transformer"].config.items() if not name.startswith("_")}
    parts["vae"].register_to_config(cache_mag_vae=True)  # the pipeline asks for it
    return {**parts, "transformer": diffusers.EasyAnimateTransformer3DModel(**{**config, "in_channels": 9})}
