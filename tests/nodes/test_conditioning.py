"""Prompts in a graph: what the plan knows of them and of what steers beside them."""

import pytest

from engine import Catalog, Graph, GraphError, Paths, Settings, plan
from engine.choices import Choosable
from nodes.load import ControlNetFolder, kind_of_net
from nodes.pictures import FOLDER
from tests.nodes.diffusion.tiny import controlled
from tests.nodes.diffusion.tiny.table import build


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of models: `sd` and `sdxl`, and `sd_net` and `sdxl_net` that steer them."""
    from nodes.diffusion.source import survey

    root = tmp_path_factory.mktemp("models")
    for name, cls in (("sd", "StableDiffusionPipeline"), ("sdxl", "StableDiffusionXLPipeline")):
        build(cls, root / name)
        controlled.build_net(survey(root / name, at="test"), root / f"{name}_net")
    return root


def graph(folders, **nodes):
    picture = next(path for path in sorted(FOLDER.iterdir()) if path.suffix == ".png").name
    base = {
        "load": {"type": "LoadModel", "inputs": {"model": "sd"}},
        "encode": {"type": "EncodeText", "inputs": {"text_encoder": {"link": "load.text_encoder"}, "text": "a fox"}},
        "net": {"type": "LoadControlNet", "inputs": {"control_net": "sd_net"}},
        "picture": {"type": "LoadImage", "inputs": {"file": picture}},
        "control": {
            "type": "ApplyControl",
            "inputs": {
                "conditioning": {"link": "encode.conditioning"},
                "control_net": {"link": "net.control_net"},
                "image": {"link": "picture.image"},
            },
        },
        "empty": {"type": "EmptyLatent", "inputs": {"width": 32, "height": 32}},
        "sample": {
            "type": "Sample",
            "inputs": {
                "model": {"link": "load.model"},
                "positive": {"link": "control.conditioning"},
                "latent": {"link": "empty.latent"},
                "scheduler": "DDIM",
                "steps": 2,
            },
        },
        "decode": {
            "type": "VAEDecode",
            "inputs": {"vae": {"link": "load.vae"}, "latent": {"link": "sample.latent"}},
        },
    }
    made = {**base, **nodes}
    interface = {"inputs": {}, "outputs": {"image": "decode.image"}}
    return Graph.from_data({"version": 1, "nodes": made, "interface": interface}, folder=folders)


def test_a_controlled_graph_is_planned(folders):
    assert plan(graph(folders), Catalog.load(), Paths(models=(folders,)), Settings())


def test_a_controlnet_of_another_family_is_refused_before_anything_runs(folders):
    other = {"type": "LoadControlNet", "inputs": {"control_net": "sdxl_net"}}
    with pytest.raises(GraphError) as caught:
        plan(graph(folders, net=other), Catalog.load(), Paths(models=(folders,)), Settings())
    assert any("sdxl-64x4" in str(problem) and "sd-32x4" in str(problem) for problem in caught.value.problems)


def test_a_model_is_no_controlnet(folders):
    wrong = {"type": "LoadControlNet", "inputs": {"control_net": "sd"}}
    with pytest.raises(GraphError, match="no ControlNet"):
        plan(graph(folders, net=wrong), Catalog.load(), Paths(models=(folders,)), Settings())


def test_controlnets_are_listed_with_their_kinds(folders, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    resource = ControlNetFolder()
    assert isinstance(resource, Choosable)
    found = {choice.name: choice for choice in resource.choices(Paths(models=(folders,)), Settings())}
    assert {name: choice.kind for name, choice in found.items()} == {"sd_net": "sd-32x4", "sdxl_net": "sdxl-64x4"}
    assert resource.digest(folders / "sd_net") != resource.digest(folders / "sdxl_net")
    assert kind_of_net({}) == {}
