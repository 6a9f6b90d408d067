from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from typing import Annotated, NamedTuple, TypeVar

import pytest

from engine import Bound, Cancelled, Code, Graph, Lazy, PatchbayError, Paths, node, report, track
from engine import executor as executor_module
from engine.call import as_node_error, gather
from engine.context import NodeContext, current
from tests.engine import kit
from tests.engine.kit import File, Lab, Model, Pair, graph, link, write_file

T = TypeVar("T")
PATIENCE = 30
"""Seconds after which something that should happen at once has failed."""


class Log:
    """Functions of node types that remember what they were called with."""

    def __init__(self):
        self.calls = []

    def add(self, **more):
        @node("Add", **more)
        def add(a: int, b: int = 1) -> int:
            self.calls.append((a, b))
            return a + b

        return add


class Blob:
    """A value without content of its own that can be watched."""

    def __init__(self, number=0):
        self.number = number


def chain(size, **first):
    nodes = {"n0": ("Number", first)}
    return nodes | {f"n{i}": ("Add", {"a": link(f"n{i - 1}.number")}) for i in range(1, size)}


def error_of(outcome):
    (error,) = outcome.errors
    return error.code.value, error.at, error.what, error.fix


# what runs


def test_a_run_gives_its_outputs_and_tells_each_step(lab):
    one = lab()
    outcome = one.run(graph(chain(3, value=5), outputs={"out": "n2.number", "first": "n0.number"}))
    assert (outcome.state, outcome.outputs, outcome.errors) == ("done", {"out": 7, "first": 5}, ())
    assert [(body.tag, getattr(body, "node", "")) for body in one.bodies] == [
        ("run_started", ""),
        ("node_started", "n0"), ("node_finished", "n0"),
        ("node_started", "n1"), ("node_finished", "n1"),
        ("node_started", "n2"), ("node_finished", "n2"),
        ("run_finished", ""),
    ]  # fmt: skip
    assert one.bodies[0].nodes == ("n0", "n1", "n2")


def test_a_second_run_computes_nothing(lab):
    one = lab()
    wanted = graph(chain(3), outputs={"out": "n2.number"})
    first, second = one.run(wanted), one.run(wanted)
    assert second == first
    assert [body.tag for body in one.bodies] == ["run_started", "node_reused", "run_finished"]


def test_a_change_computes_only_what_depends_on_it(lab):
    one = lab()
    wanted = graph(chain(4), outputs={"out": "n3.number"})
    one.run(wanted)
    assert one.run(wanted.with_values({"n2.b": 9})).outputs == {"out": 11}
    assert (one.ids("node_reused"), one.ids("node_started")) == (["n1"], ["n2", "n3"])


def test_a_result_of_the_same_content_ends_the_recomputing(lab):
    one = lab()
    nodes = {
        "d": ("Divide", {"a": 7, "b": 2}),
        "x": ("Add", {"a": link("d.small")}),
        "y": ("Add", {"a": link("x.number")}),
    }
    one.run(graph(nodes, outputs={"out": "y.number"}))
    nodes["d"] = ("Divide", {"a": 3, "b": 2})
    nodes["d"] = ("Divide", {"a": 10, "b": 3})
    changed = graph(nodes, outputs={"out": "y.number"})
    assert one.run(changed).outputs == {"out": 3}
    assert nodes["d"][1] == {"a": 10, "b": 3}
    nodes["d"] = ("Divide", {"a": 16, "b": 5})
    again = graph(nodes, outputs={"out": "y.number"})
    assert one.run(again).outputs == {"out": 3}
    assert (one.ids("node_started"), one.ids("node_reused")) == (["d"], ["x", "y"])
    one.run(again)
    assert one.ids("node_reused") == ["y"]


def test_without_a_listener_it_runs_all_the_same(lab):
    one = lab()
    assert one.executor.run(one.plan(graph(chain(2), outputs={"out": "n1.number"}))).outputs == {"out": 1}


def test_named_tuples_are_outputs_by_name(lab):
    nodes = {"d": ("Divide", {"a": 7, "b": 2})}
    assert lab().run(graph(nodes, outputs={"s": "d.small", "l": "d.large"})).outputs == {"s": 1, "l": 3}


def test_40_rungs_of_diamonds_call_each_node_once(lab):
    log = Log()
    one = lab(log.add())
    nodes = {"l0": ("Number", {"value": 1}), "r0": ("Number", {"value": 1})}
    for i in range(1, 41):
        inputs = {"a": link(f"l{i - 1}.number"), "b": link(f"r{i - 1}.number")}
        nodes |= {f"l{i}": ("Add", inputs), f"r{i}": ("Add", inputs)}
    assert one.run(graph(nodes, outputs={"out": "l40.number"})).outputs == {"out": 2**40}
    assert len(log.calls) == 40  # the two sides are one and the same recipe but for the last, unwanted one


def test_a_graph_of_20_000_nodes_runs(lab):
    one = lab(budget=1 << 26)
    wanted = graph(chain(20_000), outputs={"out": "n19999.number"})
    assert one.run(wanted).outputs == {"out": 19_999}
    assert one.run(wanted).outputs == {"out": 19_999}


# keys and the cache


def test_a_node_that_is_not_deterministic_runs_in_every_run(lab):
    log = Log()
    one = lab(log.add(deterministic=False))
    nodes = {"a": ("Add", {"a": 1}), "s": ("Sum", {"items": link("a.number")})}
    for _ in range(2):
        assert one.run(graph(nodes, outputs={"out": "s.number"})).outputs == {"out": 2}
    assert len(log.calls) == 2
    assert one.ids("node_reused") == ["s"]


