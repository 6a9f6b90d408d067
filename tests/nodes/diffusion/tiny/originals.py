"""Tiny models as single files, with the names that the programs gave to tensors which they were first made with."""

import re

import diffusers
import torch
from safetensors.torch import load_file

from tests.nodes.diffusion.tiny import encoders, unets

RESNET = [
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("time_emb_proj", "emb_layers.1"),
    ("conv_shortcut", "skip_connection"),
]
UNET = [
    (r"time_embedding\.linear_1", "time_embed.0"),
    (r"time_embedding\.linear_2", "time_embed.2"),
    (r"conv_in", "input_blocks.0.0"),
    (r"conv_norm_out", "out.0"),
    (r"conv_out", "out.2"),
    (r"down_blocks\.0\.resnets\.0", "input_blocks.1.0"),
    (r"down_blocks\.0\.attentions\.0", "input_blocks.1.1"),
    (r"down_blocks\.0\.downsamplers\.0\.conv", "input_blocks.2.0.op"),
    (r"down_blocks\.1\.resnets\.0", "input_blocks.3.0"),
    (r"mid_block\.resnets\.0", "middle_block.0"),
    (r"mid_block\.attentions\.0", "middle_block.1"),
    (r"mid_block\.resnets\.1", "middle_block.2"),
    (r"up_blocks\.0\.resnets\.0", "output_blocks.0.0"),
    (r"up_blocks\.0\.resnets\.1", "output_blocks.1.0"),
    (r"up_blocks\.0\.upsamplers\.0", "output_blocks.1.1"),
    (r"up_blocks\.1\.resnets\.0", "output_blocks.2.0"),
    (r"up_blocks\.1\.attentions\.0", "output_blocks.2.1"),
    (r"up_blocks\.1\.resnets\.1", "output_blocks.3.0"),
    (r"up_blocks\.1\.attentions\.1", "output_blocks.3.1"),
]
VAE = [
    (r"(\w+)\.mid_block\.attentions\.0\.group_norm", r"\1.mid.attn_1.norm"),
    (r"(\w+)\.mid_block\.attentions\.0\.to_out\.0", r"\1.mid.attn_1.proj_out"),
    (r"(\w+)\.mid_block\.attentions\.0\.to_([qkv])", r"\1.mid.attn_1.\2"),
    (r"(\w+)\.mid_block\.resnets\.0", r"\1.mid.block_1"),
    (r"(\w+)\.mid_block\.resnets\.1", r"\1.mid.block_2"),
    (r"encoder\.down_blocks\.(\d)\.resnets\.(\d)", r"encoder.down.\1.block.\2"),
    (r"encoder\.down_blocks\.(\d)\.downsamplers\.0", r"encoder.down.\1.downsample"),
    (r"(\w+)\.conv_norm_out", r"\1.norm_out"),
]


def _rename(key, table):
    for pattern, replacement in table:
        if re.match(rf"{pattern}\.", key):
            return re.sub(rf"^{pattern}\.", f"{replacement}.", key)
    return key


def _unet(weights, table):
    for key, tensor in weights.items():
        name = _rename(key, table)
        if "resnets" in key:
            for ours, theirs in RESNET:
                name = name.replace(f".{ours}.", f".{theirs}.")
        yield f"model.diffusion_model.{name}", tensor


def _vae(weights, blocks=3):
    for key, tensor in weights.items():
        name = _rename(key, VAE).replace("conv_shortcut", "nin_shortcut")
        if found := re.match(r"decoder\.up_blocks\.(\d)\.(resnets\.(\d)|upsamplers\.0)(.*)", name):
            inner = f"block.{found[3]}" if found[3] else "upsample"
            name = f"decoder.up.{blocks - 1 - int(found[1])}.{inner}{found[4]}"
        is_matrix = ".attn_1." in name and tensor.ndim == 2
        yield f"first_stage_model.{name}", tensor[..., None, None] if is_matrix else tensor


def _text(weights, prefix):
    for key, tensor in weights.items():
        inner = key if key.startswith("text_model.") else f"text_model.{key}"
        yield f"{prefix}transformer.{inner}", tensor


XL_UNET = [
    (r"add_embedding\.linear_1", "label_emb.0.0"),
    (r"add_embedding\.linear_2", "label_emb.0.2"),
    (r"down_blocks\.1\.attentions\.0", "input_blocks.3.1"),
    (r"up_blocks\.0\.attentions\.0", "output_blocks.0.1"),
    (r"up_blocks\.0\.attentions\.1", "output_blocks.1.1"),
    (r"up_blocks\.0\.upsamplers\.0", "output_blocks.1.2"),
    *UNET,
]
"""The second of two blocks has attention here, not the first."""

OPEN_CLIP = [
    ("text_model.encoder.layers.", "transformer.resblocks."),
    ("text_model.embeddings.token_embedding", "token_embedding"),
    ("text_model.embeddings.position_embedding.weight", "positional_embedding"),
    ("text_model.final_layer_norm", "ln_final"),
    ("layer_norm", "ln_"),
    ("self_attn.out_proj", "attn.out_proj"),
    ("mlp.fc1", "mlp.c_fc"),
    ("mlp.fc2", "mlp.c_proj"),
]


def _open_clip(weights):
    """OpenCLIP keeps queries, keys and values in one tensor, and its projection the other way round."""
    joined = {}
    for key, tensor in weights.items():
        name = key
        for ours, theirs in OPEN_CLIP:
            name = name.replace(ours, theirs)
        if found := re.fullmatch(r"(.*)self_attn\.([qkv])_proj\.(weight|bias)", name):
            joined.setdefault(f"{found[1]}attn.in_proj_{found[3]}", {})[found[2]] = tensor
        elif name == "text_projection.weight":
            joined["text_projection"] = tensor.T
        else:
            joined[name] = tensor
    for name, tensor in joined.items():
        whole = torch.cat([tensor[each] for each in "qkv"]) if isinstance(tensor, dict) else tensor
        yield f"conditioner.embedders.1.model.{name}", whole


def _weights(folder, part):
    (file,) = (folder / part).glob("*.safetensors")
    return load_file(file)


def _whole(*parts):
    return {name: tensor.contiguous() for part in parts for name, tensor in part}


def sd(folder):
    """The tensors of a Stable Diffusion folder like that of `tests/conftest.py`."""
    unet, vae, text = (_weights(folder, part) for part in ("unet", "vae", "text_encoder"))
    return _whole(_unet(unet, UNET), _vae(vae), _text(text, "cond_stage_model."))


def build_sdxl(folder):
    """Save a tiny SDXL model whose two text encoders have different widths, as the loader of files needs them."""
    torch.manual_seed(0)
    sizes = {"cross_attention_dim": 32 + 64, "projection_class_embeddings_input_dim": 64 + 6 * 8}
    config = {**unets.xl_unet().config, **sizes}
    parts = {
        **unets.sdxl(),
        "unet": diffusers.UNet2DConditionModel.from_config(config),
        "text_encoder_2": encoders.clip_projected(64, 64),
    }
    diffusers.StableDiffusionXLPipeline(**parts, add_watermarker=False).save_pretrained(folder)


def sdxl(folder):
    """The tensors of that model."""
    unet, vae, first, second = (_weights(folder, part) for part in ("unet", "vae", "text_encoder", "text_encoder_2"))
    text = _text(first, "conditioner.embedders.0.")
    return _whole(_unet(unet, XL_UNET), _vae(vae, len({*_ups(vae)})), text, _open_clip(second))


def _ups(vae):
    return (name.split(".")[2] for name in vae if name.startswith("decoder.up_blocks."))
