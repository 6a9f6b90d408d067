"""What the server's tests share: nodes that misbehave, a worker in this process, a server in another."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from engine import PatchbayError
from web.config import Config
from web.worker.job import Job
from web.worker.runner import Runner

ROOT = Path(__file__).parents[3]

NODES = '''
"""Node types for the tests of the server."""

import os
import struct
import sys
import time
import zlib
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from engine import node, say, track


@dataclass(frozen=True)
class Drawing:
    """A picture of four pixels."""

    shade: int

    def digest(self) -> str:
        return str(self.shade)

    def files(self) -> list[bytes]:
        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        rows = (b"\\0" + bytes([self.shade % 256, self.shade // 256 % 256, 0] * 2)) * 2
        header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
        png = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        return [b"\\x89PNG\\r\\n\\x1a\\n" + png]


@node("Count")
def count(*, value: Annotated[int, Field(ge=0, le=10**9)] = 0) -> int:
    """A number."""
    return value


@node("Noise")
def noise(*, seed: Annotated[int, Field(ge=0, lt=2**63)] = 0) -> int:
    """A number that a seed gives."""
    return seed


@node("Next")
def next_(number: int) -> int:
    """One more."""
    return number + 1


@node("Add")
def add(a: int, b: int) -> int:
    """The sum."""
    return a + b


@node("Draw")
def draw(*, shade: Annotated[int, Field(ge=0, le=65535)] = 0, seconds: float = 0.0) -> Drawing:
    """A picture, after a while."""
    time.sleep(seconds)
    return Drawing(shade)


@node("Wait", deterministic=False)
def wait(*, seconds: float = 0.1, steps: int = 10) -> float:
    """Wait, step by step."""
    for _ in track(range(steps)):
        time.sleep(seconds / steps)
    return seconds


@node("Hang", deterministic=False)
def hang() -> int:
    """Wait for ever and listen to nobody."""
    while True:
        time.sleep(3600)


@node("Abort", deterministic=False)
def abort(*, once: str = "") -> int:
    """End the process by a signal; with a file name, only while there is no such file."""
    if once and os.path.exists(once):
        return 1
    if once:
        open(once, "w").close()
    say("here it comes")
    os.abort()


@node("Exit", deterministic=False)
def exit_(*, hard: bool = False) -> int:
    """End the process by its own will."""
    os._exit(3) if hard else sys.exit(3)


@node("Print", deterministic=False)
def print_(*, megabytes: int = 8) -> int:
    """Print a lot, on both streams and past Python's own."""
    line = b"x" * 1023 + b"\\n"
    for _ in range(megabytes * 256):
        sys.stdout.write(line.decode())
        sys.stderr.write(line.decode())
        os.write(1, line)
        os.write(2, line)
    return megabytes


@node("Leak", deterministic=False)
def leak() -> int:
    """Take memory until somebody stops it."""
    held: list[Any] = []
    for _ in track(range(10**6)):
        held.append(bytearray(os.urandom(1) * (16 << 20)))
        time.sleep(0.005)
    return len(held)


@node("Fail")
def fail(*, message: str = "It broke.") -> int:
    """Raise."""
    raise ValueError(message)


@node("Not", deterministic=False)
def not_a_number() -> float:
    """What JSON cannot hold."""
    return float("nan")


@node("Huge")
def huge() -> int:
    """More than 64 bits."""
    return 2**80
