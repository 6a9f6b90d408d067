from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Graph, GraphError
from engine.document import Document, write

DOCUMENTS = sorted((Path(__file__).parent / "documents").glob("v*.json"))

scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
words = st.text(st.characters(codec="utf-8"), max_size=8)
raws = st.recursive(
    scalars | words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)
ids = st.text("abcé_-19", min_size=1, max_size=4)
paths = st.builds("{}.{}".format, ids, st.text("abc_1", min_size=1, max_size=3))
places = st.floats(-1e6, 1e6) | st.integers(-9, 9)
sizes = st.floats(1e-3, 1e6) | st.integers(1, 9)
corners = st.lists(places, min_size=2, max_size=2)
spots = st.builds(lambda corner, size: corner + size, corners, st.lists(sizes, max_size=2))
areas = st.builds(lambda corner, size: corner + size, corners, st.lists(sizes, min_size=2, max_size=2))
tints = st.sampled_from([None, "gray", "red", "orange", "green", "blue", "purple"])
documents = st.fixed_dictionaries(
    {"version": st.just(1)},
    optional={
        "name": words,
        "description": words,
        "nodes": st.dictionaries(
            ids,
            st.fixed_dictionaries(
                {"type": words.filter(len)},
                optional={
                    "inputs": st.dictionaries(words, raws, max_size=3),
                    "state": st.sampled_from([None, "mute", "bypass"]),
                },
            ),
            max_size=3,
        ),
        "interface": st.fixed_dictionaries(
            {}, optional={"inputs": st.dictionaries(words, paths, max_size=2), "outputs": st.dictionaries(words, paths)}
        ),
        "seeds": st.dictionaries(paths, st.sampled_from(["random", "increment"]), max_size=2),
        "layout": st.dictionaries(ids, spots, max_size=2),
        "frames": st.dictionaries(
            ids, st.fixed_dictionaries({"title": words, "spot": areas}, optional={"tint": tints}), max_size=2
        ),
    },
)


def refusal(**parts):
    with pytest.raises(GraphError) as caught:
        Graph.from_data({"version": 1, **parts})
    return [(problem.at, problem.what, problem.fix) for problem in caught.value.problems]


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_document_that_was_ever_saved_is_read_and_written_byte_for_byte(file):
    assert write(Graph.load(file).document).encode() == file.read_bytes()


@given(documents)
def test_writing_is_canonical_and_loses_nothing(document):
    first = Graph.from_data(document)
    text = first.dumps()
    again = Graph.parse(text.encode())
    assert again.document == first.document
    assert again.dumps() == text
    assert json.loads(text)["nodes"].keys() == document.get("nodes", {}).keys()


def test_a_node_is_drawn_with_a_size_that_is_one():
    assert refusal(layout={"a": [1, 2, 0]}) == [
        ("layout.a", "A width or height is not above 0.", "Give a size above 0, or none.")
    ]
    assert refusal(layout={"a": [1, 2, 3, -1]})[0][0] == "layout.a"
    assert refusal(layout={"a": [1, 2, 3, 4, 5]})[0][0] == "layout.a"
    assert refusal(layout={"a": [1, 2, float("inf")]})[0][0] == "layout.a.2"


def test_a_frame_has_a_title_a_whole_rectangle_and_one_of_six_tints():
    assert [at for at, _, _ in refusal(frames={"f": {"spot": [0, 0, 1], "tint": "pink"}})] == [
        "frames.f.title",
        "frames.f.spot",
        "frames.f.tint",
    ]
    assert refusal(frames={"f": {"title": "x", "spot": [0, 0, 1, 0]}})[0][:2] == (
        "frames.f.spot",
        "A width or height is not above 0.",
    )
    assert refusal(frames={"f": {"titel": "x", "title": "x", "spot": [0, 0, 1, 1]}}) == [
        ("frames.f.titel", 'frames.f has no key "titel".', 'Did you mean "title"?')
    ]
    assert refusal(frames={"f g": {"title": "x", "spot": [0, 0, 1, 1]}}) == [
        ("frames.f g", '"f g" cannot be a frame\'s id.', "Use letters, digits, _ and -.")
    ]


def test_seeds_name_an_input_and_one_of_two_ways():
    assert refusal(seeds={"sample": "random"}) == [
        ("seeds.sample", '"sample" is not of the form node.port.', "Write node.port.")
    ]
    assert refusal(seeds={"sample.seed": "fixed"})[0][:2] == (
        "seeds.sample.seed",
        "Input should be 'random' or 'increment'.",
    )


def test_the_meaning_of_a_document_is_all_but_what_is_drawn():
    whole = Graph.load(DOCUMENTS[0]).document
    assert whole.seeds
    assert whole.meaning() == Document(nodes=whole.nodes, interface=whole.interface, name=whole.name)
