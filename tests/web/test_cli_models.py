"""The commands about models, as a person uses them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine import Catalog
from nodes.pocket import MODEL
from tests.fake_hub import FakeHub
from tests.nodes.diffusion.tiny import originals
from web import cli_models
from web.cli_models import size

ROOT = Path(__file__).parents[2]


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def hub(home, monkeypatch):
    """An empty cache of the hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))


@pytest.fixture
def filled(home, hub, tiny_folder):
    """A data folder with a model, a LoRA and a pickle."""
    shutil.copytree(tiny_folder, home / "models" / "tiny")
    save_file({"x.lora_up.weight": torch.zeros(2)}, home / "models" / "[style].safetensors")
    (home / "models" / "old.ckpt").write_bytes(b"pickle")
    return home / "models"


def test_the_list_says_what_can_be_used_and_why_the_rest_cannot(patchbay, filled):
    result = patchbay("models", "list")
    assert result.exit_code == 0, result.output
    usable, broken = result.stdout.split("Cannot be used")
    rows = [line.split() for line in usable.splitlines()]
    assert ["pocket", "pocket", "StableDiffusionPipeline", "18.7", "MB"] in rows
    assert any(row[:2] == ["tiny", "sd-32x4"] for row in rows)
    for text in (
        "[style].safetensors",
        "holds a LoRA",
        "old.ckpt",
        "6 B",
        "pickle can run any code",
        "safetensors ver",
    ):
        assert text in broken
    assert "pocket" not in broken


def test_the_list_names_what_a_single_file_may_have_as_config(patchbay, filled, tiny_folder):
    save_file(originals.sd(tiny_folder), filled / "one.safetensors")
    assert "`config`: tiny" in patchbay("models", "list").stdout
    shutil.rmtree(filled / "tiny")
    assert "`config`, a folder of the same kind" in patchbay("models", "list").stdout


def test_the_list_without_broken_models_ends_with_the_table(patchbay, hub):
    assert "Cannot be used" not in patchbay("models", "list").stdout


def test_the_list_in_json(patchbay, filled):
    found = {model["name"]: model for model in lines(patchbay("models", "list", "--json"))}
    assert (found["tiny"]["kind"], found["tiny"]["source"]) == ("sd-32x4", "folder")
    assert found["old.ckpt"]["kind"] is None
    assert found["old.ckpt"]["problem"]["code"] == "pickled_model"


def test_info_shows_each_component(patchbay, filled):
    result = patchbay("models", "info", "tiny")
    assert result.exit_code == 0, result.output
    for text in (
        str(filled / "tiny"),
        "kind: sd-32x4",
        "class: StableDiffusionPipeline",
        "UNet2DConditionModel",
        "F32",
    ):
        assert text in result.stdout
    (told,) = lines(patchbay("models", "info", "tiny", "--json"))
    assert told["digest"] in result.stdout
    assert {part["name"] for part in told["components"]} == {"scheduler", "text_encoder", "tokenizer", "unet", "vae"}
    (quick,) = lines(patchbay("models", "info", "tiny", "--json", "--no-digests"))
    assert quick["digest"] is None
    assert "digest:" not in patchbay("models", "info", "tiny", "--no-digests").stdout


def test_info_takes_a_path_that_is_outside_the_roots(patchbay, hub, tiny_folder):
    shutil.copytree(tiny_folder, "here")
    (told,) = lines(patchbay("models", "info", "here", "--json"))
    assert (told["name"], told["path"]) == ("here", str(Path("here").absolute()))


def test_info_of_a_file_that_cannot_be_loaded_says_what_it_holds(patchbay, filled):
    result = patchbay("models", "info", "[style].safetensors")
    assert result.exit_code == 0
    assert "holds: a LoRA" in result.stdout
    assert "Name it in ApplyLora." in result.stdout


