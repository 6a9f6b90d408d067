"""Lists of files by name and state."""

from pathlib import Path

import pytest

from engine import Paths, Settings
from nodes import add_embedding, apply_lora
from nodes.diffusion.disk.files import files


def put(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x" * 7)
    return root


def names(found):
    return [choice.name for choice in found]


@pytest.fixture
def roots(tmp_path):
    """Folders as they are given for a program's layout, and one of the user's own."""
    put(tmp_path / "loras", "b.safetensors", "sub/a.safetensors", "old.pt", "notes.txt")
    put(tmp_path / "embeddings", "easy.safetensors")
    put(tmp_path / "checkpoints", "base.safetensors")
    own = put(tmp_path / "own", "loose.safetensors", "vae/ae.safetensors", "Lora/mine.safetensors", "loose.ckpt")
    put(own, "model/model_index.json", "model/unet/x.safetensors", "net/config.json", "net/y.safetensors")
    return Paths(models=tuple(tmp_path / name for name in ("loras", "embeddings", "checkpoints", "own")))


def test_both_inputs_list_what_is_in_their_folders_and_what_nothing_is_known_of(roots):
    loras = apply_lora.inputs["file"].resource.choices(roots, Settings())
    assert names(loras) == [
        "b.safetensors",
        "old.pt",
        "sub/a.safetensors",
        "Lora/mine.safetensors",
        "loose.safetensors",
    ]
    embeddings = add_embedding.inputs["file"].resource.choices(roots, Settings())
    assert names(embeddings) == ["easy.safetensors", "loose.safetensors"]
    assert embeddings[0].detail["bytes"] == 7


def test_a_pickle_is_listed_with_the_reason(roots):
    found = {choice.name: choice.detail.get("problem") for choice in files(roots, "LoRA")}
    assert found["old.pt"]["code"] == "pickled_model"
    assert found["b.safetensors"] is None


def test_a_name_that_is_listed_is_one_that_a_graph_can_give(roots):
    for choice in files(roots, "VAE"):
        assert roots.find(choice.name, roots.models).is_file()


def test_of_two_with_one_name_the_first_root_counts(tmp_path):
    put(tmp_path / "one" / "loras", "a.safetensors")
    (tmp_path / "two" / "loras").mkdir(parents=True)
    (tmp_path / "two" / "loras" / "a.safetensors").write_bytes(b"longer than that")
    found = files(Paths(models=(tmp_path / "one" / "loras", tmp_path / "two" / "loras")), "LoRA")
    assert [(choice.name, choice.detail["bytes"]) for choice in found] == [("a.safetensors", 7)]


def test_thousands_are_listed_and_none_is_opened(tmp_path, monkeypatch):
    put(tmp_path / "loras", *(f"{index:04}.safetensors" for index in range(1500)))

    def refuse(*args, **kwargs):
        raise AssertionError(args)

    monkeypatch.setattr(Path, "open", refuse)
    assert len(files(Paths(models=(tmp_path / "loras",)), "LoRA")) == 1500
