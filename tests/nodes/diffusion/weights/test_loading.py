"""Parts from folders and from single files, and what happens when they do not fit."""

import json
import shutil
import sys
from dataclasses import replace

import diffusers
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.source import survey
from nodes.diffusion.weights.loading import load_part
from tests.nodes.diffusion.tiny import dits, originals
from tests.nodes.diffusion.tiny.scaling import scaled
from tests.nodes.diffusion.tiny.table import build

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def single_file(tiny_folder, tmp_path_factory):
    """The tiny model as one file in the layout of the original Stable Diffusion checkpoints."""
    path = tmp_path_factory.mktemp("single") / "tiny.safetensors"
    save_file(originals.sd(tiny_folder), path)
    return path


@pytest.fixture(scope="session")
def sdxl(tmp_path_factory):
    """A tiny SDXL model as a folder and as one file."""
    folder = tmp_path_factory.mktemp("sdxl") / "model"
    originals.build_sdxl(folder)
    save_file(originals.sdxl(folder), folder.parent / "tiny.safetensors")
    return survey(folder, at="x"), folder.parent / "tiny.safetensors"


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


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "text_encoder_2"])
def test_a_single_file_of_sdxl_gives_the_weights_of_the_folder(sdxl, part):
    folder, file = sdxl
    source = survey(file, config=folder.path, at="x")
    assert source.kind == folder.kind == "sdxl-96x4"
    ours = load_part(source, part, CPU, torch.float32).state_dict()
    theirs = load_part(folder, part, CPU, torch.float32).state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_single_file_of_a_refiner_gives_the_weights_of_the_folder(tmp_path):
    originals.build_refiner(tmp_path / "model")
    save_file(originals.refiner(tmp_path / "model"), tmp_path / "a.safetensors")
    folder = survey(tmp_path / "model", at="x")
    source = survey(tmp_path / "a.safetensors", config=tmp_path / "model", at="x")
    assert source.kind == folder.kind == "sdxl-refiner-64x4"
    for part in ("unet", "vae", "text_encoder_2"):
        ours, theirs = (load_part(each, part, CPU, torch.float32).state_dict() for each in (source, folder))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.fixture(scope="session")
def sd3(tmp_path_factory):
    """A tiny SD 3 model as a folder, and its transformer as a file."""
    folder = tmp_path_factory.mktemp("sd3") / "model"
    build("StableDiffusion3Pipeline", folder)
    save_file(originals.sd3(folder), folder.parent / "bare.safetensors")
    return folder


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_the_transformer_of_sd3_comes_from_the_file_and_the_rest_from_the_configuration(sd3, tmp_path, prefix):
    tensors = load_file(sd3.parent / "bare.safetensors")
    others = {"first_stage_model.x": torch.zeros(3)} if prefix else {}
    save_file({**{f"{prefix}{name}": tensor for name, tensor in tensors.items()}, **others}, tmp_path / "a.safetensors")
    rest = shutil.copytree(sd3, tmp_path / "rest")
    (rest / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    source, whole = survey(tmp_path / "a.safetensors", config=rest, at="x"), survey(sd3, at="x")
    assert source.kind == whole.kind == "sd3-32x64x16"
    assert source.parts["transformer"].numbers == whole.parts["transformer"].numbers
    for part in ("transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3"):
        ours = load_part(source, part, CPU, torch.float32).state_dict()
        theirs = load_part(whole, part, CPU, torch.float32).state_dict()
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs), part


def test_a_part_that_neither_the_file_nor_the_configuration_has_is_refused_where_it_is_loaded(sd3, tmp_path):
    rest = shutil.copytree(sd3, tmp_path / "rest")
    (rest / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    source = survey(sd3.parent / "bare.safetensors", config=rest, at="x")
    assert "no weights for its vae" in refusal(source, "vae").what
    assert [name for name, part in source.parts.items() if part.bare] == ["vae"]


@pytest.mark.parametrize(("key", "value"), [("num_layers", 3), ("dual_attention_layers", []), ("qk_norm", None)])
def test_a_transformer_wants_the_configuration_of_this_very_model(sd3, tmp_path, key, value):
    other = shutil.copytree(sd3, tmp_path / "other")
    config = other / "transformer" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), key: value}))
    with pytest.raises(PatchbayError, match=f"{key} would be"):
        survey(sd3.parent / "bare.safetensors", config=other, at="x")


