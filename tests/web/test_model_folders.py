"""Model folders of other programs: which of their folders are roots, and what the configuration says of them."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from engine import PatchbayError
from nodes.load import ModelFile
from tests.nodes.diffusion.tiny import comfy as files
from tests.nodes.diffusion.tiny import originals
from tests.nodes.diffusion.tiny.table import build
from web.config import Config
from web.model_folders import LAYOUTS, ModelFolder


@pytest.fixture
def comfy(tmp_path, tiny_folder):
    """ComfyUI's folder: a checkpoint, a folder in Diffusers' format, a LoRA, two pickles, and what is no model."""
    models = tmp_path / "ComfyUI" / "models"
    for name in ("checkpoints/old", "loras", "vae", "diffusers", "embeddings", "upscale_models"):
        (models / name).mkdir(parents=True)
    save_file(originals.sd(tiny_folder), models / "checkpoints" / "tiny.safetensors")
    shutil.copytree(tiny_folder, models / "diffusers" / "folder")
    save_file({"x.lora_up.weight": torch.zeros(2)}, models / "loras" / "style.safetensors")
    (models / "checkpoints/old/v1.ckpt").write_bytes(b"pickle")
    (models / "vae" / "ae.pt").write_bytes(b"pickle")
    save_file({"emb_params": torch.zeros(2)}, models / "upscale_models" / "hidden.safetensors")
    save_file({"x": torch.zeros(2)}, models.parent / "secret.safetensors")
    return models.parent


def config(home, text):
    (home / "config.toml").write_text(text)
    return Config.load()


def listed(found):
    return {choice.name: choice for choice in ModelFile().choices(found.paths(), found.settings())}


@pytest.mark.parametrize("inner", ["", "/models"])
def test_the_models_of_another_program_are_listed_in_place(home, comfy, inner):
    found = config(home, f'models = [{{path = "{comfy}{inner}", layout = "comfyui"}}]')
    models = listed(found)
    names = {"pocket", "tiny.safetensors", "old/v1.ckpt", "folder", "ae.pt", "style.safetensors"}
    assert {name for name, choice in models.items() if choice.detail["source"] != "hub"} == names
    assert models["tiny.safetensors"].kind == models["folder"].kind == "sd-32x4"
    codes = {name: choice.detail["problem"]["code"] for name, choice in models.items() if "problem" in choice.detail}
    assert codes == {
        "old/v1.ckpt": "pickled_model",
        "ae.pt": "pickled_model",
        "style.safetensors": "unsupported_class",
    }


def test_they_are_used_in_place_by_their_names(home, comfy):
    found = config(home, f'models = [{{path = "{comfy}", layout = "comfyui"}}]')
    for name, path in (("tiny.safetensors", "checkpoints/tiny.safetensors"), ("folder", "diffusers/folder")):
        assert ModelFile().resolve(name, found.paths(), found.settings(), "at") == comfy / "models" / path


@pytest.mark.parametrize(
    "name", ["../upscale_models/hidden.safetensors", "../../secret.safetensors", "{}/secret.safetensors"]
)
def test_nothing_beside_the_folders_of_models_is_read(home, comfy, name):
    found = config(home, f'models = [{{path = "{comfy}", layout = "comfyui"}}]')
    with pytest.raises(PatchbayError) as caught:
        ModelFile().resolve(name.format(comfy), found.paths(), found.settings(), "at")
    assert caught.value.code == "outside_roots"


def test_a_link_out_of_the_folders_is_neither_listed_nor_read(home, comfy):
    (comfy / "models/checkpoints/out.safetensors").symlink_to(comfy / "secret.safetensors")
    found = config(home, f'models = [{{path = "{comfy}", layout = "comfyui"}}]')
    assert "out.safetensors" not in listed(found)
    with pytest.raises(PatchbayError) as caught:
        ModelFile().resolve("out.safetensors", found.paths(), found.settings(), "at")
    assert caught.value.code == "outside_roots"


def test_a1111_keeps_its_models_elsewhere(home, tmp_path, tiny_folder):
    folder = tmp_path / "webui" / "models" / "Stable-diffusion"
    folder.mkdir(parents=True)
    save_file(originals.sd(tiny_folder), folder / "tiny.safetensors")
    found = config(home, 'models = ["plain", {path = "../webui", layout = "a1111"}]')
    assert listed(found)["tiny.safetensors"].kind == "sd-32x4"
    names = ["Stable-diffusion", "VAE", "Lora", "text_encoder"]
    own = [home / "../webui/models" / name for name in names]
    assert list(found.paths().models) == [home / "models", home / "plain", *own, home / "../webui/embeddings"]


def test_a_folder_that_is_not_there_is_no_error(home, tmp_path):
    found = config(home, f'models = [{{path = "{tmp_path / "gone"}", layout = "comfyui"}}]')
    assert "pocket" in listed(found)
    roots = ModelFolder(path="gone", layout="comfyui").roots(tmp_path)
    assert roots == [tmp_path / "gone" / "models" / name for name in LAYOUTS["comfyui"]]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('models = [{path = "x", layout = "invoke"}]', "layout"),
        ('models = [{layout = "comfyui"}]', "path"),
        ('models = [{path = "x", layout = "comfyui", other = 1}]', "other"),
        ("models = [3]", "models.0"),
    ],
)
def test_what_does_not_fit_is_named(home, text, place):
    with pytest.raises(PatchbayError) as caught:
        config(home, text)
    assert place in caught.value.at
    assert caught.value.code == "bad_value"


def test_the_variable_takes_the_same(home, comfy, monkeypatch):
    monkeypatch.setenv("PATCHBAY_MODELS", f'["plain", {{"path": "{comfy}", "layout": "comfyui"}}]')
    assert listed(Config.load())["tiny.safetensors"].kind == "sd-32x4"


@pytest.fixture(scope="session")
def apart(tmp_path_factory):
    """A tiny SD 3 in ComfyUI's files beside a folder without weights, and the whole folder that they came from."""
    root = tmp_path_factory.mktemp("apart")
    build("StableDiffusion3Pipeline", root / "whole")
    files.lay_out(root / "whole", root)
    return root


