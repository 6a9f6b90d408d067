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
    before = resource.digest(broken)
    (broken / "vae" / "diffusion_pytorch_model.safetensors").touch()
    assert resource.digest(broken) != before


def test_a_single_file_without_configuration_says_what_to_give(tmp_path):
    import torch
    from safetensors.torch import save_file

    names = {
        "model.diffusion_model.input_blocks.0.0.weight": (32, 4, 3, 3),
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (32, 768),
        "cond_stage_model.x": (1,),
        "first_stage_model.x": (1,),
    }
    save_file({name: torch.zeros(shape) for name, shape in names.items()}, tmp_path / "alone.safetensors")
    nodes = {"load": {"type": "LoadModel", "inputs": {"model": "alone.safetensors"}}}
    graph = Graph.from_data({"version": 1, "nodes": nodes}, folder=tmp_path)
    with pytest.raises(GraphError) as caught:
        plan(graph, Catalog.load(), Paths(), Settings())
    assert caught.value.at == "load.model"
    assert "Set `config`" in caught.value.fix


@pytest.fixture(scope="module")
def sdxl_folder(tmp_path_factory):
    from tests.nodes.diffusion.tiny.table import build

    folder = tmp_path_factory.mktemp("sdxl") / "model"
    build("StableDiffusionXLPipeline", folder)
    return folder


@pytest.mark.parametrize("port", ["encode.text_encoder", "sample.model", "decode.vae"])
def test_parts_of_different_families_are_refused_before_anything_runs(tiny_folder, sdxl_folder, port):
    """No shape error of torch's: the plan knows the families."""
    links = {"encode.text_encoder": "one.text_encoder", "sample.model": "one.model", "decode.vae": "one.vae"}
    links[port] = links[port].replace("one", "other")
    nodes = {
        "one": {"type": "LoadModel", "inputs": {"model": str(tiny_folder)}},
        "other": {"type": "LoadModel", "inputs": {"model": str(sdxl_folder)}},
        "encode": {"type": "EncodeText", "inputs": {"text_encoder": {"link": links["encode.text_encoder"]}}},
        "empty": {"type": "EmptyLatent", "inputs": {}},
        "sample": {
            "type": "Sample",
            "inputs": {
                "model": {"link": links["sample.model"]},
                "positive": {"link": "encode.conditioning"},
                "latent": {"link": "empty.latent"},
            },
        },
        "decode": {
            "type": "VAEDecode",
            "inputs": {"vae": {"link": links["decode.vae"]}, "latent": {"link": "sample.latent"}},
        },
        "save": {"type": "SaveImage", "inputs": {"image": {"link": "decode.image"}}},
    }
    graph = Graph.from_data({"version": 1, "nodes": nodes}, folder=tiny_folder.parent)
    paths = Paths().granting(tiny_folder).granting(sdxl_folder)
    with pytest.raises(GraphError) as caught:
        plan(graph, Catalog.load(), paths, Settings())
    assert any("sdxl-64x4" in str(problem) and "sd-32x4" in str(problem) for problem in caught.value.problems)