@pytest.mark.parametrize(("name", "code"), [("old.ckpt", "pickled_model"), ("nothing", "file_not_found")])
def test_what_cannot_be_looked_into_is_refused(patchbay, filled, name, code):
    result = patchbay("models", "info", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{code} {name}" in result.stderr
    (refused,) = lines(patchbay("models", "info", name, "--json"))
    assert (refused["state"], refused["problems"][0]["code"]) == ("refused", code)


def test_families_shows_what_is_driven_and_why_the_rest_is_not(patchbay):
    result = patchbay("models", "families")
    assert result.exit_code == 0, result.output
    driven, undriven = result.stdout.split("Not driven")
    words = [line.split() for line in driven.splitlines()]
    assert ["sdxl", "StableDiffusionXL", "img2img,", "inpaint,"] in [line[:4] for line in words]
    assert ["pixart", "PixArtSigma"] in words
    assert ["sd,", "sd1,", "sd2,", "pocket"] in [line[:4] for line in words]
    assert "classes exact in text, latent and picture" in driven
    assert "- it gives the picture that its last step expects" in driven
    assert "- makes sound: " in undriven
    assert "StableAudioPipeline" in undriven
    (told,) = lines(patchbay("models", "families", "--json"))
    assert {row["class"] for row in told["driven"]} >= {"FluxPipeline", "WanPipeline"}


def test_a_family_that_is_not_exact_is_marked(patchbay, monkeypatch):
    row = {
        "family": "new",
        "kinds": [],
        "class": "NewPipeline",
        "text": "exact",
        "latent": "no",
        "picture": "not measured",
    }
    answer = {"driven": [{**row, "image_to_image": [], "whole": ""}], "undriven": {}, "diffusers": "1"}
    monkeypatch.setattr("nodes.diffusion.families.measured.families", lambda: answer)
    shown = patchbay("models", "families").stdout
    assert "latent: no; picture: not measured" in shown


def test_without_node_types_that_load_models_it_is_said(patchbay, monkeypatch):
    monkeypatch.setattr(cli_models, "load_catalog", lambda _config: Catalog({}))
    for command in (["families"], ["info", "pocket"], ["pull", "fox/tiny"]):
        result = patchbay("models", *command)
        assert result.exit_code == 2
        assert "No installed node type loads models." in result.stderr


def test_pull_fetches_a_model_that_graphs_then_find(home, tiny_folder, tmp_path):
    with FakeHub() as running:
        running.repositories["fox/tiny"] = tiny_folder
        environment = {**os.environ, **running.environment(tmp_path / "hub"), "PATCHBAY_DOWNLOADS": "false"}

        def call(*arguments):
            command = [sys.executable, "-m", "web", "models", *arguments]
            return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

        done = call("pull", "fox/tiny")
        assert done.returncode == 0, done.stderr
        assert "kind: sd-32x4" in done.stdout
        again = json.loads(call("pull", "fox/tiny", "--json").stdout)
        assert again["kind"] == "sd-32x4"
        gone = call("pull", "fox/gone")
    assert gone.returncode == 2
    assert 'has no "fox/gone"' in gone.stderr
    found = [json.loads(line) for line in call("list", "--json").stdout.splitlines()]
    assert {model["name"]: model["kind"] for model in found} == {"pocket": "pocket", "fox/tiny": "sd-32x4"}
    without = call("pull", "fox/tiny")
    assert without.returncode == 2
    assert "cannot be reached" in without.stderr


def test_pull_says_that_it_is_the_permission(patchbay):
    shown = " ".join(patchbay("models", "pull", "--help").stdout.split())
    assert "To give this command is to allow the download" in shown
    assert "never pickles, never code" in shown


def test_a_bar_follows_the_bytes(monkeypatch):
    with cli_models._Download("fox/tiny", shown=False) as bar:
        bar(30, 0)
        (task,) = bar._progress.tasks
        assert (task.completed, task.total) == (30, None)
        bar(60, 90)
        assert (task.completed, task.total) == (60, 90)


def test_no_command_about_models_imports_torch(home):
    code = (
        "import sys; from typer.testing import CliRunner; from web.cli import app\n"
        "for command in (['list'], ['info', 'pocket'], ['families']):\n"
        "    assert CliRunner().invoke(app, ['models', *command]).exit_code == 0\n"
        "sys.exit(', '.join({'torch', 'diffusers', 'transformers'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=MODEL.parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (18_717_434, "18.7 MB"), (7e12, "7000.0 GB")]
)
def test_sizes_are_told_in_their_largest_unit(count, shown):
    assert size(count) == shown
