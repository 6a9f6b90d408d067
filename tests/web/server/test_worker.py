"""A node may do to its process what it likes: it costs its own run and nothing else."""

import asyncio
import json
import os
import signal

import pytest

from tests.web.server.kit import NODES, draw, one
from web.server.worker import WorkerProcess, resident_bytes
from web.worker.job import Job
from web.worker.wire import pack


class Ear:
    """Hears what a worker says, for tests to wait for."""

    def __init__(self):
        self.heard = asyncio.Queue()
        self.events = []

    def __call__(self, message, data):
        if message["say"] in ("event", "node"):
            self.events.append((message["event"], data))
        else:
            self.heard.put_nowait(message)

    async def wait_for(self, say, seconds=60):
        async with asyncio.timeout(seconds):
            while (message := await self.heard.get())["say"] != say:
                pass
        return message


@pytest.fixture
async def worker(home):
    found = WorkerProcess(home)
    yield found
    await found.close()


@pytest.fixture
async def ear(worker):
    found = Ear()
    await worker.start(found)
    await found.wait_for("ready")
    return found


def job(home, graph, run="1", **more):
    folder = str(home / "outputs" / run)
    return {
        "do": "run",
        "job": {"id": run, "attempt": 1, "name": "t", "document": json.dumps(graph), "folder": folder} | more,
    }


async def test_a_job_is_done_and_its_files_lie_in_its_folder(home, worker, ear):
    worker.send(job(home, draw(5)))
    done = await ear.wait_for("done")
    assert done["state"] == "done"
    assert done["outputs"] == {"out": {"files": ["t-0001.png"]}}
    (file,) = done["files"]
    assert (file["file"], file["media_type"], file["width"], file["height"]) == ("t-0001.png", "image/png", 2, 2)
    assert (home / "outputs" / "1" / "t-0001.png").stat().st_size == file["bytes"]
    assert [event["event"] for event, _ in ear.events] == ["plan_started", "node_started", "node_finished"]


async def test_values_come_back_as_they_are_or_described(home, worker, ear):
    worker.send(job(home, one("Huge")))
    done = await ear.wait_for("done")
    assert done["outputs"] == {"out": {"value": 2**80}}
    worker.send(job(home, one("Not")))
    assert (await ear.wait_for("done"))["outputs"] == {"out": {"value": "nan (no file; decode or save it)"}}


async def test_a_result_is_kept_for_the_next_job(home, worker, ear):
    for run in ("1", "2"):
        worker.send(job(home, one("Count", value=3), run))
        await ear.wait_for("done")
    assert ear.events[-1][0] == {"event": "node_reused", "node": "count"}


async def test_a_graph_that_cannot_run_fails_with_its_reason(home, worker, ear):
    worker.send(job(home, one("Count", value=-1)))
    done = await ear.wait_for("done")
    assert (done["state"], done["error"]["code"], done["error"]["at"]) == ("failed", "bad_value", "count.value")


async def test_a_node_that_raises_or_exits_softly_fails_its_run(home, worker, ear):
    worker.send(job(home, one("Fail")))
    done = await ear.wait_for("done")
    assert (done["state"], done["error"]["at"], done["error"]["inputs"]) == (
        "failed",
        "fail",
        {"message": "'It broke.'"},
    )
    worker.send(job(home, one("Exit", hard=False), "2"))
    assert "SystemExit" in (await ear.wait_for("done"))["error"]["what"]


@pytest.mark.parametrize(
    ("graph", "words"), [(one("Abort"), "by signal SIGABRT"), (one("Exit", hard=True), "with exit code 3")]
)
async def test_a_node_that_ends_the_process_is_told_in_words(home, worker, ear, graph, words):
    worker.send(job(home, graph))
    assert words in (await ear.wait_for("dead"))["why"]


async def test_the_last_words_of_a_dead_worker_are_quoted(home, worker):
    (home / "nodes" / "broken.py").write_text(
        "import os, sys\nprint('no such luck')\nsys.stdout.flush()\nos._exit(7)\n"
    )
    ear = Ear()
    await worker.start(ear)
    why = (await ear.wait_for("dead"))["why"]
    assert "exit code 7" in why
    assert "no such luck" in why


