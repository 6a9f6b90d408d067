from __future__ import annotations

import random
from typing import Annotated, Any, TypeVar

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Code, Graph, Kind, PatchbayError, Paths, node
from engine.subgraph import INNER
from engine.wiring import Const, From, Many
from tests.engine import kit
from tests.engine.kit import Latent, Model, graph, link, planned, problems, write_file

T = TypeVar("T")
K = TypeVar("K", bound=Kind)
Q = TypeVar("Q", bound=Kind)


@node("Any")
def anything(value: T, *, text: str = "") -> T:
    return value


@node("Optional")
def optional(items: list[int] | None = None, *, more: Any = None) -> int:
    return len(items or [])


@node("Blend")
def blend(a: Latent[K], b: Latent[K] | None = None) -> Latent[K]:
    return a


@node("Blank")
def blank() -> Latent[K]:
    raise NotImplementedError


@node("Picky", kinds=lambda values: {"K": values["missing"]} if "missing" in values else {})
def picky(model: Model[K]) -> Latent[K]:
    raise NotImplementedError


def only(wanted, *types, **more):
    (found,) = problems(wanted, *types, **more)
    return found


def add_of(a, b=1):
    return ("Add", {"a": a, "b": b})


# every refusal of a graph by its code, place, reason and fix


def test_an_unknown_type_is_refused_with_the_nearest():
    assert only(graph({"n": ("Nmber", {})})) == (
        "unknown_type", "n", 'There is no node type "Nmber".', 'Did you mean "Number"?'
    )  # fmt: skip
    assert only(graph({"n": ("Zzz", {})}))[3] == "`patchbay nodes` lists them."


def test_an_unknown_node_is_refused_with_the_nearest():
    assert only(graph({"first": ("Number", {}), "n": add_of(link("frist.number"))})) == (
        "unknown_node", "n.a", 'It is linked to "frist.number", but there is no such node.', 'Did you mean "first"?'
    )  # fmt: skip
    assert only(graph({"n": add_of(link("zz.number"))}))[3] == "It has: n."


def test_an_unknown_port_is_refused_with_the_nearest():
    assert only(graph({"n": ("Add", {"a": 1, "bb": 2})})) == (
        "unknown_port", "n.bb", 'Add has no input "bb".', 'Did you mean "b"?'
    )  # fmt: skip
    assert only(graph({"n": ("Add", {"a": 1, "xyz": 2})}))[3] == "It has: a, b."
    assert only(graph({"m": ("Number", {}), "n": add_of(link("m.nomber"))})) == (
        "unknown_port",
        "n.a",
        'It is linked to "m.nomber", but Number has no output "nomber".',
        'Did you mean "number"?',
    )
    assert only(graph({"m": ("Write", {"text": "", "to": "x"}), "n": add_of(link("m.x"))}))[3] == "It has: none."


def test_a_missing_input_is_refused():
    assert only(graph({"n": ("Add", {})})) == (
        "missing_input", "n.a", "This input needs a value or a link: int.", "Give it one."
    )  # fmt: skip
    assert only(graph({"n": ("Encode", {})})) == (
        "missing_input", "n.model", "This input needs a link: Model.", "Give it one."
    )  # fmt: skip


def test_a_link_of_the_wrong_type_is_refused():
    assert only(graph({"t": ("Text", {}), "n": add_of(link("t.text"))})) == (
        "type_mismatch", "n.a", 'It wants int; "t.text" gives text.', "Link an output of that type, or convert it."
    )  # fmt: skip


def test_a_link_of_the_wrong_kind_is_refused():
    nodes = {
        "one": ("Load", {"name": "sd1"}),
        "two": ("Load", {"name": "sdxl"}),
        "latent": ("Encode", {"model": link("two.model")}),
        "decode": ("Decode", {"model": link("one.model"), "latent": link("latent.latent")}),
    }
    assert only(graph(nodes)) == (
        "kind_mismatch",
        "decode.latent",
        'It wants Latent[sd1]; "latent.latent" gives Latent[sdxl].',
        "Use the parts of one model, or decode with the VAE of the one and encode with the other's.",
    )


def test_kinds_are_inferred_through_nodes_that_have_none_of_their_own():
    nodes = {
        "blank": ("Blank", {}),
        "blend": ("Blend", {"a": link("blank.latent")}),
        "one": ("Load", {"name": "sd1"}),
        "two": ("Load", {"name": "sdxl"}),
        "decode": ("Decode", {"model": link("one.model"), "latent": link("blend.latent")}),
        "again": ("Decode", {"model": link("two.model"), "latent": link("blank.latent")}),
    }
    code, at, what, _ = only(graph(nodes), blend, blank)
    assert (code, at, what) == (
        "kind_mismatch", "again.latent", 'It wants Latent[sdxl]; "blank.latent" gives Latent[sd1].'
    )  # fmt: skip


CYCLE_FIX = "Remove one of the links; a loop is written with ForEach or Repeat."


def test_a_node_that_waits_for_itself_is_named():
    assert only(graph({"n": add_of(link("n.number"))})) == (
        "cycle", "n", "These nodes wait for each other: n -> n.", CYCLE_FIX
    )  # fmt: skip


