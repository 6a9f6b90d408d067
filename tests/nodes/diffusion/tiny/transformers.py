"""Transformers of tiny models under the names that they were first published with."""

import re

import torch
from safetensors.torch import load_file


def _weights(folder):
    (file,) = (folder / "transformer").glob("*.safetensors")
    return load_file(file)


def _named(tensors, table):
    """The tensors by other names: each row of the table replaces a pattern, in order."""
    found = {}
    for key, tensor in tensors.items():
        name = key
        for pattern, other in table:
            name = re.sub(pattern, other, name)
        found[name] = tensor.contiguous()
    return found


def _joined(tensors, table):
    """Tensors that lie in one: a row gives a pattern whose group names the piece, what it becomes, and the order."""
    found, apart = {}, {}
    for key, tensor in tensors.items():
        for pattern, other, order in table:
            if match := re.fullmatch(pattern, key):
                name = match.expand(other)
                apart.setdefault((name, order), {})[match["piece"]] = tensor
                break
        else:
            found[key] = tensor
    return found | {name: torch.cat([pieces[each] for each in order]) for (name, order), pieces in apart.items()}


def _swapped(tensors, prefix):
    """Shift and scale the other way round."""
    return {
        key: torch.cat([*reversed(tensor.chunk(2))]) if key.startswith(prefix) else tensor
        for key, tensor in tensors.items()
    }


QKV = ("q", "k", "v")


def flux2(folder):
    """The tensors of the transformer of FLUX.2."""
    joins = [
        (r"(transformer_blocks\.\d+)\.attn\.to_(?P<piece>[qkv])\.weight", r"\1.img_attn.qkv.weight", QKV),
        (r"(transformer_blocks\.\d+)\.attn\.add_(?P<piece>[qkv])_proj\.weight", r"\1.txt_attn.qkv.weight", QKV),
    ]
    names = [
        (r"^single_transformer_blocks", "single_blocks"),
        (r"^transformer_blocks", "double_blocks"),
        (r"(single_blocks\.\d+)\.attn\.norm_([qk])\.weight", r"\1.norm.\2_norm.scale"),
        (r"(single_blocks\.\d+)\.attn\.to_qkv_mlp_proj", r"\1.linear1"),
        (r"(single_blocks\.\d+)\.attn\.to_out", r"\1.linear2"),
        (r"attn\.norm_added_([qk])\.weight", r"txt_attn.norm.\1_norm.scale"),
        (r"(double_blocks\.\d+)\.attn\.norm_([qk])\.weight", r"\1.img_attn.norm.\2_norm.scale"),
        (r"norm\.q_norm", "norm.query_norm"),
        (r"norm\.k_norm", "norm.key_norm"),
        (r"\.attn\.to_out\.0", ".img_attn.proj"),
        (r"\.attn\.to_add_out", ".txt_attn.proj"),
        (r"\.ff\.linear_in", ".img_mlp.0"),
        (r"\.ff\.linear_out", ".img_mlp.2"),
        (r"\.ff_context\.linear_in", ".txt_mlp.0"),
        (r"\.ff_context\.linear_out", ".txt_mlp.2"),
        (r"^x_embedder", "img_in"),
        (r"^context_embedder", "txt_in"),
        (r"^time_guidance_embed\.timestep_embedder", "time_in"),
        (r"^time_guidance_embed\.guidance_embedder", "guidance_in"),
        (r"_in\.linear_1", "_in.in_layer"),
        (r"_in\.linear_2", "_in.out_layer"),
        (r"(stream_modulation\w*)\.linear", r"\1.lin"),
        (r"^norm_out\.linear", "final_layer.adaLN_modulation.1"),
        (r"^proj_out", "final_layer.linear"),
    ]
    return _named(_joined(_swapped(_weights(folder), "norm_out."), joins), names)