def test_an_effect_happens_in_every_run(lab):
    written = []

    @node("Write", effect=True)
    def write(text: str) -> None:
        written.append(text)

    one = lab(write)
    nodes = {"t": ("Text", {"text": "x"}), "w": ("Write", {"text": link("t.text")})}
    for _ in range(2):
        assert one.run(graph(nodes)).state == "done"
    assert written == ["x", "x"]
    assert one.ids("node_reused") == ["t"]


def test_a_changed_file_is_read_again(lab, tmp_path):
    one = lab()
    direct = graph({"r": ("Read", {"file": "a.txt"})}, outputs={"out": "r.text"}, folder=tmp_path)
    linked = graph(
        {"t": ("Text", {"text": "a.txt"}), "r": ("Read", {"file": link("t.text")})},
        outputs={"out": "r.text"},
        folder=tmp_path,
    )
    for wanted in (direct, linked):
        for content in ("one", "three"):
            write_file(tmp_path / "a.txt", content)
            assert one.run(wanted).outputs == {"out": content}
            assert one.run(wanted).outputs == {"out": content}
            assert "r" in one.ids("node_reused")


def test_files_named_by_a_list_are_read_again_when_one_changed(lab, tmp_path):
    @node("Names")
    def names() -> list[str]:
        return ["a.txt", "b.txt"]

    one = lab(names)
    wanted = graph(
        {"n": ("Names", {}), "r": ("Read", {"file": link("n.texts")})}, outputs={"out": "r.text"}, folder=tmp_path
    )
    write_file(tmp_path / "a.txt", "one")
    write_file(tmp_path / "b.txt", "two")
    assert one.run(wanted).outputs == {"out": ["one", "two"]}
    write_file(tmp_path / "b.txt", "three")
    assert one.run(wanted).outputs == {"out": ["one", "three"]}


def test_a_file_named_by_a_link_is_held_to_the_same_roots(lab, tmp_path):
    nodes = {"t": ("Text", {"text": "../x"}), "r": ("Read", {"file": link("t.text")})}
    outcome = lab().run(graph(nodes, outputs={"out": "r.text"}, folder=tmp_path))
    code, at, what, fix = error_of(outcome)
    assert (code, at, what) == ("file_not_found", "r.file", '"../x" was not found.')
    assert fix


def test_a_file_that_went_after_the_check_fails_its_node_alone(lab, tmp_path):
    one = lab()
    file = write_file(tmp_path / "a.txt", "one")
    nodes = {"r": ("Read", {"file": "a.txt"}), "n": ("Number", {})}
    wanted = one.plan(graph(nodes, outputs={"out": "r.text", "n": "n.number"}, folder=tmp_path))
    file.unlink()
    outcome = one.executor.run(wanted)
    assert outcome.outputs == {"n": 0}
    assert error_of(outcome)[:2] == ("file_not_found", str(file))


def test_a_file_in_a_returned_graph_counts_by_its_content(lab, tmp_path):
    @node("Inner")
    def inner() -> str | Bound:
        return graph({"r": ("Read", {"file": "a.txt"})}, outputs={"out": "r.text"}, folder=tmp_path).bind()

    one = lab(inner)
    nodes = {"i": ("Inner", {}), "x": ("Text", {"text": link("i.text")})}
    for content in ("one", "three"):
        write_file(tmp_path / "a.txt", content)
        assert one.run(graph(nodes, outputs={"out": "x.text"})).outputs == {"out": content}


def test_an_optional_file_may_be_linked_to_nothing(lab):
    @node("Nothing")
    def nothing() -> str | None:
        return None

    @node("Maybe")
    def maybe(file: Annotated[str, File()] | None = None) -> bool:
        return file is None

    one = lab(nothing, maybe)
    wanted = graph({"n": ("Nothing", {}), "m": ("Maybe", {"file": link("n.value")})}, outputs={"out": "m.value"})
    assert one.run(wanted).outputs == {"out": True}
    assert one.run(wanted).outputs == {"out": True}


def test_a_new_version_is_computed_again(lab):
    log = Log()
    one = lab(log.add())
    wanted = graph({"a": ("Add", {"a": 1})}, outputs={"out": "a.number"})
    one.run(wanted)
    two = Lab(log.add(version=2))
    two.executor.close()
    two.executor = one.executor
    two.run(wanted)
    assert len(log.calls) == 2


def test_values_without_content_are_found_by_their_recipe(lab):
    @node("Blob")
    def blob(*, number: int = 0) -> Blob:
        return Blob(number)

    @node("Open")
    def opened(blob: Blob) -> int:
        return blob.number

    one = lab(blob, opened)
    nodes = {"b": ("Blob", {"number": 4}), "o": ("Open", {"blob": link("b.blob")})}
    for _ in range(2):
        assert one.run(graph(nodes, outputs={"out": "o.number"})).outputs == {"out": 4}
    assert one.ids("node_reused") == ["o"]


# lists


