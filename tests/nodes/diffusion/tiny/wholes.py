"""Tiny random models of classes that run as a whole only: what they are made of and how they are called."""

import inspect
from dataclasses import dataclass, field

import diffusers
import torch
import transformers
from diffusers.pipelines.latent_diffusion.pipeline_latent_diffusion import LDMBertConfig, LDMBertModel
from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import StableUnCLIPImageNormalizer

from tests.nodes.diffusion.tiny import dits, encoders, unets, vaes, words


@dataclass(frozen=True)
class Whole:
    """`make` gives the parts; the rest is what the call is given, pictures by their number and side."""

    make: object
    options: dict = field(default_factory=dict)
    prompt: str | None = None
    negative: str | None = None
    pictures: int = 0
    masks: int = 0
    side: int = 32


def plain_unet(channels=3, out=None, **options):
    """A UNet that reads no text."""
    return diffusers.UNet2DModel(
        sample_size=8,
        in_channels=channels,
        out_channels=out or channels,
        layers_per_block=1,
        block_out_channels=(8, 16),
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
        **options,
    )


def eyes(side=32):
    """An image encoder and the processor of its pictures."""
    config = transformers.CLIPVisionConfig(
        hidden_size=32,
        projection_dim=32,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=side,
        patch_size=8,
    )
    processor = transformers.models.clip.CLIPImageProcessorPil(crop_size=side, size={"shortest_edge": side})
    return {
        "image_encoder": transformers.CLIPVisionModelWithProjection(config),
        "feature_extractor": processor,
    }


def ddpm():
    return {"unet": plain_unet(), "scheduler": diffusers.DDPMScheduler()}


def ddim():
    return {"unet": plain_unet(), "scheduler": diffusers.DDIMScheduler()}


def consistency():
    return {
        "unet": plain_unet(num_class_embeds=4),
        "scheduler": diffusers.CMStochasticIterativeScheduler(num_train_timesteps=40, sigma_min=0.002, sigma_max=80.0),
    }


def dit():
    transformer = diffusers.DiTTransformer2DModel(
        sample_size=8,
        num_layers=2,
        patch_size=4,
        attention_head_dim=8,
        num_attention_heads=2,
        in_channels=4,
        out_channels=8,
        attention_bias=True,
        activation_fn="gelu-approximate",
        num_embeds_ada_norm=1000,
        norm_type="ada_norm_zero",
        norm_elementwise_affine=False,
    )
    return {
        "transformer": transformer,
        "vae": vaes.kl(),
        "scheduler": diffusers.DDIMScheduler(),
        "id2label": {"0": "fox"},
    }


def ldm():
    config = LDMBertConfig(
        vocab_size=60,
        encoder_layers=1,
        encoder_ffn_dim=32,
        encoder_attention_heads=4,
        head_dim=8,
        d_model=32,
        pad_token_id=0,
    )
    return {
        "vqvae": vaes.kl(),
        "bert": LDMBertModel(config),
        "tokenizer": words.bert(),
        "unet": unets.unet(),
        "scheduler": unets.noise_schedule(diffusers.DDIMScheduler, clip_sample=False, set_alpha_to_one=False),
    }


def ldm_super():
    vqvae = diffusers.VQModel(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=3,
        layers_per_block=1,
        norm_num_groups=4,
    )
    return {"vqvae": vqvae, "unet": plain_unet(6, 3), "scheduler": diffusers.DDIMScheduler()}


def _sd(**others):
    """Stable Diffusion's parts without those that look at pictures, and others in place of its own."""
    return {**unets.sd(), **others}


def _without(parts, *names):
    return {name: part for name, part in parts.items() if name not in names}


def upscale(scaling_factor=0.08333):
    vae = vaes.kl(scaling_factor=scaling_factor)
    parts = _sd(
        vae=vae, unet=unets.unet(in_channels=7, num_class_embeds=350), low_res_scheduler=diffusers.DDPMScheduler()
    )
    return {**_without(parts, "image_encoder"), "max_noise_level": 350}


def instruct():
    return _sd(unet=unets.unet(in_channels=8))


def inpaint():
    return _sd(unet=unets.unet(in_channels=9))


def variation():
    return {**_without(_sd(), "text_encoder", "tokenizer"), **eyes()}


def marigold():
    parts = _without(_sd(unet=unets.unet(in_channels=8)), "safety_checker", "feature_extractor", "image_encoder")
    sizes = {"default_denoising_steps": 2, "default_processing_resolution": 32}
    return {**parts, "prediction_type": "depth", **sizes}


def marigold_normals():
    return {**marigold(), "prediction_type": "normals", "use_full_z_range": True}


