from __future__ import annotations

import errno
import io
import os

import pytest
from PIL import Image as Pillow
from PIL import PngImagePlugin

from engine import Bound, Graph, GraphError, StoreError
from engine import graph as graph_module
from engine.graph import Link, as_link, links_in
from engine.picture import embed
from tests.engine.kit import graph


def refusal(read, *arguments):
    with pytest.raises(GraphError) as caught:
        read(*arguments)
    return [(problem.code.value, problem.at, problem.what, problem.fix) for problem in caught.value.problems]


def test_inputs_are_written_in_signature_order_and_unknown_ones_after():
    one = graph({"n": ("Add", {"x": 1, "b": 2, "a": 3})})
    text = one.dumps({"Add": ("a", "b", "c")}.get)
    assert [line.split(":")[0].strip(' "') for line in text.splitlines()[6:9]] == ["a", "b", "x"]
    assert Graph.parse(text).dumps({"Add": ("a", "b", "c")}.get) == text


@pytest.mark.parametrize(
    ("text", "at", "what"),
    [
        ('{"version": 1,\n  "nodes" {}}', "graph:2:11", "This is not JSON: Expecting ':' delimiter."),
        ("", "graph:1:1", "This is not JSON: Expecting value."),
        ('{"version": 1, "version": 1}', "graph", 'The name "version" stands twice in one object.'),
        (
            '{"nodes": {"a": {"type": "A", "inputs": {"x": 1, "x": 2}}}}',
            "graph",
            'The name "x" stands twice in one object.',
        ),
        ('{"version": NaN}', "graph", "NaN is no JSON value."),
        ('{"version": -Infinity}', "graph", "-Infinity is no JSON value."),
        ('{"version": 1e999}', "graph", "The number 1e999 is too large."),
        (b'{"a": "\xff"}', "graph", "This is not UTF-8 text: invalid start byte."),
        ('{"a": "\ud800"}', "graph", "This is not UTF-8 text: surrogates not allowed."),
        ('{"a": "\\ud800"}', "graph", "This is not UTF-8 text: surrogates not allowed."),
        ('{"\\ud800": 1}', "graph", "This is not UTF-8 text: surrogates not allowed."),
        ('{"a": ["\\udfff"]}', "graph", "This is not UTF-8 text: surrogates not allowed."),
    ],
)
def test_text_that_is_no_json_is_refused_with_its_place(text, at, what):
    found = refusal(Graph.parse, text)
    assert found == [("broken_json", at, what, "Save it as UTF-8." if "UTF-8" in what else "Mend the text there.")]


def test_a_number_of_too_many_digits_is_refused():
    ((code, at, what, _),) = refusal(Graph.parse, '{"version": ' + "9" * 5000 + "}")
    assert (code, at) == ("broken_json", "graph")
    assert "digits" in what


def nested(depth):
    deep = "[" * depth + "]" * depth
    return f'{{"version": 1, "nodes": {{"a": {{"type": "A", "inputs": {{"x": {deep}}}}}}}}}'


@pytest.mark.parametrize(("depth", "at"), [(300, "nodes.a.inputs.x"), (3_000, "graph"), (100_000, "graph")])
def test_deep_nesting_is_refused(depth, at):
    problem = ("too_large", at, "The JSON is nested too deeply.", "Nest values less than 200 deep.")
    assert refusal(Graph.parse, nested(depth)) == [problem]


