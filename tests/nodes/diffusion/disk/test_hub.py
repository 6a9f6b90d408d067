"""What is fetched from a hub, and what is said when that cannot be; the hub is a pretended one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nodes.diffusion.disk.hub import is_id, wanted_files
from tests.fake_hub import COMMIT, FakeHub

ROOT = Path(__file__).parents[4]

FETCH = """
import json, sys
from engine import PatchbayError
from nodes.diffusion.disk.hub import cached, fetch
from nodes.diffusion.disk.source import survey

told = []
lone = {"lone": lambda names: ["config.json"]} if "lone" in sys.argv else {}
try:
    if lone:
        fetch(sys.argv[1], "here", **lone)
        sys.exit(print(json.dumps({"cached": str(cached(sys.argv[1], "x", "config.json"))})))
    folder = fetch(sys.argv[1], "here", lambda done, total: told.append((done, total)))
    found = {"folder": str(folder), "kind": survey(folder, at="x").kind, "cached": str(cached(sys.argv[1], "x"))}
    found["told"] = told
except PatchbayError as error:
    found = error.fields()
print(json.dumps(found))
"""
"""In a process of its own: the hub's library reads its variables once."""


@pytest.fixture
def hub(broken):
    with FakeHub() as running:
        running.repositories["fox/tiny"] = broken
        yield running


def fetch(name, hub, tmp_path, *more, **environment):
    variables = {**os.environ, **hub.environment(tmp_path / "cache"), **environment}
    done = subprocess.run(
        [sys.executable, "-c", FETCH, name, *more], cwd=ROOT, env=variables, capture_output=True, check=True
    )
    return json.loads(done.stdout)


def test_a_repository_is_fetched_without_pickles_and_without_code(hub, broken, tmp_path):
    (broken / "evil.py").write_text("raise SystemExit")
    (broken / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"pickle")
    shutil.copy(broken / "unet/diffusion_pytorch_model.safetensors", broken / "whole.safetensors")
    found = fetch("fox/tiny", hub, tmp_path)
    assert found["kind"] == "sd-32x4"
    assert found["folder"] == found["cached"] == str(tmp_path / f"cache/models--fox--tiny/snapshots/{COMMIT}")
    left = {"evil.py", "unet/diffusion_pytorch_model.bin", "whole.safetensors", "tokenizer/vocab.txt"}
    assert sorted(hub.fetched) == sorted(hub.files("fox/tiny").keys() - left)
    there = {path.relative_to(found["folder"]).as_posix() for path in Path(found["folder"]).rglob("*.*")}
    assert there == set(hub.fetched)
    assert (
        found["told"][-1][0]
        == found["told"][-1][1]
        == sum(
            path.stat().st_size
            for name, path in hub.files("fox/tiny").items()
            if name in there and name != "model_index.json"
        )
    )


def test_of_a_repository_of_a_single_part_the_files_chosen_are_fetched(hub, broken, tmp_path):
    hub.repositories["fox/net"] = broken / "unet"
    found = fetch("fox/net", hub, tmp_path, "lone")
    assert hub.fetched == ["config.json"]
    assert found["cached"].endswith(f"models--fox--net/snapshots/{COMMIT}")


def test_a_class_that_is_not_driven_is_refused_before_its_weights_are_fetched(hub, broken, tmp_path):
    (broken / "model_index.json").write_text('{"_class_name": "OnnxPipeline"}')
    found = fetch("fox/tiny", hub, tmp_path)
    assert (found["code"], found["at"]) == ("unsupported_class", "here")
    assert hub.fetched == ["model_index.json"]


def test_where_there_is_no_other_index_that_of_blocks_goes_first(hub, broken, tmp_path):
    (broken / "model_index.json").unlink()
    (broken / "modular_model_index.json").write_text('{"_class_name": "EchoModularPipeline"}')
    assert fetch("fox/tiny", hub, tmp_path)["code"] == "unsupported_class"
    assert hub.fetched == ["modular_model_index.json"]


