from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine import Lazy, Paths, Settings, node
from engine.cache import MemoryCache
from engine.explain import Forecast, forecast
from tests.engine import kit
from tests.engine.kit import Lab, graph, link, write_file

T = kit.T


@node("Roll", deterministic=False)
def roll(*, size: int = 6) -> int:
    return size


@node("Warm", device=True)
def warm(*, value: int = 0) -> int:
    return value


@node("Take")
def take(value: T) -> T:
    return value


@node("Choose")
def choose(a: Lazy[int], b: Lazy[int], *, first: bool = True) -> int:
    return a() if first else b()


@node("Both")
def both(a: int, b: int, c: str) -> int:
    return a + b


@node("Bold", version=2)
def bold(*, text: str = "") -> str:
    return text


class Bench(Lab):
    """A lab that foretells a graph and checks it against what then happens."""

    def __init__(self, *types, **more):
        super().__init__(roll, warm, take, choose, both, *types, **more)
        self.before = None

    def foretell(self, wanted, **more):
        return {
            item.node: (item.state, item.why) for item in forecast(self.plan(wanted, **more), self.cache, self.before)
        }

    def run(self, wanted, **more):
        told = self.foretell(wanted, **more)
        outcome = super().run(wanted, **more)
        self.before = self.plan(wanted, **more)
        assert self.before.keys
        ran, reused = set(self.ids("node_started")), set(self.ids("node_reused"))
        assert outcome.state == "done"
        assert ran >= {name for name, (state, _) in told.items() if state == "runs"}
        assert not ran & {name for name, (state, _) in told.items() if state == "reused"}
        assert reused <= {name for name, (state, _) in told.items() if state != "runs"}
        return told


@pytest.fixture
def lab():
    bench = Bench()
    yield bench
    bench.executor.close()


def chain(value=1, b=10):
    nodes = {
        "n": ("Number", {"value": value}),
        "m": ("Add", {"a": link("n.number"), "b": b}),
        "t": ("Add", {"a": link("m.number"), "b": 100}),
    }
    return graph(nodes, outputs={"out": "t.number"})


def test_a_first_run_runs_everything_and_a_second_nothing(lab):
    assert set(lab.run(chain()).values()) == {("runs", "never ran")}
    assert lab.run(chain()) == {
        "n": ("reused", "all that uses it is in the cache"),
        "m": ("reused", "all that uses it is in the cache"),
        "t": ("reused", "its result is in the cache"),
    }


def test_a_changed_value_is_told_where_it_was_changed(lab):
    lab.run(chain())
    assert lab.run(chain(b=20)) == {
        "n": ("reused", "its result is in the cache"),
        "m": ("runs", "`b` changed: 10 -> 20"),
        "t": ("runs", "`a` comes from m, which runs"),
    }


def test_a_new_node_never_ran(lab):
    lab.run(chain())
    longer = {**{name: (item.type, item.inputs) for name, item in chain().document.nodes.items()}}
    longer["new"] = ("Add", {"a": link("t.number"), "b": 5})
    assert lab.run(graph(longer, outputs={"out": "new.number"}))["new"] == ("runs", "never ran")


def test_a_result_that_left_the_cache_is_told(lab):
    lab.run(chain())
    lab.cache.clear()
    told = lab.foretell(chain())
    assert told["n"] == ("runs", "its result is no longer in the cache")
    assert told["t"] == ("runs", "`a` comes from m, which runs")


def test_an_older_result_of_what_comes_before_is_told(lab):
    lab.run(chain(1))
    lab.run(chain(2))
    kept = {lab.plan(chain(1)).keys["m"]}
    assert [item.why for item in forecast(lab.plan(chain(1)), kept, lab.before)] == [
        "all that uses it is in the cache", "its result is in the cache", "`a` changed with m"
    ]  # fmt: skip


def test_what_runs_in_every_run_is_told(lab):
    nodes = {
        "r": ("Roll", {}),
        "t": ("Take", {"value": link("r.number")}),
        "w": ("Write", {"text": "x", "to": "a.txt"}),
        "s": ("Several", {"graph": {"version": 1, "nodes": {"n": {"type": "Number"}},
              "interface": {"inputs": {"value": "n.value"}, "outputs": {"n": "n.number"}}}}),
    }  # fmt: skip
    wanted = graph(nodes, outputs={"out": "t.value", "more": "s.number"})
    told = lab.run(wanted)
    assert told["r"] == ("runs", "it is not deterministic")
    assert told["w"] == ("runs", "it has an effect and runs in every run")
    assert told["s"] == ("runs", "what its graph depends on shows only then")
    assert lab.foretell(wanted)["t"] == ("runs", "`value` comes from r, which runs")


