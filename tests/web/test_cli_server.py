"""The commands that talk to a server, as a person uses them, against a server of the test's own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.web.fake_server import TOKEN, FakeServer, problem
from web.server import app as server_app


@pytest.fixture
def server(home, monkeypatch):
    monkeypatch.delenv("PATCHBAY_SERVER", raising=False)
    monkeypatch.delenv("PATCHBAY_TOKEN", raising=False)
    with FakeServer() as running:
        (home / "server.json").write_text(json.dumps({"url": running.url, "token": TOKEN, "pid": 1}))
        yield running


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


NODES = [
    ("run_queued", {}),
    ("run_started", {"attempt": 1, "at": 100.0}),
    ("plan_started", {"nodes": ["load", "sample"]}),
    ("node_reused", {"node": "load"}),
    ("node_started", {"node": "sample"}),
    ("node_progress", {"node": "sample", "done": 1, "total": 2}),
    ("node_message", {"node": "sample", "text": "The prompt is long."}),
    ("node_dreamt", {"node": "sample"}),
    ("node_finished", {"node": "sample", "seconds": 0.5}),
]


def done(server, *files, name="image"):
    made = [server.make(data, file) for file, data in files]
    server.ends = {"state": "done", "outputs": {name: made}, "files": made, "folder": "/data/outputs/1"}
    server.script = lambda _run: [*NODES, ("run_finished", {"state": "done", "at": 102.5})]


def test_submit_prints_the_id_and_sends_graph_and_inputs(patchbay, server):
    result = patchbay("submit", "text_to_image", "--prompt", "a fox", "--seed", "3", "--priority", "5")
    assert (result.exit_code, result.stdout) == (0, "1\n"), result.output
    (sent,) = server.submissions
    assert sent["inputs"] == {"prompt": "a fox", "seed": 3}
    assert (sent["name"], sent["priority"]) == ("text_to_image", 5)
    assert sent["graph"]["version"] == 1
    assert len(sent["idempotency_key"]) == 36
    assert "only" not in sent
    patchbay("submit", "text_to_image", "--only", "sample", "--json")
    assert server.submissions[1]["only"] == "sample"
    patchbay("submit", "text_to_image", "--only", "sample", "--only", "size")
    assert server.submissions[2]["only"] == ["sample", "size"]
    assert server.submissions[1]["idempotency_key"] != sent["idempotency_key"]


def test_submit_sets_inputs_behind_the_interface(patchbay, server, write_graph):
    graph = write_graph({"a": {"type": "Number"}, "b": {"type": "Number"}}, {"value": "a.value"}, {"out": "a.number"})
    result = patchbay("submit", graph, "--set", "b.value=2", "--set", "a.value=9", "--json")
    assert lines(result) == [server.runs["1"]]
    (sent,) = server.submissions
    assert sent["inputs"] == {"value": 9}
    assert sent["graph"]["nodes"] == {"a": {"type": "Number"}, "b": {"type": "Number", "inputs": {"value": 2}}}


def test_a_value_that_is_set_is_not_drawn(patchbay, server, write_graph):
    nodes = {"a": {"type": "Number", "inputs": {"value": 1}}, "b": {"type": "Number", "inputs": {"value": 2}}}
    seeds = {"a.value": "random", "b.value": "random"}
    graph = write_graph(nodes, {"value": "a.value"}, {"out": "a.number"}, seeds=seeds)
    patchbay("submit", graph, "--set", "b.value=3")
    patchbay("submit", graph, "--value", "4")
    assert [sent["graph"]["seeds"] for sent in server.submissions] == [{"a.value": "random"}, seeds]
    assert [sent["inputs"] for sent in server.submissions] == [{}, {"value": 4}]


def test_a_picture_is_submitted_with_the_values_that_made_it(patchbay, server):
    from PIL import Image as Pillow

    from engine.picture import embed

    Pillow.new("RGB", (4, 4)).save("old.png")
    graph = {"version": 1, "nodes": {"a": {"type": "Number", "inputs": {"value": 1}}}}
    text = json.dumps({**graph, "seeds": {"a.value": "random"}})
    Path("old.png").write_bytes(embed(Path("old.png").read_bytes(), text))
    assert patchbay("submit", "old.png").exit_code == 0
    assert server.submissions[0]["graph"] == graph


def test_the_seed_that_was_drawn_is_printed(patchbay, server):
    done(server, ("a-0001.png", b"one"))
    server.ends["drawn"] = {"sample.seed": 77}
    result = patchbay("submit", "text_to_image", "--wait")
    assert result.stdout.splitlines()[-1] == "seed: 77"


def test_a_picture_that_is_named_is_uploaded_first(patchbay, server):
    Path("photo.png").write_bytes(b"a photo")
    assert patchbay("submit", "image_to_image", "--image", "photo.png").exit_code == 0
    assert server.uploads == [("image/png", b"a photo")]
    assert server.submissions[0]["inputs"]["image"].startswith("uploads/")
    assert [line.split("?")[0] for line in server.requests] == ["POST /api/uploads", "POST /api/runs"]


def test_a_picture_that_carries_a_graph_is_submitted_like_one(patchbay, server):
    from PIL import Image as Pillow

    from engine.picture import embed

    Pillow.new("RGB", (4, 4)).save("old-0007.png")
    graph = {"version": 1, "nodes": {"t": {"type": "Text", "inputs": {"text": "x"}}}}
    Path("old-0007.png").write_bytes(embed(Path("old-0007.png").read_bytes(), json.dumps(graph)))
    assert patchbay("submit", "old-0007.png").exit_code == 0
    assert (server.submissions[0]["graph"], server.submissions[0]["name"]) == (graph, "old")


def test_submit_can_wait_and_says_where_the_pictures_are(patchbay, server):
    done(server, ("a-0001.png", b"one"), ("a-0002.png", b"two"))
    result = patchbay("submit", "text_to_image", "--seed", "3", "--wait")
    assert result.exit_code == 0, result.output
    assert result.stdout == "image: /data/outputs/1/a-0001.png\nimage: /data/outputs/1/a-0002.png\nseed: 3\n"
    for text in ("Run 1 is queued.", "· load", "✓ sample", "The prompt is long."):
        assert text in result.stderr


def test_waiting_in_json_gives_the_events_of_run_and_then_the_result(patchbay, server):
    done(server, ("a-0001.png", b"one"))
    result = patchbay("submit", "text_to_image", "--wait", "--json")
    *events, last = lines(result)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert [event["event"] for event in events] == [
        "run_started", "node_reused", "node_started", "node_progress", "node_message", "node_finished", "run_finished"
    ]  # fmt: skip
    assert events[-1]["seconds"] == 2.5
    assert (last["state"], last["run"], last["errors"]) == ("done", "1", [])
    assert last["outputs"] == {"image": ["/data/outputs/1/a-0001.png"]}


def test_a_failed_run_gives_its_error_and_exit_code_1(patchbay, server):
    fault = {"code": "node_failed", "at": "sample", "what": "It broke.", "fix": "Mend it.", "inputs": {"steps": "20"}}
    server.ends = {"state": "failed", "error": fault}
    failed = ("node_failed", {"node": "sample", "error": fault})
    server.script = lambda _run: [*NODES[:5], failed, ("run_finished", {"state": "failed"})]
    result = patchbay("submit", "text_to_image", "--wait")
    assert result.exit_code == 1
    for text in ("✗ sample", "node_failed sample: It broke.", "Mend it.", "steps = 20"):
        assert text in result.stderr
    assert lines(patchbay("submit", "text_to_image", "--wait", "--json"))[-1]["errors"] == [fault]


def test_a_run_that_is_started_again_is_drawn_anew(patchbay, server):
    again = ("run_queued", {"because": "The worker died."})
    server.script = lambda _run: [*NODES[:6], again, *NODES[1:], ("run_finished", {"state": "done"})]
    result = patchbay("submit", "text_to_image", "--wait")
    assert result.exit_code == 0, result.output
    assert "Run 1 is queued again: The worker died." in result.stderr


def test_a_server_that_is_lost_while_waiting_gives_exit_code_1(patchbay, server, monkeypatch):
    monkeypatch.setattr("web.client.PATIENCE", 0.0)
    server.script = lambda _run: NODES[:3]
    server.cuts = [1] * 99
    for more in ([], ["--json"]):
        result = patchbay("submit", "text_to_image", "--wait", *more)
        assert result.exit_code == 1
        assert "no_server" in result.output
        assert "Traceback" not in result.output


def test_run_on_a_server_fetches_its_pictures_as_numbered_files(patchbay, server):
    done(server, ("text_to_image-0001.png", b"one"), ("text_to_image-0002.png", b"two"))
    for _ in range(2):
        result = patchbay("run", "text_to_image", "--server", f"{server.url}/?token={TOKEN}", "-o", "out")
        assert result.exit_code == 0, result.output
    names = [f"text_to_image-000{number}.png" for number in (1, 2, 3, 4)]
    assert sorted(path.name for path in Path("out").iterdir()) == names
    assert [Path("out", name).read_bytes() for name in names] == [b"one", b"two", b"one", b"two"]
    assert result.stdout.startswith(f"image: {Path('out').absolute() / names[2]}\n")


def test_run_on_a_server_fetches_what_nodes_saved_and_keeps_plain_values(patchbay, server):
    made = server.make(b"one", "sub/small-0001.png")
    server.ends = {"outputs": {"n": 5, "l": [1, 2], "e": []}, "files": [made], "folder": "/x"}
    result = patchbay("run", "text_to_image", "--server", server.url, "-o", "out", "--json")
    found = lines(result)[-1]["outputs"]
    assert found == {"n": 5, "l": [1, 2], "e": [], "files": [str(Path("out/small-0001.png").absolute())]}


@pytest.mark.parametrize("file", ["../../evil.png", "/etc/evil.png", "..", "evil.p/../../x", "evil\0.png"])
def test_a_file_never_leaves_its_folder_whatever_the_server_calls_it(patchbay, server, file):
    made = server.make(b"one", file)
    server.ends = {
        "name": "../../evil",
        "outputs": {"../up": [made], "n": 1},
        "files": [server.make(b"two", file + "2")],
    }
    server.script = lambda _run: [("run_finished", {"state": "done"})]
    patchbay("run", "text_to_image", "--server", server.url, "-o", "out")
    assert {path.parent for path in Path().rglob("*") if path.is_file()} <= {Path("out")}
    assert not list(Path().absolute().parent.glob("*evil*"))


@pytest.mark.parametrize("flags", [["--device", "cpu"], ["--dtype", "float16"], ["--download"]])
def test_what_a_server_decides_is_refused_on_the_command_line(patchbay, server, flags):
    result = patchbay("run", "text_to_image", "--server", server.url, *flags)
    assert result.exit_code == 2
    assert f"bad_value {flags[0]}: A server runs graphs as it was configured." in result.stderr
    assert server.requests == []


def test_the_problems_of_a_refused_graph_are_all_told(patchbay, server):
    found = [("bad_value", "sample.steps", "0 does not fit.", "1 to 1000."), ("cycle", "a", "It waits.", "")]
    server.answer = lambda _: problem(422, *found)
    result = patchbay("submit", "text_to_image")
    assert result.exit_code == 2
    assert "bad_value sample.steps: 0 does not fit." in result.stderr
    assert "cycle a: It waits." in result.stderr
    (last,) = lines(patchbay("submit", "text_to_image", "--json"))
    assert [item["code"] for item in last["problems"]] == ["bad_value", "cycle"]


def test_wrong_flags_are_refused_before_the_server_is_asked(patchbay, server):
    result = patchbay("submit", "text_to_image", "--promt", "x")
    assert result.exit_code == 2
    assert 'Did you mean "prompt"?' in result.stderr
    assert server.requests == []


def test_submit_shows_the_flags_of_a_graph(patchbay):
    result = patchbay("submit", "text_to_image", "--help")
    assert result.exit_code == 0
    assert "Usage: patchbay submit" in result.stdout
    assert "--prompt" in result.stdout
    assert patchbay("submit", "--help").exit_code == 0
    assert patchbay("submit").exit_code == 2


def test_ctrl_c_cancels_the_run_on_the_server(patchbay, server):
    server.ends = {"state": "running"}
    server.script = lambda _run: NODES[:6]

    def interrupt():
        while not any(line.startswith("GET /api/events") for line in server.requests):
            time.sleep(0.01)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    result = patchbay("submit", "text_to_image", "--wait")
    assert result.exit_code == 1
    assert server.runs["1"]["state"] == "cancelled"
    assert "Stopped at sample, step 1 of 2" in result.stderr


def test_runs_lists_the_newest_first(patchbay, server):
    now = time.time()
    server.add(name="[old]", state="failed", created=now - 90_000, started=now - 90_000, finished=now - 89_998.5,
               error={"code": "node_failed", "at": "sample", "what": "It broke.", "fix": ""})  # fmt: skip
    server.add(name="fresh", state="queued", priority=7, created=now - 185)
    result = patchbay("runs")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["id", "state", "name", "priority", "age", "seconds", "error"],
        ["2", "queued", "fresh", "7", "3", "min"],
        ["1", "failed", "[old]", "0", "1", "d", "1.5", "sample:", "It", "broke."],
    ]
    assert [run["id"] for run in lines(patchbay("runs", "--json", "--state", "failed"))] == ["1"]
    assert [run["id"] for run in lines(patchbay("runs", "--json", "--limit", "1"))] == ["2"]
    assert patchbay("runs", "--state", "odd").exit_code == 2


def test_cancel_says_what_became_of_the_run(patchbay, server):
    server.add(state="queued")
    assert patchbay("cancel", "1").stdout == "run 1: cancelled\n"
    result = patchbay("cancel", "1")
    assert result.exit_code == 2
    assert "conflict 1: The run is cancelled. " in result.stderr.replace("\n", " ")
    server.add(state="queued")
    assert lines(patchbay("cancel", "2", "--json"))[0]["state"] == "cancelled"
    server.answer = lambda _: _running(server)
    assert patchbay("cancel", "2").stdout == "run 2: stops at its next step\n"


def _running(server):
    from aiohttp import web

    return web.json_response({**server.runs["2"], "state": "running"})


@pytest.mark.parametrize("command", [["submit", "text_to_image"], ["runs"], ["cancel", "1"]])
def test_without_a_server_the_fix_is_said(patchbay, monkeypatch, command):
    monkeypatch.delenv("PATCHBAY_SERVER", raising=False)
    result = patchbay(*command)
    assert result.exit_code == 2
    assert "no_server" in result.stderr
    assert "patchbay serve" in result.stderr
    monkeypatch.setenv("PATCHBAY_SERVER", "http://127.0.0.1:9")
    result = patchbay(*command)
    assert result.exit_code == 2
    assert "no_server http://127.0.0.1:9: No server answers there: Connection refused." in result.stderr


def test_serve_hands_over_what_was_asked(patchbay, home, monkeypatch):
    asked = []

    async def serve(config, *, host, port, token, say):
        asked.append((config.home, host, port, token))
        say("http://[::1]:8188/?token=x")

    monkeypatch.setattr(server_app, "serve", serve)
    assert patchbay("serve").stdout == "http://[::1]:8188/?token=x\n"
    assert patchbay("serve", "--port", "9", "--host", "localhost", "--no-token").exit_code == 0
    assert asked == [(home, "127.0.0.1", 8188, True), (home, "localhost", 9, False)]
    assert patchbay("serve", "--port", "70000").exit_code == 2


@pytest.mark.parametrize("arguments", [["submit", "text_to_image"], ["runs"], ["cancel", "1"]])
def test_talking_to_a_server_needs_no_server_library(home, arguments):
    code = (
        "import sys\nfrom web.cli import app\n"
        f"try:\n    app({arguments!r})\nexcept SystemExit as end:\n    assert end.code == 2, end.code\n"
        "assert not {'torch', 'diffusers', 'transformers', 'aiohttp'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
