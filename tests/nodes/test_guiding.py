"""Guiders with a weakened prediction, as people wire them."""

import pytest

from engine import Catalog, Code, Graph, GraphError, PatchbayError, Paths, Settings, plan
from nodes import auto_guidance, guider, load_model, perturb_attention, skip_blocks, smooth_attention
from nodes.pocket import MODEL
from nodes.types import Guider, Weakening
from tests.nodes.diffusion.tiny.table import build


def test_a_guider_gets_a_third_prediction():
    assert perturb_attention() == Guider("CFG", weakening=Weakening("attention", (), 3.0))
    assert smooth_attention(layers=["mid_block"]).weakening == Weakening("queries", ("mid_block",), 3.0)
    own = guider(name="APG", eta=0.5)
    found = skip_blocks(own, layers=["blocks.1"])
    assert (found.name, found.settings) == (own.name, own.settings)
    assert found.weakening == Weakening("blocks", ("blocks.1",), 2.8, 0.01, 0.2)
    assert [fact.value for fact in found.inspect(0).facts][-1] == "blocks.1 at 2.8"


def test_another_model_can_give_it():
    found = auto_guidance(load_model(model=MODEL).model, guider(name="APG"), scale=2.0, end=0.5)
    assert (found.name, found.weakening.way, found.weakening.end) == ("APG", "model", 0.5)
    assert [fact.value for fact in found.inspect(0).facts] == ["APG", "0", "0", "1", f"{MODEL.name} at 2"]


def test_one_is_enough_and_has_steps():
    with pytest.raises(PatchbayError, match="already"):
        skip_blocks(perturb_attention())
    with pytest.raises(PatchbayError, match="no steps"):
        perturb_attention(start=0.5, end=0.5)


def link(target):
    return {"link": target}


def problems(last, models=(), **nodes):
    """What the plan refuses of a run with a guider, the node named `last`."""
    sampled = {
        "load": ("LoadModel", {"model": "pocket"}),
        "prompt": ("EncodeText", {"text_encoder": link("load.text_encoder"), "text": "x"}),
        "size": ("EmptyLatent", {}),
        **nodes,
    }
    ports = {"model": "load.model", "positive": "prompt.conditioning", "latent": "size.latent", "guider": last}
    sampled["sample"] = ("Sample", {name: link(target) for name, target in ports.items()})
    data = {
        "version": 1,
        "nodes": {name: {"type": kind, "inputs": inputs} for name, (kind, inputs) in sampled.items()},
        "interface": {"outputs": {"x": "sample.latent"}},
    }
    try:
        plan(Graph.from_data(data), Catalog.load(), Paths(models=models), Settings())
    except GraphError as error:
        return [(problem.code, problem.at, problem.what) for problem in error.problems]
    return []


def test_the_plan_knows_the_model_s_layers():
    for way in ("PerturbAttention", "SmoothAttention"):
        assert problems("weak.guider", weak=(way, {})) == []
    ((code, at, what),) = problems("weak.guider", weak=("PerturbAttention", {"layers": ["mid_blok"]}))
    assert (code, at) == (Code.BAD_VALUE, "sample.guider")
    assert 'no layer "mid_blok"' in what


def test_the_plan_refuses_what_the_model_cannot_do():
    ((_, at, what),) = problems("weak.guider", weak=("SkipBlocks", {}))
    assert at == "sample.guider"
    assert "SkipBlocks leaves out blocks of a transformer" in what
    two = {"weak": ("PerturbAttention", {}), "more": ("SkipBlocks", {"guider": link("weak.guider")})}
    assert [(at, "already" in what) for _, at, what in problems("more.guider", **two)] == [("more.guider", True)]
    ((_, at, what),) = problems("weak.guider", weak=("PerturbAttention", {"start": 0.5, "end": 0.2}))
    assert at == "weak.start"


def test_a_weaker_model_is_planned_by_its_kind(tmp_path):
    build("FluxPipeline", tmp_path / "flux")
    other = {"other": ("LoadModel", {"model": "flux"})}
    weak = {"weak": ("AutoGuidance", {"model": link("load.model")})}
    assert problems("weak.guider", **weak) == []
    away = {"weak": ("AutoGuidance", {"model": link("other.model")})}
    ((code, at, _),) = problems("weak.guider", (tmp_path,), **other, **away)
    assert (code, at) == (Code.KIND_MISMATCH, "sample.guider")
    twice = {**weak, "more": ("SkipBlocks", {"guider": link("weak.guider")})}
    assert [(at, "already" in what) for _, at, what in problems("more.guider", **twice)] == [("more.guider", True)]