def aura_flow(folder):
    """The tensors of the transformer of AuraFlow."""
    names = [
        (r"^joint_transformer_blocks", "double_layers"),
        (r"^single_transformer_blocks", "single_layers"),
        (r"(double_layers\.\d+\.attn)\.to_([qkv])\.", r"\1.w2\2."),
        (r"(double_layers\.\d+\.attn)\.to_out\.0", r"\1.w2o"),
        (r"attn\.add_([qkv])_proj", r"attn.w1\1"),
        (r"attn\.to_add_out", "attn.w1o"),
        (r"(single_layers\.\d+\.attn)\.to_([qkv])\.", r"\1.w1\2."),
        (r"(single_layers\.\d+\.attn)\.to_out\.0", r"\1.w1o"),
        (r"(double_layers\.\d+)\.ff\.", r"\1.mlpX."),
        (r"\.ff_context\.", ".mlpC."),
        (r"(single_layers\.\d+)\.ff\.", r"\1.mlp."),
        (r"(mlp\w?)\.linear_([12])", r"\1.c_fc\2"),
        (r"(mlp\w?)\.out_projection", r"\1.c_proj"),
        (r"(double_layers\.\d+)\.norm1\.linear", r"\1.modX.1"),
        (r"\.norm1_context\.linear", ".modC.1"),
        (r"(single_layers\.\d+)\.norm1\.linear", r"\1.modCX.1"),
        (r"^time_step_proj\.linear_1", "t_embedder.mlp.0"),
        (r"^time_step_proj\.linear_2", "t_embedder.mlp.2"),
        (r"^context_embedder", "cond_seq_linear"),
        (r"^pos_embed\.pos_embed", "positional_encoding"),
        (r"^pos_embed\.proj", "init_x_linear"),
        (r"^norm_out\.linear", "modF.1"),
        (r"^proj_out", "final_linear"),
    ]
    return _named(_swapped(_weights(folder), "norm_out."), names)


def cosmos2(folder):
    """The tensors of the transformer of Cosmos 2, as NVIDIA names them."""
    names = [
        (r"^time_embed\.t_embedder", "t_embedder.1"),
        (r"^time_embed\.norm", "t_embedding_norm"),
        (r"^transformer_blocks", "blocks"),
        (r"\.norm1\.linear_", ".adaln_modulation_self_attn."),
        (r"\.norm2\.linear_", ".adaln_modulation_cross_attn."),
        (r"\.norm3\.linear_", ".adaln_modulation_mlp."),
        (r"\.attn1\.", ".self_attn."),
        (r"\.attn2\.", ".cross_attn."),
        (r"\.to_([qkv])\.", r".\1_proj."),
        (r"\.to_out\.0", ".output_proj"),
        (r"\.norm_([qk])\.", r".\1_norm."),
        (r"\.ff\.net\.0\.proj", ".mlp.layer1"),
        (r"\.ff\.net\.2", ".mlp.layer2"),
        (r"^patch_embed\.proj", "x_embedder.proj.1"),
        (r"^norm_out\.linear_", "final_layer.adaln_modulation."),
        (r"^proj_out", "final_layer.linear"),
        (r"^", "net."),
    ]
    return _named(_weights(folder), names)


def krea2(folder):
    """The tensors of the transformer of Krea 2: a block's modulation is flat."""
    names = [
        (r"^img_in\.", "first."),
        (r"^time_embed\.linear_1", "tmlp.0"),
        (r"^time_embed\.linear_2", "tmlp.2"),
        (r"^time_mod_proj\.", "tproj.1."),
        (r"^txt_in\.norm\.weight", "txtmlp.0.scale"),
        (r"^txt_in\.linear_1", "txtmlp.1"),
        (r"^txt_in\.linear_2", "txtmlp.3"),
        (r"^text_fusion\.", "txtfusion."),
        (r"^transformer_blocks\.", "blocks."),
        (r"^final_layer\.norm\.weight", "last.norm.scale"),
        (r"^final_layer\.scale_shift_table", "last.modulation.lin"),
        (r"^final_layer\.", "last."),
        (r"\.attn\.to_([qkv])\.", r".attn.w\1."),
        (r"\.attn\.to_out\.0", ".attn.wo"),
        (r"\.attn\.to_gate", ".attn.gate"),
        (r"\.attn\.norm_([qk])\.weight", r".attn.qknorm.\1norm.scale"),
        (r"\.ff\.", ".mlp."),
        (r"\.norm1\.weight", ".prenorm.scale"),
        (r"\.norm2\.weight", ".postnorm.scale"),
        (r"\.scale_shift_table", ".mod.lin"),
    ]
    found = _named(_weights(folder), names)
    return {key: tensor.flatten() if key.endswith(".mod.lin") else tensor for key, tensor in found.items()}


def lumina2(folder):
    """The tensors of the transformer of Lumina 2, with one that is not used."""
    joins = [(r"(.*)\.attn\.to_(?P<piece>[qkv])\.weight", r"\1.attention.qkv.weight", QKV)]
    names = [
        (r"^time_caption_embed\.caption_embedder", "cap_embedder"),
        (r"^time_caption_embed\.timestep_embedder\.linear_1", "t_embedder.mlp.0"),
        (r"^time_caption_embed\.timestep_embedder\.linear_2", "t_embedder.mlp.2"),
        (r"\.attn\.to_out\.0", ".attention.out"),
        (r"\.attn\.norm_([qk])", r".attention.\1_norm"),
        (r"feed_forward\.linear_", "feed_forward.w"),
        (r"\.norm1\.linear", ".adaLN_modulation.1"),
        (r"\.norm1\.norm|(?<=\d)\.norm1(?=\.weight)", ".attention_norm1"),
        (r"(?<=\d)\.norm2", ".attention_norm2"),
        (r"^norm_out\.linear_1", "final_layer.adaLN_modulation.1"),
        (r"^norm_out\.linear_2", "final_layer.linear"),
    ]
    found = _named(_joined(_weights(folder), joins), names)
    return {**found, "norm_final.weight": torch.ones(8)}


