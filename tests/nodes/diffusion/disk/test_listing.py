"""What there is to choose from: everything that can be named, and for the rest what is wrong with it."""

import os
import shutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from engine import PatchbayError, Paths, Settings
from engine.choices import Choosable
from nodes.diffusion.disk.headers import read_header
from nodes.diffusion.disk.listing import MOST_PICTURES, models, pictures
from nodes.images import PictureFile
from nodes.load import ModelFile
from nodes.pictures import FOLDER
from nodes.pocket import MODEL
from tests.nodes.diffusion.tiny import originals
from tests.nodes.diffusion.tiny.table import build


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of the hub, and how a repository gets into it."""
    cache = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))

    def add(repository, model=None, revision="abc"):
        folder = cache / f"models--{repository.replace('/', '--')}"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text(revision)
        if model is not None:
            shutil.copytree(model, folder / "snapshots" / "abc")
        return folder

    return add


@pytest.fixture
def roots(tmp_path, hub):
    (tmp_path / "models").mkdir()
    return Paths(models=(tmp_path / "models", tmp_path / "more"), inputs=(tmp_path / "inputs", tmp_path / "more"))


def by_name(found):
    return {choice.name: choice for choice in found}


def test_both_resources_list_what_they_take():
    assert isinstance(ModelFile(), Choosable)
    assert isinstance(PictureFile(), Choosable)


def test_the_model_in_the_box_is_always_there(roots):
    (found,) = ModelFile().choices(roots, Settings())
    assert (found.name, found.kind) == ("pocket", "pocket")
    assert found.detail["pipeline_class"] == "StableDiffusionPipeline"
    assert found.detail["source"] == "box"
    assert found.detail["bytes"] == sum(path.stat().st_size for path in MODEL.rglob("*") if path.is_file())


def test_every_model_below_the_roots_is_found_under_the_name_a_graph_gives_it(roots, tiny_folder, tmp_path):
    shutil.copytree(tiny_folder, tmp_path / "models" / "tiny")
    shutil.copytree(tiny_folder, tmp_path / "models" / "deep" / "er" / "tiny")
    shutil.copytree(tiny_folder, tmp_path / "more" / "tiny")
    shutil.copytree(tiny_folder, tmp_path / "more" / "other")
    found = by_name(models(roots))
    assert list(found) == ["pocket", "deep/er/tiny", "tiny", "other"]
    assert {choice.kind for choice in found.values()} == {"pocket", "sd-32x4"}
    for name in found:
        assert ModelFile().resolve(name, roots, Settings(), "load.model").is_dir()


def test_a_model_in_blocks_is_listed_like_others(roots, tmp_path):
    build("AnimaModularPipeline", tmp_path / "models" / "anima")
    found = by_name(models(roots))["anima"]
    assert found.kind == "anima-32x4"
    assert found.detail["pipeline_class"] == "AnimaModularPipeline"
    assert "problem" not in found.detail


def test_a_broken_model_is_listed_with_its_problem(roots, broken, tmp_path):
    (broken / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    shutil.copytree(broken, tmp_path / "models" / "no_weights")
    for name, index in (("bad_json", "{"), ("other", '{"_class_name": "OnnxPipeline"}'), ("list", "[]")):
        (tmp_path / "models" / name).mkdir()
        (tmp_path / "models" / name / "model_index.json").write_text(index)
    found = by_name(models(roots))
    assert {name: choice.detail["problem"]["code"] for name, choice in found.items() if name != "pocket"} == {
        "no_weights": "bad_model",
        "bad_json": "bad_model",
        "other": "unsupported_class",
        "list": "bad_model",
    }
    assert {choice.kind for choice in found.values()} == {"pocket", ""}
    assert found["other"].detail["pipeline_class"] == "OnnxPipeline"
    assert by_name(models(roots, weights=False))["no_weights"].kind == "sd-32x4"
    with pytest.raises(PatchbayError) as caught:
        ModelFile().resolve("no_weights", roots, Settings(), "load.model")
    assert caught.value.what == found["no_weights"].detail["problem"]["what"]


def test_single_files_are_told_by_their_headers(roots, tmp_path):
    names = {
        "model.diffusion_model.input_blocks.0.0.weight": (32, 4, 3, 3),
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (32, 768),
        "cond_stage_model.x": (1,),
        "first_stage_model.x": (1,),
    }
    save_file({name: torch.zeros(shape) for name, shape in names.items()}, tmp_path / "models" / "sd.safetensors")
    save_file({"lora": torch.zeros(3)}, tmp_path / "models" / "lora.safetensors")
    save_file({"x.lora_down.weight": torch.zeros(3)}, tmp_path / "models" / "style.safetensors")
    (tmp_path / "models" / "cut.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    (tmp_path / "models" / "evil.safetensors").write_bytes(b"\x80\x04\x95" + b"." * 90)
    found = by_name(models(roots))
    assert (found["sd.safetensors"].kind, found["sd.safetensors"].detail["source"]) == ("sd1", "file")
    assert found["sd.safetensors"].detail["pipeline_class"] == "StableDiffusionPipeline"
    assert "`config`" in found["sd.safetensors"].detail["needs"]
    assert found["style.safetensors"].detail["holds"] == "a LoRA"
    assert "holds a LoRA" in found["style.safetensors"].detail["problem"]["what"]
    problems = {name: item.detail["problem"]["code"] for name, item in found.items() if "problem" in item.detail}
    assert problems == {
        "cut.safetensors": "bad_model",
        "evil.safetensors": "pickled_model",
        "lora.safetensors": "unsupported_class",
        "style.safetensors": "unsupported_class",
    }


def test_a_single_file_names_the_folders_that_fit_as_its_config(roots, tiny_folder, broken, tmp_path):
    save_file(originals.sd(tiny_folder), tmp_path / "models" / "one.safetensors")
    (broken / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    shutil.copytree(tiny_folder, tmp_path / "models" / "tiny")
    shutil.copytree(broken, tmp_path / "models" / "words_only")
    found = by_name(models(roots))
    assert found["one.safetensors"].detail["configs"] == ["tiny", "words_only"]
    assert "problem" in found["words_only"].detail
    assert "configs" not in found["tiny"].detail


def test_a_transformer_names_only_folders_that_have_the_weights_that_wiring_does_not_bring(roots, tmp_path):
    build("StableDiffusion3Pipeline", tmp_path / "models" / "whole")
    save_file(originals.sd3(tmp_path / "models" / "whole"), tmp_path / "models" / "one.safetensors")
    rest = shutil.copytree(tmp_path / "models" / "whole", tmp_path / "models" / "rest")
    (rest / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    pickled = shutil.copytree(rest, tmp_path / "models" / "pickled")
    (pickled / "vae" / "diffusion_pytorch_model.bin").write_bytes(b"anything")
    found = by_name(models(roots))
    assert found["one.safetensors"].kind == "sd3-32x64x16"
    assert found["one.safetensors"].detail["configs"] == ["rest", "whole"]
    assert {name: found[name].detail.get("lacks") for name in ("whole", "rest", "pickled")} == {
        "whole": [],
        "rest": ["vae"],
        "pickled": None,
    }


def test_a_file_that_did_not_change_is_not_read_again(roots, tmp_path, monkeypatch):
    path = tmp_path / "models" / "a.safetensors"
    path.write_bytes(b"nothing")
    reads = []
    monkeypatch.setattr(
        "nodes.diffusion.disk.listing.header_of", lambda *given: reads.append(given) or read_header(*given)
    )
    first, again = models(roots), models(roots)
    assert first == again
    assert len(reads) == 1
    path.write_bytes(b"\x10\0\0\0\0\0\0\0{")
    assert by_name(models(roots))["a.safetensors"].detail["bytes"] == 9
    assert len(reads) == 2


@pytest.mark.parametrize("name", ["old.ckpt", "vae.pt", "up.PTH"])
def test_pickles_that_are_named_like_models_are_listed_as_refused(roots, tmp_path, name):
    (tmp_path / "models" / name).write_bytes(b"anything")
    (tmp_path / "models" / "other.bin").write_bytes(b"anything")
    found = by_name(models(roots))
    assert list(found) == ["pocket", name]
    assert (found[name].kind, found[name].detail["bytes"]) == ("", 8)
    problem = found[name].detail["problem"]
    assert (problem["code"], problem["at"]) == ("pickled_model", name)
    with pytest.raises(PatchbayError) as caught:
        ModelFile().describe(name, roots, name)
    assert (caught.value.what, caught.value.fix) == (problem["what"], problem["fix"])


def test_the_hubs_cache_is_looked_into(roots, hub, tiny_folder):
    hub("fox/tiny", tiny_folder)
    hub("fox/gone")
    hub("fox/escape", revision="../../..")
    (hub("fox/unread") / "refs" / "main").unlink()
    found = by_name(models(roots))
    assert (found["fox/tiny"].kind, found["fox/tiny"].detail["source"]) == ("sd-32x4", "hub")
    assert found["fox/tiny"].detail["bytes"] > 0
    for name in ("fox/gone", "fox/escape", "fox/unread"):
        assert found[name].detail["problem"]["code"] == "file_not_found"


def test_nothing_outside_the_roots_is_listed_and_no_link_goes_round(roots, tiny_folder, tmp_path):
    root = tmp_path / "models"
    shutil.copytree(tiny_folder, root / "tiny")
    (root / "outside").symlink_to(tiny_folder)
    (root / "round").symlink_to("round")
    (root / ".hidden").mkdir()
    shutil.copytree(tiny_folder, root / ".hidden" / "tiny")
    shutil.copytree(tiny_folder, root / "a" / "b" / "c" / "d" / "e" / "f" / "tiny")
    assert list(by_name(models(roots))) == ["pocket", "tiny"]


def test_pictures_come_newest_first_and_those_in_the_box_last(roots, tmp_path):
    for number, name in enumerate(("inputs/a.png", "inputs/new/b.JPG", "more/c.webp", "more/a.png", "inputs/d.txt")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * number)
        os.utime(path, (number, number))
    found = PictureFile().choices(roots, Settings())
    boxed = sorted(path.name for path in FOLDER.iterdir() if path.suffix == ".png")
    assert [choice.name for choice in found] == ["c.webp", "new/b.JPG", "a.png", *boxed]
    assert dict(found[0].detail) == {"bytes": 2, "modified": 2.0}
    assert found[2].detail["bytes"] == 0


def test_there_is_an_end_to_the_pictures(roots, tmp_path):
    (tmp_path / "inputs").mkdir()
    for number in range(MOST_PICTURES + 5):
        (tmp_path / "inputs" / f"{number}.png").touch()
        os.utime(tmp_path / "inputs" / f"{number}.png", (number, number))
    found = pictures(roots)
    assert len(found) == MOST_PICTURES
    assert found[0].name == f"{MOST_PICTURES + 4}.png"


def test_looking_imports_no_torch():
    code = (
        "import sys; from engine import Paths; from nodes.diffusion.disk.listing import models, pictures;"
        "models(Paths()); pictures(Paths()); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
