"""Tiny random text encoders."""

import transformers

VOCABULARY = 300
"""Larger than any of the tokenizers' vocabularies."""


def _clip_config(width, projection):
    return transformers.CLIPTextConfig(
        vocab_size=54,
        hidden_size=width,
        intermediate_size=37,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=77,
        projection_dim=projection,
        hidden_act="gelu",
        bos_token_id=52,
        eos_token_id=53,
        pad_token_id=53,
    )


def clip(width=32):
    return transformers.CLIPTextModel(_clip_config(width, width))


def clip_projected(width=32, projection=32):
    return transformers.CLIPTextModelWithProjection(_clip_config(width, projection))


def _t5_sizes(width):
    return {
        "vocab_size": VOCABULARY,
        "d_model": width,
        "d_kv": 8,
        "d_ff": 37,
        "num_heads": 4,
        "num_layers": 2,
        "relative_attention_num_buckets": 8,
    }


def t5(width=32):
    return transformers.T5EncoderModel(transformers.T5Config(**_t5_sizes(width), feed_forward_proj="gated-gelu"))


def umt5(width=32):
    return transformers.UMT5EncoderModel(transformers.UMT5Config(**_t5_sizes(width)))


def bert(width=32):
    return transformers.BertModel(
        transformers.BertConfig(
            vocab_size=VOCABULARY,
            hidden_size=width,
            intermediate_size=37,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=128,
        )
    )


def _decoder_sizes(width, layers=3):
    return {
        "vocab_size": VOCABULARY,
        "hidden_size": width,
        "intermediate_size": 37,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


def gemma(width=32):
    return transformers.GemmaModel(transformers.GemmaConfig(**_decoder_sizes(width), head_dim=8))


def gemma2(width=32):
    return transformers.Gemma2Model(transformers.Gemma2Config(**_decoder_sizes(width), head_dim=8))


def qwen3(width=32, cls=None):
    return (cls or transformers.Qwen3Model)(transformers.Qwen3Config(**_decoder_sizes(width), head_dim=8))


def glm(width=32):
    return transformers.GlmModel(transformers.GlmConfig(**_decoder_sizes(width), head_dim=8))


def llama(width=32, cls=None):
    return (cls or transformers.LlamaForCausalLM)(transformers.LlamaConfig(**_decoder_sizes(width)))


def smol(width=32):
    return transformers.SmolLM3ForCausalLM(transformers.SmolLM3Config(**_decoder_sizes(width)))


def mistral(width=32):
    return transformers.MistralModel(transformers.MistralConfig(**_decoder_sizes(width), head_dim=8))


def qwen_vl(width=32, first=256):
    """Qwen 2.5 VL; `first` is the token that begins a picture. A prompt without pictures never opens its eyes."""
    config = transformers.Qwen2_5_VLConfig(
        text_config={
            **_decoder_sizes(width),
            "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6},
        },
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": width,
        },
        vocab_size=VOCABULARY,
        vision_start_token_id=first,
        vision_end_token_id=first + 1,
        image_token_id=first + 2,
        video_token_id=first + 3,
    )
    return transformers.Qwen2_5_VLForConditionalGeneration(config)


def qwen_vl_text(width=32):
    """The part of Qwen 2.5 VL that reads."""
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6}
    return transformers.Qwen2_5_VLTextModel(
        transformers.Qwen2_5_VLTextConfig(**_decoder_sizes(width), rope_parameters=rope)
    )


def qwen2_vl(width=32):
    config = transformers.Qwen2VLConfig(
        text_config={
            **_decoder_sizes(width),
            "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6},
        },
        vision_config={"depth": 1, "embed_dim": 16, "hidden_size": width, "num_heads": 2, "mlp_ratio": 1},
        vocab_size=VOCABULARY,
        vision_start_token_id=256,
        vision_end_token_id=257,
        image_token_id=258,
        video_token_id=258,
    )
    return transformers.Qwen2VLForConditionalGeneration(config)


def qwen3_vl(width=32, cls=None, layers=3, first=256):
    """Qwen 3 VL; `first` is the token that begins a picture. A prompt without pictures never opens its eyes."""
    rope = {"rope_type": "default", "mrope_section": [2, 1, 1], "mrope_interleaved": True, "rope_theta": 1e6}
    config = transformers.Qwen3VLConfig(
        text_config={**_decoder_sizes(width, layers), "head_dim": 8, "rope_parameters": rope},
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": width,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
        vision_start_token_id=first,
        vision_end_token_id=first + 1,
        image_token_id=first + 2,
        video_token_id=first + 3,
    )
    return (cls or transformers.Qwen3VLModel)(config)


def qwen3_vl_text(width=32):
    """The part of Qwen 3 VL that reads."""
    rope = {"rope_type": "default", "mrope_section": [2, 1, 1], "mrope_interleaved": True, "rope_theta": 1e6}
    config = transformers.Qwen3VLTextConfig(**_decoder_sizes(width), head_dim=8, rope_parameters=rope)
    return transformers.Qwen3VLTextModel(config)


def t5_gemma(width=32):
    """The encoder of T5Gemma alone."""
    sizes = {**_decoder_sizes(width), "head_dim": 8}
    half = transformers.T5GemmaModuleConfig(**sizes)
    config = transformers.T5GemmaConfig(encoder=half, decoder=half, is_encoder_decoder=False, vocab_size=VOCABULARY)
    return transformers.T5GemmaEncoderModel(config)


def gemma3(width=16):
    """Gemma 3, with eyes that a prompt without pictures never opens."""
    config = transformers.Gemma3Config(
        text_config={**_decoder_sizes(width, 2), "head_dim": 8, "sliding_window": 16},
        vision_config={
            "hidden_size": 8,
            "intermediate_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 16,
            "patch_size": 8,
        },
        boi_token_index=256,
        eoi_token_index=257,
        image_token_index=258,
        mm_tokens_per_image=4,
    )
    return transformers.Gemma3ForConditionalGeneration(config)


def llava(width=16, side=16):
    """Reads words and a picture, which are 16 tokens."""
    eyes = {
        "hidden_size": 8,
        "intermediate_size": 16,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "image_size": side,
        "patch_size": 4,
        "projection_dim": 8,
    }
    config = transformers.LlavaConfig(
        vision_config={"model_type": "clip_vision_model", **eyes},
        text_config={"model_type": "llama", **_decoder_sizes(width)},
        image_token_index=262,
        image_seq_length=16,
        pad_token_id=256,
    )
    return transformers.LlavaForConditionalGeneration(config)


def t5_gemma_2(eyes, width=32):
    """The encoder of T5Gemma 2 alone, with eyes."""
    reading = {**_decoder_sizes(width, 2), "head_dim": 8, "dropout_rate": 0.0}
    config = transformers.T5Gemma2EncoderConfig(
        text_config=reading, vision_config=eyes, mm_tokens_per_image=4, image_token_index=VOCABULARY - 1
    )
    return transformers.models.t5gemma2.modeling_t5gemma2.T5Gemma2Encoder(config)
