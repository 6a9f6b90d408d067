"""Parts of a model from files of their own: in the plan, and with the weights of the file."""

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine import Catalog, Code, Graph, GraphError, PatchbayError, Paths, Settings, plan
from nodes import load_model, load_text_encoder, load_vae
from nodes.components import check_encoder, check_vae
from nodes.diffusion.disk.checkpoints import recognise
from nodes.diffusion.disk.headers import read_header
from nodes.diffusion.weights.loading import load_part
from nodes.load import DECODER, ENCODERS, needing, source_of
from nodes.patches import check_lora
from tests.nodes.diffusion.tiny import originals
from tests.nodes.diffusion.tiny.table import build

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def sd3(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sd3") / "model"
    build("StableDiffusion3Pipeline", folder)
    return folder


def other(path, tensors):
    """The same tensors with other numbers, as a file."""
    save_file({name: (tensor * 0.5 + 0.01).contiguous() for name, tensor in tensors.items()}, path)
    return path


def vae_tensors(folder, prefix):
    tensors = originals.sd(folder)
    own = {name.removeprefix("first_stage_model."): tensors[name] for name in tensors if "first_stage_model" in name}
    return {f"{prefix}{name}": tensor for name, tensor in own.items()}


def same(source, name, folder):
    ours = load_part(source, name, CPU, torch.float32).state_dict()
    (file,) = (folder / name).glob("*.safetensors")
    theirs = {key: tensor * 0.5 + 0.01 for key, tensor in load_file(file).items()}
    if "shared.weight" in theirs:
        theirs["encoder.embed_tokens.weight"] = theirs["shared.weight"]
    return all(torch.equal(tensor, theirs.get(key, theirs.get(f"text_model.{key}"))) for key, tensor in ours.items())


def test_a_vae_comes_whole_from_a_folder(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder / "vae", tmp_path / "vae")
    (file,) = folder.glob("*.safetensors")
    other(file, load_file(file))
    whole = load_model(model=tiny_folder)
    port = load_vae.inputs["file"].resource
    assert port.resolve("vae", Paths(models=(tmp_path,)), Settings(), "file") == folder
    assert port.digest(folder) != port.digest(tiny_folder / "vae")
    vae = load_vae(whole.vae, file=folder)
    assert vae.digest() != whole.vae.digest()
    assert same(vae.source, "vae", tiny_folder)


@pytest.mark.parametrize("prefix", ["", "first_stage_model.", "diffusers"])
def test_a_vae_comes_from_its_file_with_the_model_s_scale(tiny_folder, tmp_path, prefix):
    whole = load_model(model=tiny_folder)
    if prefix == "diffusers":
        tensors = load_file(tiny_folder / "vae" / "diffusion_pytorch_model.safetensors")
    else:
        tensors = vae_tensors(tiny_folder, prefix)
    vae = load_vae(whole.vae, file=other(tmp_path / "ae.safetensors", tensors))
    assert vae.kind == whole.vae.kind
    assert vae.digest() != whole.vae.digest()
    assert vae.source != whole.vae.source
    assert same(vae.source, "vae", tiny_folder)
    module = load_part(vae.source, "vae", CPU, torch.float32)
    assert module.config.scaling_factor == load_part(whole.vae.source, "vae", CPU, torch.float32).config.scaling_factor


@pytest.mark.parametrize("name", ["text_encoder_3", "text_encoder"])
def test_a_text_encoder_takes_the_place_of_the_one_that_it_fits(sd3, tmp_path, name):
    whole = load_model(model=sd3).text_encoder
    file = other(tmp_path / "a.safetensors", load_file(sd3 / name / "model.safetensors"))
    encoder = load_text_encoder(whole, file=file)
    assert [each for each, part in encoder.source.parts.items() if part.alone] == [name]
    assert same(encoder.source, name, sd3)
    assert encoder.digest() != whole.digest()


def test_of_two_text_encoders_of_the_same_sizes_each_is_replaced_once(sd3):
    file = sd3 / "text_encoder" / "model.safetensors"
    once = load_text_encoder(load_model(model=sd3).text_encoder, file=file)
    twice = load_text_encoder(once, file=file)
    assert {name for name, part in twice.source.parts.items() if part.alone} == {"text_encoder", "text_encoder_2"}


def refusal(act):
    with pytest.raises(PatchbayError) as caught:
        act()
    assert caught.value.at == "file"
    return caught.value


def test_a_file_of_another_family_is_refused(tiny_folder, sd3, tmp_path):
    small, large = load_model(model=tiny_folder), load_model(model=sd3)
    file = other(tmp_path / "ae.safetensors", vae_tensors(tiny_folder, ""))
    error = refusal(lambda: load_vae(large.vae, file=file))
    assert (error.code, "is a VAE of 4 channels" in error.what) == (Code.KIND_MISMATCH, True)
    error = refusal(lambda: load_text_encoder(small.text_encoder, file=sd3 / "text_encoder_3" / "model.safetensors"))
    assert (error.code, "has none such" in error.what) == (Code.KIND_MISMATCH, True)
    error = refusal(lambda: load_text_encoder(small.text_encoder, file=file))
    assert "holds a VAE, not a text encoder" in error.what
    error = refusal(lambda: load_vae(small.vae, file=sd3 / "text_encoder_3" / "model.safetensors"))
    assert "holds a text encoder, not a VAE" in error.what


def test_scaled_weights_are_refused(tiny_folder, tmp_path):
    tensors = {**vae_tensors(tiny_folder, ""), "decoder.x.absmax": torch.ones(1)}
    save_file(tensors, tmp_path / "a.safetensors")
    error = refusal(lambda: load_vae(load_model(model=tiny_folder).vae, file=tmp_path / "a.safetensors"))
    assert (error.code, "quantised" in error.what) == (Code.UNSUPPORTED_CLASS, True)


def test_a_file_that_lacks_something_is_refused_rather_than_made_up(tiny_folder, sd3, tmp_path):
    tensors = load_file(sd3 / "text_encoder_3" / "model.safetensors")
    tensors.pop(next(name for name in tensors if "SelfAttention.k" in name))
    save_file(tensors, tmp_path / "t5.safetensors")
    encoder = load_text_encoder(load_model(model=sd3).text_encoder, file=tmp_path / "t5.safetensors")
    with pytest.raises(PatchbayError, match="do not fit the configuration"):
        load_part(encoder.source, "text_encoder_3", CPU, torch.float32)
    tensors = vae_tensors(tiny_folder, "")
    tensors.pop("decoder.mid.block_1.conv1.weight")
    save_file(tensors, tmp_path / "ae.safetensors")
    vae = load_vae(load_model(model=tiny_folder).vae, file=tmp_path / "ae.safetensors")
    with pytest.raises(PatchbayError, match="cannot be loaded"):
        load_part(vae.source, "vae", CPU, torch.float32)


def test_both_are_checked_in_the_plan_and_listed(tiny_folder, sd3, tmp_path):
    (tmp_path / "vae").mkdir()
    other(tmp_path / "vae" / "ae.safetensors", vae_tensors(tiny_folder, ""))
    shutil.copy(sd3 / "text_encoder_3" / "model.safetensors", tmp_path / "vae" / "t5.safetensors")
    paths = Paths(models=(tmp_path,)).granting(tiny_folder)
    port = load_vae.inputs["file"]
    assert [choice.name for choice in port.resource.choices(paths, Settings())] == [
        "vae/ae.safetensors",
        "vae/t5.safetensors",
    ]

    def graph(file):
        load = {"type": "LoadModel", "inputs": {"model": str(tiny_folder)}}
        vae = {"type": "LoadVAE", "inputs": {"vae": {"link": "load.vae"}, "file": file}}
        return Graph.from_data({"version": 1, "nodes": {"load": load, "vae": vae}})

    assert plan(graph("vae/ae.safetensors"), Catalog.load(), paths, Settings())
    with pytest.raises(GraphError, match="not a VAE") as caught:
        plan(graph("vae/t5.safetensors"), Catalog.load(), paths, Settings())
    assert caught.value.at == "vae.file"


def test_what_took_the_place_of_a_part_is_known_behind_a_lora_and_of_its_own_model_alone(tiny_folder, sd3):
    of_sd3, of_tiny = ({"model": str(path), "config": ""} for path in (sd3, tiny_folder))
    file = sd3 / "text_encoder" / "model.safetensors"
    facts = {**of_sd3, **check_encoder({"file": file}, {"text_encoder": of_sd3})}
    alone = {name for name, part in source_of(facts).parts.items() if part.alone}
    assert alone == {"text_encoder"}
    assert check_lora({}, {"model": of_sd3, "text_encoder": facts}) == {ENCODERS: facts[ENCODERS]}
    assert not any(part.alone for part in source_of({**of_tiny, ENCODERS: facts[ENCODERS]}).parts.values())


def test_a_file_that_the_plan_does_not_know_may_be_the_one_that_is_needed(sd3):
    facts = {"model": str(sd3), "config": ""}
    needs = needing("vae", DECODER, refuse_all)
    with pytest.raises(PatchbayError, match="refused"):
        needs({}, {"vae": facts})
    assert needs({}, {"vae": {**facts, **check_vae({}, {"vae": facts})}}) == {}


def refuse_all(source, at):
    raise PatchbayError(Code.BAD_MODEL, at, "refused")


LAYOUTS = {
    "as saved": lambda name: name,
    "bare": lambda name: name.removeprefix("model.").removeprefix("language_model."),
    "model.": lambda name: f"model.{LAYOUTS['bare'](name)}" if not name.startswith(("visual", "lm_head")) else name,
}


@pytest.mark.parametrize(
    ("family_name", "layout"),
    [("ZImagePipeline", "as saved"), ("ZImagePipeline", "model."), ("QwenImagePipeline", "model.")]
    + [
        pytest.param(name, layout, marks=pytest.mark.slow)
        for name in ("Lumina2Pipeline", "HunyuanVideoPipeline", "Flux2Pipeline", "Flux2KleinPipeline")
        for layout in LAYOUTS
    ],
)
def test_language_models_come_from_files_too(tmp_path, family_name, layout):
    build(family_name, tmp_path / "model")
    (saved,) = (tmp_path / "model" / "text_encoder").glob("*.safetensors")
    tensors = {LAYOUTS[layout](name): tensor for name, tensor in load_file(saved).items()}
    whole = load_model(model=tmp_path / "model").text_encoder
    file = tmp_path / "a.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
    assert recognise(read_header(file, "x")).holds == "a text encoder"
    encoder = load_text_encoder(whole, file=file)
    ours, own = (load_part(each.source, "text_encoder", CPU, torch.float32).state_dict() for each in (encoder, whole))
    assert ours.keys() == own.keys()
    assert all(torch.equal(ours[name], own[name]) for name in own)


@pytest.mark.parametrize("family_name", ["QwenImagePipeline", pytest.param("WanPipeline", marks=pytest.mark.slow)])
def test_vaes_of_wan_s_build_come_from_files_too(tmp_path, family_name):
    folder = tmp_path / "model"
    build(family_name, folder)
    small = load_part(load_model(model=folder).vae.source, "vae", CPU, torch.float32)
    config = {**small.config, "dim_mult": [1, 2, 4, 4], "num_res_blocks": 2, "temperal_downsample": [False, True, True]}
    type(small).from_config(config).save_pretrained(folder / "vae")
    whole = load_model(model=folder)
    for name, tensors in (("a", originals.wan_vae(folder)), ("b", originals.as_saved(folder, "vae"))):
        save_file(tensors, tmp_path / f"{name}.safetensors")
        vae = load_vae(whole.vae, file=tmp_path / f"{name}.safetensors")
        ours, own = (load_part(each.source, "vae", CPU, torch.float32).state_dict() for each in (vae, whole.vae))
        assert ours.keys() == own.keys()
        assert all(torch.equal(ours[key], own[key]) for key in own), name
