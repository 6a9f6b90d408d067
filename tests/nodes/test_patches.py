"""Patches by wiring: in the plan, in the keys and in a run."""

import pytest

from engine import Catalog, Graph, GraphError, Paths, Settings, plan
from nodes import add_embedding, apply_lora, free_u, load_model
from nodes.pocket import MODEL
from tests.nodes.diffusion.tiny import loras


@pytest.fixture
def lora(tmp_path):
    from nodes.diffusion.disk.source import survey

    return loras.save(loras.weights(survey(MODEL, at="")), tmp_path / "pocket-lora.safetensors")


def graph(folder, model, *nodes):
    load = {"load": {"type": "LoadModel", "inputs": {"model": str(model)}}}
    return Graph.from_data({"version": 1, "nodes": {**load, **dict(nodes)}}, folder=folder)


def lora_node(name, model, file, **inputs):
    links = {"model": {"link": f"{model}.model"}, "text_encoder": {"link": f"{model}.text_encoder"}}
    return name, {"type": "ApplyLora", "inputs": {**links, "file": file.name, **inputs}}


def check(graph, *granted):
    return plan(graph, Catalog.load(), Paths().granting(*granted), Settings())


def test_loras_in_a_row_are_planned(lora):
    nodes = lora_node("one", "load", lora), lora_node("two", "one", lora, strength=0.5)
    encode = "encode", {"type": "EncodeText", "inputs": {"text_encoder": {"link": "two.text_encoder"}}}
    assert check(graph(lora.parent, MODEL, *nodes, encode), MODEL)


def test_a_lora_of_another_family_is_refused_before_anything_runs(lora, tiny_folder):
    nodes = lora_node("one", "load", lora), lora_node("two", "one", lora)
    with pytest.raises(GraphError) as caught:
        check(graph(lora.parent, tiny_folder, *nodes), tiny_folder)
    assert {problem.at for problem in caught.value.problems} == {"one.file", "two.file"}
    assert all("made for another model" in problem.what for problem in caught.value.problems)


def test_a_file_that_is_no_lora_is_refused_before_anything_runs(tmp_path):
    import torch
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, tmp_path / "no.safetensors")
    with pytest.raises(GraphError, match="is no LoRA"):
        check(graph(tmp_path, MODEL, lora_node("one", "load", tmp_path / "no.safetensors")), MODEL)


def test_the_parts_carry_the_patch_and_the_loaded_ones_do_not(lora):
    parts = load_model(model=MODEL)
    before = parts.model.digest(), parts.text_encoder.digest()
    once = apply_lora(parts.model, parts.text_encoder, file=lora)
    twice = apply_lora(once.model, file=lora, strength=0.5)
    assert [len(each.source.patches) for each in (*parts[:2], *once, *twice)] == [0, 0, 1, 1, 2, 2]
    assert (parts.model.digest(), parts.text_encoder.digest()) == before
    assert len({parts.model.digest(), once.model.digest(), twice.model.digest()}) == 3


@pytest.fixture
def embedding(tmp_path):
    import torch
    from safetensors.torch import save_file

    save_file({"emb_params": torch.zeros(2, 128)}, tmp_path / "word.safetensors")
    return tmp_path / "word.safetensors"


def embedding_node(file):
    inputs = {"text_encoder": {"link": "load.text_encoder"}, "file": file.name}
    return "word", {"type": "AddEmbedding", "inputs": inputs}


def test_an_embedding_of_another_family_is_refused_before_anything_runs(embedding, tiny_folder):
    assert check(graph(embedding.parent, MODEL, embedding_node(embedding)), MODEL)
    with pytest.raises(GraphError, match="vectors of 128 numbers") as caught:
        check(graph(embedding.parent, tiny_folder, embedding_node(embedding)), tiny_folder)
    assert caught.value.at == "word.file"


def test_free_u_on_a_transformer_is_refused_before_anything_runs(tmp_path):
    from tests.nodes.diffusion.tiny.table import build

    build("FluxPipeline", tmp_path / "flux")
    node = "free", {"type": "FreeU", "inputs": {"model": {"link": "load.model"}}}
    assert check(graph(tmp_path, MODEL, node), MODEL)
    with pytest.raises(GraphError, match="without one") as caught:
        check(graph(tmp_path, "flux", node))
    assert caught.value.at == "free.model"


def test_each_node_adds_one_patch_to_its_part(embedding):
    parts = load_model(model=MODEL)
    (word,) = add_embedding(parts.text_encoder, file=embedding).source.patches
    (free,) = free_u(parts.model, b1=1.3).model.source.patches
    assert (word.token, free.b1) == ("word", 1.3)


def test_patches_of_different_kinds_are_wired_in_a_row(lora):
    inputs = {
        "free": ("FreeU", {"model": {"link": "one.model"}}),
        "encode": ("EncodeText", {"text_encoder": {"link": "one.text_encoder"}, "text": "a red circle"}),
        "empty": ("EmptyLatent", {"width": 64, "height": 64}),
        "sample": (
            "Sample",
            {
                "model": {"link": "free.model"},
                "positive": {"link": "encode.conditioning"},
                "latent": {"link": "empty.latent"},
                "steps": 1,
            },
        ),
    }
    nodes = [(name, {"type": type_, "inputs": given}) for name, (type_, given) in inputs.items()]
    assert check(graph(lora.parent, MODEL, lora_node("one", "load", lora), *nodes), MODEL)
