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


def build_refiner(folder):
    """Save a tiny refiner of SDXL whose text encoder is as the loader of files needs it."""
    torch.manual_seed(0)
    sizes = {"cross_attention_dim": 64, "projection_class_embeddings_input_dim": 64 + 5 * 8}
    config = {**unets.xl_unet().config, **sizes}
    parts = {
        **unets.refiner(),
        "unet": diffusers.UNet2DConditionModel.from_config(config),
        "text_encoder_2": encoders.clip_projected(64, 64),
    }
    parts.pop("force_zeros_for_empty_prompt")
    diffusers.StableDiffusionXLImg2ImgPipeline(**parts, add_watermarker=False).save_pretrained(folder)


def refiner(folder):
    """The tensors of that model: its one text encoder is the second of SDXL."""
    unet, vae, text = (_weights(folder, part) for part in ("unet", "vae", "text_encoder_2"))
    named = ((name.replace("embedders.1", "embedders.0"), tensor) for name, tensor in _open_clip(text))
    return _whole(_unet(unet, XL_UNET), _vae(vae, len({*_ups(vae)})), named)


def sdxl(folder):
    """The tensors of that model."""
    unet, vae, first, second = (_weights(folder, part) for part in ("unet", "vae", "text_encoder", "text_encoder_2"))
    text = _text(first, "conditioner.embedders.0.")
    return _whole(_unet(unet, XL_UNET), _vae(vae, len({*_ups(vae)})), text, _open_clip(second))


def _ups(vae):
    return (name.split(".")[2] for name in vae if name.startswith("decoder.up_blocks."))


TIMES = [
    (r"time_text_embed\.timestep_embedder\.linear_1", "t_embedder.mlp.0"),
    (r"time_text_embed\.timestep_embedder\.linear_2", "t_embedder.mlp.2"),
    (r"time_text_embed\.text_embedder\.linear_1", "y_embedder.mlp.0"),
    (r"time_text_embed\.text_embedder\.linear_2", "y_embedder.mlp.2"),
]
SD3 = [
    *TIMES,
    (r"pos_embed\.proj", "x_embedder.proj"),
    (r"norm_out\.linear", "final_layer.adaLN_modulation.1"),
    (r"proj_out", "final_layer.linear"),
]
SD3_BLOCK = [
    ("attn.to_out.0", "x_block.attn.proj"),
    ("attn.to_add_out", "context_block.attn.proj"),
    ("attn2.to_out.0", "x_block.attn2.proj"),
    ("attn.norm_q", "x_block.attn.ln_q"),
    ("attn.norm_k", "x_block.attn.ln_k"),
    ("attn.norm_added_q", "context_block.attn.ln_q"),
    ("attn.norm_added_k", "context_block.attn.ln_k"),
    ("attn2.norm_q", "x_block.attn2.ln_q"),
    ("attn2.norm_k", "x_block.attn2.ln_k"),
    ("norm1.linear", "x_block.adaLN_modulation.1"),
    ("norm1_context.linear", "context_block.adaLN_modulation.1"),
    ("ff.net.0.proj", "x_block.mlp.fc1"),
    ("ff.net.2", "x_block.mlp.fc2"),
    ("ff_context.net.0.proj", "context_block.mlp.fc1"),
    ("ff_context.net.2", "context_block.mlp.fc2"),
]
SD3_JOINED = [
    (r"attn\.to_([qkv])", "x_block.attn.qkv"),
    (r"attn2\.to_([qkv])", "x_block.attn2.qkv"),
    (r"attn\.add_([qkv])_proj", "context_block.attn.qkv"),
]
"""Queries, keys and values lie in one tensor."""

