"""Models that Diffusers runs in blocks only, and those blocks run as a whole."""

import diffusers
import torch
import transformers
from transformers.processing_utils import ProcessorMixin

from tests.nodes.diffusion.tiny import encoders, seeing, vaes, words
from tests.nodes.diffusion.tiny.dits import flow_match


class Qwen3VLProcessor(transformers.Qwen3VLProcessor):
    """The processor without its part for videos, which cannot be made without torchvision."""

    def __init__(self, image_processor=None, tokenizer=None, chat_template=None):
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


Qwen3VLProcessor.__module__ = transformers.Qwen3VLProcessor.__module__  # models are saved and read by this name
transformers.Qwen3VLProcessor = Qwen3VLProcessor


def anima():
    return {
        "text_encoder": encoders.qwen3(),
        "tokenizer": words.byte_level(),
        "t5_tokenizer": words.t5(),
        "text_conditioner": diffusers.AnimaTextConditioner(
            source_dim=32,
            target_dim=32,
            model_dim=32,
            num_layers=1,
            num_attention_heads=2,
            target_vocab_size=encoders.VOCABULARY,
            min_sequence_length=16,
        ),
        "transformer": diffusers.CosmosTransformer3DModel(
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=16,
            num_layers=2,
            mlp_ratio=2,
            text_embed_dim=32,
            adaln_lora_dim=4,
            max_size=(4, 32, 32),
            concat_padding_mask=False,  # it takes torchvision, and is nothing but zeros
        ),
        "vae": vaes.qwen(),
        "scheduler": flow_match(),
    }


def flux3(**options):
    """Its pipeline makes the scheduler."""
    small = transformers.Qwen2VLImageProcessorPil(patch_size=14, merge_size=2)
    tokenizer = words.byte_level(special=seeing.SPECIAL, pad_token=seeing.SPECIAL[0])
    return {
        "text_encoder": encoders.qwen3_vl(cls=transformers.Qwen3VLForConditionalGeneration),
        "tokenizer": Qwen3VLProcessor(small, tokenizer, chat_template=words.CHAT),
        "transformer": diffusers.Flux3Transformer2DModel(
            in_channels=16,
            cond_in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=96,
            timestep_channels=16,
            axes_dims_rope=(4, 4, 4, 4),
            **options,
        ),
        "vae": vaes.flux2(),
    }


def flux3_distilled():
    return flux3(flow_map=True)


def save(name, parts, folder):
    """Save a model of the modular class `name`."""
    pipeline = getattr(diffusers, name)()
    pipeline.update_components(**parts)
    pipeline.save_pretrained(str(folder), overwrite_modular_index=True)


def whole(name, parts, scheduler):
    """The class's own blocks on these parts, called like a stock pipeline and run from end to end.

    `scheduler` is the folder of one; without it the pipeline has made its own. What was encoded is given by a method
    that a test can listen to.
    """
    own = getattr(diffusers, name)

    class Whole(own):
        def encode_prompt(self, state):
            return [value for key, value in state.values.items() if key.endswith("prompt_embeds")]

        def __call__(self, *, output_type, return_dict, **given):  # noqa: ARG002  # it gives a tuple
            if isinstance(given.get("image"), torch.Tensor):  # encoded, as stock classes take it too
                count = given.pop("num_images_per_prompt")
                given |= {key: [given[key]] * count for key in ("prompt", "negative_prompt")}
                given |= {"image_latents": given.pop("image").unsqueeze(2)}
            state = own.__call__(self, **given, output_type="pt" if output_type == "latent" else output_type)
            self.encode_prompt(state)
            return (state.get("latents" if output_type == "latent" else "images"),)

    Whole.__name__ = name
    blocks = getattr(diffusers, own.default_blocks_name)()
    blocks.sub_blocks.pop("prompt_upsampler", None)
    for given in ({"prompt": True}, {"prompt": True, "image_latents": True, "image_cond_latents": True}):
        for block in blocks.get_execution_blocks(**given).sub_blocks.values():
            if hasattr(block, "set_progress_bar_config"):
                block.set_progress_bar_config(disable=True)
    pipeline = Whole(blocks=blocks)
    if scheduler.is_dir():
        parts = {**parts, "scheduler": diffusers.FlowMatchEulerDiscreteScheduler.from_pretrained(scheduler)}
    for part, module in parts.items():
        setattr(pipeline, part, module)
    return pipeline
