"""A value in the cache is told as JSON; what is not there is said so."""

import base64

import pytest

from engine import Graph, PatchbayError, Paths, Settings, node, plan
from engine.cache import MemoryCache
from engine.executor import Executor
from engine.inspection import Fact, Histogram, Inspection, Shown
from tests.engine import kit
from web.worker.looking import look


class Seen:
    def digest(self):
        return "seen"

    def inspect(self, _pictures):
        return Inspection((Fact("size", "3"),), Histogram(0.0, 1.0, (1, 2)), (Shown("all", 2, 1, b"png"),))


@node("See")
def see(*, value: int = 0) -> Seen:
    return Seen()


@node("Bend", relay=True)
def bend(value: kit.T) -> kit.T:
    return value


@node("Roll", deterministic=False)
def roll() -> int:
    return 4


GRAPH = {
    "version": 1,
    "nodes": {
        "s": {"type": "See"},
        "b": {"type": "Bend", "inputs": {"value": {"link": "s.seen"}}},
        "c": {"type": "Bend", "inputs": {"value": {"link": "b.value"}}},
        "w": {"type": "Bend", "inputs": {"value": 5}},
        "r": {"type": "Roll"},
        "n": {"type": "Number", "inputs": {"value": 7}},
    },
}


@pytest.fixture
def bench():
    """Runs nodes of the graph, and looks at their values."""
    catalog, cache = kit.catalog(see, bend, roll), MemoryCache(1 << 20)
    executor = Executor(catalog, cache)

    def planned(only):
        return plan(Graph.from_data(GRAPH), catalog, Paths(), Settings(), only=only)

    yield lambda only: executor.run(planned(only)), lambda port: look(planned(port.partition(".")[0]), port, cache)
    executor.close()


NOT = {"state": "not_computed", "facts": [], "histogram": None, "pictures": []}


def test_what_was_not_computed_is_said_so_and_not_computed(bench):
    run, look_at = bench
    assert look_at("s.seen") == {**NOT, "label": "Seen"} == look_at("s.seen")
    run("s")
    assert look_at("s.seen")["state"] == "here"


def test_a_value_is_told_as_json(bench):
    run, look_at = bench
    run(["s", "n"])
    assert look_at("s.seen") == {
        "state": "here",
        "label": "Seen",
        "facts": [{"name": "size", "value": "3"}],
        "histogram": {"low": 0.0, "high": 1.0, "counts": [1, 2]},
        "pictures": [{"label": "all", "width": 2, "height": 1, "png": base64.b64encode(b"png").decode()}],
    }
    found = look_at("n.number")
    assert (found["label"], found["facts"], found["histogram"]) == ("int", [{"name": "value", "value": "7"}], None)


def test_a_relay_shows_what_it_is_given(bench):
    run, look_at = bench
    run(["s", "w"])
    assert look_at("c.value") == look_at("s.seen")
    assert look_at("w.value")["facts"] == [{"name": "value", "value": "5"}]


def test_what_no_cache_keeps_cannot_be_looked_at(bench):
    run, look_at = bench
    run("r")
    assert look_at("r.number") == {**NOT, "label": "int"}


def test_an_output_that_is_not_there_is_refused(bench):
    with pytest.raises(PatchbayError) as caught:
        bench[1]("s.sen")
    assert (caught.value.code, caught.value.at, caught.value.fix) == ("unknown_port", "s.sen", 'Did you mean "seen"?')
