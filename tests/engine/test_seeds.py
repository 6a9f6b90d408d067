from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from engine import Graph, GraphError, Paths, Settings, node, plan
from engine.cache import MemoryCache
from engine.explain import forecast
from engine.seeds import RANDOM_LIMIT, draw, drawn_ports
from tests.engine import kit
from tests.engine.kit import link, write_file

N = TypeVar("N", int, float)


@node("Noise")
def noise(*, seed: Annotated[int, Field(ge=0, lt=2**63)] = 0, steps: kit.Percent = 3, even: bool = False) -> int:
    return seed


@node("Pass")
def pass_(*, value: N, other: Any = None, fraction: float = 0.5, maybe: int | None = None) -> N:
    return value


def seeded(seeds, nodes=None, **more):
    placed = nodes or {"a": ("Noise", {"seed": 5}), "b": ("Noise", {}), "p": ("Pass", {"value": link("a.number")})}
    parts = {
        name: {"type": type_, "inputs": inputs, **dict(*state)} for name, (type_, inputs, *state) in placed.items()
    }
    return Graph.from_data({"version": 1, "nodes": parts, "seeds": seeds, **more})


def planned(graph, **more):
    return plan(graph, kit.catalog(noise, pass_), Paths(), Settings(), **more)


def problem(graph):
    with pytest.raises(GraphError) as caught:
        planned(graph)
    (found,) = caught.value.problems
    return found.code.value, found.at, found.what, found.fix


def test_a_seed_names_an_input_that_is_there():
    assert problem(seeded({"c.seed": "random"})) == (
        "unknown_node", "seeds.c.seed", '"c.seed" names no node of this graph.', "It has: a, b, p."
    )  # fmt: skip
    assert problem(seeded({"a.sed": "random"})) == (
        "unknown_port", "seeds.a.sed", 'Noise has no input "sed".', 'Did you mean "seed"?'
    )  # fmt: skip
    assert problem(seeded({"a.number": "increment"}))[:2] == ("unknown_port", "seeds.a.number")


@pytest.mark.parametrize("drawing", ["random", "increment"])
def test_only_a_whole_number_is_drawn(drawing):
    assert problem(seeded({"a.even": drawing})) == (
        "bad_value", "seeds.a.even", "Only whole numbers are drawn; this input takes bool.", "Remove this line."
    )  # fmt: skip
    reading = {
        "r": ("Read", {"file": "x.txt"}),
        "n": ("Encode", {}),
        "l": ("Load", {"name": "a"}),
    }
    for path in ("r.file", "n.model"):
        with pytest.raises(GraphError) as caught:
            planned(seeded({path: drawing}, reading))
        assert "Only whole numbers are drawn" in str(caught.value)


def test_a_linked_input_has_no_value_to_draw():
    assert problem(seeded({"p.value": "random"})) == (
        "bad_value", "seeds.p.value", "This input is linked, so no value is drawn for it.", "Remove this line."
    )  # fmt: skip


def test_a_random_value_fits_whatever_is_drawn():
    assert problem(seeded({"a.steps": "random"})) == (
        "bad_value",
        "seeds.a.steps",
        "A random value is 0 to 4294967295, and this input does not take all of these.",
        "Remove this line; the written value is then used.",
    )
    assert planned(seeded({"a.steps": "increment"})).keys
    for port in ("value", "other", "fraction", "maybe"):
        assert planned(seeded({f"p.{port}": "random"}, {"p": ("Pass", {"value": 1})})).keys


@given(st.integers(0, 2**63 - 2), st.integers(0, RANDOM_LIMIT - 1))
def test_what_is_drawn_is_the_next_number_or_the_random_one(written, chance):
    nodes = {"a": ("Noise", {"seed": written}), "b": ("Noise", {})}
    found = draw(planned(seeded({"a.seed": "increment", "b.seed": "random"}, nodes)), (), lambda limit: chance % limit)
    assert found == {"a.seed": written + 1, "b.seed": chance}


def test_a_missing_value_is_counted_on_from_its_default():
    assert draw(planned(seeded({"b.seed": "increment"})), (), int) == {"b.seed": 1}