def test_a_list_into_a_single_input_runs_once_for_each_item(lab):
    log = Log()
    one = lab(log.add())
    nodes = {
        "r": ("Range", {"size": 3}),
        "a": ("Add", {"a": link("r.numbers")}),
        "s": ("Sum", {"items": link("a.number")}),
    }
    wanted = graph(nodes, outputs={"all": "a.number", "sum": "s.number"})
    assert one.run(wanted).outputs == {"all": [1, 2, 3], "sum": 6}
    assert one.run(wanted.with_values({"r.size": 4})).outputs == {"all": [1, 2, 3, 4], "sum": 10}
    assert log.calls == [(0, 1), (1, 1), (2, 1), (3, 1)]
    assert one.run(wanted.with_values({"r.size": 0})).outputs == {"all": [], "sum": 0}


def test_lists_run_together_item_by_item(lab):
    one = lab()
    nodes = {
        "r": ("Range", {"size": 3}),
        "a": ("Add", {"a": link("r.numbers"), "b": link("r.numbers")}),
        "d": ("Divide", {"a": link("a.number"), "b": 2}),
    }
    wanted = graph(nodes, outputs={"sum": "a.number", "small": "d.small", "large": "d.large"})
    assert one.run(wanted).outputs == {"sum": [0, 2, 4], "small": [0, 0, 0], "large": [0, 1, 2]}


def test_lists_of_different_lengths_are_refused(lab):
    nodes = {
        "r": ("Range", {"size": 3}),
        "s": ("Range", {"size": 2}),
        "a": ("Add", {"a": link("r.numbers"), "b": link("s.numbers")}),
    }
    assert error_of(lab().run(graph(nodes, outputs={"out": "a.number"}))) == (
        "bad_value",
        "a",
        "Lists that run together must be of one length; a has 3, b has 2.",
        "Make them equally long.",
    )


def test_one_value_where_a_list_is_wanted_is_a_list_of_one(lab):
    nodes = {"n": ("Number", {"value": 4}), "s": ("Sum", {"items": link("n.number")})}
    assert lab().run(graph(nodes, outputs={"out": "s.number"})).outputs == {"out": 4}


def test_a_list_of_links_and_values_is_taken_whole(lab):
    one = lab()
    nodes = {"n": ("Number", {"value": 4}), "s": ("Sum", {"items": [link("n.number"), 3]})}
    wanted = graph(nodes, outputs={"out": "s.number"})
    assert one.run(wanted).outputs == {"out": 7}
    assert one.run(wanted.with_values({"n.value": 5})).outputs == {"out": 8}


def test_what_was_declared_a_list_must_be_one(lab):
    @node("Range")
    def counted() -> list[int]:
        return (1, 2)  # type: ignore[return-value]

    nodes = {"r": ("Range", {}), "a": ("Add", {"a": link("r.numbers")})}
    assert error_of(lab(counted).run(graph(nodes, outputs={"out": "a.number"}))) == (
        "bad_value", "a.a", "This was declared to be a list; it is [1, 2] (2 items) of type tuple.", "Return a list."
    )  # fmt: skip


def test_items_without_identity_are_computed_each_time(lab):
    @node("Blobs")
    def blobs() -> list[Blob]:
        return [Blob(1), Blob(2)]

    @node("Open", deterministic=False)
    def opened(blob: Blob) -> int:
        return blob.number

    one = lab(blobs, opened)
    nodes = {"b": ("Blobs", {}), "o": ("Open", {"blob": link("b.blobs")})}
    assert one.run(graph(nodes, outputs={"out": "o.number"})).outputs == {"out": [1, 2]}

    @node("Open")
    def kept(blob: Blob) -> Blob:
        return blob

    two = lab(blobs, kept)
    assert [item.number for item in two.run(graph(nodes, outputs={"out": "o.blob"})).outputs["out"]] == [1, 2]


def test_the_item_that_runs_is_told_apart_in_progress(lab):
    @node("Steps")
    def steps(a: int) -> int:
        return sum(track([a, a]))

    one = lab(steps)
    one.run(graph({"r": ("Range", {"size": 2}), "s": ("Steps", {"a": link("r.numbers")})}, outputs={"out": "s.number"}))
    assert [(body.done, body.total) for body in one.bodies if body.tag == "node_progress"] == [
        (0, 4), (1, 4), (2, 4), (2, 4), (3, 4), (4, 4)
    ]  # fmt: skip


# lazy inputs


def test_the_branch_that_is_not_taken_never_runs(lab):
    one = lab()
    nodes = {
        "yes": ("Number", {"value": 1}),
        "no": ("Fail", {"a": 2}),
        "if": ("If", {"condition": True, "then": link("yes.number"), "otherwise": link("no.number")}),
    }
    wanted = graph(nodes, outputs={"out": "if.value"})
    assert one.run(wanted).outputs == {"out": 1}
    assert one.ids("node_started") == ["if", "yes"]
    assert one.run(wanted.with_values({"if.condition": False})).state == "failed"
    assert one.run(wanted.with_values({"if.then": 5})).outputs == {"out": 5}


def test_a_lazy_value_that_is_there_already_is_not_asked_for(lab):
    one = lab()
    nodes = {
        "n": ("Number", {"value": 3}),
        "if": ("If", {"condition": True, "then": link("n.number"), "otherwise": [link("n.number"), 1]}),
        "no": ("If", {"condition": False, "then": link("n.number"), "otherwise": [link("n.number"), 1]}),
    }
    assert one.run(graph(nodes, outputs={"out": "if.value", "no": "no.value", "n": "n.number"})).outputs == {
        "out": 3, "no": [3, 1], "n": 3
    }  # fmt: skip


