"""RunPipeline as graphs use it."""

import pytest
import torch

from engine import Catalog, Code, Graph, GraphError, Paths, Settings, plan
from nodes import run_pipeline
from nodes.pipelines import PipelineFolder
from nodes.pocket import MODEL
from tests.nodes.diffusion.tiny.wholes import build_whole


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder of models with one that has no family."""
    root = tmp_path_factory.mktemp("models")
    build_whole("DDPMPipeline", root / "ddpm")
    return root


def graph_of(**inputs):
    return Graph.from_data({"version": 1, "nodes": {"run": {"type": "RunPipeline", "inputs": inputs}}})


def test_a_model_without_a_family_is_named_like_any_other(models):
    paths = Paths(models=(models,))
    planned = plan(
        graph_of(model="ddpm", seed=3, options={"num_inference_steps": 2}), Catalog.load(), paths, Settings()
    )
    assert planned
    choices = {choice.name: choice.detail.get("problem") for choice in PipelineFolder().choices(paths, Settings())}
    assert choices["ddpm"] is None
    assert choices["pocket"] is None
    found = run_pipeline(model=models / "ddpm", seed=3, options={"num_inference_steps": 2})
    assert found.pixels.shape == (1, 3, 8, 8)


def test_a_folder_that_cannot_be_run_is_refused_before_the_run_and_listed_with_its_problem(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "model_index.json").write_text('{"_class_name": ["pipeline", "Own"]}')
    paths = Paths(models=(tmp_path,))
    with pytest.raises(GraphError, match="code of its own") as caught:
        plan(graph_of(model="own"), Catalog.load(), paths, Settings())
    assert (caught.value.code, caught.value.at) == (Code.UNSUPPORTED_CLASS, "run.model")
    (problem,) = (each.detail["problem"] for each in PipelineFolder().choices(paths, Settings()) if each.name == "own")
    assert problem["code"] == Code.UNSUPPORTED_CLASS


def test_the_digest_is_that_of_the_content(models, tmp_path):
    import shutil

    copy = shutil.copytree(models / "ddpm", tmp_path / "copy")
    assert PipelineFolder().digest(copy) == PipelineFolder().digest(models / "ddpm")
    config = copy / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace("1000", "900"))
    assert PipelineFolder().digest(copy) != PipelineFolder().digest(models / "ddpm")


def test_the_model_in_the_box_runs_as_a_whole():
    size = {"height": 64, "width": 64, "num_inference_steps": 1}
    pixels = run_pipeline(model=MODEL, prompt="a red circle", options=size).pixels
    assert pixels.shape == (1, 3, 64, 64)
    assert torch.isfinite(pixels).all()


def problems(**inputs):
    with pytest.raises(GraphError) as caught:
        plan(graph_of(**inputs), Catalog.load(), Paths(), Settings())
    return {problem.at: problem for problem in caught.value.problems}


def test_options_that_the_call_does_not_take_are_refused_before_the_run():
    (problem,) = problems(model="pocket", prompt="a", options={"num_inference_step": 2}).values()
    assert (problem.code, problem.at) == (Code.BAD_VALUE, "run.options.num_inference_step")
    assert 'Did you mean "num_inference_steps"?' in problem.fix
    (problem,) = problems(model="pocket", prompt="a", options={"num_inference_steps": "many"}).values()
    assert "many" in problem.what


def test_an_input_that_the_class_has_no_use_for_is_refused_before_the_run(models):
    with pytest.raises(GraphError, match="takes no prompt") as caught:
        plan(graph_of(model="ddpm", prompt="a"), Catalog.load(), Paths(models=(models,)), Settings())
    assert caught.value.at == "run.prompt"


def test_what_is_linked_counts_as_given():
    linked = {"load": {"type": "LoadImage", "inputs": {"image": "street.png"}}}
    run = {"type": "RunPipeline", "inputs": {"model": "pocket", "image": {"link": "load.image"}}}
    graph = Graph.from_data({"version": 1, "nodes": {**linked, "run": run}})
    with pytest.raises(GraphError) as caught:
        plan(graph, Catalog.load(), Paths(), Settings())
    assert [problem.at for problem in caught.value.problems if "takes no image" in problem.what] == ["run.image"]


def test_an_argument_that_the_call_cannot_do_without_is_asked_for_before_the_run(tmp_path):
    build_whole("DiTPipeline", tmp_path / "dit")
    with pytest.raises(GraphError, match='needs "class_labels"') as caught:
        plan(graph_of(model="dit"), Catalog.load(), Paths(models=(tmp_path,)), Settings())
    assert (caught.value.code, caught.value.at) == (Code.MISSING_INPUT, "run.options.class_labels")
