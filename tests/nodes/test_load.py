"""Where models come from, and what is known of them before anything runs."""

import pytest

from engine import Catalog, Graph, GraphError, Paths, Settings, plan
from nodes import load_model
from nodes.load import ConfigPath, ModelFile, kinds_of
from nodes.pocket import MODEL


def test_the_parts_belong_to_one_model_and_its_own_scheduler():
    parts = load_model(model=MODEL)
    assert {part.kind for part in parts} == {"pocket"}
    assert parts.scheduler.name == "DDIMScheduler"
    assert parts.scheduler.base["prediction_type"] == "v_prediction"


def test_the_kind_is_known_from_the_folder(tiny_folder):
    assert kinds_of({"model": MODEL}) == {"K": "pocket"}
    assert kinds_of({"model": tiny_folder}) == {"K": "sd-32x4"}
    assert kinds_of({}) == {}


def test_the_digest_is_that_of_the_content(tiny_folder, broken):
    assert ModelFile().digest(tiny_folder) == ModelFile().digest(broken)
    config = broken / "unet" / "config.json"
    config.write_text(config.read_text().replace('"sample_size": 8', '"sample_size": 16'))
    assert ModelFile().digest(tiny_folder) != ModelFile().digest(broken)


def test_a_configuration_needs_no_weights(broken):
    (broken / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    resource = next(extra for extra in ConfigPath.__metadata__ if isinstance(extra, ModelFile))
    paths = Paths().granting(broken)
    assert resource.resolve(str(broken), paths, Settings(), "load.config") == broken.resolve()
    assert resource.digest(broken)


def test_a_single_file_without_configuration_says_what_to_give(tmp_path):
    import torch
    from safetensors.torch import save_file

    names = {
        "model.diffusion_model.input_blocks.0.0.weight": (32, 4, 3, 3),
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (32, 768),
    }
    save_file({name: torch.zeros(shape) for name, shape in names.items()}, tmp_path / "alone.safetensors")
    nodes = {"load": {"type": "LoadModel", "inputs": {"model": "alone.safetensors"}}}
    graph = Graph.from_data({"version": 1, "nodes": nodes}, folder=tmp_path)
    with pytest.raises(GraphError) as caught:
        plan(graph, Catalog.load(), Paths(), Settings())
    assert caught.value.at == "load.model"
    assert "Set `config`" in caught.value.fix