def test_every_cycle_is_named():
    nodes = {
        "start": ("Number", {}),
        "a": add_of(link("b.number"), link("start.number")),
        "b": add_of(link("a.number")),
        "x": add_of(link("z.number"), link("b.number")),
        "y": add_of(link("x.number")),
        "z": add_of(link("y.number")),
    }
    assert problems(graph(nodes)) == [
        ("cycle", "a", "These nodes wait for each other: a -> b -> a.", CYCLE_FIX),
        ("cycle", "x", "These nodes wait for each other: x -> y -> z -> x.", CYCLE_FIX),
    ]


def test_a_cycle_of_20_000_nodes_is_named_at_once():
    size = 20_000
    ((code, at, what, fix),) = problems(
        graph({f"n{i}": add_of(link(f"n{(i + 1) % size}.number")) for i in range(size)})
    )
    assert (code, at, fix) == ("cycle", "n0", CYCLE_FIX)
    assert (
        what == "These nodes wait for each other: n0 -> n19999 -> n19998 -> n19997 -> ... -> n1 -> n0 (20,000 nodes)."
    )


@pytest.mark.parametrize(
    ("type_", "inputs", "at", "what", "fix"),
    [
        ("Add", {"a": True}, "n.a", "true does not fit: input should be a valid integer.", "It takes int."),
        ("Add", {"a": 1.0}, "n.a", "1.0 does not fit: input should be a valid integer.", "It takes int."),
        ("Add", {"a": "1"}, "n.a", "'1' does not fit: input should be a valid integer.", "It takes int."),
        ("Add", {"a": None}, "n.a", "null does not fit: input should be a valid integer.", "It takes int."),
        (
            "Fraction",
            {"value": False},
            "n.value",
            "false does not fit: input should be a valid number.",
            "It takes float.",
        ),
        (
            "Percentage",
            {"value": 101},
            "n.value",
            "101 does not fit: input should be less than or equal to 100.",
            "From nothing to all.",
        ),
        (
            "Encode",
            {"model": 3},
            "n.model",
            "This input takes a link, not a value: it wants Model.",
            "Link an output to it.",
        ),
        (
            "Add",
            {"a": "x" * 99},
            "n.a",
            f"'{'x' * 56}... does not fit: input should be a valid integer.",
            "It takes int.",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused(type_, inputs, at, what, fix):
    assert only(graph({"n": (type_, inputs)})) == ("bad_value", at, what, fix)


def test_not_a_number_is_refused_where_a_document_could_not_hold_it():
    one = graph({"n": ("Fraction", {})}, outputs={"out": "n.number"}, inputs={"x": "n.value"})
    code, at, what, fix = only(one, given={"x": float("nan")})
    assert (code, at, fix) == ("bad_value", "n.value", "It takes float.")
    assert what == "nan does not fit: input should be a finite number."


def test_two_outputs_saved_to_one_file_are_refused():
    nodes = {name: ("Write", {"text": "", "to": "fox.png"}) for name in ("one", "two")}
    assert only(graph(nodes)) == (
        "same_file", "two.to", '"fox.png" is written by one.to already.', "Give one of them another name."
    )  # fmt: skip


def test_a_file_that_is_not_there_is_refused(tmp_path):
    code, at, what, fix = only(graph({"n": ("Read", {"file": "none.txt"})}, folder=tmp_path))
    assert (code, at, what) == ("file_not_found", "n.file", '"none.txt" was not found.')
    assert fix == f"Searched: {tmp_path}."


def test_the_interface_and_the_layout_name_what_is_there():
    one = Graph.from_data(
        {
            "version": 1,
            "nodes": {"n": {"type": "Number"}, "broken": {"type": "Nope"}},
            "interface": {
                "inputs": {"a": "m.value", "b": "n.valu", "x": "broken.y"},
                "outputs": {"c": "n.out", "d": "nn.number"},
            },
            "layout": {"n": [0, 0], "gone": [0, 0]},
        }
    )
    assert problems(one) == [
        ("unknown_type", "broken", 'There is no node type "Nope".', "`patchbay nodes` lists them."),
        ("unknown_node", "interface.inputs.a", '"m.value" names no node of this graph.', "It has: n, broken."),
        ("unknown_port", "interface.inputs.b", 'Number has no input "valu".', 'Did you mean "value"?'),
        ("unknown_port", "interface.outputs.c", 'Number has no output "out".', "It has: number."),
        ("unknown_node", "interface.outputs.d", '"nn.number" names no node of this graph.', 'Did you mean "n"?'),
        ("unknown_node", "layout.gone", 'There is no node "gone".', "Remove this line."),
    ]


def test_all_problems_are_named_at_once_in_document_order():
    nodes = {"b": ("Add", {"a": True, "c": 1}), "a": ("Nope", {}), "d": add_of(link("a.x"), link("b.x"))}
    assert [(code, at) for code, at, _, _ in problems(graph(nodes))] == [
        ("bad_value", "b.a"), ("unknown_port", "b.c"), ("unknown_type", "a"), ("unknown_port", "d.b")
    ]  # fmt: skip


def test_a_graph_that_wants_nothing_is_refused():
    assert only(graph({})) == (
        "nothing_to_run", "graph", "The graph has no node that would run.", "Add a node or unmute one."
    )  # fmt: skip
    muted = graph({"n": ("Number", {}, "mute")}, outputs={"out": "n.number"})
    assert only(muted) == ("nothing_to_run", "graph", "Every wanted output is muted.", "Add a node or unmute one.")


def test_unknown_names_of_inputs_and_nodes_are_refused():
    one = graph({"first": ("Number", {})}, inputs={"seed": "first.value"})
    assert only(one, given={"sed": 1}) == (
        "unknown_input", "sed", 'The graph\'s interface has no input "sed".', 'Did you mean "seed"?'
    )  # fmt: skip
    assert only(one, only="frist") == (
        "unknown_node", "frist", 'There is no node "frist" to run.', 'Did you mean "first"?'
    )  # fmt: skip
    assert only(one, only="zz")[3] == "It has: first."


def test_a_kind_rule_says_what_it_cannot_read():
    def refuse(values):
        raise PatchbayError(Code.BAD_MODEL, values["at"], "It is no model.", "Choose another.")

    @node("Rule", kinds=refuse)
    def rule(*, at: str = "at") -> Model[K]:
        raise NotImplementedError

    assert only(graph({"n": ("Rule", {})}), rule)[1:] == ("n.at", "It is no model.", "Choose another.")
    assert only(graph({"n": ("Rule", {"at": "elsewhere"})}), rule)[1] == "n"


def colour_of(values, given):
    return {"colour": str(values["colour"]), "size": "large"}


@node("Known", facts=colour_of)
def known(*, colour: str) -> Model[K]:
    raise NotImplementedError


def only_red(values, given):
    colour = given.get("model", {}).get("colour", "red")
    if colour != "red":
        raise PatchbayError(Code.BAD_VALUE, values["at"], f"It is {colour}.", "Paint it.")
    return {}


@node("Red", facts=only_red)
def red(model: Model[K], other: Model[K] | None = None, *, at: str = "model") -> Model[K]:
    raise NotImplementedError


@node("Through")
def through(one: Model[K], other: Model[K] | None = None) -> Model[K]:
    raise NotImplementedError


@node("Lost")
def lost(one: Model) -> Model:
    raise NotImplementedError


def test_facts_travel_along_links_and_a_rule_refuses_what_does_not_fit():
    nodes = {
        "blue": ("Known", {"colour": "blue"}),
        "through": ("Through", {"one": link("blue.model")}),
        "red": ("Red", {"model": link("through.model")}),
    }
    assert only(graph(nodes), known, through, red)[1:] == ("red.model", "It is blue.", "Paint it.")
    nodes["red"] = ("Red", {"model": link("blue.model"), "at": "elsewhere"})
    assert only(graph(nodes), known, through, red)[1] == "red"
    nodes["red"] = ("Red", {"model": link("blue.model"), "at": "at.inner"})
    assert only(graph(nodes), known, through, red)[1] == "red.at.inner"


def test_nothing_is_known_where_inputs_disagree_or_a_node_has_no_kinds():
    nodes = {
        "blue": ("Known", {"colour": "blue"}),
        "green": ("Known", {"colour": "green"}),
        "through": ("Through", {"one": link("blue.model"), "other": link("green.model")}),
        "lost": ("Lost", {"one": link("blue.model")}),
        "red": ("Red", {"model": link("through.model")}),
        "last": ("Red", {"model": link("lost.model")}),
    }
    assert not problems(graph(nodes), known, through, red, lost)


def test_a_document_full_of_unknown_names_is_answered_at_once():
    size = 20_000
    found = problems(graph({f"n{i}": add_of(link(f"m{i}.number")) for i in range(size)}))
    assert len(found) == size
    assert found[0][3] == "It has: n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, ..."
    assert found[-1][3] == f"There is no m{size - 1}."


# what a plan is


def test_only_what_is_wanted_is_planned_in_document_order():
    nodes = {"c": add_of(link("a.number")), "unused": ("Number", {}), "b": ("Number", {}), "a": ("Number", {})}
    wanted = planned(graph(nodes | {"d": add_of(link("c.number"), link("b.number"))}, outputs={"out": "d.number"}))
    assert list(wanted.steps) == ["b", "a", "c", "d"]
    assert wanted.outputs == {"out": From("d", "number")}
    assert list(wanted.wanted) == ["d"]


def test_without_an_interface_every_last_node_is_wanted():
    nodes = {"a": ("Number", {}), "b": add_of(link("a.number")), "c": ("Sum", {"items": [link("a.number"), 3]})}
    assert list(planned(graph(nodes)).wanted) == ["b", "c"]


def test_effects_are_wanted_beside_the_outputs():
    nodes = {"a": ("Text", {}), "w": ("Write", {"text": link("a.text"), "to": "x"}), "n": ("Number", {})}
    assert list(planned(graph(nodes, outputs={"out": "n.number"})).wanted) == ["n", "w"]


def test_one_node_can_be_wanted_alone():
    nodes = {"a": ("Number", {}), "b": add_of(link("a.number")), "c": add_of(link("b.number"))}
    wanted = planned(graph(nodes, outputs={"out": "c.number"}), only="b")
    assert list(wanted.steps) == ["a", "b"]
    assert wanted.outputs == {"number": From("b", "number")}


def test_several_nodes_can_be_wanted_with_what_they_need():
    nodes = {"a": ("Number", {}), "b": add_of(link("a.number")), "c": add_of(link("b.number")), "d": ("Number", {})}
    wanted = planned(graph(nodes | {"p": ("Divide", {"a": 1, "b": 1})}), only=["p", "b", "p"])
    assert list(wanted.steps) == ["a", "b", "p"]
    assert wanted.outputs == {
        "p.small": From("p", "small"), "p.large": From("p", "large"), "b.number": From("b", "number")
    }  # fmt: skip
    assert list(wanted.wanted) == ["p", "b"]
    assert planned(graph(nodes), only=["d"]).outputs == {"d.number": From("d", "number")}


def test_a_node_that_cannot_run_is_not_wanted_alone():
    nodes = {
        "n": ("Number", {}),
        "m": ("Number", {}, "mute"),
        "b": ("Add", {"a": link("n.number")}, "bypass"),
        "k": add_of(link("m.number")),
    }
    assert problems(graph(nodes), only=["n", "m", "b", "k", "z"]) == [
        ("nothing_to_run", "m", '"m" is muted.', "Unmute it."),
        ("nothing_to_run", "b", '"b" is bypassed, so it does not run.', "Take the bypass off."),
        ("nothing_to_run", "k", '"k" is kept from running by a muted node.', "Unmute it."),
        ("unknown_node", "z", 'There is no node "z" to run.', "It has: n."),
    ]
    assert only(graph(nodes), only=[])[:3] == ("nothing_to_run", "graph", "No node is wanted.")


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_the_order_is_the_first_topological_one_in_document_order(seed, size):
    chance = random.Random(seed)  # noqa: S311  # a graph to try
    ranks = chance.sample(range(size), size)
    edges = [(a, b) for a in range(size) for b in range(size) if ranks[a] < ranks[b] and chance.random() < 0.3]
    nodes = {f"n{i}": ("Sum", {"items": [link(f"n{a}.number") for a, b in edges if b == i]}) for i in range(size)}
    made = nx.DiGraph(edges)
    made.add_nodes_from(range(size))
    expected = [f"n{i}" for i in nx.lexicographical_topological_sort(made)]
    wanted = planned(graph(nodes))
    assert [name for name in expected if name in wanted.steps] == list(wanted.steps)


def test_a_graph_of_20_000_nodes_is_planned():
    nodes = {"n0": ("Number", {})} | {f"n{i}": add_of(link(f"n{i - 1}.number")) for i in range(1, 20_000)}
    assert len(planned(graph(nodes)).steps) == 20_000


# links, lists and values


def test_links_say_how_they_work():
    nodes = {
        "one": ("Number", {}),
        "many": ("Range", {}),
        "mapped": add_of(link("many.numbers")),
        "wrapped": ("Sum", {"items": link("one.number")}),
        "whole": ("Sum", {"items": link("mapped.number")}),
        "float": ("Blend2", {"a": link("one.number")}),
    }

    @node("Blend2")
    def blend2(a: float) -> float:
        raise NotImplementedError

    steps = planned(graph(nodes), blend2).steps
    assert (steps["mapped"].fit, steps["wrapped"].fit, steps["whole"].fit) == ({"a": "map"}, {"items": "wrap"}, {})
    assert steps["mapped"].mapped
    assert not steps["whole"].mapped


def test_a_list_may_mix_links_and_values():
    nodes = {"a": ("Number", {}), "s": ("Sum", {"items": [1, link("a.number")]})}
    assert planned(graph(nodes)).steps["s"].inputs["items"] == Many((Const(1), From("a", "number")))
    assert only(graph({**nodes, "s": ("Sum", {"items": ["x", link("a.number")]})}))[:2] == ("type_mismatch", "s.items")
    assert only(graph({**nodes, "s": add_of([link("a.number")])})) == (
        "type_mismatch", "s.a", "This input takes one int, not a list of links.", "Link one output."
    )  # fmt: skip
    assert only(graph({**nodes, "s": ("Sum", {"items": [link("b.number")]})}))[:2] == ("unknown_node", "s.items[0]")
    assert not problems(
        graph({**nodes, "s": ("Optional", {"items": [link("a.number")], "more": [link("a.number")]})}), optional
    )
    assert not problems(graph({**nodes, "s": ("Optional", {"items": link("a.number"), "more": [1]})}), optional)


def test_a_list_of_a_node_that_is_unknown_is_said_once():
    assert [code for code, *_ in problems(graph({"x": ("Nope", {}), "s": ("Sum", {"items": [link("x.y"), 1]})}))] == [
        "unknown_type"
    ]


def test_a_list_into_a_lazy_input_is_refused():
    nodes = {"r": ("Range", {}), "i": ("Pick", {"one": link("r.numbers")})}

    @node("Pick")
    def pick(one: kit.Lazy[int]) -> int:
        raise NotImplementedError

    assert only(graph(nodes), pick)[:2] == ("type_mismatch", "i.one")


def test_null_is_a_value_where_a_link_may_be_absent():
    model = {"m": ("Load", {"name": "a"}), "e": ("Encode", {"model": link("m.model")})}
    nodes = model | {"n": ("Blend", {"a": link("e.latent"), "b": None})}
    assert planned(graph(nodes), blend).steps["n"].inputs["b"] == Const(None)
    assert only(graph(nodes | {"n": ("Blend", {"a": None})}), blend)[:2] == ("bad_value", "n.a")


def test_a_written_value_binds_a_variable_too():
    @node("Same")
    def same(a: list[T]) -> T:
        raise NotImplementedError

    nodes = {"a": ("Same", {"a": ["x"]}), "b": ("Any", {"value": 3}), "n": add_of(link("b.value"), link("a.value"))}
    assert [(code, at) for code, at, *_ in problems(graph(nodes), anything, same)] == [("type_mismatch", "n.b")]


def test_run_time_values_may_be_objects():
    one = graph(
        {"d": ("Decode", {}), "n": add_of(1), "r": ("Encode", {})},
        inputs={"model": "d.model", "latent": "d.latent", "a": "n.a", "models": "r.model"},
    )
    given_ = {"model": Model("a"), "latent": Latent("a"), "a": 4, "models": [Model("a"), Model("a")]}
    steps = planned(one, given=given_).steps
    assert steps["d"].inputs["model"] == Const(Model("a"))
    assert steps["n"].inputs["a"] == Const(4)
    assert steps["r"].fit == {"model": "map"}
    assert only(one, given=given_ | {"latent": Latent("b")})[:2] == ("kind_mismatch", "d.latent")
    assert only(one, given=given_ | {"latent": Model("a")})[:2] == ("type_mismatch", "d.latent")
    assert only(one, given=given_ | {"a": "x"})[:2] == ("bad_value", "n.a")
    assert only(one, given=given_ | {"a": [1, "x"]})[:2] == ("bad_value", "n.a")


def test_a_run_time_name_of_a_file_is_found_as_a_written_one(tmp_path):
    write_file(tmp_path / "a.txt", "x")
    one = graph({"r": ("Read", {})}, inputs={"file": "r.file"}, folder=tmp_path)
    source = planned(one, given={"file": "a.txt"}).steps["r"].inputs["file"]
    assert source.value == tmp_path / "a.txt"
    assert planned(one, given={"file": tmp_path / "a.txt"}).steps["r"].inputs["file"].data == source.data
    assert only(one, given={"file": "b.txt"})[:2] == ("file_not_found", "r.file")
    assert only(one, given={"file": 3})[:2] == ("bad_value", "r.file")


def test_a_file_that_may_be_absent_may_be_null(tmp_path):
    @node("Maybe")
    def maybe(*, file: kit.Annotated[str, kit.File()] | None = None) -> str:
        raise NotImplementedError

    steps = planned(graph({"a": ("Maybe", {"file": None}), "b": ("Maybe", {})}, folder=tmp_path), maybe).steps
    assert steps["a"].inputs["file"].value is None
    assert steps["b"].inputs["file"].data == steps["a"].inputs["file"].data


# relays


@node("Relay", relay=True)
def relay(value: T) -> T:
    return value


def test_a_link_goes_through_relays_as_if_they_were_not_there():
    bent = {
        "two": ("Relay", {"value": link("one.value")}),
        "n": ("Number", {}),
        "one": ("Relay", {"value": link("n.number")}),
        "end": add_of(link("two.value")),
    }
    found = planned(graph(bent, outputs={"out": "end.number", "bend": "two.value"}), relay)
    assert list(found.steps) == ["n", "end"]
    assert found.outputs["bend"] == From("n", "number")
    straight = graph({"n": ("Number", {}), "end": add_of(link("n.number"))}, outputs={"out": "end.number"})
    assert found.keys == planned(straight).keys


def test_a_relay_keeps_the_kind_of_what_it_is_given():
    nodes = {
        "m": ("Load", {"name": "a"}),
        "other": ("Load", {"name": "b"}),
        "r": ("Relay", {"value": link("m.model")}),
        "e": ("Encode", {"model": link("r.value")}),
        "d": ("Decode", {"model": link("other.model"), "latent": link("e.latent")}),
    }
    (problem,) = problems(graph(nodes), relay)
    assert problem[:2] == ("kind_mismatch", "d.latent")


def test_a_relay_of_a_written_value_or_of_a_list_is_a_node_like_any_other():
    nodes = {
        "n": ("Number", {}),
        "w": ("Relay", {"value": 3}),
        "l": ("Relay", {"value": [link("n.number"), 2]}),
        "a": add_of(link("w.value")),
        "s": ("Sum", {"items": link("l.value")}),
    }
    found = planned(graph(nodes), relay)
    assert found.steps["a"].inputs["a"] == From("w", "value")
    assert found.steps["s"].inputs["items"] == From("l", "value")


def test_a_relay_that_nothing_follows_wants_what_it_is_given():
    nodes = {"n": ("Number", {}), "r": ("Relay", {"value": link("n.number")})}
    assert list(planned(graph(nodes), relay).steps) == ["n"]
    assert list(planned(graph(nodes), relay, only="r").steps) == ["n", "r"]


def test_a_value_that_is_given_to_a_relay_goes_before_its_link():
    nodes = {"n": ("Number", {}), "r": ("Relay", {"value": link("n.number")}), "a": add_of(link("r.value"))}
    found = planned(graph(nodes, inputs={"x": "r.value"}, outputs={"out": "a.number"}), relay, given={"x": 5})
    assert list(found.steps) == ["r", "a"]
    assert found.steps["r"].inputs["value"] == Const(5)


def test_what_is_wrong_before_a_relay_is_said_once():
    for before in ("gone.number", "n.nothing"):
        nodes = {"n": ("Number", {}), "r": ("Relay", {"value": link(before)}), "a": add_of(link("r.value"))}
        assert [at for _, at, _, _ in problems(graph(nodes), relay)] == ["r.value"]
    circle = {"r": ("Relay", {"value": link("s.value")}), "s": ("Relay", {"value": link("r.value")})}
    assert [code for code, *_ in problems(graph({**circle, "a": add_of(link("s.value"))}), relay)] == ["cycle"]
    muted = {"n": ("Number", {}, "mute"), "r": ("Relay", {"value": link("n.number")}), "a": add_of(1, link("r.value"))}
    assert planned(graph(muted), relay).steps["a"].inputs["b"] == Const(1)


# mute and bypass


def test_what_a_muted_node_gives_is_absent():
    nodes = {
        "m": ("Number", {}, "mute"),
        "keeps": add_of(3, link("m.number")),
        "goes": add_of(link("m.number")),
        "gone": add_of(link("goes.number")),
        "list": ("Sum", {"items": [link("m.number"), 2]}),
    }
    steps = planned(graph(nodes)).steps
    assert list(steps) == ["keeps", "list"]
    assert steps["keeps"].inputs["b"] == Const(1)
    assert steps["list"].inputs["items"] == Many((Const(2),))


def test_a_muted_output_is_no_output():
    nodes = {"m": ("Number", {}, "mute"), "n": ("Number", {})}
    assert list(planned(graph(nodes, outputs={"m": "m.number", "n": "n.number"})).outputs) == ["n"]


def test_a_muted_node_may_be_wrong():
    assert not problems(graph({"m": ("Add", {"a": "x"}, "mute"), "n": ("Number", {})}))


def test_a_bypassed_node_hands_its_input_on():
    nodes = {
        "n": ("Number", {}),
        "t": ("Text", {}),
        "one": ("Add", {"a": link("n.number")}, "bypass"),
        "two": ("Add", {"a": link("one.number"), "b": 7}, "bypass"),
        "end": add_of(link("two.number")),
    }
    assert planned(graph(nodes, outputs={"x": "two.number"})).steps.keys() == {"n"}
    assert planned(graph(nodes)).steps["end"].inputs["a"] == From("n", "number")


def test_a_bypassed_nodes_written_input_is_checked_where_it_arrives():
    nodes = {"n": ("Number", {"value": 101}, "bypass"), "p": ("Percentage", {"value": link("n.number")})}
    assert only(graph(nodes)) == (
        "bad_value", "p.value", "101 does not fit: input should be less than or equal to 100.", "From nothing to all."
    )  # fmt: skip
    nodes["n"] = ("Number", {"value": 50}, "bypass")
    assert planned(graph(nodes)).steps["p"].inputs["value"] == Const(50)
    assert only(graph(nodes, outputs={"out": "n.number"})) == (
        "cannot_bypass",
        "interface.outputs.out",
        'The bypassed node behind "n.number" hands on a written value, which nothing computes.',
        "Mute it or take it out.",
    )


def test_a_bypassed_collection_hands_its_list_on():
    @node("Collect")
    def collect(items: list[T]) -> list[T]:
        raise NotImplementedError

    nodes = {
        "n": ("Number", {}),
        "c": ("Collect", {"items": [link("n.number"), 4]}, "bypass"),
        "s": ("Sum", {"items": link("c.values")}),
        "f": ("Number", {"value": 3}, "bypass"),
        "l": ("Sum", {"items": [link("f.number"), link("n.number")]}),
    }
    steps = planned(graph(nodes), collect).steps
    assert steps["s"].inputs["items"] == Many((From("n", "number"), Const(4)))
    assert steps["l"].inputs["items"] == Many((Const(3), From("n", "number")))


def test_a_node_that_has_nothing_to_hand_on_cannot_be_bypassed():
    nodes = {"t": ("Text", {}), "l": ("Load", {"name": "a"}, "bypass"), "e": ("Encode", {"model": link("l.model")})}
    assert only(graph(nodes)) == (
        "cannot_bypass",
        "e.model",
        'The bypassed node "l" has no input that could stand for "l.model".',
        "Mute it or take it out.",
    )


def test_bypassed_nodes_in_a_circle_are_a_cycle():
    nodes = {
        "a": ("Add", {"a": link("b.number")}, "bypass"),
        "b": ("Add", {"a": link("a.number")}, "bypass"),
        "c": add_of(link("a.number")),
    }
    assert [code for code, *_ in problems(graph(nodes))] == ["cycle"]


# keys


def keys(wanted, *types, **more):
    return planned(wanted, *types, **more).keys


def test_a_key_depends_on_all_that_is_upstream():
    def key(value, b=1):
        return keys(graph({"n": ("Number", {"value": value}), "a": add_of(link("n.number"), b)}))["a"]

    assert key(1) == key(1)
    assert len({key(1), key(2), key(1, b=2)}) == 3


def test_a_key_tells_where_a_link_comes_from():
    nodes = {
        "p": ("Divide", {"a": 7, "b": 2}),
        "s": add_of(link("p.small")),
        "l": add_of(link("p.large")),
        "x": ("Sum", {"items": [link("p.small"), 1]}),
        "y": ("Sum", {"items": [1, link("p.small")]}),
    }
    found = keys(graph(nodes))
    assert len(set(found.values())) == len(nodes)


def test_what_is_not_deterministic_has_no_key_nor_what_depends_on_it():
    @node("Number", deterministic=False)
    def number(*, value: int = 0) -> int:
        raise NotImplementedError

    nodes = {"n": ("Number", {}), "a": add_of(link("n.number")), "s": ("Sum", {"items": [link("n.number"), 1]})}
    assert set(keys(graph(nodes), number).values()) == {None}


def test_a_new_version_or_source_retires_old_keys():
    @node("Number", version=2)
    def number(*, value: int = 0) -> int:
        raise NotImplementedError

    one = graph({"n": ("Number", {})})
    assert keys(one) != keys(one, number)


def test_a_device_nodes_key_has_the_numerics_in_it():
    from engine import Settings, plan

    @node("Number", device=True)
    def number(*, value: int = 0) -> int:
        raise NotImplementedError

    nodes = graph({"n": ("Number", {}), "t": ("Text", {})})
    one, two = (plan(nodes, kit.catalog(number), Paths(), Settings(device=name)).keys for name in ("cpu", "cuda"))
    assert one["n"] != two["n"]
    assert one["t"] == two["t"]


def test_a_files_content_is_in_the_key(tmp_path):
    one = graph({"r": ("Read", {"file": "a.txt"})}, folder=tmp_path)
    write_file(tmp_path / "a.txt", "one")
    before = keys(one)["r"]
    write_file(tmp_path / "a.txt", "three")
    assert keys(one)["r"] != before
    write_file(tmp_path / "b.txt", "three")
    assert keys(graph({"r": ("Read", {"file": "b.txt"})}, folder=tmp_path))["r"] == keys(one)["r"]


def test_a_file_named_through_a_link_has_no_key_before_the_run(tmp_path):
    one = graph({"t": ("Text", {"text": "a.txt"}), "r": ("Read", {"file": link("t.text")})}, folder=tmp_path)
    assert keys(one)["r"] is None


def test_a_file_that_went_meanwhile_leaves_a_step_without_key(tmp_path):
    file = write_file(tmp_path / "a.txt", "one")
    wanted = planned(graph({"r": ("Read", {"file": "a.txt"})}, folder=tmp_path))
    file.unlink()
    assert wanted.keys == {"r": None}


# graphs as node types


INNER_GRAPH = """{"version": 1,
  "nodes": {"x": {"type": "Add", "inputs": {"a": 5, "b": 2}},
            "y": {"type": "Add", "inputs": {"a": {"link": "x.number"}}}},
  "interface": {"inputs": {"start": "x.a", "more": "y.b"}, "outputs": {"result": "y.number", "middle": "x.number"}}}"""


def test_a_graph_is_a_node_type_with_its_interface_as_ports(tmp_path):
    write_file(tmp_path / "inner.json", INNER_GRAPH)
    step = planned(graph({"g": ("graph:inner", {"start": 1})}, folder=tmp_path)).steps["g"]
    assert step.type.output_names == ("result", "middle")
    assert step.inputs["start"] == Const(1)
    assert step.inputs["more"].value is INNER
    assert repr(INNER) == "as in the graph"
    assert step.type.expands


def test_a_graph_types_inputs_are_checked_like_any(tmp_path):
    write_file(tmp_path / "inner.json", INNER_GRAPH)
    assert only(graph({"g": ("graph:inner", {"start": "x"})}, folder=tmp_path))[:2] == ("bad_value", "g.start")
    write_file(tmp_path / "open.json", INNER_GRAPH.replace('"a": 5, ', ""))
    assert only(graph({"g": ("graph:open", {})}, folder=tmp_path))[:2] == ("missing_input", "g.start")
    assert only(Graph.load(tmp_path / "open.json"))[:2] == ("missing_input", "x.a")


def test_kinds_are_inferred_through_a_graph_type(tmp_path):
    write_file(
        tmp_path / "encode.json",
        """{"version": 1, "nodes": {"e": {"type": "Encode"}},
        "interface": {"inputs": {"model": "e.model"}, "outputs": {"latent": "e.latent"}}}""",
    )
    nodes = {
        "one": ("Load", {"name": "a"}),
        "two": ("Load", {"name": "b"}),
        "g": ("graph:encode", {"model": link("one.model")}),
        "d": ("Decode", {"model": link("two.model"), "latent": link("g.latent")}),
    }
    assert only(graph(nodes, folder=tmp_path))[:3] == (
        "kind_mismatch", "d.latent", 'It wants Latent[b]; "g.latent" gives Latent[a].'
    )  # fmt: skip


def test_problems_inside_a_graph_type_are_named_from_outside(tmp_path):
    write_file(tmp_path / "bad.json", '{"version": 1, "nodes": {"n": {"type": "Add", "inputs": {"a": true}}}}')
    nodes = {"g": ("graph:bad", {}), "h": ("graph:bad", {})}
    assert [(code, at) for code, at, *_ in problems(graph(nodes, folder=tmp_path))] == [
        ("bad_value", "g/n.a"), ("bad_value", "h/n.a")
    ]  # fmt: skip
    assert only(graph({"g": ("graph:none", {})}, folder=tmp_path))[:2] == ("file_not_found", "g")
    assert only(graph({"g": ("graph:../none", {})}, folder=tmp_path))[1] == "g"


def test_a_graph_that_contains_itself_is_refused(tmp_path):
    write_file(tmp_path / "self.json", '{"version": 1, "nodes": {"n": {"type": "graph:self"}}}')
    assert only(graph({"g": ("graph:self", {})}, folder=tmp_path)) == (
        "cycle", "g/n", 'The graph "self" contains itself.', "Remove it there; a loop is written with Repeat."
    )  # fmt: skip


def test_a_graph_type_is_known_by_all_that_is_in_it(tmp_path):
    def key():
        return keys(graph({"g": ("graph:inner", {})}, folder=tmp_path))["g"]

    def put(file, value):
        write_file(
            tmp_path / "inner.json",
            f'{{"version": 1, "nodes": {{"r": {{"type": "Read", "inputs": {{"file": "{file}"}}}},'
            f'"n": {{"type": "Number", "inputs": {{"value": {value}}}}}}},'
            '"interface": {"outputs": {"text": "r.text", "n": "n.number"}}}',
        )

    write_file(tmp_path / "a.txt", "one")
    put("a.txt", 1)
    seen = [key(), key()]
    put("a.txt", 2)
    seen.append(key())
    write_file(tmp_path / "a.txt", "three")
    seen.append(key())
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3
    assert None not in seen


def test_a_graph_type_that_names_files_through_links_has_no_key(tmp_path):
    write_file(tmp_path / "a.txt", "one")
    write_file(
        tmp_path / "inner.json",
        '{"version": 1, "nodes": {"t": {"type": "Text", "inputs": {"text": "a.txt"}},'
        '"r": {"type": "Read", "inputs": {"file": {"link": "t.text"}}}}, "interface": {"outputs": {"text": "r.text"}}}',
    )
    assert keys(graph({"g": ("graph:inner", {})}, folder=tmp_path)) == {"g": None}


# some of the outputs


def branching():
    nodes = {
        "n": ("Number", {"value": 1}),
        "m": ("Add", {"a": link("n.number")}),
        "w": ("Write", {"text": "x", "to": "a.txt"}),
    }
    return graph(nodes, outputs={"one": "n.number", "two": "m.number"})


def test_some_outputs_need_only_their_own_nodes_and_no_effects():
    found = planned(branching(), outputs=["one"])
    assert (list(found.steps), list(found.outputs), found.effects) == (["n"], ["one"], ())
    assert list(planned(branching(), outputs={"two", "one"}).outputs) == ["one", "two"]
    assert list(planned(branching()).steps) == ["n", "m", "w"]


def test_an_output_that_is_not_there_is_refused_with_the_nearest():
    assert only(branching(), outputs=["tow"]) == (
        "unknown_port", "tow", 'The graph\'s interface has no output "tow".', 'Did you mean "two"?'
    )  # fmt: skip
    assert only(branching(), outputs=[])[:3] == ("nothing_to_run", "graph", "No output is wanted.")


def test_an_output_that_is_muted_is_refused_when_it_is_wanted():
    muted = graph({"n": ("Number", {}), "m": ("Number", {}, "mute")}, outputs={"a": "n.number", "b": "m.number"})
    assert only(muted, outputs=["a", "b"]) == (
        "nothing_to_run", "b", "This output is wanted, but its node is muted.", "Unmute it or want another."
    )  # fmt: skip


# the graph as it was planned


def test_a_plans_graph_has_the_values_that_it_was_planned_with():
    nodes = {"n": ("Number", {"value": 1}), "t": ("Any", {"value": link("n.number")})}
    wanted = graph(nodes, inputs={"n": "n.value", "text": "t.text"}, outputs={"out": "t.value"})
    assert planned(wanted, anything).graph.document == wanted.document
    found = planned(wanted, anything, given={"n": 5, "text": "狐"}).graph
    assert found.document.nodes["n"].inputs == {"value": 5}
    assert found.document.nodes["t"].inputs == {"value": {"link": "n.number"}, "text": "狐"}
    assert planned(Graph.parse(found.dumps()), anything).keys == planned(found, anything).keys


@pytest.mark.parametrize(
    "value",
    [object(), (1, 2), {1: 2}, float("nan"), "\ud800", {"link": "n.number"}, [{"link": "n.number"}], float("inf")],
)
def test_a_value_that_no_document_can_hold_leaves_the_graph_as_it_was(value):
    wanted = graph({"t": ("Any", {"value": 0})}, inputs={"value": "t.value"}, outputs={"out": "t.value"})
    assert planned(wanted, anything, given={"value": value}).graph.dumps() == wanted.dumps()


# which models


class Weights(kit.File):
    loads = True


@node("Open")
def opened(*, file: Annotated[str, Weights()], other: Annotated[str | None, Weights()] = None) -> int:
    return 0


def test_an_affinity_names_the_models_once_in_order(tmp_path):
    for name in ("a", "b"):
        write_file(tmp_path / name, name)
    nodes = {"x": ("Open", {"file": "b"}), "y": ("Open", {"file": "a"}), "z": ("Open", {"file": "b"})}
    found = planned(graph(nodes), opened, paths=Paths(inputs=(tmp_path,)))
    assert found.affinity == f"{tmp_path.resolve() / 'a'}\n{tmp_path.resolve() / 'b'}"
    assert planned(graph({"n": ("Number", {})})).affinity == ""