async def test_it_starts_again_after_its_death(home, worker, ear):
    worker.kill("A test.")
    assert (await ear.wait_for("dead"))["why"] == "A test."
    assert worker.pid is None
    await worker.start(ear)
    await ear.wait_for("ready")
    worker.send(job(home, one("Count", value=1)))
    assert (await ear.wait_for("done"))["state"] == "done"


async def test_megabytes_of_print_hold_nothing_up(home, worker, ear):
    worker.send(job(home, one("Print", megabytes=16)))
    assert (await ear.wait_for("done"))["outputs"] == {"out": {"value": 16}}


async def test_a_cancelled_job_stops_at_its_next_step(home, worker, ear):
    worker.send(job(home, one("Wait", seconds=60.0, steps=600)))
    while not any(event["event"] == "node_progress" for event, _ in ear.events):
        await asyncio.sleep(0.01)
    worker.send({"do": "cancel", "id": "1", "attempt": 1})
    assert (await ear.wait_for("done", 10))["state"] == "cancelled"


async def test_cancelling_what_is_unknown_does_nothing(home, worker, ear):
    worker.send({"do": "cancel", "id": "9", "attempt": 1})
    worker.send(job(home, one("Count", value=1)))
    assert (await ear.wait_for("done"))["state"] == "done"


async def test_questions_are_answered_while_a_job_runs(home, worker, ear):
    worker.send(job(home, one("Wait", seconds=60.0, steps=600)))
    asked = job(home, one("Count", value=1))["job"]
    worker.send({"do": "forecast", "question": "q", "job": asked})
    answer = await ear.wait_for("answer")
    assert [(item["node"], item["state"]) for item in answer["found"]] == [("count", "runs")]
    worker.send({"do": "inspect", "question": "i", "job": asked | {"only": "count"}, "port": "count.number"})
    assert (await ear.wait_for("answer"))["found"]["state"] == "not_computed"
    worker.send({"do": "forecast", "question": "r", "job": asked | {"document": json.dumps(one("Nothing"))}})
    assert (await ear.wait_for("answer"))["error"]["code"] == "unknown_type"
    worker.send({"do": "inspect", "question": "s", "job": asked | {"only": "count"}, "port": 7})
    assert (await ear.wait_for("answer"))["error"]["code"] == "internal"


async def test_a_worker_that_holds_too_much_memory_is_killed(home):
    worker, ear = WorkerProcess(home, memory=400 << 20), Ear()
    await worker.start(ear)
    try:
        await ear.wait_for("ready")
        worker.send(job(home, one("Leak")))
        why = (await ear.wait_for("dead"))["why"]
        assert "MiB of memory, more than the 400 it may" in why
    finally:
        await worker.close()


async def test_a_job_larger_than_the_pipe_arrives(home, worker, ear):
    nodes = {f"n{number}": {"type": "Count", "inputs": {"value": number}} for number in range(20_000)}
    graph = {"version": 1, "nodes": nodes, "interface": {"outputs": {"last": "n19999.number"}}}
    assert len(pack(job(home, graph))) > 1 << 20
    worker.send(job(home, graph))
    assert (await ear.wait_for("done"))["outputs"] == {"last": {"value": 19_999}}


async def test_ctrl_c_is_not_the_workers(home, worker, ear):
    os.kill(worker.pid, signal.SIGINT)
    worker.send(job(home, one("Count", value=1)))
    assert (await ear.wait_for("done"))["state"] == "done"


async def test_closing_ends_the_process_and_says_nothing(home, worker, ear):
    worker.send(job(home, one("Hang")))
    pid = worker.pid
    await worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert ear.heard.empty()
    worker.send(job(home, one("Count")))


def test_memory_of_a_process_that_is_gone_is_unknown():
    assert resident_bytes(os.getpid()) > 1 << 20
    assert resident_bytes(2**30) is None
    assert "Leak" in NODES


def test_jobs_are_the_same_on_both_ends(home):
    assert Job(**job(home, one("Count"))["job"]).attempt == 1