@pytest.mark.slow
def test_the_transformer_of_flux_comes_from_the_file(tmp_path):
    """Diffusers' converter knows only the real model's width, so two blocks of it are as small as it gets."""
    wide = {"num_attention_heads": 24, "attention_head_dim": 128, "axes_dims_rope": [16, 56, 56]}
    parts = dits.flux()
    torch.manual_seed(0)
    with torch.device("meta"):
        module = diffusers.FluxTransformer2DModel.from_config({**parts["transformer"].config, **wide}).bfloat16()
    parts["transformer"] = module.to_empty(device="cpu")
    for number, parameter in enumerate(parts["transformer"].parameters()):
        parameter.data.fill_(1 / (number + 1)).view(-1)[: parameter.numel() // 2].neg_()
    diffusers.FluxPipeline(**parts).save_pretrained(tmp_path / "model")
    save_file(originals.flux(tmp_path / "model"), tmp_path / "flux.safetensors")
    source, whole = (
        survey(tmp_path / "flux.safetensors", config=tmp_path / "model", at="x"),
        survey(tmp_path / "model", at="x"),
    )
    ours, theirs = (load_part(each, "transformer", CPU, torch.bfloat16).state_dict() for each in (source, whole))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_single_file_wants_a_configuration_of_its_own_family(sdxl, tiny):
    with pytest.raises(PatchbayError, match="an SDXL checkpoint, but "):
        survey(sdxl[1], config=tiny.path, at="x")


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


@pytest.mark.parametrize("variant", [None, "fp16"])
def test_weights_in_several_files_are_loaded_like_those_in_one(tiny, broken, variant):
    (path,) = (broken / "unet").glob("*.safetensors")
    path.unlink()
    load_part(tiny, "unet", CPU, torch.float32).save_pretrained(
        broken / "unet", max_shard_size="100KB", variant=variant
    )
    source = survey(broken, at="x")
    assert len(source.parts["unet"].weights) > 1
    assert source.parts["unet"].variant == variant
    ours = load_part(source, "unet", CPU, torch.float32).state_dict()
    theirs = load_part(tiny, "unet", CPU, torch.float32).state_dict()
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


def test_a_class_that_looks_for_another_one_asks_nobody(tiny, monkeypatch):
    """Else it would ask at the terminal whether code in the folder may run."""
    asked = []
    monkeypatch.setattr(
        transformers.AutoTokenizer, "from_pretrained", lambda folder, **options: asked.append((folder, options))
    )
    part = replace(tiny.parts["tokenizer"], class_name="AutoTokenizer")
    load_part(tiny.with_part(part), "tokenizer", CPU, torch.float32)
    assert asked == [(str(part.folder), {"local_files_only": True, "trust_remote_code": False})]


@pytest.mark.parametrize("lacks", ["", "text_encoders.clip_l.transformer.text_projection.weight"])
def test_parts_beside_a_transformer_are_read_as_well(sd3, tmp_path, lacks):
    tensors = {f"model.diffusion_model.{name}": tensor for name, tensor in originals.sd3(sd3).items()}
    names = {"text_encoder": "clip_l", "text_encoder_2": "clip_g", "text_encoder_3": "t5xxl"}
    for part, name in names.items():
        small, _ = (
            scaled(originals.as_saved(sd3, part), "old") if name == "t5xxl" else (originals.as_saved(sd3, part), 0)
        )
        tensors |= {f"text_encoders.{name}.transformer.{key}": tensor for key, tensor in small.items()}
    tensors |= {f"first_stage_model.{key}": tensor for key, tensor in originals.as_saved(sd3, "vae").items()}
    tensors.pop(lacks, None)
    save_file(tensors, tmp_path / "all.safetensors")
    shutil.copytree(sd3, tmp_path / "words", ignore=shutil.ignore_patterns("*.safetensors"))
    source, whole = survey(tmp_path / "all.safetensors", config=tmp_path / "words", at="x"), survey(sd3, at="x")
    assert [name for name, part in source.parts.items() if part.bare] == (["text_encoder"] if lacks else [])
    for name, part in whole.parts.items():
        if not part.weights or source.parts[name].bare:
            continue
        ours, theirs = (load_part(each, name, CPU, torch.float32).state_dict() for each in (source, whole))
        assert ours.keys() == theirs.keys()
        close = torch.equal if name != "text_encoder_3" else lambda a, b: torch.allclose(a, b, rtol=0.08, atol=0.01)
        assert all(close(ours[key], theirs[key]) for key in theirs), name
