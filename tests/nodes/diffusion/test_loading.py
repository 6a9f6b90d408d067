"""Parts from folders and from single files, and what happens when they do not fit."""

import json
import re
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import Code, PatchbayError
from nodes.diffusion.loading import load_part
from nodes.diffusion.source import survey

CPU = torch.device("cpu")

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


def rename(key, table):
    for pattern, replacement in table:
        if re.match(rf"{pattern}\.", key):
            return re.sub(rf"^{pattern}\.", f"{replacement}.", key)
    return key


def original_unet(weights):
    for key, tensor in weights.items():
        name = rename(key, UNET)
        if "resnets" in key:
            for ours, theirs in RESNET:
                name = name.replace(f".{ours}.", f".{theirs}.")
        yield f"model.diffusion_model.{name}", tensor


def original_vae(weights, blocks=3):
    for key, tensor in weights.items():
        name = rename(key, VAE).replace("conv_shortcut", "nin_shortcut")
        if found := re.match(r"decoder\.up_blocks\.(\d)\.(resnets\.(\d)|upsamplers\.0)(.*)", name):
            inner = f"block.{found[3]}" if found[3] else "upsample"
            name = f"decoder.up.{blocks - 1 - int(found[1])}.{inner}{found[4]}"
        is_matrix = ".attn_1." in name and tensor.ndim == 2
        yield f"first_stage_model.{name}", tensor[..., None, None] if is_matrix else tensor


def original_text(weights):
    for key, tensor in weights.items():
        inner = key if key.startswith("text_model.") else f"text_model.{key}"
        yield f"cond_stage_model.transformer.{inner}", tensor


@pytest.fixture(scope="session")
def single_file(tiny_folder, tmp_path_factory):
    """The tiny model as one file in the layout of the original Stable Diffusion checkpoints."""
    tensors = {
        **dict(original_unet(load_file(tiny_folder / "unet/diffusion_pytorch_model.safetensors"))),
        **dict(original_vae(load_file(tiny_folder / "vae/diffusion_pytorch_model.safetensors"))),
        **dict(original_text(load_file(tiny_folder / "text_encoder/model.safetensors"))),
    }
    path = tmp_path_factory.mktemp("single") / "tiny.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path


def refusal(source, name):
    with pytest.raises(PatchbayError) as caught:
        load_part(source, name, CPU, torch.float32)
    return caught.value


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_single_file_gives_the_weights_of_the_folder(single_file, tiny, part):
    source = survey(single_file, config=tiny.path, at="x")
    assert source.kind == tiny.kind
    assert source.single_file
    ours = load_part(source, part, CPU, torch.float32).state_dict()
    theirs = load_part(tiny, part, CPU, torch.float32).state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_single_file_counts_its_own_weights(single_file, tiny):
    parts = survey(single_file, config=tiny.path, at="x").parts
    assert {name: part.numbers for name, part in parts.items()} == {
        name: part.numbers for name, part in tiny.parts.items()
    }


def test_a_single_file_takes_words_and_schedule_from_the_configuration(single_file, tiny):
    source = survey(single_file, config=tiny.path, at="x")
    assert source.scheduler == tiny.scheduler
    assert load_part(source, "tokenizer", CPU, torch.float32)("fox").input_ids
    assert source.digest != tiny.digest


def test_a_single_file_needs_a_configuration_of_its_family(single_file, pocket):
    with pytest.raises(PatchbayError, match="Set `config`"):
        survey(single_file, at="x")
    with pytest.raises(PatchbayError, match="same family"):
        survey(single_file, config=pocket.path, at="x")


@pytest.mark.parametrize("prefix", ["first_stage_model", "cond_stage_model"])
def test_a_single_file_without_a_part_is_refused(single_file, tiny, tmp_path, prefix):
    rest = {name: tensor for name, tensor in load_file(single_file).items() if not name.startswith(prefix)}
    save_file(rest, tmp_path / "rest.safetensors")
    with pytest.raises(PatchbayError, match="holds no weights for the"):
        survey(tmp_path / "rest.safetensors", config=tiny.path, at="x")


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_a_variant_is_loaded_like_any_other(tiny, broken, part):
    for path in (broken / part).glob("*.safetensors"):
        path.rename(path.with_suffix(".fp16.safetensors"))
    ours = load_part(survey(broken, at="x"), part, CPU, torch.float32).state_dict()
    theirs = load_part(tiny, part, CPU, torch.float32).state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_weights_that_lack_something_are_refused_rather_than_made_up(broken, part):
    (path,) = (broken / part).glob("*.safetensors")
    tensors = load_file(path)
    tensors.pop(next(name for name in tensors if name.endswith("bias")))
    save_file(tensors, path, {"format": "pt"})
    assert refusal(survey(broken, at="x"), part).code is Code.BAD_MODEL


def test_weights_of_another_shape_are_refused(broken):
    config = broken / "unet/config.json"
    data = json.loads(config.read_text())
    config.write_text(json.dumps({**data, "block_out_channels": [32, 96]}))
    assert refusal(survey(broken, at="x"), "unet").code is Code.BAD_MODEL


def test_a_configuration_that_no_class_accepts_is_refused(broken):
    config = broken / "unet/config.json"
    data = json.loads(config.read_text())
    config.write_text(json.dumps({**data, "down_block_types": ["NoBlock", "NoBlock"]}))
    assert refusal(survey(broken, at="x"), "unet").code is Code.BAD_MODEL


def test_a_missing_package_is_named(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    problem = refusal(tiny, "unet")
    assert problem.code is Code.MISSING_PACKAGE
    assert problem.fix == "pip install diffusers"
