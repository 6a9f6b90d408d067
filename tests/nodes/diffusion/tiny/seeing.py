"""Tiny models that read pictures beside the words."""

import diffusers
import transformers
from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import StableUnCLIPImageNormalizer
from transformers.processing_utils import ProcessorMixin

from tests.nodes.diffusion.tiny import dits, encoders, newer, unets, vaes, words

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
SEEING = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")


class Qwen2VLProcessor(transformers.Qwen2VLProcessor):
    """The processor without its part for videos, which cannot be made without torchvision."""

    def __init__(self, image_processor=None, tokenizer=None, chat_template=None):
        self.image_token, self.video_token = SEEING[2:]
        self.image_token_id, self.video_token_id = tokenizer.convert_tokens_to_ids(SEEING[2:])
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


Qwen2VLProcessor.__module__ = transformers.Qwen2VLProcessor.__module__  # models are saved and read by this name
transformers.Qwen2VLProcessor = Qwen2VLProcessor


def tokenizer():
    """One that knows the marks of a picture's place as words."""
    marks = (*SPECIAL, *SEEING)
    return words.byte_level(special=marks, additional_special_tokens=list(marks[1:]))


def processor():
    small = transformers.Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=56 * 56, patch_size=14, merge_size=2)
    return Qwen2VLProcessor(small, tokenizer())


def qwen_edit():
    return {
        **dits.qwen_image(),
        "text_encoder": encoders.qwen_vl(first=259),
        "tokenizer": tokenizer(),
        "processor": processor(),
    }


def longcat_edit():
    parts = {**newer.longcat(), "text_encoder": encoders.qwen_vl(first=259), "tokenizer": tokenizer()}
    return {**parts, "text_processor": processor()}


def pix2pix():
    """Its UNet reads the latents of a picture beside its own."""
    return {**unets.sd(), "unet": unets.unet(in_channels=8)}


def pix2pix_xl():
    return {**unets.sdxl(), "unet": unets.xl_unet(in_channels=8)}


def upscaler():
    """Its UNet reads a small picture beside latents of the same size."""
    parts = {name: part for name, part in unets.sd().items() if name != "image_encoder"}
    return {
        **parts,
        "unet": unets.unet(in_channels=7, num_class_embeds=1000),
        "vae": vaes.kl(levels=3, scaling_factor=0.08333),
        "low_res_scheduler": diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2"),
        "max_noise_level": 350,
    }


def dpt(**more):
    """A model that tells how far things are."""
    config = transformers.DPTConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=8,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
        **more,
    )
    return transformers.DPTForDepthEstimation(config)


def depth():
    """Its UNet reads how far things are in a picture."""
    parts = {name: part for name, part in unets.sd().items() if name not in {"image_encoder", "safety_checker"}}
    return {
        **parts,
        "unet": unets.unet(in_channels=5),
        "depth_estimator": dpt(),
        "feature_extractor": transformers.DPTImageProcessorPil(size={"height": 32, "width": 32}),
    }


def unclip():
    """Its UNet is told what is to be seen in a picture."""
    config = transformers.CLIPVisionConfig(
        hidden_size=32,
        projection_dim=32,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
    )
    return {
        **{name: part for name, part in unets.sd().items() if name != "safety_checker"},
        "unet": unets.unet(class_embed_type="projection", projection_class_embeddings_input_dim=64),
        "image_encoder": transformers.CLIPVisionModelWithProjection(config),
        "feature_extractor": transformers.CLIPImageProcessorPil(crop_size=32, size={"shortest_edge": 32}),
        "image_normalizer": StableUnCLIPImageNormalizer(embedding_dim=32),
        "image_noising_scheduler": diffusers.DDPMScheduler(),
    }


def variation():
    """It is told what is to be seen in a picture in place of words."""
    parts = unclip()
    names = ("scheduler", "vae", "image_encoder", "feature_extractor")
    return {**{name: parts[name] for name in names}, "unet": unets.unet(), "safety_checker": None}


def latent_upscaler():
    return {
        "unet": diffusers.UNet2DConditionModel(
            act_fn="gelu",
            attention_head_dim=8,
            norm_num_groups=None,
            block_out_channels=(32, 32, 64, 64),
            time_cond_proj_dim=160,
            conv_in_kernel=1,
            conv_out_kernel=1,
            cross_attention_dim=32,
            down_block_types=("KDownBlock2D", *["KCrossAttnDownBlock2D"] * 3),
            in_channels=8,
            mid_block_type=None,
            only_cross_attention=False,
            out_channels=5,
            resnet_time_scale_shift="scale_shift",
            time_embedding_type="fourier",
            timestep_post_act="gelu",
            up_block_types=(*["KCrossAttnUpBlock2D"] * 3, "KUpBlock2D"),
        ),
        "vae": vaes.kl(),
        "scheduler": diffusers.EulerDiscreteScheduler(prediction_type="sample"),
        "text_encoder": encoders.clip(),
        "tokenizer": words.clip(),
    }
