"""The graphs that come with Patchbay: canonical, described by the schema, and run on the model in the box."""

import json
from pathlib import Path

import jsonschema
import pytest
import torch

import graphs
from engine import Catalog, Graph, Runtime
from engine.schema import document_schema
from nodes import load_image
from nodes.pictures import FOLDER as BOX

FOLDER = Path(graphs.__file__).parent
PICTURE = BOX / "sailboat.png"
FILES = sorted(path for path in FOLDER.glob("*.json") if path.name != "schema.json")
PICTURES = {
    "text_to_image": {"image": (1, 3, 256, 256)},
    "image_to_image": {"image": (1, 3, 256, 256)},
    "inpaint": {"image": (1, 3, 256, 256)},
    "outpaint": {"image": (1, 3, 256, 256), "padded": (1, 3, 256, 256)},
    "compare_schedulers": {"grid": None},
    "mix_latents": {"latents": None, "prompts": None},
    "latent_arithmetic": {"grid": None},
    "latent_direction": {"grid": None},
    "sigmas": {"grid": None, "plot": None},
    "split_sampling": {"left": None, "finished": None},
    "hires_fix": {"image": (1, 3, 512, 512), "resized": (1, 3, 512, 512)},
    "inspect_vae": {"round_trip": None, "statistics": None, "samples": None},
}


@pytest.fixture(scope="module")
def runtime():
    return Runtime(Catalog.load())


def test_every_graph_is_known_here():
    assert {path.stem for path in FILES} == set(PICTURES)


def test_the_schema_is_fresh():
    fresh = json.dumps(document_schema(Catalog.load()), ensure_ascii=False, indent=2) + "\n"
    assert (FOLDER / "schema.json").read_text() == fresh, "patchbay schema > graphs/schema.json"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_canonical_and_fits_the_schema(path, runtime):
    text = path.read_text()
    assert Graph.load(path).dumps(runtime.catalog.inputs_in_order) == text
    jsonschema.Draft202012Validator(json.loads((FOLDER / "schema.json").read_text())).validate(json.loads(text))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_has_a_place_for_every_node_and_a_name(path):
    document = Graph.load(path).document
    assert set(document.layout) == set(document.nodes)
    assert document.name
    assert document.description


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_runs_and_gives_pictures(path, runtime):
    found = runtime.call(Graph.load(path), {})
    outputs = found if isinstance(found, dict) else dict.fromkeys(PICTURES[path.stem], found)
    assert outputs.keys() == PICTURES[path.stem].keys()
    for name, shape in PICTURES[path.stem].items():
        pixels = outputs[name].pixels
        assert shape is None or tuple(pixels.shape) == shape
        assert pixels.std() > 0.02


def test_painting_a_part_leaves_the_rest(runtime):
    """Bit for bit outside the mask and its soft edge; the sun is far away from it."""
    graph = Graph.load(FOLDER / "inpaint.json")
    painted = runtime.call(graph, {"steps": 2}).pixels
    before = load_image(file=PICTURE).pixels
    assert torch.equal(painted[..., 170:], before[..., 170:])
    assert not torch.equal(painted[..., :170], before[..., :170])


def test_what_is_gone_over_is_sharper_than_what_is_made_larger(runtime):
    """And the same picture: it differs at the edges."""
    found = runtime.call(Graph.load(FOLDER / "hires_fix.json"), {})
    sharp, soft = (steepest(found[name].pixels) for name in ("image", "resized"))
    assert sharp > 1.3 * soft
    assert (found["image"].pixels - found["resized"].pixels).abs().mean() < 0.03


def steepest(pixels):
    """The mean of the greatest contrasts between neighbours."""
    return pixels.mean(1).diff(dim=-1).abs().flatten().topk(1000).values.mean()


def test_text_to_image_has_the_interface_that_other_programs_rely_on():
    interface = Graph.load(FOLDER / "text_to_image.json").document.interface
    wanted = ["prompt", "negative", "seed", "steps", "guidance", "scheduler", "width", "height"]
    assert list(interface.inputs)[: len(wanted)] == wanted
    assert list(interface.outputs) == ["image"]


def test_a_new_seed_samples_again_and_nothing_else(runtime):
    graph = Graph.load(FOLDER / "text_to_image.json")
    runtime.call(graph, {"steps": 2})
    ran, reused = [], []
    runtime.call(graph, {"steps": 2, "seed": 12}, on_event=lambda event: note(event, ran, reused))
    assert ran == ["sample", "decode"]
    assert set(reused) == {"load", "prompt", "negative", "size"}


def note(event, ran, reused):
    if event.body.tag == "node_started":
        ran.append(event.body.node)
    if event.body.tag == "node_reused":
        reused.append(event.body.node)


def test_one_more_scheduler_samples_once(runtime):
    graph = Graph.load(FOLDER / "compare_schedulers.json")
    runtime.call(graph, {"steps": 2, "schedulers": ["DDIM", "LMS"]})
    steps = []
    runtime.call(
        graph,
        {"steps": 2, "schedulers": ["DDIM", "LMS", "Euler"]},
        on_event=lambda event: steps.append(event) if event.body.tag == "node_progress" else None,
    )
    sampled = [event.body.done for event in steps if event.body.node == "sample"]
    assert sampled == [5, 6]  # the third of three calls, of two steps each


def test_a_batch_is_its_samples(runtime):
    graph = Graph.load(FOLDER / "text_to_image.json")
    batch = runtime.call(graph, {"steps": 3, "seed": 4, "batch": 2}).pixels
    alone = runtime.call(graph, {"steps": 3, "seed": 5}).pixels
    assert (batch[1:] - alone).abs().max() < 1e-4