def test_another_type_source_or_link_is_told(lab):
    nodes = {"n": ("Number", {}), "m": ("Number", {"value": 1}), "t": ("Add", {"a": link("n.number")})}
    lab.run(graph(nodes, outputs={"out": "t.number"}))
    nodes["t"] = ("Add", {"a": link("m.number")})
    assert lab.foretell(graph(nodes, outputs={"out": "t.number"}))["t"] == ("runs", "`a` changed: n.number -> m.number")
    nodes["t"] = ("Add", {"a": 5})
    assert lab.foretell(graph(nodes, outputs={"out": "t.number"}))["t"] == ("runs", "`a` changed: n.number -> 5")
    nodes["t"] = ("Percentage", {"value": link("m.number")})
    assert lab.foretell(graph(nodes, outputs={"out": "t.number"}))["t"] == (
        "runs", "its type changed: Add -> Percentage"
    )  # fmt: skip


def test_a_changed_source_is_told(lab):
    wanted = graph({"t": ("Text", {"text": "a"})}, outputs={"out": "t.text"})
    lab.run(wanted)
    other = Bench(replace(bold, id="Text"))
    other.before = lab.before
    assert other.foretell(wanted)["t"] == ("runs", "its source changed")
    other.executor.close()


def test_lists_are_compared_item_by_item(lab):
    def listed(*items):
        return graph({"n": ("Number", {}), "s": ("Sum", {"items": list(items)})}, outputs={"out": "s.number"})

    lab.run(listed(link("n.number"), 1))
    assert lab.foretell(listed(link("n.number"), 1))["s"][0] == "reused"
    assert lab.foretell(listed(link("n.number"), 2))["s"] == ("runs", "`items` changed: [n.number, 1] -> [n.number, 2]")
    assert lab.foretell(listed(link("n.number")))["s"] == ("runs", "`items` changed: [n.number, 1] -> [n.number]")


def test_long_values_are_cut(lab):
    lab.run(graph({"t": ("Text", {"text": "a"})}, outputs={"out": "t.text"}))

    def why(text):
        return lab.foretell(graph({"t": ("Text", {"text": text})}, outputs={"out": "t.text"}))["t"][1]

    assert why("b" * 999) == f'`text` changed: "a" -> "{"b" * 59}...'
    lab.run(graph({"t": ("Text", {"text": f"{'a' * 99} red fox"})}, outputs={"out": "t.text"}))
    assert why(f"{'a' * 99} blue fox") == f'`text` changed: ...{"a" * 19} red fox" -> ...{"a" * 19} blue fox"'


def test_another_device_or_precision_is_told_where_it_matters(lab):
    wanted = graph({"w": ("Warm", {}), "n": ("Number", {})}, outputs={"w": "w.number", "n": "n.number"})
    lab.run(wanted)
    plan = replace(lab.plan(wanted), settings=Settings(device="cpu", dtype="float32"))
    told = forecast(plan, lab.cache, lab.before)
    assert told == [
        Forecast("w", "runs", "device and precision changed: auto/auto -> cpu/float32"),
        Forecast("n", "reused", "its result is in the cache"),
    ]


def test_a_file_with_another_content_is_told(tmp_path):
    lab = Bench(paths=Paths(inputs=(tmp_path,)))
    write_file(tmp_path / "a.txt", "one")
    write_file(tmp_path / "b.txt", "two")
    wanted = graph({"r": ("Read", {"file": "a.txt"})}, outputs={"out": "r.text"})
    lab.run(wanted)
    write_file(tmp_path / "a.txt", "three")
    assert lab.run(wanted)["r"] == ("runs", "`file` changed in its content")
    other = graph({"r": ("Read", {"file": "b.txt"})}, outputs={"out": "r.text"})
    told = lab.foretell(other)["r"][1]
    assert told.startswith("`file` changed: ")
    assert "a.txt -> " in told
    assert told.endswith("b.txt")
    plan = lab.plan(other)
    (tmp_path / "b.txt").unlink()
    (told,) = forecast(plan, lab.cache, lab.before)
    assert (told.state, told.why) == ("runs", "`file`: The file cannot be read: No such file or directory.")
    lab.executor.close()