def test_a_lazy_input_of_a_mapped_node_works(lab):
    @node("Pick")
    def pick(a: int, other: Lazy[int]) -> int:
        return other() if a else a

    nodes = {
        "r": ("Range", {"size": 3}),
        "n": ("Number", {"value": 9}),
        "p": ("Pick", {"a": link("r.numbers"), "other": link("n.number")}),
    }
    assert lab(pick).run(graph(nodes, outputs={"out": "p.number"})).outputs == {"out": [0, 9, 9]}


# failing


def test_a_failing_node_spares_what_does_not_depend_on_it(lab):
    one = lab()
    nodes = {
        "bad": ("Fail", {"a": 2}),
        "after": ("Add", {"a": link("bad.number")}),
        "last": ("Add", {"a": link("after.number"), "b": link("good.number")}),
        "good": ("Number", {"value": 1}),
        "fine": ("Add", {"a": link("good.number")}),
    }
    outcome = one.run(graph(nodes, outputs={"out": "last.number", "fine": "fine.number"}))
    assert (outcome.state, outcome.outputs) == ("failed", {"fine": 2})
    code, at, what, _ = error_of(outcome)
    assert (code, at) == ("node_failed", "bad")
    assert what.startswith("ValueError: not 2 (line ")
    assert what.endswith("kit.py)")
    assert outcome.errors[0].inputs == (("a", "2"),)
    assert isinstance(outcome.errors[0].__cause__, ValueError)
    assert {(body.node, body.because) for body in one.bodies if body.tag == "node_skipped"} == {
        ("after", "bad"), ("last", "bad")
    }  # fmt: skip
    assert one.bodies[-1].state == "failed"


def test_what_waits_for_two_failures_is_skipped_once(lab):
    one = lab()
    nodes = {
        "x": ("Fail", {"a": 1}),
        "y": ("Fail", {"a": 2}),
        "sum": ("Add", {"a": link("x.number"), "b": link("y.number")}),
        "late": ("If", {"condition": link("c.value"), "then": link("x.number"), "otherwise": 1}),
        "c": ("Later", {"wait": link("n.number")}),
        "n": ("Number", {}),
    }

    @node("Later")
    def later(wait: int) -> bool:
        return not wait

    outcome = Lab(later).run(graph(nodes, outputs={"sum": "sum.number", "late": "late.value"}))
    assert len(outcome.errors) == 2
    outcome = one.run(graph({name: nodes[name] for name in ("x", "y", "sum")}, outputs={"sum": "sum.number"}))
    assert one.ids("node_skipped") == ["sum"]


@pytest.mark.parametrize(
    ("raised", "code", "at", "what", "fix"),
    [
        (KeyError("k"), "node_failed", "n", "KeyError: 'k' (line ", ""),
        (ValueError(), "node_failed", "n", "ValueError: no message (line ", ""),
        (SystemExit(3), "node_failed", "n", "SystemExit: 3 (line ", ""),
        (MemoryError(), "out_of_memory", "n", "There is not enough memory for this node.", "Use a smaller size"),
        (
            type("OutOfMemoryError", (RuntimeError,), {})(),
            "out_of_memory",
            "n",
            "There is not enough",
            "Use a smaller size",
        ),
        (
            ModuleNotFoundError("x", name="cv2.x"),
            "missing_package",
            "n",
            'It needs the package "cv2.x".',
            "pip install cv2",
        ),
        (ModuleNotFoundError("x"), "node_failed", "n", "ModuleNotFoundError: x", ""),
        (
            OSError(28, "No space left on device"),
            "not_written",
            "n",
            "A file was not written: No space left",
            "Free some",
        ),
        (OSError(5, "Input/output error"), "node_failed", "n", "OSError: [Errno 5]", ""),
        (PatchbayError(Code.BAD_VALUE, "a", "Wrong.", "Mend."), "bad_value", "n.a", "Wrong.", "Mend."),
        (PatchbayError(Code.BAD_VALUE, "/file", "Wrong.", "Mend."), "bad_value", "/file", "Wrong.", "Mend."),
        (PatchbayError(Code.BAD_VALUE, "", "Wrong.", "Mend."), "bad_value", "n", "Wrong.", "Mend."),
    ],
)
def test_every_error_of_a_node_is_told_in_words(lab, raised, code, at, what, fix):
    @node("Raise")
    def raising(a: int = 1) -> int:
        raise raised

    outcome = lab(raising).run(graph({"n": ("Raise", {})}, outputs={"out": "n.number"}))
    found = error_of(outcome)
    assert found[:2] == (code, at)
    assert found[2].startswith(what)
    assert found[3].startswith(fix)
    assert outcome.errors[0].__cause__ is raised


def test_an_error_of_a_function_without_code_names_no_line():
    class Callable:
        def __call__(self, a):
            raise NotImplementedError

    step = Lab().plan(graph({"n": ("Number", {})})).steps["n"]
    from dataclasses import replace

    odd = replace(step, type=replace(step.type, function=Callable()))
    assert as_node_error(ValueError("x"), odd, "n", {}).what == "ValueError: x"


def test_a_node_that_returns_the_wrong_thing_is_told_so(lab):
    @node("Two")
    def two() -> Pair:
        return 3  # type: ignore[return-value]

    assert error_of(lab(two).run(graph({"n": ("Two", {})}, outputs={"out": "n.small"}))) == (
        "node_failed", "n", "It should have returned small, large but returned 3.", "Return the declared NamedTuple."
    )  # fmt: skip


