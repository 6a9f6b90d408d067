"""Whatever is killed, whenever: no acknowledged run is lost, none makes its pictures twice, no file is broken."""

import contextlib
import hashlib
import os
import random
import signal
import threading
import time

import pytest

from engine.picture import extract
from tests.web.server.kit import ServerProcess, draw, free_port, one, pictures_in

FAILPOINTS = '''
"""Kills its own process at one point of the protocol, once."""

import os
import signal
import sys
from pathlib import Path

WHERE, MARK = os.environ.get("FAIL_AT", ""), Path(os.environ.get("PATCHBAY_HOME", "."), "failed")
IS_WORKER = "web.worker" in sys.orig_argv


def die(point):
    if point == WHERE and not MARK.exists():
        MARK.write_text(point)
        os.kill(os.getpid(), signal.SIGKILL)


if WHERE in ("temp", "fsync", "rename") and IS_WORKER:
    import engine.files

    write, sync, replace = os.fdopen, os.fsync, Path.replace

    def fdopen(*arguments, **more):
        file = write(*arguments, **more)
        die("temp")
        return file

    def fsync(descriptor):
        die("fsync")
        return sync(descriptor)

    def rename(self, target):
        result = replace(self, target)
        die("rename")
        return result

    os.fdopen, os.fsync, Path.replace = fdopen, fsync, rename

if WHERE in ("claim", "commit") and not IS_WORKER:
    import web.server.queue

    claim, finish = web.server.queue.Queue.claim, web.server.queue.Queue.finish

    def claimed(self, warm=None):
        result = claim(self, warm)
        if result is not None:
            die("claim")
        return result

    def finished(self, *arguments, **more):
        result = finish(self, *arguments, **more)
        die("commit")
        return result

    web.server.queue.Queue.claim, web.server.queue.Queue.finish = claimed, finished
'''


LIMIT = """
import os
import resource
import sys

if "LARGEST_FILE" in os.environ and "web.worker" not in sys.orig_argv:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["LARGEST_FILE"]),) * 2)
"""


def check_all_done(server, home, acknowledged):
    """Every run is done, once, and its picture is the one that its row names."""
    for run_id in acknowledged.values():
        while (run := server.wait(run_id, seconds=120))["state"] != "done":
            assert run["error"]["code"] == "worker_died", run  # three kills met it, and it says so
            server.request("POST", f"/api/runs/{run_id}/retry", {})
    runs = {run["id"]: run for run in server.all_runs()}
    assert sorted(runs) == sorted(acknowledged.values())
    paths = []
    for shade, run_id in acknowledged.items():
        run = runs[run_id]
        (item,) = run["files"]
        path = home / "outputs" / run["folder"].rpartition("/")[2] / item["file"]
        data = path.read_bytes()
        assert hashlib.sha256(data).hexdigest() == item["digest"]
        assert f'"shade": {shade}' in extract(data)
        paths.append(path)
    assert pictures_in(home) == sorted(paths), "a picture was made twice, or was left by an attempt that died"
    assert list((home / "outputs").rglob(".*")) == []


def submit_all(server_of, acknowledged, count, stopped):
    """A client that sends every run under a key of its own until it is acknowledged, whatever happens to the server."""
    for shade in range(count):
        while not stopped.is_set() and shade not in acknowledged:
            with contextlib.suppress(OSError, AssertionError, ValueError):
                acknowledged[shade] = server_of().submit(draw(shade, seconds=0.05), idempotency_key=f"run-{shade}")[
                    "id"
                ]
                break
            time.sleep(0.02)


def storm(home, count, kills, kill_one, seed):
    """Queue `count` runs while `kill_one` is let loose `kills` times."""
    chance = random.Random(seed)  # noqa: S311  # a storm that can be repeated
    port = free_port()
    current = [ServerProcess(home, port).wait_ready()]
    acknowledged, stopped = {}, threading.Event()
    client = threading.Thread(target=submit_all, args=(lambda: current[0], acknowledged, count, stopped))
    client.start()
    try:
        for _ in range(kills):
            kill_one(current, port, chance.uniform(0.01, 0.4))
        client.join(120)
        assert len(acknowledged) == count
        check_all_done(current[0], home, acknowledged)
    finally:
        stopped.set()
        client.join()
        current[0].stop()


def kill_server(home):
    def kill_one(current, port, wait):
        time.sleep(wait)
        current[0].kill()
        current[0] = ServerProcess(home, port).wait_ready()

    return kill_one


