"""Levers by wiring: in the plan, in the keys and in a run."""

import pytest

from engine import Catalog, Graph, GraphError, PatchbayError, Paths, Settings, plan
from nodes import cache_steps, load_model, tile_vae, tune_model
from nodes.pocket import MODEL
from tests.nodes.diffusion.tiny.table import build


@pytest.fixture(scope="module")
def flux(tmp_path_factory):
    folder = tmp_path_factory.mktemp("levers") / "flux"
    build("FluxPipeline", folder)
    return folder


def check(model, **nodes):
    placed = {name: {"type": type_, "inputs": inputs} for name, (type_, inputs) in nodes.items()}
    load = {"load": {"type": "LoadModel", "inputs": {"model": str(model)}}}
    graph = Graph.from_data({"version": 1, "nodes": {**load, **placed}})
    return plan(graph, Catalog.load(), Paths().granting(model), Settings())


MODEL_LINK, VAE_LINK = {"model": {"link": "load.model"}}, {"vae": {"link": "load.vae"}}


def test_levers_in_a_row_are_planned(flux):
    nodes = {
        "tune": ("TuneModel", {**MODEL_LINK, "attention": "native"}),
        "cache": ("CacheSteps", {"model": {"link": "tune.model"}, "threshold": 0.1}),
        "tile": ("TileVAE", {**VAE_LINK, "size": 64}),
    }
    assert check(flux, **nodes)


@pytest.mark.parametrize(
    ("type_", "port", "out", "what"),
    [
        ("TuneModel", "model", "model", "tuning"),
        ("CacheSteps", "model", "model", "cache"),
        ("TileVAE", "vae", "vae", "tiles"),
    ],
)
def test_a_second_one_of_a_kind_is_refused_before_anything_runs(flux, type_, port, out, what):
    with pytest.raises(GraphError, match=f"its {what} already") as caught:
        check(
            flux,
            one=(type_, {port: {"link": f"load.{port}"}}),
            two=(type_, {port: {"link": f"one.{out}"}}),
        )
    assert caught.value.at == f"two.{port}"


def test_a_setting_of_another_method_is_refused_before_anything_runs(flux):
    with pytest.raises(GraphError, match="FirstBlock has no every") as caught:
        check(flux, cache=("CacheSteps", {**MODEL_LINK, "every": 3}))
    assert caught.value.at == "cache.every"


def test_the_parts_carry_the_lever_and_the_loaded_ones_do_not(flux):
    parts = load_model(model=flux)
    before = parts.model.digest(), parts.vae.digest()
    made = [
        tune_model(parts.model, attention="_native_math").model,
        tune_model(parts.model, storage="float8_e4m3fn").model,
        cache_steps(parts.model).model,
        cache_steps(parts.model, threshold=0.2).model,
        tile_vae(parts.vae, size=64),
        tile_vae(parts.vae, size=None, singly=True),
    ]
    assert (parts.model.digest(), parts.vae.digest()) == before
    assert len({before[0], *(each.digest() for each in made)}) == 7


def test_a_lever_that_is_off_changes_nothing():
    parts = load_model(model=MODEL)
    assert tune_model(parts.model).model is parts.model
    assert tile_vae(parts.vae, size=None) is parts.vae


def test_a_model_that_cannot_is_told_before_it_is_sampled():
    parts = load_model(model=MODEL)
    with pytest.raises(PatchbayError, match="Diffusers has no caches for a UNet2DConditionModel"):
        cache_steps(parts.model)
    with pytest.raises(PatchbayError, match="always PyTorch's own"):
        tune_model(parts.model, attention="native")
