"""Values, choices, lists and loops, run as a graph would run them."""

import json

import pytest

from engine import Catalog, Graph, GraphError, NodeError, Runtime


@pytest.fixture(scope="module")
def runtime():
    return Runtime(Catalog.load())


def link(path):
    return {"link": path}


def run(runtime, nodes, output, folder=None, on_event=None):
    document = {"version": 1, "nodes": nodes, "interface": {"outputs": {"out": output}}}
    return runtime.call(Graph.from_data(document, folder=folder), {}, on_event=on_event)


def started(events):
    return [event.body.node for event in events if event.body.tag == "node_started"]


TEXTS = {name: {"type": "Text", "inputs": {"text": name}} for name in ("yes", "no", "other")}


@pytest.mark.parametrize(("condition", "wanted", "spared"), [(True, "yes", "no"), (False, "no", "yes")])
def test_if_computes_one_branch_only(condition, wanted, spared):
    choice = {"condition": condition, "then": link("yes.text"), "otherwise": link("no.text")}
    events = []
    nodes = {**TEXTS, "if": {"type": "If", "inputs": choice}}
    assert run(Runtime(Catalog.load()), nodes, "if.value", on_event=events.append) == wanted
    assert wanted in started(events)
    assert spared not in started(events)


def test_switch_computes_what_is_selected_only():
    inputs = {"a": link("yes.text"), "b": link("no.text"), "c": link("other.text"), "select": "c"}
    events = []
    nodes = {**TEXTS, "switch": {"type": "Switch", "inputs": inputs}}
    assert run(Runtime(Catalog.load()), nodes, "switch.value", on_event=events.append) == "other"
    assert {"yes", "no"}.isdisjoint(started(events))


def test_switch_to_nothing_says_so(runtime):
    nodes = {"a": TEXTS["yes"], "switch": {"type": "Switch", "inputs": {"a": link("a.text"), "select": "d"}}}
    with pytest.raises(NodeError, match=r'switch\.select: Nothing is linked to "d"'):
        run(runtime, nodes, "switch.value")


def test_a_number_keeps_its_type_and_a_text_is_none(runtime):
    nodes = {"n": {"type": "Number", "inputs": {"value": 8}}, "size": {"type": "EmptyLatent", "inputs": {}}}
    nodes["size"]["inputs"] = {"width": link("n.number"), "height": 64}
    assert run(runtime, nodes, "size.latent").width == 8
    nodes["n"]["inputs"]["value"] = 8.5
    with pytest.raises(GraphError, match=r"size\.width: It wants int"):
        run(runtime, nodes, "size.latent")
    nodes["n"] = {"type": "Number", "inputs": {"value": "eight"}}
    with pytest.raises(GraphError, match=r"n\.value"):
        run(runtime, nodes, "size.latent")


def test_a_linked_number_out_of_range_is_refused_when_it_comes(runtime):
    nodes = {"n": {"type": "Number", "inputs": {"value": 9}}}
    nodes["size"] = {"type": "EmptyLatent", "inputs": {"width": link("n.number"), "height": 64}}
    with pytest.raises(NodeError, match=r"size\.width: 9 does not fit"):
        run(runtime, nodes, "size.latent")


def test_a_reroute_gives_what_it_is_given(runtime):
    nodes = {**TEXTS, "bend": {"type": "Reroute", "inputs": {"value": link("no.text")}}}
    nodes["list"] = {"type": "Collect", "inputs": {"items": [link("bend.value"), link("yes.text")]}}
    assert run(runtime, nodes, "list.values") == ["no", "yes"]
    assert run(runtime, nodes, "bend.value") == "no"
    alone = {"bend": {"type": "Reroute", "inputs": {"value": {"a": [1]}}}}
    assert run(runtime, alone, "bend.value") == {"a": [1]}


def test_a_note_is_no_trouble(runtime):
    nodes = {"a": TEXTS["yes"], "remark": {"type": "Note", "inputs": {"text": "look"}}}
    assert run(runtime, nodes, "a.text") == "yes"


