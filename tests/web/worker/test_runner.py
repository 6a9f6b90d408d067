"""A job becomes a result and events, in this process."""

import json
import threading
from pathlib import Path

import pytest

from engine import Graph
from engine.events import Event, NodePreview, NodeProgress
from tests.web.server.kit import config_of, draw, make_home, one
from web.worker.job import Job
from web.worker.runner import REMEMBERED, Runner, _Teller, is_plain


@pytest.fixture
def home(tmp_path):
    return make_home(tmp_path / "home")


@pytest.fixture
def runner(home, monkeypatch):
    found = Runner(config_of(home, monkeypatch))
    yield found
    found._executor.close()


def job(home, graph, name="fox", **more):
    folder = str(home / "outputs" / "1")
    return Job(**{"id": "1", "attempt": 1, "name": name, "document": json.dumps(graph), "folder": folder} | more)


def run(runner, job_):
    told = []
    result = runner.run(job_, lambda message, data=b"": told.append((message, data)), threading.Event())
    return result, told


def test_pictures_carry_the_graph_with_its_values(home, runner):
    result, _ = run(runner, job(home, draw(9)))
    (file,) = result["files"]
    inside = Graph.load(Path(home, "outputs", "1", file["file"]))
    assert inside.document.nodes["draw"].inputs == {"shade": 9}
    again, _ = run(runner, job(home, json.loads(inside.dumps()), folder=str(home / "outputs" / "2")))
    assert [item["digest"] for item in again["files"]] == [file["digest"]]


def test_several_outputs_are_told_apart_by_name(home, runner):
    graph = draw(9)
    graph["nodes"]["other"] = {"type": "Draw", "inputs": {"shade": 8}}
    graph["interface"]["outputs"]["second"] = "other.drawing"
    result, _ = run(runner, job(home, graph))
    assert result["outputs"] == {"out": {"files": ["out-0001.png"]}, "second": {"files": ["second-0001.png"]}}
    only, _ = run(runner, job(home, graph, wanted=["second"], folder=str(home / "outputs" / "2")))
    assert list(only["outputs"]) == ["second"]


MOVING = """
from dataclasses import dataclass

from engine import node


@dataclass(frozen=True)
class Moving:
    shade: int

    def files(self) -> list[bytes]:
        return [bytes([0, 0, 0, 32]) + b"ftypisom" + bytes([self.shade])]


@node("Move")
def move(*, shade: int = 0) -> Moving:
    \"\"\"A video.\"\"\"
    return Moving(shade)
"""


def test_a_video_is_a_file_of_its_own_type(home, monkeypatch):
    (home / "nodes" / "moving.py").write_text(MOVING)
    found = Runner(config_of(home, monkeypatch))
    result, _ = run(found, job(home, one("Move", "moving", "fox", shade=7)))
    found._executor.close()
    assert result["outputs"] == {"out": {"files": ["fox-0001.mp4"]}}
    (file,) = result["files"]
    assert (file["file"], file["media_type"], file["bytes"]) == ("fox-0001.mp4", "video/mp4", 13)


def test_a_run_without_files_makes_no_folder(home, runner):
    result, _ = run(runner, job(home, one("Count", value=3)))
    assert (result["files"], Path(home, "outputs").exists()) == ([], False)


def test_what_a_failing_run_reached_is_kept(home, runner):
    graph = draw(9)
    graph["nodes"]["fail"] = {"type": "Fail"}
    graph["interface"]["outputs"]["bad"] = "fail.number"
    result, _ = run(runner, job(home, graph))
    assert (result["state"], result["error"]["at"], list(result["outputs"])) == ("failed", "fail", ["out"])


def test_events_carry_run_and_attempt_and_the_last_one_is_the_result(home, runner):
    _, told = run(runner, job(home, one("Count", value=3)))
    assert {(message["id"], message["attempt"]) for message, _ in told} == {("1", 1)}
    assert [message["event"]["event"] for message, _ in told] == ["plan_started", "node_started", "node_finished"]
    assert [message["say"] for message, _ in told] == ["event", "node", "event"]


def test_a_forecast_knows_what_ran_before_under_the_name(home, runner):
    run(runner, job(home, one("Count", value=3)))
    assert runner.forecast(job(home, one("Count", value=3)))[0]["state"] == "reused"
    (changed,) = runner.forecast(job(home, one("Count", value=4)))
    assert changed == {"node": "count", "state": "runs", "why": "`value` changed: 3 -> 4"}


def test_only_so_many_graphs_are_remembered(home, runner):
    for number in range(REMEMBERED + 5):
        run(runner, job(home, one("Count", value=3), name=f"g{number}"))
    assert len(runner._plans) == REMEMBERED


def test_progress_is_told_at_a_pace_and_its_end_always(home):
    told = []
    teller = _Teller(job(home, draw(1)), lambda message, _data: told.append(message["event"]))
    for done in range(1, 1001):
        teller(Event(done, NodeProgress(node="a", done=done, total=1000)))
    assert told[0]["done"] == 1
    assert told[-1]["done"] == 1000
    assert len(told) < 100


def test_previews_are_small_pictures(home):
    class Large:
        def files(self):
            import io

            from PIL import Image

            target = io.BytesIO()
            Image.new("RGBA", (1024, 512)).save(target, "PNG")
            return [target.getvalue()]

    told = []
    teller = _Teller(job(home, draw(1)), lambda _message, data: told.append(data))
    teller(Event(1, NodePreview(node="a", value=Large())))
    teller(Event(2, NodePreview(node="a", value="nothing to look at")))
    assert told[0].startswith(b"\xff\xd8")
    assert told[1] == b""


@pytest.mark.parametrize(
    ("value", "plain"),
    [(1, True), (None, True), ([1, {"a": "b"}], True), (float("inf"), False), ({1: 2}, False), (object(), False)],
)
def test_plain_values_are_those_of_json(value, plain):
    assert is_plain(value) is plain