FLUX = [
    (r"time_text_embed\.timestep_embedder\.linear_1", "time_in.in_layer"),
    (r"time_text_embed\.timestep_embedder\.linear_2", "time_in.out_layer"),
    (r"time_text_embed\.text_embedder\.linear_1", "vector_in.in_layer"),
    (r"time_text_embed\.text_embedder\.linear_2", "vector_in.out_layer"),
    (r"time_text_embed\.guidance_embedder\.linear_1", "guidance_in.in_layer"),
    (r"time_text_embed\.guidance_embedder\.linear_2", "guidance_in.out_layer"),
    (r"context_embedder", "txt_in"),
    (r"x_embedder", "img_in"),
    (r"norm_out\.linear", "final_layer.adaLN_modulation.1"),
    (r"proj_out", "final_layer.linear"),
]
FLUX_BLOCK = [
    ("attn.to_out.0", "img_attn.proj"),
    ("attn.to_add_out", "txt_attn.proj"),
    ("attn.norm_q.weight", "img_attn.norm.query_norm.scale"),
    ("attn.norm_k.weight", "img_attn.norm.key_norm.scale"),
    ("attn.norm_added_q.weight", "txt_attn.norm.query_norm.scale"),
    ("attn.norm_added_k.weight", "txt_attn.norm.key_norm.scale"),
    ("norm1.linear", "img_mod.lin"),
    ("norm1_context.linear", "txt_mod.lin"),
    ("ff.net.0.proj", "img_mlp.0"),
    ("ff.net.2", "img_mlp.2"),
    ("ff_context.net.0.proj", "txt_mlp.0"),
    ("ff_context.net.2", "txt_mlp.2"),
]
FLUX_JOINED = [
    (r"attn\.to_([qkv])", "img_attn.qkv"),
    (r"attn\.add_([qkv])_proj", "txt_attn.qkv"),
]
FLUX_SINGLE = [
    ("attn.norm_q.weight", "norm.query_norm.scale"),
    ("attn.norm_k.weight", "norm.key_norm.scale"),
    ("norm.linear", "modulation.lin"),
    ("proj_out", "linear2"),
]
FLUX_SINGLE_JOINED = [(r"attn\.to_([qkv])", "linear1"), (r"proj_(m)lp", "linear1")]


def _renamed(key, names):
    """The key with the first name that it is or starts with replaced."""
    begins = ((ours, theirs) for ours, theirs in names if f"{key}.".startswith(f"{ours}."))
    ours, theirs = next(begins, ("", ""))
    return theirs + key[len(ours) :]


def _block(prefix, weights, names, joins):
    """One block: tensors by their other names, and those that are joined in one, in the order of the letters `qkvm`."""
    joined = {}
    for key, tensor in weights.items():
        name, _, kind = key.rpartition(".")
        for pattern, theirs in joins:
            if found := re.fullmatch(pattern, name):
                joined.setdefault(f"{prefix}.{theirs}.{kind}", {})[found[1]] = tensor
                break
        else:
            yield f"{prefix}.{_renamed(key, names)}", tensor
    for name, tensors in joined.items():
        yield name, torch.cat([tensors[letter] for letter in "qkvm" if letter in tensors])


def _transformer(weights, table, blocks, last):
    """`blocks` are name -> (other name, names, joins); scale and shift of the last norm stand the other way round."""
    apart = {}
    for key, tensor in weights.items():
        kind, _, rest = key.partition(".")
        number, _, inner = rest.partition(".")
        if kind in blocks:
            apart.setdefault((kind, number), {})[inner] = tensor
        elif key == "pos_embed.pos_embed":
            yield "pos_embed", tensor
        elif key.startswith(last):
            yield _rename(key, table), torch.cat([*reversed(tensor.chunk(2))])
        else:
            yield _rename(key, table), tensor
    for (kind, number), inside in apart.items():
        theirs, names, joins = blocks[kind]
        yield from _block(f"{theirs}.{number}", inside, names, joins)


def sd3(folder):
    """The tensors of the transformer of an SD 3 folder; its last block has a norm of the other order, too."""
    weights = _weights(folder, "transformer")
    count = len({key.split(".")[1] for key in weights if key.startswith("transformer_blocks.")})
    last = f"transformer_blocks.{count - 1}.norm1_context.linear."
    swapped = {
        key: torch.cat([*reversed(tensor.chunk(2))]) if key.startswith(last) else tensor
        for key, tensor in weights.items()
    }
    blocks = {"transformer_blocks": ("joint_blocks", SD3_BLOCK, SD3_JOINED)}
    return _whole(_transformer(swapped, SD3, blocks, "norm_out.linear."))


def flux(folder):
    """The tensors of the transformer of a FLUX.1 folder."""
    blocks = {
        "transformer_blocks": ("double_blocks", FLUX_BLOCK, FLUX_JOINED),
        "single_transformer_blocks": ("single_blocks", FLUX_SINGLE, FLUX_SINGLE_JOINED),
    }
    return _whole(_transformer(_weights(folder, "transformer"), FLUX, blocks, "norm_out.linear."))


def as_they_are(folder):
    """The tensors of a transformer whose names are Diffusers' own."""
    return _whole(_weights(folder, "transformer").items())