def flux_fill():
    parts = dits.flux()
    settings = {name: value for name, value in parts["transformer"].config.items() if not name.startswith("_")}
    sizes = {**settings, "in_channels": 48, "out_channels": 16}
    return {**parts, "transformer": diffusers.FluxTransformer2DModel(**sizes)}


def pixels():
    """A model of DeepFloyd's kind: pixels, from a text."""
    return {
        "tokenizer": words.t5(),
        "text_encoder": encoders.t5(),
        "unet": unets.unet(in_channels=3, out_channels=6),
        "scheduler": diffusers.DDPMScheduler(variance_type="learned_range", thresholding=True),
        "safety_checker": None,
        "feature_extractor": None,
        "watermarker": None,
    }


def stable_video():
    vae = diffusers.AutoencoderKLTemporalDecoder(
        block_out_channels=(32, 64),
        down_block_types=("DownEncoderBlock2D",) * 2,
        layers_per_block=1,
        latent_channels=4,
        sample_size=32,
    )
    unet = diffusers.UNetSpatioTemporalConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        sample_size=16,
        in_channels=8,
        out_channels=4,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        cross_attention_dim=32,
        num_attention_heads=8,
        projection_class_embeddings_input_dim=96,
        addition_time_embed_dim=32,
    )
    scheduler = unets.noise_schedule(
        prediction_type="v_prediction",
        timestep_type="continuous",
        timestep_spacing="leading",
        use_karras_sigmas=True,
        sigma_min=0.002,
        sigma_max=700.0,
    )
    return {"vae": vae, "unet": unet, "scheduler": scheduler, **eyes(224)}


def unclip():
    """Stable unCLIP: pictures again after a picture, with a part that only this pipeline has."""
    parts = _without(_sd(), "safety_checker", "feature_extractor", "image_encoder")
    return {
        **parts,
        **eyes(),
        "unet": unets.unet(class_embed_type="projection", projection_class_embeddings_input_dim=64),
        "image_normalizer": StableUnCLIPImageNormalizer(embedding_dim=32),
        "image_noising_scheduler": diffusers.DDPMScheduler(),
    }


PROMPT = "a red fox in the snow"
STEPS = {"num_inference_steps": 2}

WHOLES = {
    "DDPMPipeline": Whole(ddpm, {"batch_size": 2, "num_inference_steps": 3}),
    "DDIMPipeline": Whole(ddim, {"eta": 1.0, **STEPS}),
    "ConsistencyModelPipeline": Whole(consistency, {"class_labels": 1, "num_inference_steps": 2}),
    "DiTPipeline": Whole(dit, {"class_labels": [1, 3], **STEPS}),
    "LDMTextToImagePipeline": Whole(ldm, {"guidance_scale": 3.0, "height": 32, "width": 32, **STEPS}, PROMPT),
    "LDMSuperResolutionPipeline": Whole(ldm_super, STEPS, pictures=1),
    "StableDiffusionUpscalePipeline": Whole(upscale, STEPS, PROMPT, "grey", pictures=1, side=16),
    "StableDiffusionInstructPix2PixPipeline": Whole(instruct, STEPS, PROMPT, "grey", pictures=1),
    "StableDiffusionInpaintPipeline": Whole(
        inpaint, {"height": 32, "width": 32, **STEPS}, PROMPT, "grey", pictures=1, masks=1
    ),
    "StableDiffusionImageVariationPipeline": Whole(variation, {"height": 32, "width": 32, **STEPS}, pictures=1),
    "MarigoldDepthPipeline": Whole(marigold, STEPS, pictures=2),
    "MarigoldNormalsPipeline": Whole(marigold_normals, STEPS, pictures=1),
    "FluxFillPipeline": Whole(flux_fill, {"height": 32, "width": 32, **STEPS}, PROMPT, pictures=1, masks=1),
    "IFPipeline": Whole(pixels, {"height": 32, "width": 32, "clean_caption": False, **STEPS}, PROMPT, "grey"),
    "StableVideoDiffusionPipeline": Whole(
        stable_video, {"num_frames": 2, "height": 32, "width": 32, **STEPS}, pictures=1
    ),
    "StableUnCLIPImg2ImgPipeline": Whole(unclip, {"height": 32, "width": 32, **STEPS}, PROMPT, pictures=1),
}


def build_whole(name, folder, **options):
    """Save a tiny model of the pipeline class `name` to `folder`, the same one each time."""
    torch.manual_seed(0)
    made = WHOLES[name].make(**options)
    if "requires_safety_checker" in inspect.signature(getattr(diffusers, name).__init__).parameters:
        made["requires_safety_checker"] = False
    getattr(diffusers, name)(**made).save_pretrained(folder)
