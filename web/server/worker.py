"""The worker as the server sees it: four verbs, and what it says in answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from web.worker.wire import pack, receive

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable

    Hear = Callable[[dict[str, Any], bytes], None]

LAST_WORDS = 4096
"""Characters of a dead worker's output that an error quotes."""

LAST_MOMENT = 2.0
"""Seconds in which a worker that closed its pipe must be gone."""

MEMORY_PACE = 1.0
"""Seconds between two looks at a worker's memory."""


class Worker(Protocol):
    """Something that runs jobs one after another.

    What it says goes to `hear(message, data)`: "ready", "node", "event", "done" and "answer", see `web.worker`. When
    it dies, `hear` gets {"say": "dead", "why": ...} as its last message.
    """

    async def start(self, hear: Hear) -> None:
        """Begin; "ready" is said when jobs are welcome."""
        ...

    def send(self, message: dict[str, Any]) -> None:
        """Give it a job, a cancellation or a question."""
        ...

    def kill(self, why: str) -> None:
        """End it at once, whatever it does."""
        ...

    async def close(self) -> None:
        """End it and wait until it is gone; says nothing more."""
        ...


class WorkerProcess:
    """A worker in a process of its own: a crash, a leak or a hang there costs one run.

    `memory` is how many bytes it may hold before it is killed, since the system would otherwise choose whom to kill.
    """

    def __init__(self, home: Path, memory: int | None = None) -> None:
        self._home = home
        self._memory = memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 9 // 10
        self._process: Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._words: deque[str] = deque(maxlen=200)
        self._why = ""

    @property
    def pid(self) -> int | None:
        """Its process, while it lives."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self, hear: Hear) -> None:
        """Start the process and listen to it."""
        self._words.clear()
        self._why = ""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "web.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PATCHBAY_HOME": str(self._home)},
            start_new_session=True,  # Ctrl-C on the terminal is the server's alone
        )
        self._tasks = [
            asyncio.create_task(self._listen(self._process, hear)),
            asyncio.create_task(self._watch_memory(self._process)),
        ]

    def send(self, message: dict[str, Any]) -> None:
        """Write a frame; the pipe is drained by the worker's own thread, so little ever waits here."""
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(pack(message))

    def kill(self, why: str) -> None:
        """Kill the process; what it started goes with it."""
        if self._process is not None and self._process.returncode is None:
            self._why = self._why or why
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """Kill it in silence."""
        tasks, self._tasks = self._tasks, []
        self.kill("The server stops.")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._process is not None:
            await self._process.wait()
            self._process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001  # asyncio offers no other way

    async def _listen(self, process: Process, hear: Hear) -> None:
        assert process.stdout is not None  # noqa: S101  # it was started with pipes
        words = asyncio.create_task(self._drain(process))
        try:
            while True:
                hear(*await receive(process.stdout))
        except asyncio.IncompleteReadError:
            pass
        finally:
            await self._end(process)
            await words
        hear({"say": "dead", "why": self._reason(process.returncode or 0)}, b"")

    async def _end(self, process: Process) -> None:
        """Wait until a process that closed its pipe is gone; it mostly is already."""
        try:
            async with asyncio.timeout(LAST_MOMENT):
                await process.wait()
        except TimeoutError:
            self.kill("It closed its pipe.")
            await process.wait()

    async def _drain(self, process: Process) -> None:
        """Keep the end of what the worker prints, however much it is."""
        assert process.stderr is not None  # noqa: S101  # it was started with pipes
        while data := await process.stderr.read(1 << 16):
            self._words.append(data.decode(errors="replace")[-LAST_WORDS:])

    def _reason(self, code: int) -> str:
        """Why it died, in a sentence, with what it printed last."""
        if self._why:
            return self._why
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        words = "".join(self._words)[-LAST_WORDS:].strip()
        return f"The worker ended {how}." + (f" It printed last: {words[-400:]}" if words else "")

    async def _watch_memory(self, process: Process) -> None:
        while (held := resident_bytes(process.pid)) is not None:
            if held > self._memory:
                self.kill(f"The worker held {held >> 20} MiB of memory, more than the {self._memory >> 20} it may.")
                return
            await asyncio.sleep(MEMORY_PACE)


def resident_bytes(pid: int) -> int | None:
    """Memory that a process holds, or None where it is gone or the system does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
