"""The node types that come with Patchbay, collected by the entry point `patchbay.nodes`.

Importing this package imports no torch: a node's function brings in what it needs when it first runs, so the catalogue
and the checking of graphs stay light.
"""

import os

# Read when torch is first brought in. Threads that wait by spinning keep a core from the thread they wait for: with
# another program on one of two cores, a picture of `pocket` took 13 to 50 s of sampling instead of 1.3 s.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from nodes.adapters import apply_ip_adapter, load_ip_adapter
from nodes.components import load_text_encoder, load_vae
from nodes.conditioning import (
    apply_control,
    apply_prior,
    combine_conditionings,
    encode_text,
    limit_conditioning,
    mix_conditionings,
)
from nodes.control import collect, for_each, if_, note, number, repeat, reroute, switch, text
from nodes.directions import (
    describe_latent,
    distribution_divergence,
    edit_channels,
    follow_direction,
    learn_direction,
    load_direction,
    round_trip,
    save_direction,
)
from nodes.guiding import auto_guidance, perturb_attention, skip_blocks, smooth_attention
from nodes.images import (
    composite_images,
    crop_image,
    edit_mask,
    image_difference,
    image_grid,
    load_image,
    load_mask,
    mask_from_image,
    resize_image,
    save_image,
)
from nodes.inpainting import crop_to_mask, mask_latent, pad_image, paste_back, resize_mask, vae_encode_masked
from nodes.latents import (
    distribution_maps,
    empty_latent,
    hand_on_latent,
    latent_arithmetic,
    latent_distance,
    latent_maps,
    mix_latents,
    resize_latent,
    sample_distribution,
    vae_decode,
    vae_encode,
)
from nodes.load import load_control_net, load_model
from nodes.patches import add_embedding, apply_lora, free_u
from nodes.picture_prompts import add_picture_prompt
from nodes.pipelines import run_pipeline
from nodes.preprocessors import canny_edges, depth_map, load_depth_model, load_pose_model, pose_map
from nodes.sampling import guider, sample, sample_steps, sampler, scheduler, show_scheduler
from nodes.sigmas import cut_sigmas, edit_sigmas, join_sigmas, make_sigmas, plot_sigmas, sigma_values
from nodes.sounds import decode_sound, save_sound
from nodes.tuning import cache_steps, tile_vae, tune_model
from nodes.upscaling import upscale_latent, upscale_model
from nodes.videos import images_to_video, load_video, save_video, video_to_images

__all__ = [
    "add_embedding",
    "add_picture_prompt",
    "apply_control",
    "apply_ip_adapter",
    "apply_lora",
    "apply_prior",
    "auto_guidance",
    "cache_steps",
    "canny_edges",
    "collect",
    "combine_conditionings",
    "composite_images",
    "crop_image",
    "crop_to_mask",
    "cut_sigmas",
    "decode_sound",
    "depth_map",
    "describe_latent",
    "distribution_divergence",
    "distribution_maps",
    "edit_channels",
    "edit_mask",
    "edit_sigmas",
    "empty_latent",
    "encode_text",
    "follow_direction",
    "for_each",
    "free_u",
    "guider",
    "hand_on_latent",
    "if_",
    "image_difference",
    "image_grid",
    "images_to_video",
    "join_sigmas",
    "latent_arithmetic",
    "latent_distance",
    "latent_maps",
    "learn_direction",
    "limit_conditioning",
    "load_control_net",
    "load_depth_model",
    "load_direction",
    "load_image",
    "load_ip_adapter",
    "load_mask",
    "load_model",
    "load_pose_model",
    "load_text_encoder",
    "load_vae",
    "load_video",
    "make_sigmas",
    "mask_from_image",
    "mask_latent",
    "mix_conditionings",
    "mix_latents",
    "note",
    "number",
    "pad_image",
    "paste_back",
    "perturb_attention",
    "plot_sigmas",
    "pose_map",
    "repeat",
    "reroute",
    "resize_image",
    "resize_latent",
    "resize_mask",
    "round_trip",
    "run_pipeline",
    "sample",
    "sample_distribution",
    "sample_steps",
    "sampler",
    "save_direction",
    "save_image",
    "save_sound",
    "save_video",
    "scheduler",
    "show_scheduler",
    "sigma_values",
    "skip_blocks",
    "smooth_attention",
    "switch",
    "text",
    "tile_vae",
    "tune_model",
    "upscale_latent",
    "upscale_model",
    "vae_decode",
    "vae_encode",
    "vae_encode_masked",
    "video_to_images",
]