def test_a_linked_value_out_of_range_is_refused(lab):
    nodes = {"n": ("Number", {"value": 101}), "p": ("Percentage", {"value": link("n.number")})}
    assert error_of(lab().run(graph(nodes, outputs={"out": "p.number"}))) == (
        "bad_value", "p.value", "101 does not fit: input should be less than or equal to 100.", "From nothing to all."
    )  # fmt: skip


def test_a_linked_object_is_given_as_it_is(lab):
    @node("Any")
    def anything() -> object:
        return 1 + 2j

    @node("Same")
    def same(value: T) -> T:
        return value

    nodes = {"a": ("Any", {}), "s": ("Same", {"value": link("a.value")})}
    assert lab(anything, same).run(graph(nodes, outputs={"out": "s.value"})).outputs == {"out": 1 + 2j}


# cancelling


def test_a_run_that_was_cancelled_before_runs_nothing(lab):
    one, cancel = lab(), threading.Event()
    cancel.set()
    outcome = one.run(graph(chain(3), outputs={"out": "n2.number"}), cancel=cancel)
    assert (outcome.state, outcome.outputs) == ("cancelled", {})
    assert [body.tag for body in one.bodies] == ["run_started", "run_finished"]


def test_a_node_stops_at_its_next_step_and_what_was_done_is_kept(lab):
    cancel, reached = threading.Event(), []

    @node("Slow")
    def slow(a: int) -> int:
        for step in track(range(10)):
            reached.append(step)
            if step == 2:
                cancel.set()
        return a

    one = lab(slow)
    wanted = graph({"n": ("Number", {"value": 4}), "s": ("Slow", {"a": link("n.number")})}, outputs={"out": "s.number"})
    assert one.run(wanted, cancel=cancel).state == "cancelled"
    assert reached == [0, 1, 2]
    assert one.run(wanted).outputs == {"out": 4}
    assert (one.ids("node_reused"), one.ids("node_started")) == (["n"], ["s"])


def test_a_mapped_node_stops_between_items_and_keeps_those_it_has(lab):
    log, cancel = Log(), threading.Event()

    @node("Add")
    def add(a: int) -> int:
        log.calls.append(a)
        if a == 1 and len(log.calls) == 2:
            cancel.set()
        return a

    one = lab(add)
    wanted = graph({"r": ("Range", {"size": 4}), "a": ("Add", {"a": link("r.numbers")})}, outputs={"out": "a.number"})
    assert one.run(wanted, cancel=cancel).state == "cancelled"
    assert one.run(wanted).outputs == {"out": [0, 1, 2, 3]}
    assert log.calls == [0, 1, 2, 3]


def test_an_interrupt_ends_the_run_and_leaves_the_cache_whole(lab):
    first = []

    @node("Press")
    def press(a: int) -> int:
        if not first:
            first.append(a)
            raise KeyboardInterrupt
        return a

    one = lab(press)
    wanted = graph(
        {"n": ("Number", {"value": 4}), "p": ("Press", {"a": link("n.number")})}, outputs={"out": "p.number"}
    )
    with pytest.raises(KeyboardInterrupt):
        one.run(wanted)
    assert one.run(wanted).outputs == {"out": 4}


def test_an_interrupt_waits_for_what_is_under_way(lab):
    started, ended = threading.Event(), []

    @node("Work", device=True)
    def work() -> int:
        started.set()
        for _ in iter(lambda: current().cancel.wait(PATIENCE), True):
            raise AssertionError
        ended.append(1)
        report(1)
        raise AssertionError

    @node("Press")
    def press() -> int:
        assert started.wait(PATIENCE)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab(work, press).run(graph({"w": ("Work", {}), "p": ("Press", {})}))
    assert ended == [1]


def test_a_listener_that_fails_fails_the_run(lab):
    def listen(event):
        if event.body.tag == "node_finished":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lab().run(graph(chain(2)), on_event=listen)


# beside each other


def test_a_node_without_device_runs_beside_the_one_on_the_device(lab):
    meeting = threading.Barrier(2, timeout=PATIENCE)

    @node("OnDevice", device=True)
    def on_device() -> int:
        meeting.wait()
        return 1

    @node("Beside")
    def beside() -> int:
        meeting.wait()
        return 2

    outcome = lab(on_device, beside).run(graph({"d": ("OnDevice", {}), "b": ("Beside", {})}))
    assert outcome.state == "done"


def test_a_node_on_the_device_may_itself_run_a_graph_that_needs_the_device(lab):
    labs = []

    @node("Inner", device=True)
    def inner() -> int:
        return 20

    @node("Outer", device=True)
    def outer() -> int:
        one = labs[0]
        wanted = one.plan(graph({"i": ("Inner", {})}, outputs={"out": "i.number"}))
        return one.executor.run(wanted).outputs["out"] + 1

    labs.append(lab(inner, outer))
    outcome = labs[0].run(graph({"o": ("Outer", {})}, outputs={"out": "o.number"}))
    assert outcome.outputs == {"out": 21}


def test_an_effect_holds_up_nothing(lab):
    meeting = threading.Barrier(2, timeout=PATIENCE)

    @node("Save", effect=True)
    def save(a: int) -> None:
        meeting.wait()

    @node("Next")
    def following(a: int) -> int:
        meeting.wait()
        return a

    one = lab(save, following)
    nodes = {"n": ("Number", {}), "s": ("Save", {"a": link("n.number")}), "x": ("Next", {"a": link("n.number")})}
    assert one.run(graph(nodes, outputs={"out": "x.number"})).state == "done"


