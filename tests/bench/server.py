"""What the server costs, on trivial graphs: `python -m tests.bench.server` prints a table."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.table import Table

from tests.web.server.kit import ServerProcess, make_home, one
from web.server.worker import resident_bytes

SERIAL, CROWD, FLIGHT = 300, 1500, 100


async def submit(session, value):
    graph = one("Count", value=value)
    async with session.post("/api/runs", json={"graph": graph}) as answer:
        return (await answer.json())["id"]


async def follow(session, started, ended):
    """Note when each run ends, as the stream of events tells it; one that falls behind connects again."""
    after = ""
    while True:
        async with session.ws_connect(f"/api/events{after}") as socket:
            started.set()
            async for message in socket:
                event = message.json()
                after = f"?after={event['sequence']}"
                if event["event"] == "run_finished":
                    assert event["state"] == "done", event
                    ended[event["run"]].set_result(time.perf_counter())


class Ends(dict):
    """A future for each run, made when either side first asks for it."""

    def __missing__(self, run):
        self[run] = asyncio.get_running_loop().create_future()
        return self[run]


async def measure(session, values, flight):
    """Seconds from submission to the end of each run, with `flight` runs under way at once; and of all together."""
    started, ended, took = asyncio.Event(), Ends(), []
    following = asyncio.create_task(follow(session, started, ended))
    await started.wait()
    queue = iter(values)

    async def client():
        for value in queue:
            began = time.perf_counter()
            run = await submit(session, value)
            took.append(await ended[run] - began)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(flight)))
    total = time.perf_counter() - began
    following.cancel()
    return took, total


async def rounds(server):
    headers = {"Authorization": f"Bearer {server.token}"}
    async with aiohttp.ClientSession(server.url, headers=headers) as session:
        await measure(session, range(50), 1)
        serial = await measure(session, range(1_000, 1_000 + SERIAL), 1)
        crowd = await measure(session, range(10_000, 10_000 + CROWD), FLIGHT)
    return serial, crowd


def row(table, name, took, total):
    cuts = statistics.quantiles(took, n=100)
    table.add_row(name, str(len(took)), f"{len(took) / total:.0f}", f"{cuts[49] * 1e3:.1f}", f"{cuts[98] * 1e3:.1f}")


def main():
    table = Table("runs", "how many", "a second", "p50 ms", "p99 ms", box=None)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        server = ServerProcess(make_home(Path(folder) / "home")).wait_ready()
        ready = time.perf_counter() - began
        time.sleep(2)
        idle = resident_bytes(server.process.pid)
        serial, crowd = asyncio.run(rounds(server))
        busy = resident_bytes(server.process.pid)
        server.stop()
    row(table, "one after another", *serial)
    row(table, f"{FLIGHT} in flight", *crowd)
    Console().print(table)
    sys.stdout.write(f"start to ready {ready:.2f} s, idle {idle >> 20} MiB, after all runs {busy >> 20} MiB\n")


if __name__ == "__main__":
    main()