def test_what_is_given_or_does_not_run_is_not_drawn():
    graph = seeded({"a.seed": "increment", "b.seed": "random"})
    assert drawn_ports(planned(graph)) == ["a.seed", "b.seed"]
    assert drawn_ports(planned(graph), {"a.seed"}) == ["b.seed"]
    assert drawn_ports(planned(graph, only="p")) == ["a.seed"]
    assert draw(planned(graph, only="p"), ["a.seed"], int) == {}
    muted = {"a": ("Noise", {}), "b": ("Noise", {}, {"state": "mute"})}
    assert drawn_ports(planned(seeded({"b.seed": "random"}, muted))) == []


def refused(graph):
    with pytest.raises(GraphError) as caught:
        draw(planned(graph), (), int)
    return [(item.code.value, item.at, item.what, item.fix) for item in caught.value.problems]


def test_counting_ends_at_the_greatest_value_and_says_so_for_every_seed():
    nodes = {"a": ("Noise", {"seed": 2**63 - 1, "steps": 100}), "b": ("Noise", {"seed": 1})}
    seeds = {"a.seed": "increment", "a.steps": "increment", "b.seed": "increment"}
    what = "{} is counted on by 1 for each run, and this input does not take {}."
    assert refused(seeded(seeds, nodes)) == [
        (
            "bad_value",
            "a.seed",
            what.format(2**63 - 1, 2**63),
            "Write another number, or draw it at random.",
        ),
        ("bad_value", "a.steps", what.format(100, 101), "Write another number, or draw it at random."),
    ]


@pytest.mark.parametrize("value", [None, True, "x", 1.5])
def test_there_must_be_a_whole_number_to_count_on_from(value):
    nodes = {"p": ("Pass", {"value": 1, "other": value})}
    assert refused(seeded({"p.other": "increment"}, nodes))[0][1:3] == (
        "p.other",
        "There is no whole number here to count on from.",
    )


def test_a_muted_link_leaves_nothing_to_count_on_from():
    nodes = {"a": ("Noise", {}, {"state": "mute"}), "p": ("Pass", {"value": 1, "other": [link("a.number")]})}
    assert refused(seeded({"p.other": "increment"}, nodes))[0][1] == "p.other"


def test_seeds_frames_and_layout_change_no_key_and_no_plan(tmp_path):
    bare = seeded({})
    drawn = {
        "layout": {"a": [1, 2, 300]},
        "frames": {"f": {"title": "x", "spot": [0, 0, 9, 9]}},
    }
    whole = seeded({"a.seed": "random"}, **drawn)
    assert planned(whole).keys == planned(bare).keys
    assert list(planned(whole).steps) == list(planned(bare).steps)
    keys = []
    for graph in (bare, whole):
        inner = {"version": 1, "interface": {"outputs": {"number": "p.value"}}}
        data = {**Graph.from_data(inner).document.model_dump(), **graph.document.model_dump(exclude={"interface"})}
        data["interface"] = {"outputs": {"number": "a.number"}}
        write_file(tmp_path / "inner.json", Graph.from_data(data).dumps())
        outer = Graph.from_data({"version": 1, "nodes": {"g": {"type": "graph:inner"}}}, folder=tmp_path)
        keys.append(planned(outer).keys)
    assert keys[0] == keys[1]
    assert None not in keys[0].values()


def test_a_seed_of_a_graph_node_is_drawn_like_any_other(tmp_path):
    inner = seeded({}, interface={"inputs": {"seed": "a.seed"}, "outputs": {"number": "a.number"}})
    write_file(tmp_path / "inner.json", inner.dumps())
    data = {"version": 1, "nodes": {"g": {"type": "graph:inner"}}, "seeds": {"g.seed": "random"}}
    assert draw(planned(Graph.from_data(data, folder=tmp_path)), (), lambda _limit: 7) == {"g.seed": 7}
    data["seeds"] = {"g.seed": "increment"}
    assert refused(Graph.from_data(data, folder=tmp_path))[0][1] == "g.seed"


def test_a_node_whose_seed_will_be_drawn_runs_and_what_follows_it_too():
    wanted = planned(seeded({"a.seed": "random"}))
    cache = MemoryCache(1 << 20)
    from engine.cache import Entry

    for key in wanted.keys.values():
        cache.put(Entry({}, {}, 0.0), key)
    before = forecast(wanted, cache, wanted)
    assert {item.state for item in before} == {"reused"}
    found = forecast(replace(wanted, drawn=frozenset({"a"})), cache, wanted)
    assert [(item.node, item.state, item.why) for item in found] == [
        ("a", "runs", "a new seed is drawn for each run"),
        ("b", "reused", "its result is in the cache"),
        ("p", "runs", "`value` comes from a, which runs"),
    ]
