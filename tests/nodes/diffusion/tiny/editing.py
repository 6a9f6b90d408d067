"""Younger families that draw pictures after pictures."""

import diffusers
import transformers
from transformers.processing_utils import ProcessorMixin

from tests.nodes.diffusion.tiny import encoders, seeing, vaes
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


def qwen_3_vl(layers=3):
    return encoders.qwen3_vl(cls=transformers.Qwen3VLForConditionalGeneration, first=259, layers=layers)


def qwen_image_21():
    """Its VAE halves the sides four times, and sees four colours, the last of which is opacity."""
    return {
        "transformer": diffusers.QwenImage21Transformer2DModel(
            in_channels=4,
            out_channels=4,
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
            z_dim=4,
            dim_mult=[1, 1, 1, 1, 1],
            num_res_blocks=1,
            latents_mean=[0.1 * index for index in range(4)],
            latents_std=[1.0 + 0.5 * index for index in range(4)],
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
