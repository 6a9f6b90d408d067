"""Transformers of every family with a row, from files under the names that they were first published with."""

import json

import diffusers
import pytest
import torch
from safetensors.torch import save_file

from engine.errors import PatchbayError
from nodes.diffusion.disk.source import survey
from nodes.diffusion.weights.loading import load_part
from tests.nodes.diffusion.tiny import ggufs, originals, transformers
from tests.nodes.diffusion.tiny.table import build

CPU = torch.device("cpu")
NETWORKS = {
    "Flux2Pipeline": transformers.flux2,
    "AuraFlowPipeline": transformers.aura_flow,
    "Cosmos2TextToImagePipeline": transformers.cosmos2,
    "Krea2Pipeline": transformers.krea2,
    "HiDreamImagePipeline": originals.as_they_are,
    "QwenImageEditPipeline": originals.as_they_are,
    "WanImageToVideoPipeline": originals.wan,
}
WIDE = {
    "Lumina2Pipeline": (
        transformers.lumina2,
        {"hidden_size": 2304, "num_attention_heads": 24, "num_kv_heads": 8, "axes_dim_rope": [32, 32, 32]},
    ),
    "HunyuanVideoPipeline": (
        transformers.hunyuan_video,
        {"num_attention_heads": 24, "attention_head_dim": 128, "rope_axes_dim": [16, 56, 56]},
    ),
}
"""Those of which Diffusers' converter knows only the real model's width."""


def rebuilt(folder, changes):
    """Make the transformer of a folder anew, with other sizes and numbers that are no noise but differ."""
    config = {**json.loads((folder / "transformer" / "config.json").read_text()), **changes}
    with torch.device("meta"):
        module = getattr(diffusers, config["_class_name"]).from_config(config).bfloat16()
    module = module.to_empty(device="cpu")
    for number, parameter in enumerate(module.parameters()):
        parameter.data.fill_(1 / (number + 1)).view(-1)[: parameter.numel() // 2].neg_()
    module.save_pretrained(folder / "transformer")


def same(path, folder, dtype=torch.float32):
    """Whether file and folder are one model."""
    one, other = survey(path, config=folder, at="x"), survey(folder, at="x")
    assert one.kind == other.kind
    assert one.parts["transformer"].numbers >= other.parts["transformer"].numbers
    ours, theirs = (load_part(each, "transformer", CPU, dtype).state_dict() for each in (one, other))
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in theirs)


def written(path, tensors, prefix=""):
    save_file({f"{prefix}{name}": tensor for name, tensor in tensors.items()}, path)
    return path


def test_a_transformer_comes_from_a_file_of_its_own_and_from_one_among_others(tmp_path):
    build("Flux2Pipeline", tmp_path / "model")
    tensors = transformers.flux2(tmp_path / "model")
    assert same(written(tmp_path / "a.safetensors", tensors), tmp_path / "model")
    assert same(written(tmp_path / "b.safetensors", tensors, "model.diffusion_model."), tmp_path / "model")
    config = tmp_path / "model" / "transformer" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "num_layers": 2}))
    with pytest.raises(PatchbayError, match="num_layers would be 1, not 2"):
        survey(tmp_path / "a.safetensors", config=tmp_path / "model", at="x")


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_every_family_with_a_row_reads_its_files(tmp_path, name):
    folder = tmp_path / "model"
    build(name, folder)
    if name.startswith("HiDream"):
        rebuilt(folder, {"caption_channels": [32, 32]})
    tensors = NETWORKS[name](folder)
    assert same(written(tmp_path / "a.safetensors", tensors), folder)
    assert same(written(tmp_path / "b.safetensors", tensors, "model.diffusion_model."), folder)
    ggufs.write(tmp_path / "c.gguf", tensors, "F32")
    assert same(tmp_path / "c.gguf", folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE)
def test_families_of_one_width_read_their_files(tmp_path, name):
    folder = tmp_path / "model"
    build(name, folder)
    original, changes = WIDE[name]
    rebuilt(folder, changes)
    assert same(written(tmp_path / "a.safetensors", original(folder)), folder, torch.bfloat16)
    assert same(written(tmp_path / "b.safetensors", original(folder), "model.diffusion_model."), folder, torch.bfloat16)
