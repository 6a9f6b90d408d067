"""`python -m web.worker`: takes jobs from its standard input and answers on its standard output.

What nodes print goes to standard error instead, which the server drains. The process ends with the server: at the end
of its input, and on Linux also by the kernel's hand when the server is killed while a node hangs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from engine import Code, PatchbayError
from web.config import Config
from web.worker.job import Job
from web.worker.runner import Runner
from web.worker.wire import pack, read_frame

if TYPE_CHECKING:
    from io import BufferedReader

PR_SET_PDEATHSIG = 1

ANSWERS = 2
"""Questions that are answered at once, beside the job; one may wait for a slow disk."""


class Line:
    """The private ends of the pipe, taken away from whatever nodes do with standard input and output."""

    def __init__(self) -> None:
        self.source: BufferedReader = os.fdopen(os.dup(0), "rb")
        self._target = os.dup(1)
        self._lock = threading.Lock()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(2, 1)
        sys.stdout = sys.stderr

    def send(self, message: dict[str, Any], data: bytes = b"") -> None:
        """Write one frame whole."""
        frame = memoryview(pack(message, data))
        with self._lock:
            while frame:
                frame = frame[os.write(self._target, frame) :]


class Inbox:
    """What the server wants: jobs in order, and cancellations and questions, which do not wait for the job."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._runner: Runner | None = None
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._cancels: dict[tuple[str, int], threading.Event] = {}
        self._answering = ThreadPoolExecutor(ANSWERS, "patchbay-answer")

    def listen(self) -> None:
        """Read frames for ever; the end of the input is the end of the process."""
        while (frame := read_frame(self._line.source)) is not None:
            self._take(frame[0])
        os._exit(0)

    def _take(self, message: dict[str, Any]) -> None:
        match message["do"]:
            case "run":
                job = Job(**message["job"])
                self._cancels[job.id, job.attempt] = threading.Event()
                self._jobs.put(job)
            case "cancel":
                cancel = self._cancels.get((message["id"], message["attempt"]))
                if cancel is not None:
                    cancel.set()
            case "forecast" | "inspect":
                self._answering.submit(self._answer, message)

    def work(self, runner: Runner) -> None:
        """Run jobs one after another."""
        self._runner = runner
        self._line.send({"say": "ready"})
        while True:
            job = self._jobs.get()
            try:
                result = runner.run(job, self._line.send, self._cancels[job.id, job.attempt])
            except Exception as error:  # noqa: BLE001  # a fault of ours or of a value's own methods; one run is lost
                what = f"The run could not be finished: {type(error).__name__}: {error}."
                result = {"state": "failed", "error": {"code": Code.INTERNAL, "at": "", "what": what}}
                traceback.print_exc()
            del self._cancels[job.id, job.attempt]
            self._line.send({"say": "done", "id": job.id, "attempt": job.attempt, **result})

    def _answer(self, message: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"say": "answer", "question": message["question"]}
        try:
            self._line.send({**answer, "found": self._found(message)})
        except PatchbayError as error:
            self._line.send({**answer, "error": error.fields()})
        except Exception as error:  # noqa: BLE001  # a fault of ours or of a value's own methods; who asked is told
            what = f"The question could not be answered: {type(error).__name__}: {error}."
            self._line.send({**answer, "error": {"code": Code.INTERNAL, "at": "", "what": what, "fix": ""}})
            traceback.print_exc()

    def _found(self, message: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
        assert self._runner is not None  # noqa: S101  # nobody asks before the worker is ready
        job = Job(**message["job"])
        return self._runner.inspect(job, message["port"]) if message["do"] == "inspect" else self._runner.forecast(job)


def die_with_parent() -> None:
    """Ask Linux to kill this process when the server dies, however it dies."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)


def main() -> None:
    """Run until the server goes away."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    line = Line()
    inbox = Inbox(line)
    threading.Thread(target=inbox.listen, name="patchbay-inbox", daemon=True).start()
    inbox.work(Runner(Config.load()))


if __name__ == "__main__":
    main()