def test_nodes_on_the_device_never_overlap_even_in_two_runs(lab):
    inside, overlaps = [], []

    @node("Device", device=True, deterministic=False)
    def device(*, number: int = 0) -> int:
        inside.append(number)
        overlaps.append(len(inside))
        sys.setswitchinterval(1e-5)
        inside.remove(number)
        return number

    one = lab(device)
    interval = sys.getswitchinterval()
    wanted = one.plan(graph({f"n{i}": ("Device", {"number": i}) for i in range(40)}))
    threads = [threading.Thread(target=one.executor.run, args=(wanted,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    assert overlaps == [1] * 80


def test_of_ready_nodes_those_of_the_model_in_use_go_first(lab):
    order = []

    @node("Model")
    def model(*, name: str = "", affinity: str = "") -> Model:
        return Model(name, affinity or None)

    @node("Use", device=True)
    def use(model: Model, *, number: int = 0) -> int:
        order.append((model.affinity, number))
        return number

    nodes = {"a": ("Model", {"affinity": "a"}), "b": ("Model", {"affinity": "b"}), "c": ("Model", {})}
    for number, name in enumerate(["a", "b", "c", "a", "b", "c"]):
        nodes[f"u{number}"] = ("Use", {"model": link(f"{name}.model"), "number": number})
    assert lab(model, use).run(graph(nodes)).state == "done"
    names = [name for name, _ in order]
    assert names == ["a", "a", "b", "b", None, None]


def test_async_nodes_wait_beside_each_other(lab):
    arrived = []

    @node("Wait", deterministic=False)
    async def wait(a: int) -> int:
        arrived.append(a)
        while len(arrived) < 3:  # they meet here, by no clock
            await asyncio.sleep(0)
        report(1, 1)
        return a * 2

    one = lab(wait)
    nodes = {"n": ("Number", {"value": 4})} | {f"w{i}": ("Wait", {"a": i}) for i in range(2)}
    nodes["w2"] = ("Wait", {"a": link("n.number")})
    nodes["s"] = ("Sum", {"items": [link(f"w{i}.number") for i in range(3)]})
    assert one.run(graph(nodes, outputs={"out": "s.number"})).outputs == {"out": 10}
    assert sorted(body.node for body in one.bodies if body.tag == "node_progress") == ["w0", "w1", "w2"]


def test_an_async_node_is_reused_fails_and_stops_like_any(lab):
    cancel, calls = threading.Event(), []

    @node("Async")
    async def either(*, fail: bool = False, forever: bool = False) -> int:
        calls.append(fail)
        if fail:
            raise ValueError("no")  # noqa: EM101
        while forever:
            cancel.set()
            await asyncio.sleep(0.001)
        return 1

    one = lab(either)
    wanted = graph({"a": ("Async", {})}, outputs={"out": "a.number"})
    assert [one.run(wanted).outputs for _ in range(2)] == [{"out": 1}] * 2
    assert calls == [False]
    assert error_of(one.run(wanted.with_values({"a.fail": True})))[1] == "a"
    assert one.run(wanted.with_values({"a.forever": True}), cancel=cancel).state == "cancelled"
    assert one.run(wanted).state == "done"


def test_an_async_node_may_take_its_time(lab):
    @node("Async")
    async def slow() -> int:
        await asyncio.sleep(0.15)
        return 1

    assert lab(slow).run(graph({"a": ("Async", {})}, outputs={"out": "a.number"})).outputs == {"out": 1}


def test_an_async_node_cannot_be_mapped(lab):
    @node("Async")
    async def wait(a: int) -> int:
        raise NotImplementedError

    nodes = {"r": ("Range", {}), "a": ("Async", {"a": link("r.numbers")})}
    assert error_of(lab(wait).run(graph(nodes, outputs={"out": "a.number"}))) == (
        "node_failed", "a", "An async node cannot run once for each item of a list.", "Put ForEach in between."
    )  # fmt: skip


def test_two_runs_share_one_executor(lab):
    one = lab()
    wanted = one.plan(graph(chain(300), outputs={"out": "n299.number"}))
    found = []
    threads = [threading.Thread(target=lambda: found.append(one.executor.run(wanted).outputs)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{"out": 299}] * 4


# values are dropped


def test_a_value_is_dropped_at_its_last_use(lab):
    refs, alive = {}, {}

    @node("Blob", deterministic=False)
    def blob(*, number: int = 0) -> Blob:
        made = Blob(number)
        refs[number] = weakref.ref(made)
        return made

    @node("Pass", deterministic=False)
    def passing(blob: Blob, other: Blob | None = None, *, number: int = 0) -> Blob:
        alive[number] = {name for name, ref in refs.items() if ref() is not None}
        made = Blob(number)
        refs[number] = weakref.ref(made)
        return made

    gc.disable()
    try:
        nodes = {
            "b0": ("Blob", {"number": 0}),
            "p1": ("Pass", {"blob": link("b0.blob"), "number": 1}),
            "p2": ("Pass", {"blob": link("p1.blob"), "number": 2}),
            "p3": ("Pass", {"blob": link("p2.blob"), "other": link("p1.blob"), "number": 3}),
            "p4": ("Pass", {"blob": link("p3.blob"), "number": 4}),
        }
        outcome = lab(blob, passing).run(graph(nodes, outputs={"out": "p4.blob"}))
        assert alive == {1: {0}, 2: {1}, 3: {1, 2}, 4: {3}}
        assert [name for name, ref in refs.items() if ref() is not None] == [4]
        del outcome
        assert refs[4]() is None
    finally:
        gc.enable()


def test_a_branch_that_nobody_can_take_any_more_holds_nothing(lab):
    refs, seen = {}, []

    @node("Blob", deterministic=False)
    def blob() -> Blob:
        made = Blob()
        refs["blob"] = weakref.ref(made)
        return made

    @node("Pass")
    def passing(blob: Blob) -> int:
        return blob.number

    @node("After")
    def after(a: int) -> int:
        seen.append(refs["blob"]() is None)
        return a

    gc.disable()
    try:
        nodes = {
            "b": ("Blob", {}),
            "use": ("Pass", {"blob": link("b.blob")}),
            "unused": ("Pass", {"blob": link("b.blob")}),
            "if": ("If", {"condition": True, "then": link("use.number"), "otherwise": link("unused.number")}),
            "after": ("After", {"a": link("if.value")}),
        }
        assert lab(blob, passing, after).run(graph(nodes, outputs={"out": "after.number"})).outputs == {"out": 0}
        assert seen == [True]
    finally:
        gc.enable()


# graphs in a node's place


ADD_TWICE = {
    "version": 1,
    "nodes": {
        "x": {"type": "Add", "inputs": {"a": 0}},
        "y": {"type": "Add", "inputs": {"a": {"link": "x.number"}, "b": 10}},
    },
    "interface": {"inputs": {"value": "x.a"}, "outputs": {"out": "y.number"}},
}


def several(inner, value=5):
    return {"g": ("Several", {"graph": inner, "value": value})}


def test_a_returned_graph_runs_in_the_nodes_place(lab):
    one = lab()
    nodes = several(ADD_TWICE) | {"n": ("Add", {"a": link("g.number"), "b": 100})}
    wanted = graph(nodes, outputs={"out": "n.number"})
    assert one.run(wanted).outputs == {"out": 116}
    assert one.ids("node_started") == ["g", "g/x", "g/y", "n"]
    assert one.ids("node_finished") == ["g/x", "g/y", "g", "n"]
    assert one.run(wanted).outputs == {"out": 116}
    assert set(one.ids("node_reused")) == {"g/y", "n"}


def test_a_bare_graph_may_be_returned_and_several_outputs_go_by_name(lab):
    @node("Both")
    def both() -> Pair | Graph:
        nodes = {"d": ("Divide", {"a": 7, "b": 2})}
        return graph(nodes, outputs={"large": "d.small", "small": "d.large", "more": "d.small"})

    nodes = {"b": ("Both", {})}
    assert lab(both).run(graph(nodes, outputs={"s": "b.small", "l": "b.large"})).outputs == {"s": 3, "l": 1}


def test_graphs_may_return_graphs(lab):
    inner = {
        "version": 1,
        "nodes": {"h": {"type": "Several", "inputs": {"graph": ADD_TWICE}}},
        "interface": {"inputs": {"value": "h.value"}, "outputs": {"out": "h.number"}},
    }
    one = lab()
    assert one.run(graph(several(inner), outputs={"out": "g.number"})).outputs == {"out": 16}
    assert "g/h/x" in one.ids("node_started")


def test_graphs_without_end_are_stopped(lab, monkeypatch):
    monkeypatch.setattr(executor_module, "MAX_DEPTH", 5)

    @node("Endless")
    def endless() -> int | Bound:
        return graph({"e": ("Endless", {})}, outputs={"out": "e.number"}).bind()

    one = lab(endless)
    outcome = one.run(graph({"e": ("Endless", {})}, outputs={"out": "e.number"}))
    assert error_of(outcome) == (
        "too_large", "e/e/e/e/e/e", "Graphs return graphs 5 deep.", "End the loop, or write it with Repeat."
    )  # fmt: skip
    assert one.ids("node_skipped") == ["e/e/e/e/e", "e/e/e/e", "e/e/e", "e/e", "e"]


def test_objects_may_be_given_to_a_returned_graph(lab):
    @node("Outer")
    def outer() -> str | Bound:
        inner = graph(
            {"d": ("Decode", {})}, outputs={"out": "d.text"}, inputs={"model": "d.model", "latent": "d.latent"}
        )
        return inner.bind(model=Model("a"), latent=kit.Latent("a"))

    assert lab(outer).run(graph({"o": ("Outer", {})}, outputs={"out": "o.text"})).outputs == {"out": "a a"}


def test_a_failing_inner_node_fails_the_outer_one_and_is_named(lab):
    inner = {
        "version": 1,
        "nodes": {"f": {"type": "Fail", "inputs": {"a": 1}}, "n": {"type": "Number"}},
        "interface": {"inputs": {"value": "f.a"}, "outputs": {"out": "f.number", "n": "n.number"}},
    }
    inner["interface"]["outputs"] = {"number": "f.number", "n": "n.number"}
    one = lab()
    outcome = one.run(graph(several(inner), outputs={"out": "g.number"}))
    assert error_of(outcome)[:2] == ("node_failed", "g/f")
    assert one.ids("node_skipped") == ["g"]
    assert "g/n" in one.ids("node_finished")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            {"outputs": {"one": "x.number", "two": "y.number"}},
            (
                "node_failed",
                "g",
                "The graph it returned has no output number.",
                "Name the interface's outputs after the node's.",
            ),
        ),
        (
            {"outputs": {}},
            (
                "node_failed",
                "g",
                "The graph it returned has no output number.",
                "Name the interface's outputs after the node's.",
            ),
        ),
        (
            {"inputs": {"valu": "x.a"}, "outputs": {"out": "y.number"}},
            ("unknown_input", "g/value", 'The graph\'s interface has no input "value".', 'Did you mean "valu"?'),
        ),
        (
            {"inputs": {"value": "x.c"}, "outputs": {"out": "y.number"}},
            ("unknown_port", "g/interface.inputs.value", 'Add has no input "c".', "It has: a, b."),
        ),
    ],
)
def test_a_returned_graph_that_cannot_run_fails_the_node(lab, change, found):
    inner = {**ADD_TWICE, "interface": {"inputs": {"value": "x.a"}, **change}}
    assert error_of(lab().run(graph(several(inner), outputs={"out": "g.number"}))) == found


def test_a_graph_that_was_not_declared_is_refused(lab):
    @node("Sly")
    def sly() -> int:
        return Graph.from_data(ADD_TWICE)  # type: ignore[return-value]

    assert error_of(lab(sly).run(graph({"s": ("Sly", {})}, outputs={"out": "s.number"}))) == (
        "node_failed",
        "s",
        "It returned a graph, which its annotation does not say.",
        "Annotate it with `-> T | Bound`.",
    )


def test_a_node_that_returns_graphs_cannot_be_mapped(lab):
    nodes = several(ADD_TWICE, link("r.numbers")) | {"r": ("Range", {})}
    assert error_of(lab().run(graph(nodes, outputs={"out": "g.number"}))) == (
        "node_failed",
        "g",
        "A node that returns a graph cannot run once for each item of a list.",
        "Put ForEach in between.",
    )


def test_a_run_that_stops_inside_a_returned_graph_is_cancelled(lab):
    cancel = threading.Event()

    @node("Stop")
    def stop(a: int) -> int:
        cancel.set()
        report(1)
        raise AssertionError

    inner = {**ADD_TWICE, "nodes": ADD_TWICE["nodes"] | {"y": {"type": "Stop", "inputs": {"a": {"link": "x.number"}}}}}
    one = lab(stop)
    assert one.run(graph(several(inner), outputs={"out": "g.number"}), cancel=cancel).state == "cancelled"


def test_a_graph_as_a_node_type_runs_with_its_own_defaults(lab, tmp_path):
    import json

    (tmp_path / "twice.json").write_text(json.dumps(ADD_TWICE))
    one = lab(paths=Paths(graphs=(tmp_path,)))
    nodes = {
        "a": ("graph:twice", {}),
        "b": ("graph:twice", {"value": link("a.out")}),
        "c": ("graph:twice", {"value": 3}),
    }
    wanted = graph(nodes, outputs={"a": "a.out", "b": "b.out", "c": "c.out"})
    assert one.run(wanted).outputs == {"a": 11, "b": 22, "c": 14}
    assert one.run(wanted).outputs == {"a": 11, "b": 22, "c": 14}
    assert one.ids("node_reused") == ["c", "b", "a"] or set(one.ids("node_reused")) == {"a", "b", "c"}


class Inner(NamedTuple):
    one: int
    two: int


def test_an_output_of_a_returned_graph_may_be_a_muted_one(lab):
    @node("Half")
    def half() -> Inner | Bound:
        nodes = {"x": ("Number", {}), "y": ("Number", {}, "mute")}
        return graph(nodes, outputs={"one": "x.number", "two": "y.number"}).bind()

    assert error_of(lab(half).run(graph({"h": ("Half", {})}, outputs={"out": "h.one"})))[2] == (
        "The graph it returned has no output two."
    )


def test_cancelled_is_what_a_node_raises_to_stop(lab):
    @node("Leave")
    def leave() -> int:
        raise Cancelled

    assert lab(leave).run(graph({"l": ("Leave", {})}, outputs={"out": "l.number"})).state == "cancelled"


def test_a_value_that_was_dropped_too_early_would_be_noticed():
    step = Lab().plan(graph(chain(2))).steps["n1"]
    with pytest.raises(RuntimeError, match=r"n0\.number was dropped while it was needed"):
        gather(step, lambda _: None, NodeContext(), "n1")


def test_thousands_of_ready_nodes_wait_for_the_device_in_order(lab):
    order = []

    @node("Device", device=True)
    def device(a: int, *, number: int = 0) -> int:
        order.append(number)
        return number

    nodes = {"n": ("Number", {})}
    nodes |= {f"d{i}": ("Device", {"a": link("n.number"), "number": i}) for i in range(3_000)}
    assert lab(device).run(graph(nodes)).state == "done"
    assert order == list(range(3_000))


def test_a_node_sees_the_graph_of_the_whole_run_with_its_values():
    seen = []

    @node("See")
    def see(*, value: int = 0) -> int:
        seen.append(current().graph)
        return value

    inner = {
        "version": 1,
        "nodes": {"s": {"type": "See", "inputs": {"value": 3}}},
        "interface": {"inputs": {"value": "s.value"}, "outputs": {"number": "s.number"}},
    }
    nodes = {"a": ("See", {}), "b": ("Several", {"graph": inner})}
    wanted = graph(nodes, inputs={"value": "a.value"}, outputs={"a": "a.number", "b": "b.number"})
    lab = Lab(see)
    lab.run(wanted, given={"value": 7})
    lab.executor.close()
    assert len(seen) == 2
    assert seen[0] is seen[1]
    assert seen[0].document == wanted.with_inputs({"value": 7}).document
    assert current().graph is None