@pytest.fixture
def folder(tmp_path):
    """A graph that wraps its text in a list, and one that takes two."""
    wrap = {
        "version": 1,
        "nodes": {"t": {"type": "Text", "inputs": {"text": ""}}, "c": {"type": "Collect", "inputs": {}}},
        "interface": {"inputs": {"text": "t.text"}, "outputs": {"text": "t.text"}},
    }
    wrap["nodes"]["c"]["inputs"]["items"] = [link("t.text")]
    (tmp_path / "wrap.json").write_text(json.dumps(wrap))
    two = {**wrap, "interface": {"inputs": {"text": "t.text", "more": "c.items"}, "outputs": {"text": "t.text"}}}
    (tmp_path / "two.json").write_text(json.dumps(two))
    grow = {
        "version": 1,
        "nodes": {
            "n": {"type": "Collect", "inputs": {"items": []}},
            "all": {"type": "Collect", "inputs": {"items": [link("n.values"), "x"]}},
        },
        "interface": {"inputs": {"value": "n.items"}, "outputs": {"value": "all.values"}},
    }
    (tmp_path / "grow.json").write_text(json.dumps(grow))
    return tmp_path


def test_for_each_runs_a_graph_once_for_each_item(runtime, folder):
    nodes = {
        "items": {"type": "Collect", "inputs": {"items": ["a", "b", "c"]}},
        "each": {"type": "ForEach", "inputs": {"items": link("items.values"), "graph": "wrap"}},
    }
    events = []
    assert run(runtime, nodes, "each.values", folder, events.append) == ["a", "b", "c"]
    assert {"each/item_0/t", "each/item_1/t", "each/item_2/t"} <= set(started(events))


def test_repeat_feeds_a_graph_with_what_it_gave(runtime, folder):
    nodes = {
        "start": {"type": "Collect", "inputs": {"items": ["seed"]}},
        "loop": {"type": "Repeat", "inputs": {"value": link("start.values"), "graph": "grow", "times": 3}},
    }
    assert run(runtime, nodes, "loop.value", folder) == [[[["seed"], "x"], "x"], "x"]
    nodes["loop"]["inputs"]["times"] = 0
    assert run(runtime, nodes, "loop.value", folder) == ["seed"]


def test_a_loop_over_a_graph_with_several_inputs_must_name_one(runtime, folder):
    nodes = {"each": {"type": "ForEach", "inputs": {"items": ["a"], "graph": "two"}}}
    with pytest.raises(NodeError, match=r"each\.input: The graph has 2 inputs\. Name one of: text, more\."):
        run(runtime, nodes, "each.values", folder)
    nodes["each"]["inputs"]["input"] = "text"
    assert run(runtime, nodes, "each.values", folder) == ["a"]
    nodes["each"]["inputs"]["output"] = "nope"
    with pytest.raises(NodeError, match='no output "nope"'):
        run(runtime, nodes, "each.values", folder)


def test_a_loop_over_a_file_that_is_not_there_is_refused_before_it_runs(runtime, folder):
    nodes = {"each": {"type": "ForEach", "inputs": {"items": ["a"], "graph": "nowhere"}}}
    with pytest.raises(GraphError, match=r'each\.graph: "nowhere\.json" was not found'):
        run(runtime, nodes, "each.values", folder)


def test_a_written_value_counts_among_what_a_switch_may_give(runtime):
    nodes = {
        "size": {"type": "EmptyLatent", "inputs": {}},
        "load": {"type": "LoadModel", "inputs": {"model": "pocket"}},
    }
    nodes["pick"] = {"type": "Switch", "inputs": {"a": link("load.scheduler"), "b": False, "select": "b"}}
    nodes["show"] = {"type": "ShowScheduler", "inputs": {"scheduler": link("pick.value")}}
    with pytest.raises(GraphError, match=r"show\.scheduler: It wants Scheduler"):
        run(runtime, nodes, "show.text")
    nodes["pick"]["inputs"] |= {"b": None, "select": "a"}
    assert "DDIM" in run(runtime, nodes, "show.text")


def test_a_refusal_names_the_node_and_its_port_or_the_node_alone(runtime):
    nodes = {"load": {"type": "LoadModel", "inputs": {"model": "pocket"}}}
    nodes["words"] = {"type": "EncodeText", "inputs": {"text_encoder": link("load.text_encoder"), "options": {"x": 1}}}
    with pytest.raises(NodeError) as caught:
        run(runtime, nodes, "words.conditioning")
    assert caught.value.at == "words.options.x"
    nodes["picture"] = {"type": "LoadImage", "inputs": {"file": "sailboat.png"}}
    nodes["small"] = {"type": "ResizeImage", "inputs": {"image": link("picture.image"), "width": 9, "height": 8}}
    nodes["encode"] = {"type": "VAEEncode", "inputs": {"vae": link("load.vae"), "image": link("small.image")}}
    with pytest.raises(NodeError, match="multiples of 8") as caught:
        run(runtime, nodes, "encode.latent")
    assert caught.value.at == "encode"