@pytest.fixture
def patchbay_apart(apart, home, patchbay):
    """The command line over these files: what it says of a graph."""
    home.joinpath("config.toml").write_text(f'models = [{{path = "{apart}/ComfyUI", layout = "comfyui"}}, "{apart}"]\n')

    def call(command, *given, **more):
        path = home / "graph.json"
        path.write_text(json.dumps({"version": 1, "nodes": files.graph(*given, **more)}))
        return patchbay(command, path)

    return call


def test_a_model_in_files_of_its_own_beside_a_folder_without_weights_draws_what_the_whole_one_draws(
    patchbay_apart, home
):
    runs = [("whole", None, (), None), ("sd3.safetensors", "config"), ("sd3.gguf", "config")]
    for run in runs:
        result = patchbay_apart("run", *run)
        assert result.exit_code == 0, result.output
    whole, *others = (np.asarray(Image.open(path)).astype(int) for path in sorted((home / "outputs").glob("*.png")))
    assert whole.std() > 1
    for other in others:
        assert np.abs(whole - other).max() <= 1  # tensors that lie elsewhere in memory give other last bits


def test_the_plan_refuses_what_would_use_a_part_without_weights(patchbay_apart):
    assert patchbay_apart("check", "sd3.safetensors", "config").exit_code == 0
    blind = patchbay_apart("check", "sd3.gguf", "config", vae=None)
    assert blind.exit_code != 0
    assert "decode.vae: sd3 has no weights for its vae" in blind.output
    assert "text.text_encoder" not in blind.output
    mute = patchbay_apart("check", "sd3.safetensors", "config", encoders=files.ENCODERS[::2])
    assert "text.text_encoder: sd3 has no weights for its text_encoder_2" in mute.output
    assert "decode.vae" not in mute.output


def test_the_list_says_which_folder_a_file_needs_and_which_node_takes_a_part(patchbay_apart, patchbay):
    patchbay_apart("check", "sd3.gguf", "config")
    listed = {line["name"]: line for line in map(json.loads, patchbay("models", "list", "--json").output.splitlines())}
    assert listed["sd3.gguf"]["configs"] == ["config", "whole"]
    assert listed["config"]["lacks"] == ["text_encoder", "text_encoder_2", "text_encoder_3", "vae"]
    assert "good as the `config` of a single file" in listed["config"]["problem"]["fix"]
    assert listed["ae.safetensors"]["problem"]["fix"] == "Name it in LoadVAE."
    assert "that LoadTextEncoder and LoadVAE do not bring" in patchbay("models", "info", "sd3.gguf").output