'''


def one(type_, port="number", name=None, **inputs):
    """A graph of one node whose output is wanted; every input is the interface's too."""
    node_id = type_.lower()
    return {
        "version": 1,
        **({"name": name} if name else {}),
        "nodes": {node_id: {"type": type_, "inputs": inputs}},
        "interface": {"inputs": {key: f"{node_id}.{key}" for key in inputs}, "outputs": {"out": f"{node_id}.{port}"}},
    }


def draw(shade, name="fox", **inputs):
    return one("Draw", "drawing", name, shade=shade, **inputs)


def make_home(folder):
    (folder / "nodes").mkdir(parents=True)
    (folder / "nodes" / "lab.py").write_text(NODES)
    return folder


def config_of(home, monkeypatch):
    monkeypatch.setenv("PATCHBAY_HOME", str(home))
    return Config.load()


class LocalWorker:
    """The worker in a thread of this process: the same runner, without the wire."""

    def __init__(self, config):
        self._config = config
        self._cancels = {}
        self._threads = []
        self.sent = []
        self.dead = False

    async def start(self, hear):
        loop = asyncio.get_running_loop()
        runner = Runner(self._config)
        self._runner = runner
        self._hear = lambda message, data=b"": loop.call_soon_threadsafe(hear, message, data)
        self.dead = False
        loop.call_soon(hear, {"say": "ready"}, b"")

    def send(self, message):
        self.sent.append(message)
        if message["do"] == "cancel":
            with contextlib.suppress(KeyError):
                self._cancels[message["id"], message["attempt"]].set()
            return
        job = Job(**message["job"])
        if message["do"] == "run":
            cancel = self._cancels[job.id, job.attempt] = threading.Event()
            self._begin(self._run, job, cancel)
        else:
            self._begin(self._answer, message, job)

    def _begin(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _answer(self, message, job):
        answer = {"say": "answer", "question": message["question"]}
        try:
            if message["do"] == "forecast":
                found = self._runner.forecast(job)
            else:
                found = self._runner.inspect(job, message["port"])
            self._hear({**answer, "found": found})
        except PatchbayError as error:
            self._hear({**answer, "error": error.fields()})

    def _run(self, job, cancel):
        result = self._runner.run(job, self._hear, cancel)
        if not self.dead:
            self._hear({"say": "done", "id": job.id, "attempt": job.attempt, **result})

    def kill(self, why):
        self.dead = True
        self._hear({"say": "dead", "why": why})

    async def close(self):
        for cancel in self._cancels.values():
            cancel.set()
        for thread in self._threads:  # what they still say is for a loop that runs
            await asyncio.to_thread(thread.join)
        self._runner._executor.close()


class ServerProcess:
    """`patchbay serve` as a user starts it, and the few requests that tests make of it."""

    def __init__(self, home, port=0, environment=None, arguments=()):
        self.home = home
        environment = {**os.environ, "PATCHBAY_HOME": str(home), "PYTHONPATH": str(ROOT), **(environment or {})}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "web", "serve", "--port", str(port), *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.url = self.token = ""
        self.errors = []
        self._drain = threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True)
        self._drain.start()

    def wait_ready(self):
        line = self.process.stdout.readline()
        found = re.search(r"(http://\S+?)/(?:\?token=(\S+))?$", line.strip())
        assert found, line + "".join(self.errors)
        self.url, self.token = found[1], found[2] or ""
        return self

    def request(self, method, path, body=None, timeout=30):
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, body, headers, method=method)  # noqa: S310  # our own server
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
                data = answer.read()
                return answer.status, json.loads(data) if "json" in answer.headers["Content-Type"] else data
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def submit(self, graph, **more):
        status, run = self.request("POST", "/api/runs", {"graph": graph, **more})
        assert status in (200, 202), run
        return run

    def run(self, run_id):
        return self.request("GET", f"/api/runs/{run_id}")[1]

    def wait(self, run_id, *states, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            run = self.run(run_id)
            if run["state"] in (states or ("done", "failed", "cancelled")):
                return run
            time.sleep(0.02)
        message = f"run {run_id} is still {run['state']}: {''.join(self.errors)[-2000:]}"
        raise AssertionError(message)

    def all_runs(self):
        found, after = [], ""
        while True:
            page = self.request("GET", f"/api/runs?limit=500{after}")[1]
            found += page["runs"]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"

    @property
    def workers(self):
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)  # noqa: S607
        return [int(pid) for pid in found.stdout.split()]

    def kill(self, how=signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        self.process.wait(30)
        self._drain.join(5)
        self.process.stdout.close()
        self.process.stderr.close()

    def stop(self):
        self.kill(signal.SIGTERM)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def pictures_in(home):
    return sorted((home / "outputs").rglob("*.png"))
