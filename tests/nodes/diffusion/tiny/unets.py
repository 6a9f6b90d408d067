"""Families around a UNet: Stable Diffusion and its kin, Kandinsky 3, Kolors."""

import diffusers

from tests.nodes.diffusion.tiny import encoders, vaes, words


def unet(**options):
    sizes = {
        "block_out_channels": (32, 64),
        "layers_per_block": 1,
        "sample_size": 16,
        "in_channels": 4,
        "out_channels": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 32,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    }
    return diffusers.UNet2DConditionModel(**{**sizes, **options})


def noise_schedule(cls=diffusers.EulerDiscreteScheduler, **options):
    return cls(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", **options)


def sd():
    return {
        "unet": unet(),
        "scheduler": noise_schedule(diffusers.DDIMScheduler, clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        "vae": vaes.kl(),
        "text_encoder": encoders.clip(),
        "tokenizer": words.clip(),
        "safety_checker": None,
        "feature_extractor": None,
        "image_encoder": None,
    }


def sdxl():
    return {
        "unet": xl_unet(),
        "scheduler": noise_schedule(steps_offset=1, timestep_spacing="leading"),
        "vae": vaes.kl(scaling_factor=0.13025),
        "text_encoder": encoders.clip(),
        "tokenizer": words.clip(),
        "text_encoder_2": encoders.clip_projected(),
        "tokenizer_2": words.clip(),
    }


def xl_unet(ids=6, cross=64, **options):
    return unet(
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 2),
        projection_class_embeddings_input_dim=32 + ids * 8,
        cross_attention_dim=cross,
        **options,
    )


def refiner():
    """SDXL's refiner: one text encoder, and a score of beauty among the sizes."""
    return {
        **sdxl(),
        "unet": xl_unet(5, 32),
        "text_encoder": None,
        "tokenizer": None,
        "requires_aesthetics_score": True,
        "force_zeros_for_empty_prompt": False,
    }


def sd_inpaint():
    """Made for inpainting: its UNet reads a mask and the picture around it."""
    return {**sd(), "unet": unet(in_channels=9)}


def sdxl_inpaint():
    return {**sdxl(), "unet": xl_unet(in_channels=9)}


def lcm():
    parts = sd()
    return {**parts, "unet": unet(time_cond_proj_dim=32), "scheduler": noise_schedule(diffusers.LCMScheduler)}


def kandinsky3():
    return {
        "unet": diffusers.Kandinsky3UNet(
            in_channels=4,
            time_embedding_dim=4,
            groups=2,
            attention_head_dim=4,
            layers_per_block=3,
            block_out_channels=(32, 64),
            cross_attention_dim=4,
            encoder_hid_dim=32,
        ),
        "scheduler": diffusers.DDPMScheduler(
            beta_start=0.00085,
            beta_end=0.02,
            steps_offset=1,
            beta_schedule="squaredcos_cap_v2",
            clip_sample=True,
            thresholding=False,
        ),
        "movq": vaes.movq(),
        "text_encoder": encoders.t5(),
        "tokenizer": words.t5(),
    }


def motion_adapter():
    return diffusers.MotionAdapter(
        block_out_channels=(32, 64), motion_layers_per_block=1, motion_norm_num_groups=2, motion_num_attention_heads=4
    )


def animatediff():
    parts = {name: part for name, part in sd().items() if name != "safety_checker"}
    scheduler = noise_schedule(diffusers.DDIMScheduler, clip_sample=False)
    return {**parts, "scheduler": scheduler, "motion_adapter": motion_adapter()}


def animatediff_xl():
    return {**sdxl(), "motion_adapter": motion_adapter()}
