from __future__ import annotations

import threading

import pytest

from engine import Cancelled, Catalog, GraphError, NodeError, Paths, Runtime, node
from engine import catalog as catalog_module
from engine.runtime import home_paths
from tests.engine import kit
from tests.engine.kit import graph, link, write_file


@pytest.fixture
def runtime():
    made = Runtime(kit.catalog())
    yield made
    made.executor.close()


@pytest.fixture
def fresh(monkeypatch):
    """No default yet and nothing installed; what becomes the default ends with the test."""
    monkeypatch.setattr(Runtime, "_default", None)
    monkeypatch.setattr(catalog_module, "entry_points", lambda **_: [])
    monkeypatch.delenv("PATCHBAY_HOME", raising=False)
    yield
    if Runtime._default is not None:
        Runtime._default.executor.close()


SUM = graph({"n": ("Number", {}), "a": ("Add", {"a": link("n.number"), "b": 2})}, {"out": "a.number"}, {"x": "n.value"})


def test_a_graph_is_called_like_a_function(runtime):
    assert SUM(runtime=runtime, x=5) == 7
    assert SUM(runtime=runtime) == 2


def test_several_outputs_come_by_name(runtime):
    both = graph({"d": ("Divide", {"a": 7, "b": 2})}, {"small": "d.small", "large": "d.large"})
    assert both(runtime=runtime) == {"small": 1, "large": 3}


def test_an_interface_may_have_any_names(runtime):
    odd = graph({"n": ("Number", {})}, {"out": "n.number"}, {"self": "n.value"})
    assert odd(runtime=runtime, self=3) == 3
    assert dict(odd.bind(self=3).values) == {"self": 3}


def test_a_file_named_in_person_may_lie_anywhere(runtime, tmp_path):
    file = write_file(tmp_path / "a.txt", "hello")
    read = graph({"r": ("Read", {})}, {"out": "r.text"}, {"file": "r.file"})
    assert read(runtime=runtime, file=file) == "hello"
    with pytest.raises(GraphError):
        read(runtime=runtime, file=str(file))


def test_what_goes_wrong_is_raised(runtime):
    bad = graph({"f": ("Fail", {"a": 1})}, {"out": "f.number"})
    with pytest.raises(NodeError):
        bad(runtime=runtime)
    with pytest.raises(GraphError):
        SUM(runtime=runtime, y=1)
    cancel, seen = threading.Event(), []
    cancel.set()
    with pytest.raises(Cancelled):
        runtime.call(SUM, {}, cancel=cancel, on_event=seen.append)
    assert [event.body.tag for event in seen] == ["run_started", "run_finished"]


def test_a_runtime_that_writes_elsewhere_shares_the_cache(runtime, tmp_path):
    other = runtime.writing_to(tmp_path)
    assert other.paths.outputs == tmp_path
    assert runtime.paths.outputs is None
    assert other.executor is runtime.executor


@pytest.mark.usefixtures("fresh")
def test_the_default_runtime_is_made_once_and_reads_beside_the_graph():
    first = Runtime.default()
    assert Runtime.default() is first
    assert first.paths == Paths()
    assert first.catalog.types == {}


@pytest.mark.usefixtures("fresh")
def test_the_data_folder_gives_roots_and_node_files(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHBAY_HOME", str(tmp_path))
    (tmp_path / "nodes").mkdir()
    source = "from engine import node\n\n@node('Home')\ndef home() -> int:\n    return 4\n"
    write_file(tmp_path / "nodes" / "runtime_test.py", source)
    assert graph({"h": ("Home", {})}, {"out": "h.number"})() == 4
    assert Runtime.default().paths == home_paths(tmp_path)


def test_two_runtimes_do_not_share_results():
    calls = []

    @node("Count")
    def count() -> int:
        calls.append(1)
        return 1

    for _ in range(2):
        runtime = Runtime(Catalog.of([count]))
        assert graph({"c": ("Count", {})}, {"out": "c.number"})(runtime=runtime) == 1
        runtime.executor.close()
    assert len(calls) == 2
