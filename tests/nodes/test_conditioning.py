"""Prompts in a graph: what the plan knows of them and of what steers beside them."""

import pytest
import torch
from PIL import Image as Pillow

from engine import Catalog, Graph, GraphError, PatchbayError, Paths, Settings, plan
from engine.choices import Choosable
from nodes import combine_conditionings, encode_text, guider, limit_conditioning, load_model, sample, sample_steps
from nodes.load import CONTROL_NETS, kind_of_net
from nodes.pictures import FOLDER
from nodes.pocket import MODEL
from nodes.types import BlankLatent, Mask
from tests.nodes.diffusion.tiny import controlled
from tests.nodes.diffusion.tiny.table import build


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of models: `sd` and `sdxl`, and `sd_net` and `sdxl_net` that steer them."""
    from nodes.diffusion.disk.source import survey

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


MASK = {"link": "threshold.mask"}
PICTURE = {"link": "picture.image"}


@pytest.mark.parametrize(
    ("port", "inputs", "why"),
    [
        ("mode", {"mode": 1}, "has no modes"),
        ("mask", {"mask": MASK}, "reads no mask"),
        ("around", {"mask": MASK, "around": PICTURE}, "no picture to paint in"),
        ("start", {"start": 0.5, "end": 0.5}, "no steps"),
        ("strength", {"control_net": None, "strength": 0.5}, "reads the picture itself"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_a_controlnet_does_not_read_is_refused_before_anything_runs(folders, port, inputs, why):
    made = graph(folders, threshold={"type": "MaskFromImage", "inputs": {"image": PICTURE}})
    data = made.document.model_dump(mode="json")
    given = {**data["nodes"]["control"]["inputs"], **inputs}
    data["nodes"]["control"]["inputs"] = {name: value for name, value in given.items() if value is not None}
    with pytest.raises(GraphError) as caught:
        plan(Graph.from_data(data, folder=folders), Catalog.load(), Paths(models=(folders,)), Settings())
    assert [(problem.at, why in problem.what) for problem in caught.value.problems] == [(f"control.{port}", True)]


@pytest.mark.parametrize(("port", "inputs"), [("weights", {"model": "flux"}), ("text", {"text": "a (fox"})])
def test_weights_that_cannot_be_given_are_refused_before_anything_runs(folders, port, inputs):
    build("FluxPipeline", folders / "flux")
    load = {"type": "LoadModel", "inputs": {"model": inputs.get("model", "sd")}}
    words = {"text_encoder": {"link": "load.text_encoder"}, "text": inputs.get("text", "a fox"), "weights": "mean kept"}
    nodes = {"load": load, "encode": {"type": "EncodeText", "inputs": words}}
    interface = {"inputs": {}, "outputs": {"prompt": "encode.conditioning"}}
    made = Graph.from_data({"version": 1, "nodes": nodes, "interface": interface}, folder=folders)
    with pytest.raises(GraphError) as caught:
        plan(made, Catalog.load(), Paths(models=(folders,)), Settings())
    assert [problem.at for problem in caught.value.problems] == [f"encode.{port}"]


def test_what_a_link_brings_is_known_when_it_runs_only(folders):
    given = graph(folders).document.nodes["control"].inputs
    linked = {"type": "ApplyControl", "inputs": {**given, "mode": {"link": "one.number"}}}
    made = graph(folders, one={"type": "Number", "inputs": {"value": 1}}, control=linked)
    assert plan(made, Catalog.load(), Paths(models=(folders,)), Settings())


def test_controlnets_are_listed_with_their_kinds(folders, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    resource = CONTROL_NETS
    assert isinstance(resource, Choosable)
    found = {choice.name: choice for choice in resource.choices(Paths(models=(folders,)), Settings())}
    assert {name: choice.kind for name, choice in found.items()} == {"sd_net": "sd-32x4", "sdxl_net": "sdxl-64x4"}
    assert resource.digest(folders / "sd_net") != resource.digest(folders / "sdxl_net")
    assert kind_of_net({}) == {}


def test_prompts_with_places_and_a_guider_run(folders):
    """Two prompts, one of them limited to a mask, and a guider."""
    parts = load_model(model=folders / "sd")
    one, other = (encode_text(parts.text_encoder, text) for text in ("a fox", "snow"))
    limited = limit_conditioning(other, Mask(torch.rand(1, 1, 32, 32)), strength=2.0)
    both = combine_conditionings([one, limited])
    settings = {"scheduler": "DDIM", "steps": 2, "seed": 1}
    latent = sample(parts.model, both, BlankLatent(32, 32, 1), None, guider(name="APG", eta=0.5), **settings)
    assert not torch.equal(latent.samples, sample(parts.model, both, BlankLatent(32, 32, 1), **settings).samples)
    parts_of = sample_steps(parts.model, both, BlankLatent(32, 32, 1), guider=guider(name="APG", eta=0.5), **settings)
    assert torch.equal(parts_of.samples, latent.samples)


def test_pictures_of_different_sizes_reach_a_model_by_several_links(tmp_path):
    build("Flux2KleinPipeline", tmp_path / "klein")
    files = {"a": (64, 96), "b": (96, 64)}
    for name, size in files.items():
        Pillow.new("RGB", size, "red").save(tmp_path / f"{name}.png")
    words = {"max_sequence_length": 64, "text_encoder_out_layers": [1, 2, 3]}
    nodes = {
        "load": {"type": "LoadModel", "inputs": {"model": "klein"}},
        **{name: {"type": "LoadImage", "inputs": {"file": f"{name}.png"}} for name in files},
        "encode": {
            "type": "EncodeText",
            "inputs": {
                "text_encoder": {"link": "load.text_encoder"},
                "pictures": [{"link": "a.image"}, {"link": "b.image"}],
                "options": words,
            },
        },
        "empty": {"type": "EmptyLatent", "inputs": {"width": 64, "height": 64}},
        "sample": {
            "type": "Sample",
            "inputs": {
                "model": {"link": "load.model"},
                "positive": {"link": "encode.conditioning"},
                "latent": {"link": "empty.latent"},
                "scheduler": "FlowMatchEuler",
                "steps": 1,
                "guidance": 1.0,
            },
        },
    }
    interface = {"inputs": {}, "outputs": {"latent": "sample.latent", "prompt": "encode.conditioning"}}
    made = Graph.from_data({"version": 1, "nodes": nodes, "interface": interface}, folder=tmp_path)
    found = made()
    assert [each.pixels.shape[-2:] for each in found["prompt"].pictures] == [(96, 64), (64, 96)]
    assert found["latent"].samples.isfinite().all()


def test_layers_to_leave_out_are_said_once():
    parts = load_model(model=MODEL)
    plain = encode_text(parts.text_encoder, "a red circle")
    skipped = encode_text(parts.text_encoder, "a red circle", clip_skip=1)
    optional = encode_text(parts.text_encoder, "a red circle", options={"clip_skip": 1})
    assert skipped.digest() == optional.digest() != plain.digest()
    with pytest.raises(PatchbayError, match="said twice"):
        encode_text(parts.text_encoder, "a", clip_skip=1, options={"clip_skip": 1})


def test_weights_are_read_only_where_they_are_asked_for():
    encoder = load_model(model=MODEL).text_encoder
    plain, weighed = (encode_text(encoder, "a (red:1.5) circle", weights=how) for how in ("off", "mean kept"))
    assert plain.digest() != weighed.digest()
    assert (
        encode_text(encoder, "a red circle", weights="mean kept").digest()
        == encode_text(encoder, "a red circle").digest()
    )


def two_parts(root, **changed):
    """A prior and a decoder, and what is between them."""
    nodes = {
        "first": {"type": "LoadModel", "inputs": {"model": "prior"}},
        "second": {"type": "LoadModel", "inputs": {"model": "decoder"}},
        "words": {"type": "EncodeText", "inputs": {"text_encoder": {"link": "first.text_encoder"}, "text": "a fox"}},
        "empty": {"type": "EmptyLatent", "inputs": {"width": 64, "height": 64}},
        "draw": {
            "type": "Sample",
            "inputs": {
                "model": {"link": "first.model"},
                "positive": {"link": "words.conditioning"},
                "latent": {"link": "empty.latent"},
                "scheduler": {"link": "first.scheduler"},
                "steps": 2,
            },
        },
        "none": {"type": "EncodeText", "inputs": {"text_encoder": {"link": "second.text_encoder"}}},
        "apply": {
            "type": "ApplyPrior",
            "inputs": {
                "conditioning": {"link": "none.conditioning"},
                "prior": {"link": "first.vae"},
                "embedding": {"link": "draw.latent"},
            },
        },
        "sample": {
            "type": "Sample",
            "inputs": {
                "model": {"link": "second.model"},
                "positive": {"link": "apply.conditioning"},
                "latent": {"link": "empty.latent"},
                "scheduler": {"link": "second.scheduler"},
                "steps": 2,
            },
        },
    }
    for path, value in changed.items():
        name, port = path.split("__")
        nodes[name]["inputs"][port] = value
    interface = {"inputs": {}, "outputs": {"latent": "sample.latent"}}
    return Graph.from_data({"version": 1, "nodes": nodes, "interface": interface}, folder=root)


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    """A folder with a prior and a decoder."""
    root = tmp_path_factory.mktemp("halves")
    for name, cls in (("prior", "KandinskyV22PriorPipeline"), ("decoder", "KandinskyV22Pipeline")):
        build(cls, root / name)
    return root


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"sample__positive": {"link": "none.conditioning"}}, "sample.positive"),
        ({"apply__prior": {"link": "second.vae"}, "apply__embedding": None}, "apply.prior"),
        ({"apply__conditioning": {"link": "words.conditioning"}}, "apply.conditioning"),
        ({"draw__scheduler": "DDIM"}, "draw.scheduler"),
        ({"sample__latent": {"link": "draw.latent"}}, "sample.latent"),
    ],
)
def test_what_draws_in_two_parts_is_checked_as_a_whole(halves, changed, said):
    given = (two_parts(halves, **changed), Catalog.load(), Paths(models=(halves,)), Settings())
    if not said:
        assert plan(*given)
        return
    with pytest.raises(GraphError) as caught:
        plan(*given)
    assert said in {problem.at for problem in caught.value.problems}