def kill_worker(current, _port, wait):
    """Kill the worker a moment after it has begun to take runs: always at once would give the same run up."""
    for _ in range(1000):
        if current[0].request("GET", "/ready")[1]["worker"] == "ready":
            break
        time.sleep(0.01)
    time.sleep(wait)
    for pid in current[0].workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_the_server_is_killed_again_and_again_and_nothing_is_lost(home):
    storm(home, 100, 20, kill_server(home), seed=1)


def test_the_worker_is_killed_again_and_again_and_nothing_is_lost(home):
    storm(home, 100, 20, kill_worker, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["server", "worker"])
def test_two_hundred_kills_over_five_hundred_runs_lose_nothing(home, who):
    storm(home, 500, 200, kill_server(home) if who == "server" else kill_worker, seed=3)


@pytest.mark.parametrize("point", ["claim", "temp", "fsync", "rename", "commit"])
def test_a_death_at_each_point_of_the_protocol_loses_nothing(home, start, point):
    (home / "nodes" / "failpoints.py").write_text(FAILPOINTS)
    server = start(environment={"FAIL_AT": point})
    run = server.submit(draw(7))
    if point in ("claim", "commit"):
        server.process.wait(30)
        server = start(environment={"FAIL_AT": point})
    check_all_done(server, home, {7: run["id"]})
    assert (home / "failed").read_text() == point
    assert server.run(run["id"])["attempt"] == (1 if point == "claim" else 2)


def test_stopping_the_server_puts_what_runs_back(home, start):
    server = start()
    slow = server.submit(one("Wait", seconds=30.0))
    queued = server.submit(draw(1))
    server.wait(slow["id"], "running")
    (worker,) = server.workers
    began = time.monotonic()
    server.kill(signal.SIGTERM)
    assert time.monotonic() - began < 10
    assert server.process.returncode == 0
    assert "Traceback" not in "".join(server.errors)
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    again = start()
    found = again.wait(slow["id"], "running")
    assert (found["attempt"], found["tries"]) == (2, 1)
    again.request("DELETE", f"/api/runs/{slow['id']}")
    assert again.wait(slow["id"])["state"] == "cancelled"
    assert again.wait(queued["id"])["state"] == "done"


def test_the_worker_dies_with_a_server_that_is_killed(start):
    server = start()
    run = server.submit(one("Hang"))
    server.wait(run["id"], "running")
    (worker,) = server.workers
    server.kill()
    for _ in range(100):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the worker lives on")


def test_two_servers_on_one_folder_are_refused_and_the_first_is_named(home, start):
    first = start()
    began = time.monotonic()
    second = ServerProcess(home)
    assert second.process.wait(30) == 2
    second.kill()
    text = "".join(second.errors)
    assert f"in use by the server at {first.url} (process {first.process.pid})" in text
    assert "Traceback" not in text
    assert time.monotonic() - began < 10  # generous: a busy machine starts slowly


def test_a_port_that_is_taken_is_said(home, tmp_path, start):
    first = start()
    port = first.url.rpartition(":")[2]
    second = ServerProcess(tmp_path / "other", port)
    assert second.process.wait(30) == 2
    second.kill()
    assert f"Nothing can listen at 127.0.0.1:{port}" in "".join(second.errors)


def test_a_damaged_database_is_said_and_left_alone(home):
    (home / "queue.db").write_bytes(b"no database " * 500)
    server = ServerProcess(home)
    assert server.process.wait(30) == 2
    server.kill()
    text = "".join(server.errors)
    assert "database is damaged" in text
    assert "Traceback" not in text
    assert (home / "queue.db").read_bytes() == b"no database " * 500


def test_a_full_disk_fails_the_run_and_is_said(home, start):
    """Files of this server end at 200 KB: its database and its pictures hit the limit, as on a full disk."""
    (home / "nodes" / "limit.py").write_text(LIMIT)
    server = start(environment={"LARGEST_FILE": "200000"})
    status, answer = 202, {}
    for number in range(400):
        status, answer = server.request("POST", "/api/runs", {"graph": draw(number), "name": "x" * 90})
        if status != 202:
            break
    assert (status, answer["code"]) == (507, "not_written")
    assert "full" in answer["what"] or "I/O" in answer["what"]
    assert server.request("GET", "/health")[0] == 200
    acknowledged = number
    server.kill()
    again = start()
    assert len(again.all_runs()) == acknowledged
    for run in again.all_runs():
        again.wait(run["id"], "done")
