"""From an error's place to the place in what the client sent."""

import pytest

from engine import Graph
from web.server.pointers import locate, pointer

DATA = {
    "version": 1,
    "nodes": {
        "prompt": {"type": "EncodeText", "inputs": {"text": "a fox", "list": [1, {"link": "a.b"}]}},
        "sample": {"type": "Sample", "inputs": {"steps": 20}},
        "seed": {"type": "Number"},
    },
    "interface": {"inputs": {"prompt": "prompt.text", "seed": "sample.seed", "a.b/c~d": "sample.steps"}},
    "layout": {"prompt": [1, 2]},
}

PLACES = [
    ("", "/graph"),
    ("graph", "/graph"),
    ("text:4:7", "/graph"),
    ("sample", "/graph/nodes/sample"),
    ("sample.steps", "/graph/nodes/sample/inputs/steps"),
    ("sample.nothing", "/graph/nodes/sample/inputs/nothing"),
    ("prompt.list[1]", "/graph/nodes/prompt/inputs/list/1"),
    ("sample/inner.port", "/graph/nodes/sample"),
    ("sample/deep/inner", "/graph/nodes/sample"),
    ("nodes.sample.inputs.steps", "/graph/nodes/sample/inputs/steps"),
    ("nodes.gone.type", "/graph/nodes/gone/type"),
    ("interface.inputs.prompt", "/graph/interface/inputs/prompt"),
    ("interface.inputs.a.b/c~d", "/graph/interface/inputs/a.b~1c~0d"),
    ("layout.prompt.0", "/graph/layout/prompt/0"),
    ("layout.prompt.7.x", "/graph/layout/prompt/7/x"),
    ("layout.prompt.x", "/graph/layout/prompt/x"),
    ("layout..x", "/graph/layout//x"),
    ("description", "/graph/description"),
    ("/home/fox/a.png", None),
]


@pytest.mark.parametrize("document", [DATA, Graph.from_data(DATA)], ids=["data", "graph"])
@pytest.mark.parametrize(("at", "expected"), PLACES)
def test_a_place_in_the_graph_is_found(at, expected, document):
    assert locate(at, document, {}) == expected


@pytest.mark.parametrize("document", [DATA, Graph.from_data(DATA)], ids=["data", "graph"])
def test_a_value_given_through_the_interface_is_pointed_to_there(document):
    inputs = {"prompt": "x", "a.b/c~d": 3, "sed": 1}
    assert locate("prompt.text", document, inputs) == "/inputs/prompt"
    assert locate("sample.steps[2]", document, inputs, given="/body") == "/body/a.b~1c~0d"
    assert locate("sample.seed", document, inputs) == "/graph/nodes/sample/inputs/seed"


@pytest.mark.parametrize("document", [DATA, Graph.from_data(DATA)], ids=["data", "graph"])
def test_an_unknown_interface_input_is_pointed_to_among_the_inputs(document):
    assert locate("sed", document, {"sed": 1}) == "/inputs/sed"
    assert locate("sample", document, {"sample": 1}) == "/inputs/sample"
    assert locate("seed", document, {"seed": 1}) == "/graph/nodes/seed"


def test_a_saved_graph_is_not_in_the_body():
    graph = Graph.from_data(DATA)
    assert locate("sample.steps", graph, {}, None) is None
    assert locate("prompt.text", graph, {"prompt": 1}, None) == "/inputs/prompt"
    assert locate("sed", graph, {"sed": 1}, None) == "/inputs/sed"


@pytest.mark.parametrize("document", [None, 3, [], "text", {}, {"nodes": [], "interface": {"inputs": []}}])
def test_a_document_of_any_form_is_looked_into(document):
    assert locate("graph", document, {}) == "/graph"
    assert locate("nodes.a.type", document, {}) == "/graph/nodes/a/type"
    assert locate("a.b", document, {"a": 1}) == "/graph"
    assert locate("a", document, {"a": 1}) == "/inputs/a"


def test_an_unknown_key_of_the_document_is_found_under_its_own_name():
    data = {"nodes": {}, "my.key/": 1}
    assert locate("my.key/", data, {}, "") == "/my.key~1"


def test_a_name_full_of_dots_takes_no_time():
    assert locate("nodes." + "a." * 100_000, {"nodes": {}}, {}).startswith("/graph/nodes/a/a/")


def test_names_are_escaped():
    assert pointer("a/b", "~", 3, "") == "/a~1b/~0/3/"