def test_nesting_that_is_allowed_can_be_written_too():
    text = Graph.parse(nested(200)).dumps()
    assert Graph.parse(text).dumps() == text


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert Graph.parse(b'\xef\xbb\xbf{"version": 1}').document.version == 1


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            [],
            ("bad_document", "graph", "A graph is a JSON object, not list.", 'Begin with {"version": 1, "nodes": {}}.'),
        ),
        ({}, ("unknown_version", "version", "The document has no version.", 'Write "version": 1 at its top.')),
        (
            {"version": "1"},
            ("unknown_version", "version", "The document has version '1'.", 'Write "version": 1 at its top.'),
        ),
        (
            {"version": True},
            ("unknown_version", "version", "The document has version True.", 'Write "version": 1 at its top.'),
        ),
        (
            {"version": 99},
            (
                "unknown_version",
                "version",
                "Version 99 is newer than this Patchbay, which reads up to 1.",
                "Upgrade Patchbay.",
            ),
        ),
        (
            {"version": 1, "nods": {}},
            ("unknown_key", "nods", 'the document has no key "nods".', 'Did you mean "nodes"?'),
        ),
        (
            {"version": 1, "nodes": {"a": {"type": "A", "imputs": {}}}},
            ("unknown_key", "nodes.a.imputs", 'nodes.a has no key "imputs".', 'Did you mean "inputs"?'),
        ),
        (
            {"version": 1, "nodes": {"a": {"type": "A", "zzz": 1}}},
            ("unknown_key", "nodes.a.zzz", 'nodes.a has no key "zzz".', "Remove it."),
        ),
        (
            {"version": 1, "interface": {"output": {}}},
            ("unknown_key", "interface.output", 'interface has no key "output".', 'Did you mean "outputs"?'),
        ),
        ({"version": 1, "nodes": {"a": {}}}, ("bad_document", "nodes.a.type", "This is missing.", "Add it.")),
        (
            {"version": 1, "interface": {"inputs": {"x": "nodot"}}},
            ("bad_document", "interface.inputs.x", '"nodot" is not of the form node.port.', "Write node.port."),
        ),
        (
            {"version": 1, "nodes": {"a b": {"type": "A"}}},
            ("bad_document", "nodes.a b", '"a b" cannot be a node\'s id.', "Use letters, digits, _ and -."),
        ),
    ],
)
def test_a_document_of_the_wrong_shape_is_refused_with_its_path(data, problem):
    assert refusal(Graph.from_data, data) == [problem]


@pytest.mark.parametrize(
    ("data", "at"),
    [
        ({"version": 1, "name": 3}, "name"),
        ({"version": 1, "nodes": []}, "nodes"),
        ({"version": 1, "nodes": {"a": {"type": "A", "inputs": {"x": float("nan")}}}}, "nodes.a.inputs.x"),
        ({"version": 1, "nodes": {"a": {"type": "A", "inputs": {"x": {1}}}}}, "nodes.a.inputs.x"),
        ({"version": 1, "nodes": {"a": {"type": "A", "state": "off"}}}, "nodes.a.state"),
        ({"version": 1, "nodes": {"a": {"type": ""}}}, "nodes.a.type"),
        ({"version": 1, "layout": {"a": [1]}}, "layout.a"),
        ({"version": 1, "layout": {"a": [1, float("inf")]}}, "layout.a.1"),
    ],
)
def test_every_other_wrong_value_is_refused_with_its_path(data, at):
    ((code, place, what, fix),) = refusal(Graph.from_data, data)
    assert (code, place) == ("bad_document", at)
    assert what
    assert fix


def test_all_problems_of_a_document_are_named_at_once():
    found = refusal(Graph.from_data, {"version": 1, "nme": "", "nodes": {"a": {}, "b c": {"type": "A"}}})
    assert {at for _, at, _, _ in found} == {"nme", "nodes.a.type", "nodes.b c"}


def test_documents_of_too_many_nodes_or_bytes_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(graph_module, "MAX_NODES", 1)
    data = {"version": 1, "nodes": {"a": {"type": "A"}, "b": {"type": "A"}}}
    assert refusal(Graph.from_data, data) == [
        ("too_large", "nodes", "A graph has at most 1 nodes.", "Split it into several graphs.")
    ]
    monkeypatch.setattr(graph_module, "MAX_BYTES", 1 << 20)
    (tmp_path / "big.json").write_bytes(b" " * ((1 << 20) + 1))
    assert refusal(Graph.load, tmp_path / "big.json") == [
        ("too_large", str(tmp_path / "big.json"), "The file is larger than 1 MiB.", "Split it into several graphs.")
    ]


def test_a_graph_that_is_not_there_is_refused(tmp_path):
    ((code, at, what, fix),) = refusal(Graph.load, tmp_path / "none.json")
    assert (code, at) == ("file_not_found", str(tmp_path / "none.json"))
    assert what == "The graph cannot be read: No such file or directory."
    assert fix == "Check the path; it is taken from the working directory."


def test_a_loaded_graph_knows_its_folder_and_names_its_file_in_errors(tmp_path):
    file = tmp_path / "g.json"
    file.write_text('{"version": 1}')
    assert Graph.load(str(file)).folder == tmp_path.resolve()
    file.write_text("{")
    ((_, at, _, _),) = refusal(Graph.load, file)
    assert at == f"{file}:1:2"


