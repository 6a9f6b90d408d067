"""Tiny random ControlNets and adapters for tiny models."""

import inspect
from dataclasses import replace

import diffusers
import torch

from nodes.diffusion.disk.nets import survey_net
from nodes.diffusion.memory.shelf import SHELF
from nodes.types import ControlNet
from tests.nodes.diffusion.tiny.table import disturb


def sizes_of(denoiser, cls):
    """Of a denoiser's settings, those that a ControlNet of the class has too."""
    own = inspect.signature(cls.__init__).parameters
    return {name: value for name, value in denoiser.config.items() if name in own}


def of_transformer(cls):
    """A ControlNet of the sizes of its transformer."""
    return lambda denoiser, config: cls(**{**sizes_of(denoiser, cls), **config})


def of_unet(denoiser, config):
    if isinstance(denoiser, diffusers.UNet2DConditionModel):
        return diffusers.ControlNetModel.from_unet(denoiser, conditioning_embedding_out_channels=(8, 16))
    sizes = {**sizes_of(denoiser, diffusers.ControlNetModel), "conditioning_embedding_out_channels": (8, 16)}
    blocks = [name.replace("Motion", "2D") for name in denoiser.config.down_block_types]
    return diffusers.ControlNetModel(**{**sizes, "down_block_types": blocks, **config})


def union(denoiser, config):
    sizes = {"conditioning_embedding_out_channels": (8, 16), "num_trans_channel": 32, "num_trans_head": 4}
    common = sizes_of(denoiser, diffusers.ControlNetUnionModel)
    return diffusers.ControlNetUnionModel(
        **{**common, **sizes, "num_proj_channel": 32, "num_control_type": 4, **config}
    )


def sparse(denoiser, config):
    """Shown latents, or pixels where `use_simplified_condition_embedding` is false."""
    cls = diffusers.SparseControlNetModel
    motion = {"motion_num_attention_heads": 4, "conditioning_embedding_out_channels": (8, 16)}
    return cls(**{**sizes_of(denoiser, cls), "conditioning_channels": 4, **motion, **config})


def adapter(denoiser, config):
    """Both tiny UNets have two levels, of which the second halves no more, as in adapters for SDXL."""
    channels = [*denoiser.config.block_out_channels, 64, 64]
    return diffusers.T2IAdapter(
        **{
            "channels": channels,
            "num_res_blocks": 1,
            "downscale_factor": 4,
            "adapter_type": "full_adapter_xl",
            **config,
        }
    )


def hunyuan(denoiser, config):
    cls = diffusers.HunyuanDiT2DControlNetModel
    return cls(**{**sizes_of(denoiser, cls), "transformer_num_layers": denoiser.config.num_layers, **config})


def z_image(denoiser, config):
    names = ("all_patch_size", "all_f_patch_size", "dim", "n_refiner_layers", "n_heads", "n_kv_heads", "qk_norm")
    sizes = {name: denoiser.config[name] for name in names}
    places = {"control_layers_places": [0, 1], "control_refiner_layers_places": [0], "control_in_dim": 16}
    return diffusers.ZImageControlNetModel(**{**sizes, **places, **config})


MAKERS = {
    "FluxPipeline": of_transformer(diffusers.FluxControlNetModel),
    "StableDiffusion3Pipeline": of_transformer(diffusers.SD3ControlNetModel),
    "QwenImagePipeline": of_transformer(diffusers.QwenImageControlNetModel),
    "HunyuanDiTPipeline": hunyuan,
    "SanaPipeline": of_transformer(diffusers.SanaControlNetModel),
    "ZImagePipeline": z_image,
}
"""Of a family's class, how its ControlNets are made; others have a UNet."""

MORE = {
    "StableDiffusion3ControlNetInpaintingPipeline": {"extra_conditioning_channels": 1},
    "QwenImageControlNetInpaintPipeline": {"extra_condition_channels": 4},
    "ZImageControlNetInpaintPipeline": {"control_in_dim": 33},
}


def build_net(source, folder, seed=0, *, name="", **config):
    """Save a random ControlNet for a tiny model to `folder`, the same one each time; `name` is the stock class."""
    torch.manual_seed(seed)
    config = {**MORE.get(name, {}), **config}
    special = {"Union": union, "Adapter": adapter, "Sparse": sparse}
    own = MAKERS.get(source.pipeline_class, of_unet)
    make = next((make for word, make in special.items() if word in name), own)
    with SHELF.use(source, source.family.denoisers[0]) as denoiser:
        net = make(denoiser, config)
    net.register_to_config(**config)
    disturb(net)
    for parameter in net.parameters():
        parameter.data += torch.randn(parameter.shape) * 0.02  # a copy of the denoiser would say what it says
    net.save_pretrained(folder)
    found = survey_net(folder, "test")
    if "AnimateDiff" in source.pipeline_class:  # models of the usual sizes are of one kind, tiny ones are not
        found = replace(found, kind=source.kind)
    return ControlNet(found)