def test_a_repository_of_pickles_is_refused_before_they_are_fetched(hub, broken, tmp_path):
    (broken / "vae/diffusion_pytorch_model.safetensors").rename(broken / "vae/diffusion_pytorch_model.bin")
    found = fetch("fox/tiny", hub, tmp_path)
    assert found["code"] == "pickled_model"
    assert "its vae" in found["what"]
    assert hub.fetched == ["model_index.json"]


def test_what_the_hub_does_not_have_or_does_not_give_is_said(hub, broken, tmp_path):
    hub.repositories |= {"fox/gated": broken, "fox/part": broken / "unet"}
    hub.gated.add("fox/gated")
    gone, gated, part = (fetch(f"fox/{name}", hub, tmp_path) for name in ("gone", "gated", "part"))
    assert 'has no "fox/gone"' in gone["what"]
    assert "accepted its terms" in gated["what"]
    assert "https://huggingface.co/fox/gated" in gated["fix"]
    assert (part["code"], "no model_index.json" in part["what"]) == ("bad_model", True)


def test_a_hub_that_cannot_be_reached_is_said_at_once(hub, tmp_path):
    nobody = fetch("fox/tiny", hub, tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    offline = fetch("fox/tiny", hub, tmp_path, HF_HUB_OFFLINE="1")
    for found in (nobody, offline):
        assert found["code"] == "file_not_found"
        assert "cannot be reached" in found["what"]
        assert "connection" in found["fix"]
    assert hub.fetched == []


def test_a_name_that_is_no_id_asks_nobody(hub, tmp_path):
    assert fetch("fox", hub, tmp_path)["fix"] == "Give an id: owner/name."
    assert [is_id(name) for name in ("fox/tiny", "a/b/c", "../x", "fox/tiny.safetensors")] == [True, *[False] * 3]


def test_only_what_is_needed_is_fetched():
    names = [
        "README.md", "evil.py", "model_index.json", "modular_model_index.json", "v1-5.safetensors", "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.bin", "vae/diffusion_pytorch_model.fp16.safetensors",
        "text_encoder/model.safetensors.index.json", "tokenizer/vocab.json", "tokenizer/merges.txt",
        "safety_checker/model.safetensors",
    ]  # fmt: skip
    parts = {name: ["library", "Class"] for name in ("safety_checker", "text_encoder", "tokenizer", "unet", "vae")}
    assert sorted(wanted_files(names, parts)) == [
        "model_index.json",
        "modular_model_index.json",
        "text_encoder/model-?????-of-?????.safetensors",
        "text_encoder/model.safetensors.index.json",
        "tokenizer/merges.txt",
        "tokenizer/vocab.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.fp16.safetensors",
    ]


@pytest.mark.parametrize(
    ("plain", "kept"),
    [
        (True, ["model-00001-of-00002.safetensors"]),
        (False, ["model-00001-of-00002.fp16.safetensors", "model.fp16-00001-of-00002.safetensors"]),
    ],
)
def test_of_shards_one_variant_is_fetched(plain, kept):
    from huggingface_hub.utils import filter_repo_objects

    shards = ["model-00001-of-00002.safetensors"] if plain else []
    names = [
        "model.safetensors.index.fp16.json",
        *(["model.safetensors.index.json"] if plain else []),
        "model-00001-of-00002.fp16.safetensors",
        "model.fp16-00001-of-00002.safetensors",
        *shards,
    ]
    names = [f"text_encoder/{name}" for name in names]
    wanted = wanted_files(names, {"text_encoder": ["transformers", "T5EncoderModel"]})
    fetched = filter_repo_objects(names, allow_patterns=wanted)
    assert sorted(name for name in fetched if name.endswith(".safetensors")) == [
        f"text_encoder/{name}" for name in kept
    ]
