"""Preprocessors as people wire them."""

import pytest
import torch

from engine import Catalog, Code, Graph, GraphError, Paths, Settings, plan
from nodes import depth_map, load_depth_model, load_pose_model, pose_map
from nodes.diffusion.disk import packages
from nodes.types import Image
from tests.nodes.diffusion.pictures.test_depth import save_dpt
from tests.nodes.diffusion.pictures.test_poses import save_vitpose, save_yolos


@pytest.fixture
def folder(tmp_path):
    from nodes.diffusion.pictures.pixels import to_png

    save_dpt(tmp_path / "dpt")
    (tmp_path / "fox.png").write_bytes(to_png(torch.rand(3, 8, 8)))
    return tmp_path


def problems(folder, **more):
    nodes = {"load": {"type": "LoadImage", "inputs": {"file": "fox.png"}}, **more}
    try:
        plan(Graph.from_data({"version": 1, "nodes": nodes}, folder=folder), Catalog.load(), Paths(), Settings())
    except GraphError as error:
        return [(problem.code, problem.at) for problem in error.problems]
    return []


def test_a_depth_model_is_planned_by_its_folder(folder):
    image = {"link": "load.image"}
    model = {"type": "LoadDepthModel", "inputs": {"model": "dpt"}}
    depth = {"type": "DepthMap", "inputs": {"depth_model": {"link": "model.depth_model"}, "image": image}}
    assert problems(folder, model=model, depth=depth) == []
    (folder / "dpt" / "config.json").write_text("{}")
    assert problems(folder, model=model, depth=depth) == [(Code.UNSUPPORTED_CLASS, "model.model")]


def test_depth_models_can_be_chosen(folder):
    from nodes.preprocessors import DEPTH_MODELS

    (choice,) = DEPTH_MODELS.choices(Paths(models=(folder,)), Settings())
    assert (choice.name, "problem" in choice.detail) == ("dpt", False)


def test_a_picture_becomes_its_depth(folder):
    model = load_depth_model(model=folder / "dpt").depth_model
    assert [fact.value for fact in model.inspect(0).facts] == ["dpt", "DPTForDepthEstimation"]
    assert depth_map(model, Image(torch.rand(1, 3, 24, 40))).pixels.shape == (1, 3, 24, 40)


def test_a_picture_becomes_its_poses(folder):
    save_vitpose(folder / "pose")
    save_yolos(folder / "people")
    loaded = {"type": "LoadPoseModel", "inputs": {"model": "pose", "detector": "people"}}
    poses = {"type": "PoseMap", "inputs": {"pose_model": {"link": "model.pose_model"}, "image": {"link": "load.image"}}}
    assert problems(folder, model=loaded, poses=poses) == []
    assert problems(folder, model={**loaded, "inputs": {"model": "dpt"}}) == [(Code.UNSUPPORTED_CLASS, "model.model")]
    model = load_pose_model(model=folder / "pose", detector=folder / "people").pose_model
    assert [fact.value for fact in model.inspect(0).facts] == ["pose", "VitPoseForPoseEstimation", "people"]
    alone = load_pose_model(model=folder / "pose").pose_model
    assert model.digest() != alone.digest()
    assert pose_map(alone, Image(torch.rand(1, 3, 24, 40))).pixels.shape == (1, 3, 24, 40)


def test_a_plan_knows_whether_edges_can_be_found(folder, monkeypatch):
    edges = {"type": "CannyEdges", "inputs": {"image": {"link": "load.image"}}}
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: name)
    assert problems(folder, edges=edges) == []
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: None)
    assert problems(folder, edges=edges) == [(Code.MISSING_PACKAGE, "edges.image")]