def hunyuan_video(folder):
    """The tensors of the transformer of HunyuanVideo."""
    joins = [
        (r"transformer_blocks\.(\d+)\.attn\.to_(?P<piece>[qkv])\.(\w+)", r"double_blocks.\1.img_attn_qkv.\3", QKV),
        (
            r"transformer_blocks\.(\d+)\.attn\.add_(?P<piece>[qkv])_proj\.(\w+)",
            r"double_blocks.\1.txt_attn_qkv.\3",
            QKV,
        ),
        (
            r"single_transformer_blocks\.(\d+)\.(?:attn\.to|proj)_(?P<piece>q|k|v|mlp)\.(\w+)",
            r"single_blocks.\1.linear1.\3",
            (*QKV, "mlp"),
        ),
        (
            r"context_embedder\.token_refiner\.refiner_blocks\.(\d+)\.attn\.to_(?P<piece>[qkv])\.(\w+)",
            r"txt_in.individual_token_refiner.blocks.\1.self_attn_qkv.\3",
            QKV,
        ),
    ]
    names = [
        (r"^context_embedder\.proj_in", "txt_in.input_embedder"),
        (r"^context_embedder\.time_text_embed\.timestep_embedder\.linear_1", "txt_in.t_embedder.mlp.0"),
        (r"^context_embedder\.time_text_embed\.timestep_embedder\.linear_2", "txt_in.t_embedder.mlp.2"),
        (r"^context_embedder\.time_text_embed\.text_embedder", "txt_in.c_embedder"),
        (r"^context_embedder\.token_refiner\.refiner_blocks", "txt_in.individual_token_refiner.blocks"),
        (r"(^txt_in.*)\.norm_out\.linear", r"\1.adaLN_modulation.1"),
        (r"(^txt_in.*)\.attn\.to_out\.0", r"\1.self_attn_proj"),
        (r"(^txt_in.*)\.ff\.net\.0\.proj", r"\1.mlp.fc1"),
        (r"(^txt_in.*)\.ff\.net\.2", r"\1.mlp.fc2"),
        (r"^x_embedder", "img_in"),
        (r"^time_text_embed\.timestep_embedder\.linear_1", "time_in.mlp.0"),
        (r"^time_text_embed\.timestep_embedder\.linear_2", "time_in.mlp.2"),
        (r"^time_text_embed\.guidance_embedder\.linear_1", "guidance_in.mlp.0"),
        (r"^time_text_embed\.guidance_embedder\.linear_2", "guidance_in.mlp.2"),
        (r"^time_text_embed\.text_embedder\.linear_1", "vector_in.in_layer"),
        (r"^time_text_embed\.text_embedder\.linear_2", "vector_in.out_layer"),
        (r"^single_transformer_blocks", "single_blocks"),
        (r"^transformer_blocks", "double_blocks"),
        (r"(single_blocks\.\d+)\.attn\.norm_([qk])", r"\1.\2_norm"),
        (r"(single_blocks\.\d+)\.norm\.linear", r"\1.modulation.linear"),
        (r"(single_blocks\.\d+)\.proj_out", r"\1.linear2"),
        (r"\.attn\.norm_added_([qk])", r".txt_attn_\1_norm"),
        (r"\.attn\.norm_([qk])", r".img_attn_\1_norm"),
        (r"\.attn\.to_out\.0", ".img_attn_proj"),
        (r"\.attn\.to_add_out", ".txt_attn_proj"),
        (r"\.norm1\.linear", ".img_mod.linear"),
        (r"\.norm1_context\.linear", ".txt_mod.linear"),
        (r"\.ff\.net\.0\.proj", ".img_mlp.fc1"),
        (r"\.ff\.net\.2", ".img_mlp.fc2"),
        (r"\.ff_context\.net\.0\.proj", ".txt_mlp.fc1"),
        (r"\.ff_context\.net\.2", ".txt_mlp.fc2"),
        (r"^norm_out\.linear", "final_layer.adaLN_modulation.1"),
        (r"^proj_out", "final_layer.linear"),
    ]
    return _named(_joined(_swapped(_weights(folder), "norm_out."), joins), names)