def test_a_full_disk_leaves_the_old_graph_whole(tmp_path, monkeypatch):
    file = tmp_path / "g.json"
    graph({"a": ("A", {})}).save(file)
    before = file.read_bytes()

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError) as caught:
        graph({"b": ("B", {})}).save(file)
    assert (caught.value.code.value, caught.value.at) == ("not_written", str(file))
    assert caught.value.what == "The file was not written: No space left on device."
    assert caught.value.fix == "Free some space or choose another folder."
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_values_are_set_by_public_name_and_by_port():
    one = graph({"a": ("A", {"x": 1, "y": 2})}, inputs={"ex": "a.x"})
    assert one.with_inputs({"ex": 5}).document.nodes["a"].inputs == {"x": 5, "y": 2}
    assert one.with_values({"a.z": 3}).document.nodes["a"].inputs == {"x": 1, "y": 2, "z": 3}
    assert one.document.nodes["a"].inputs == {"x": 1, "y": 2}


def test_a_pinned_graph_uses_what_is_written():
    one = Graph.from_data({"version": 1, "seeds": {"a.x": "random", "a.y": "increment"}})
    assert one.pinned({"a.x"}).document.seeds == {"a.y": "increment"}
    assert one.pinned().document.seeds == {}
    assert one.pinned([]).document == one.document


def test_unknown_names_of_values_are_refused():
    one = graph({"alpha": ("A", {})}, inputs={"prompt": "alpha.x"})
    assert refusal(one.with_inputs, {"promt": 1, "zz": 2}) == [
        ("unknown_input", "promt", 'The graph\'s interface has no input "promt".', 'Did you mean "prompt"?'),
        ("unknown_input", "zz", 'The graph\'s interface has no input "zz".', "It has: prompt."),
    ]
    assert refusal(one.with_values, {"alpa.x": 1}) == [
        ("unknown_node", "alpa.x", 'There is no node "alpa".', 'Did you mean "alpha"?')
    ]
    assert refusal(one.with_values, {"alpha": 1}) == [
        ("unknown_port", "alpha", '"alpha" is a node, not one of its inputs.', "Write node.input.")
    ]


def test_links_are_told_from_values():
    assert as_link({"link": "a.b"}) == Link("a", "b")
    assert str(Link("a", "b")) == "a.b"
    assert [as_link(value) for value in ({"link": 1}, {"link": "a.b", "x": 1}, {"a": 1}, "a.b", None)] == [None] * 5
    assert list(links_in([{"link": "a.b"}, 1, {"link": "c.d"}])) == [Link("a", "b"), Link("c", "d")]


def test_binding_keeps_the_values_beside_the_graph():
    one = graph({"a": ("A", {})})
    assert one.bind(x=1) == Bound(one, {"x": 1})


# a graph inside a picture


def picture_of(*texts):
    info = PngImagePlugin.PngInfo()
    for keyword, text in texts:
        info.add_itxt(keyword, text)
    file = io.BytesIO()
    Pillow.new("RGB", (4, 4)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def test_a_picture_gives_the_graph_inside_it(tmp_path):
    wanted = graph({"n": ("Number", {"value": 5})})
    (tmp_path / "a.png").write_bytes(embed(picture_of(), wanted.dumps()))
    found = Graph.load(tmp_path / "a.png")
    assert (found.dumps(), found.folder) == (wanted.dumps(), tmp_path.resolve())
    (tmp_path / "renamed.json").write_bytes((tmp_path / "a.png").read_bytes())
    assert Graph.load(tmp_path / "renamed.json").document == wanted.document


def test_a_picture_without_a_usable_graph_is_refused(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(picture_of(("Comment", "x")))
    fix = "Use a picture as Patchbay saved it: many programs drop the graph when they save or send one."
    assert refusal(Graph.load, file) == [("bad_picture", str(file), "This picture carries no graph.", fix)]
    file.write_bytes(picture_of(("patchbay", "{")))
    assert refusal(Graph.load, file)[0][:2] == ("broken_json", f"{file}:1:2")
    file.write_bytes(picture_of()[:-1])
    assert refusal(Graph.load, file) == [
        ("damaged", str(file), "The picture ends too early.", "Use another copy of it.")
    ]


def test_a_picture_may_be_larger_than_a_graph_file(tmp_path, monkeypatch):
    monkeypatch.setattr(graph_module, "MAX_BYTES", 10)
    file = tmp_path / "a.png"
    file.write_bytes(embed(picture_of(), graph({}).dumps()))
    Graph.load(file)
    monkeypatch.setattr(graph_module, "MAX_PICTURE_BYTES", 10)
    assert refusal(Graph.load, file)[0][:2] == ("too_large", str(file))
