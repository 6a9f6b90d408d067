"""Younger families that draw pictures after pictures."""

import diffusers
import transformers
from transformers.processing_utils import ProcessorMixin

from tests.nodes.diffusion.tiny import dits, encoders, seeing, vaes, words
from tests.nodes.diffusion.tiny.dits import flow_by_size, flow_match


class Qwen3VLProcessor(transformers.Qwen3VLProcessor):
    """The processor without its part for videos, which cannot be made without torchvision."""

    def __init__(self, image_processor=None, tokenizer=None, chat_template=None):
        self.image_token, self.video_token = seeing.SEEING[2:]
        self.vision_start_token, self.vision_end_token = seeing.SEEING[:2]
        self.image_token_id, self.video_token_id = tokenizer.convert_tokens_to_ids(seeing.SEEING[2:])
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


Qwen3VLProcessor.__module__ = transformers.Qwen3VLProcessor.__module__  # models are saved and read by this name
transformers.Qwen3VLProcessor = Qwen3VLProcessor


def processor():
    small = transformers.Qwen2VLImageProcessorPil(min_pixels=32 * 32, max_pixels=64 * 64, patch_size=16, merge_size=2)
    words = seeing.tokenizer()
    return Qwen3VLProcessor(small, words, chat_template=words.chat_template)


def qwen_3_vl(width=32, **options):
    return encoders.qwen3_vl(width, transformers.Qwen3VLForConditionalGeneration, first=259, **options)


def qwen_image_21():
    """Its VAE halves the sides four times, and sees four colours, the last of which is opacity."""
    return {
        "transformer": diffusers.QwenImage21Transformer2DModel(
            in_channels=8,
            out_channels=8,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            context_in_dim=32,
            mlp_ratio=2,
            axes_dims_rope=(8, 4, 4),
        ),
        "scheduler": flow_by_size(),
        "vae": diffusers.AutoencoderKLQwenImage21(
            base_dim=4,
            decoder_base_dim=4,
            z_dim=8,
            dim_mult=[1, 1, 1, 1, 1],
            num_res_blocks=1,
            latents_mean=[0.1 * index for index in range(8)],
            latents_std=[1.0 + 0.5 * index for index in range(8)],
        ),
        "text_encoder": qwen_3_vl(),
        "processor": processor(),
    }


def _joyimage(transformer):
    sizes = {"hidden_size": 32, "num_attention_heads": 2, "text_dim": 32, "num_layers": 1, "rope_dim_list": [4, 6, 6]}
    return {
        "transformer": transformer(in_channels=16, mlp_width_ratio=2.0, **sizes),
        "scheduler": flow_match(),
        "vae": vaes.wan(),
        "text_encoder": qwen_3_vl(),
        "tokenizer": seeing.tokenizer(),
        "processor": processor(),
    }


def joyimage():
    return _joyimage(diffusers.JoyImageEditTransformer3DModel)


def joyimage_plus():
    return _joyimage(diffusers.JoyImageEditPlusTransformer3DModel)


def bria_fibo_2():
    """It reads fifteen of its text encoder's 36 layers, three at a time."""
    return {
        "transformer": diffusers.BriaFibo2Transformer2DModel(
            in_channels=4,
            dim=32,
            n_layers=2,
            n_refiner_layers=1,
            n_heads=2,
            cap_feat_dim=48,
            injection_layer_ids=(0, 0, 1, 1, 1),
            perceiver_num_layers=1,
            min_num_gist_tokens=4,
            max_num_gist_tokens=8,
            gist_step=4,
            gist_min_text_len=4,
            gist_max_text_len=64,
            axes_dims=(8, 4, 4),
            axes_lens=(512, 64, 64),
        ),
        "scheduler": flow_by_size(),
        "vae": vaes.flux2(),
        "text_encoder": qwen_3_vl(16, layers=36),
        "processor": processor(),
    }


def hunyuan_refiner():
    """Its VAE makes half the channels of the latents, and the transformer reads those of the picture beside them."""
    return {
        "scheduler": flow_match(),
        "vae": diffusers.AutoencoderKLHunyuanImageRefiner(
            latent_channels=4, block_out_channels=(32, 32), layers_per_block=1, spatial_compression_ratio=2,
            temporal_compression_ratio=2,
        ),
        "text_encoder": encoders.qwen_vl(),
        "tokenizer": words.byte_level(),
        "transformer": diffusers.HunyuanImageTransformer2DModel(
            in_channels=16,
            out_channels=8,
            num_attention_heads=2,
            attention_head_dim=16,
            num_layers=1,
            num_single_layers=1,
            num_refiner_layers=1,
            patch_size=(1, 1, 1),
            guidance_embeds=True,
            text_embed_dim=32,
            rope_axes_dim=(4, 6, 6),
        ),
        "guider": diffusers.AdaptiveProjectedMixGuidance(adaptive_projected_guidance_start_step=0),
    }  # fmt: skip


def z_image_omni():
    """It reads what a second pair of eyes says of its pictures."""
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    eyes = transformers.Siglip2VisionConfig(**sizes, num_patches=16, patch_size=8, vision_use_head=False)
    parts = dits.z_image()
    config = {name: value for name, value in parts["transformer"].config.items() if not name.startswith("_")}
    return {
        **parts,
        "transformer": diffusers.ZImageTransformer2DModel(
            **{**config, "siglip_feat_dim": 16, "axes_lens": [1024, 256, 256]}
        ),
        "siglip": transformers.Siglip2VisionModel(eyes),
        "siglip_processor": transformers.Siglip2ImageProcessorPil(patch_size=8, max_num_patches=16),
    }