def test_a_file_that_has_gone_since_the_run_before_counts_as_changed(tmp_path):
    lab = Bench(paths=Paths(inputs=(tmp_path,)))
    gone = write_file(tmp_path / "a.txt", "one")
    write_file(tmp_path / "b.txt", "two")
    lab.before = lab.plan(graph({"r": ("Read", {"file": "a.txt"})}, outputs={"out": "r.text"}))
    gone.unlink()
    told = lab.foretell(graph({"r": ("Read", {"file": "b.txt"})}, outputs={"out": "r.text"}))["r"]
    assert told[0] == "runs"
    assert told[1].startswith("`file` changed: ")
    lab.executor.close()


def test_a_file_that_a_link_names_is_known_only_in_the_run(tmp_path):
    lab = Bench(paths=Paths(inputs=(tmp_path,)))
    write_file(tmp_path / "a.txt", "one")
    nodes = {
        "t": ("Text", {"text": "a.txt"}),
        "r": ("Read", {"file": link("t.text")}),
        "u": ("Take", {"value": link("r.text")}),
    }
    wanted = graph(nodes, outputs={"out": "u.value"})
    lab.run(wanted)
    assert lab.run(wanted) == {
        "t": ("reused", "its result is in the cache"),
        "r": ("unknown", "`file` is named by a link"),
        "u": ("unknown", "`value` comes from r, which may run"),
    }
    lab.executor.close()


def test_what_depends_on_several_steps_names_the_one_that_may_run(tmp_path):
    lab = Bench(paths=Paths(inputs=(tmp_path,)))
    write_file(tmp_path / "a.txt", "one")
    nodes = {
        "n": ("Number", {}),
        "t": ("Text", {"text": "a.txt"}),
        "r": ("Read", {"file": link("t.text")}),
        "b": ("Both", {"a": link("n.number"), "b": link("n.number"), "c": link("r.text")}),
    }
    lab.run(graph(nodes, outputs={"out": "b.number"}))
    assert lab.run(graph(nodes, outputs={"out": "b.number"})) == {
        "n": ("reused", "its result is in the cache"),
        "t": ("reused", "its result is in the cache"),
        "r": ("unknown", "`file` is named by a link"),
        "b": ("unknown", "`c` comes from r, which may run"),
    }
    lab.executor.close()


def test_lazy_inputs_may_not_be_asked_for(lab):
    def choosing(first, value=1):
        nodes = {
            "n": ("Number", {"value": value}),
            "deep": ("Add", {"a": link("n.number")}),
            "m": ("Number", {"value": 9}),
            "c": ("Choose", {"a": link("deep.number"), "b": link("m.number"), "first": first}),
        }
        return graph(nodes, outputs={"out": "c.number"})

    lab.run(choosing(first=True))
    assert lab.foretell(choosing(first=False)) == {
        "n": ("reused", "all that uses it is in the cache"),
        "deep": ("reused", "its result is in the cache"),
        "m": ("unknown", "it runs only if c asks for it"),
        "c": ("runs", "`first` changed: true -> false"),
    }
    assert lab.run(choosing(first=True, value=2)) == {
        "n": ("unknown", "it runs only if c asks for it"),
        "deep": ("unknown", "it runs only if c asks for it"),
        "m": ("unknown", "it runs only if c asks for it"),
        "c": ("runs", "`a` comes from deep, which may run"),
    }


def test_a_value_without_an_identity_is_told(lab):
    wanted = graph({"t": ("Take", {})}, inputs={"value": "t.value"}, outputs={"out": "t.value"})
    assert lab.foretell(wanted, given={"value": object()})["t"] == (
        "runs", "`value` was given as a value that has no identity"
    )  # fmt: skip
    lab.before = lab.plan(wanted, given={"value": Path("a")})
    assert lab.foretell(wanted, given={"value": Settings(previews=True)})["t"] == (
        "runs", f"`value` changed: a -> {str(Settings(previews=True))[:60]}..."
    )  # fmt: skip


def test_asking_is_no_use_of_the_cache():
    cache = MemoryCache(1 << 20)
    assert "a" not in cache
