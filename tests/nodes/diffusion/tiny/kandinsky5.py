"""The fifth Kandinsky: pictures and videos."""

import diffusers

from tests.nodes.diffusion.tiny import encoders, seeing, vaes, words
from tests.nodes.diffusion.tiny.dits import flow_match


def _parts(channels, **options):
    return {
        "transformer": diffusers.Kandinsky5Transformer3DModel(
            in_visual_dim=channels,
            out_visual_dim=channels,
            in_text_dim=32,
            in_text_dim2=32,
            time_dim=16,
            model_dim=32,
            ff_dim=32,
            num_text_blocks=1,
            num_visual_blocks=1,
            axes_dims=(4, 6, 6),
            **options,
        ),
        "text_encoder": encoders.qwen_vl(),
        "tokenizer": words.byte_level(),
        "text_encoder_2": encoders.clip(),
        "tokenizer_2": words.clip(),
        "scheduler": flow_match(shift=5.0),
    }


def pictures():
    return {**_parts(4), "vae": vaes.kl(levels=4, scaling_factor=0.3611)}


def edits():
    """Its text encoder reads the picture too, and its denoiser reads it beside a mask."""
    eyes = {"text_encoder": encoders.qwen_vl(first=259), "tokenizer": seeing.processor()}
    return {**_parts(4, visual_cond=True), **eyes, "vae": vaes.kl(levels=4, scaling_factor=0.3611)}


def videos():
    """Its denoiser reads a first frame and a mask beside the video."""
    vae = diffusers.AutoencoderKLHunyuanVideo(
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
    )
    return {**_parts(4, visual_cond=True), "vae": vae}