Z_IMAGE = [
    ("all_final_layer.2-1.", "final_layer."),
    ("all_x_embedder.2-1.", "x_embedder."),
    (".attention.to_out.0.", ".attention.out."),
    (".attention.norm_k.", ".attention.k_norm."),
    (".attention.norm_q.", ".attention.q_norm."),
]


def z_image(folder):
    """The tensors of the transformer of a Z-Image folder: queries, keys and values lie in one."""
    joined = {}
    for key, tensor in _weights(folder, "transformer").items():
        name = key
        for ours, theirs in Z_IMAGE:
            name = name.replace(ours, theirs)
        apart = re.fullmatch(r"(.*\.attention)\.to_([qkv])\.weight", name)
        joined.setdefault(f"{apart[1]}.qkv.weight" if apart else name, {})[apart[2] if apart else ""] = tensor
    return _whole(
        (name, torch.cat([found[key] for key in ("", "q", "k", "v") if key in found])) for name, found in joined.items()
    )


WAN = [
    ("condition_embedder.time_embedder.linear_1", "time_embedding.0"),
    ("condition_embedder.time_embedder.linear_2", "time_embedding.2"),
    ("condition_embedder.text_embedder.linear_1", "text_embedding.0"),
    ("condition_embedder.text_embedder.linear_2", "text_embedding.2"),
    ("condition_embedder.time_proj", "time_projection.1"),
    ("attn1", "self_attn"),
    ("attn2", "cross_attn"),
    (".to_out.0.", ".o."),
    (".to_q.", ".q."),
    (".to_k.", ".k."),
    (".to_v.", ".v."),
    ("proj_out", "head.head"),
    ("ffn.net.0.proj", "ffn.0"),
    ("ffn.net.2", "ffn.2"),
    ("norm3", "norm_"),
    ("norm2", "norm3"),
    ("norm_.", "norm2."),
]


def wan(folder):
    """The tensors of the transformer of a Wan folder."""
    found = {}
    for key, tensor in _weights(folder, "transformer").items():
        name = "head.modulation" if key == "scale_shift_table" else key.replace("scale_shift_table", "modulation")
        for ours, theirs in WAN:
            name = name.replace(ours, theirs)
        found[name] = tensor
    return _whole(found.items())


LTX = [("proj_in", "patchify_proj"), ("time_embed", "adaln_single"), ("norm_q", "q_norm"), ("norm_k", "k_norm")]


def ltx(folder):
    """The tensors of the transformer of an LTX folder."""
    found = {}
    for key, tensor in _weights(folder, "transformer").items():
        name = key
        for ours, theirs in LTX:
            name = name.replace(ours, theirs)
        found[name] = tensor
    return _whole(found.items())


def as_saved(folder, part):
    """The tensors of a part as its folder has them."""
    return _weights(folder, part)


WAN_VAE = [
    (r"^(quant_conv)", "conv1"),
    (r"^(post_quant_conv)", "conv2"),
    (r"^(encoder|decoder)\.conv_in", r"\1.conv1"),
    (r"^(encoder|decoder)\.norm_out", r"\1.head.0"),
    (r"^(encoder|decoder)\.conv_out", r"\1.head.2"),
    (r"\.mid_block\.resnets\.0", ".middle.0"),
    (r"\.mid_block\.attentions\.0", ".middle.1"),
    (r"\.mid_block\.resnets\.1", ".middle.2"),
    (r"\.down_blocks\.", ".downsamples."),
    (r"\.norm1\.", ".residual.0."),
    (r"(\d)\.conv1\.", r"\1.residual.2."),
    (r"\.norm2\.", ".residual.3."),
    (r"\.conv2\.", ".residual.6."),
    (r"\.conv_shortcut", ".shortcut"),
]


def wan_vae(folder):
    """The tensors of a Wan's or a Qwen-Image's VAE of two resnets in each of four levels: its blocks lie in one row."""
    found = {}
    for key, tensor in _weights(folder, "vae").items():
        name = key
        for pattern, other in WAN_VAE:
            name = re.sub(pattern, other, name)
        if place := re.match(r"decoder\.up_blocks\.(\d)\.(?:resnets\.(\d)|upsamplers\.0)\.(.*)", name):
            name = f"decoder.upsamples.{4 * int(place[1]) + int(place[2] or 3)}.{place[3]}"
        found[name] = tensor
    return _whole(found.items())
