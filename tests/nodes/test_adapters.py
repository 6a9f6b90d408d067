"""IP-Adapters by wiring: in the plan, and as nodes."""

import pytest

from engine import Catalog, Graph, GraphError, Paths, Settings, plan
from nodes import apply_ip_adapter, load_ip_adapter, load_model
from nodes.pocket import MODEL
from tests.nodes.diffusion.sampling.test_adapting import picture
from tests.nodes.diffusion.tiny import adapters


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    from nodes.diffusion.disk.source import survey

    folder = tmp_path_factory.mktemp("adapters")
    adapters.save_encoder(folder / "image_encoder")
    return adapters.save(folder / "pocket.safetensors", adapters.weights(survey(MODEL, at="")))


def check(file, model=MODEL, **inputs):
    link = {"link": "load.model"}
    nodes = {
        "load": ("LoadModel", {"model": str(model)}),
        "picture": ("LoadImage", {"file": "fox.png"}),
        "eyes": ("LoadIPAdapter", {"file": file.name, **inputs}),
        "one": ("ApplyIPAdapter", {"model": link, "ip_adapter": {"link": "eyes.ip_adapter"}}),
    }
    nodes["one"][1]["image"] = {"link": "picture.image"}
    nodes["two"] = ("ApplyIPAdapter", {**nodes["one"][1], "model": {"link": "one.model"}})
    data = {"version": 1, "nodes": {name: {"type": kind, "inputs": given} for name, (kind, given) in nodes.items()}}
    return plan(Graph.from_data(data, folder=file.parent), Catalog.load(), Paths().granting(model), Settings())


def save_picture(folder):
    from nodes.diffusion.pictures.pixels import to_png

    (folder / "fox.png").write_bytes(to_png(picture().pixels[0]))


def test_adapters_in_a_row_are_planned(file):
    save_picture(file.parent)
    assert check(file)
    assert check(file, image_encoder="image_encoder")


def test_an_adapter_of_another_model_is_refused_before_anything_runs(file, tiny_folder):
    save_picture(file.parent)
    with pytest.raises(GraphError) as caught:
        check(file, tiny_folder)
    assert {problem.at for problem in caught.value.problems} == {"one.ip_adapter", "two.ip_adapter"}
    assert all("made for another model" in problem.what for problem in caught.value.problems)


def test_an_encoder_that_the_adapter_does_not_know_is_refused_before_anything_runs(file):
    import transformers

    save_picture(file.parent)
    other = transformers.CLIPVisionConfig(
        hidden_size=8, projection_dim=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=16
    )
    transformers.CLIPVisionModelWithProjection(other).save_pretrained(file.parent / "other")
    with pytest.raises(GraphError, match="reads 16 numbers of an image encoder"):
        check(file, image_encoder="other")


def test_a_model_is_shown_pictures(file):
    model, eyes = load_model(model=MODEL).model, load_ip_adapter(file=file).ip_adapter
    assert [fact.name for fact in eyes.inspect(0).facts] == ["file", "image encoder"]
    assert eyes.encoder.path == file.parent / "image_encoder"
    once = apply_ip_adapter(model, eyes, picture(), strength=0.4).model
    twice = apply_ip_adapter(once, eyes, picture(1), start=0.5).model
    assert [len(each.source.patches) for each in (model, once, twice)] == [0, 1, 2]
    assert len({model.digest(), once.digest(), twice.digest()}) == 3
