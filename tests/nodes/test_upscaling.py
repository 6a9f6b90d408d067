"""The node that upscales, in a plan."""

import pytest
import torch
from safetensors.torch import save_file

from engine import Catalog, Code, Graph, GraphError, Paths, Settings, plan
from nodes.diffusion.disk import packages


def problems(folder, file):
    nodes = {
        "load": {"type": "LoadImage", "inputs": {"file": "fox.png"}},
        "up": {"type": "UpscaleModel", "inputs": {"image": {"link": "load.image"}, "file": file}},
    }
    try:
        plan(Graph.from_data({"version": 1, "nodes": nodes}, folder=folder), Catalog.load(), Paths(), Settings())
    except GraphError as error:
        return [(problem.code, problem.at) for problem in error.problems]
    return []


@pytest.fixture
def folder(tmp_path):
    from nodes.diffusion.pictures.pixels import to_png

    (tmp_path / "fox.png").write_bytes(to_png(torch.rand(3, 8, 8)))
    save_file({"kernel": torch.zeros(1)}, tmp_path / "up.safetensors")
    torch.save({}, tmp_path / "up.pth")
    return tmp_path


def test_a_plan_knows_whether_upscalers_can_run(folder, monkeypatch):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: name)
    assert problems(folder, "up.safetensors") == []
    assert problems(folder, "up.pth") == [(Code.PICKLED_MODEL, "up.file")]
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: None)
    assert problems(folder, "up.safetensors") == [(Code.MISSING_PACKAGE, "up.file")]
