"""GLM-Image: a language model draws the tokens of a picture, and a transformer the picture."""

import diffusers
import transformers

from tests.nodes.diffusion.tiny import encoders, vaes, words
from tests.nodes.diffusion.tiny.dits import flow_by_size

SPECIAL = ("<|endoftext|>", "<|image|>", "<|begin_of_image|>", "<|end_of_image|>", "<sop>", "<eop>")
for part in (transformers.GlmImageProcessor, transformers.GlmImageForConditionalGeneration):
    part.__module__ = "transformers"  # else Diffusers writes the folder of its pipeline for the library of these parts

VISION_WORDS = 64
"""What the language model can say."""


def _tokenizer():
    marks = {"image_token": SPECIAL[1], "grid_bos_token": SPECIAL[4], "grid_eos_token": SPECIAL[5]}
    return words.byte_level(special=SPECIAL, extra_special_tokens=marks, bos_token=SPECIAL[2])


def _language_model():
    """Its last word is none that it can say, so it stops where it is told."""
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6}
    config = transformers.GlmImageConfig(
        text_config={
            "vocab_size": encoders.VOCABULARY,
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 4096,
            "pad_token_id": 256,
            "vision_vocab_size": VISION_WORDS,
            "eos_token_id": encoders.VOCABULARY - 1,
            "rope_parameters": rope,
        },
        vision_config={"depth": 1, "hidden_size": 16, "num_heads": 2, "intermediate_size": 16, "image_size": 64},
        vq_config={"embed_dim": 8, "num_embeddings": VISION_WORDS, "latent_channels": 16},
        image_token_id=257,
        image_start_token_id=258,
        image_end_token_id=259,
    )
    return transformers.GlmImageForConditionalGeneration(config)


def glm():
    tokenizer = _tokenizer()
    small = transformers.GlmImageImageProcessorPil(patch_size=16, merge_size=1, temporal_patch_size=1)
    return {
        "tokenizer": transformers.ByT5Tokenizer(model_max_length=512),
        "processor": transformers.GlmImageProcessor(small, tokenizer, chat_template=words.CHAT),
        "text_encoder": encoders.t5(),
        "vision_language_encoder": _language_model(),
        "vae": vaes.kl(levels=4, latents_mean=[0.0, 0.1, 0.2, 0.3], latents_std=[1.0, 1.5, 2.0, 2.5]),
        "transformer": diffusers.GlmImageTransformer2DModel(
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            text_embed_dim=32,
            time_embed_dim=16,
            condition_dim=8,
            prior_vq_quantizer_codebook_size=VISION_WORDS,
        ),
        "scheduler": flow_by_size(),
    }
