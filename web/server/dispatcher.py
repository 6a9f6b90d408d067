"""Brings runs to the worker, one at a time, and what becomes of them back into the queue."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import structlog

from engine import Code, PatchbayError, ServerError, StoreError
from web.server.record import Artifact, Fault
from web.text import stem_of
from web.worker.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from web.server.hub import Hub
    from web.server.metrics import Metrics
    from web.server.queue import Queue
    from web.server.record import Run
    from web.server.worker import Worker
    from web.server.writer import Writer

    QueueJob = Callable[[Queue], None]

T = TypeVar("T")

GRACE = 5.0
"""Seconds that a cancelled run has to stop at its next step."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds before a worker that died before it was ready, or a write to a full disk, is tried again."""

ANSWER_TIME = 30.0
"""Seconds that a worker has to answer a question."""

log = structlog.get_logger()


@dataclass
class Flight:
    """The run that the worker has, and the node that it is in."""

    run: Run
    folder: Path
    node: str | None = None


class _Question(NamedTuple):
    """What the worker was asked, and where its answer is waited for."""

    message: dict[str, Any]
    answer: asyncio.Future[Any]


class Dispatcher:
    """One worker's share of the queue. Belongs to the event loop."""

    def __init__(self, writer: Writer, hub: Hub, worker: Worker, outputs: Path, metrics: Metrics) -> None:
        self._writer, self._hub, self._worker, self._metrics = writer, hub, worker, metrics
        self._outputs = outputs
        self._flight: Flight | None = None
        self._warm = ""
        self._ready = False
        self._signal = asyncio.Event()
        self._endings: list[QueueJob] = []
        self._deaths = 0
        self._questions: dict[str, _Question] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def ready(self) -> bool:
        """Whether the worker takes jobs."""
        return self._ready

    @property
    def running(self) -> str | None:
        """The run that the worker has."""
        return self._flight.run.id if self._flight else None

    async def start(self) -> None:
        """Start the worker; runs follow when it is ready."""
        self._feeder = asyncio.create_task(self._feed())
        await self._worker.start(self._hear)

    async def close(self) -> None:
        """Stop the worker; its run goes back to the queue as if it had not been started."""
        self._closing = True
        flight, self._flight, self._ready = self._flight, None, False
        await self._worker.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._signal.set()
        with contextlib.suppress(StoreError):
            await self._feeder
            if flight is not None:
                await self._give_back(flight, "The server was stopped.", counted=False)

    def wake(self) -> None:
        """Look at the queue: something in it has changed."""
        self._signal.set()

    async def cancel(self, run_id: str) -> Run:
        """Cancel a run, queued or running. Raises `ServerError`: `not_found`, `conflict`."""
        run = await self._writer.do(lambda queue: queue.cancel(run_id))
        if run.state == "running":
            self._worker.send({"do": "cancel", "id": run.id, "attempt": run.attempt})
            self._spawn(self._insist(run))
        return run

    async def forecast(self, job: Job) -> list[dict[str, Any]]:
        """What a graph would reuse and run now, node by node.

        Raises `ServerError` when the worker does not answer, and `PatchbayError` when the graph cannot run.
        """
        found: list[dict[str, Any]] = await self._ask("forecast", job)
        return found

    async def inspect(self, job: Job, port: str) -> dict[str, Any]:
        """What the value of "node.output" is, where it is computed already; raises as `forecast` does."""
        found: dict[str, Any] = await self._ask("inspect", job, port=port)
        return found

    async def _ask(self, what: str, job: Job, **more: str) -> Any:  # noqa: ANN401  # JSON
        if not self._ready:
            raise ServerError(Code.CONFLICT, "", "The worker is starting.", "Ask again in a second.")
        question = str(time.monotonic_ns())
        message = {"do": what, "question": question, "job": asdict(job), **more}
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._questions[question] = _Question(message, answer)
        self._worker.send(message)
        try:
            async with asyncio.timeout(ANSWER_TIME):
                return await answer
        except TimeoutError as error:
            why = "The worker did not answer in time; a node keeps it busy."
            raise ServerError(Code.CONFLICT, "", why, "Ask again when the run is over.") from error
        finally:
            del self._questions[question]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _feed(self) -> None:
        """The one task that claims: two would each bring the worker a run, and the first result be taken for stale."""
        while not self._closing:
            await self._signal.wait()
            self._signal.clear()
            while self._endings or (self._ready and self._flight is None):
                if not await self._next():
                    break

    async def _next(self) -> bool:
        """Store what has ended and claim the next run, in one commit. Whether there was one."""
        endings = [*self._endings]

        def step(queue: Queue) -> tuple[Run, str] | None:
            for ended in endings:
                ended(queue)
            claimed = queue.claim(self._warm) if self._ready else None
            if claimed is None:
                return None
            run, text = claimed
            folder = str(free_folder(self._outputs, run))
            queue.place_files(run.id, run.attempt, folder)
            return run.to(folder=folder), text

        claimed = await self._store(step)
        del self._endings[: len(endings)]
        if claimed is None:
            return False
        run, text = claimed
        flight = Flight(run, Path(str(run.folder)))
        if not self._ready:  # the worker died meanwhile
            await self._give_back(flight, "The worker died before it began.", counted=False)
            return False
        self._flight = flight
        self._warm = run.affinity or self._warm
        self._worker.send({"do": "run", "job": asdict(job_of(run, text, previews=self._hub.listeners > 0))})
        return True

    async def _store(self, job: Callable[[Queue], T]) -> T:
        """Do a job of the queue, and again until it is written: a full disk holds runs up, it does not lose them."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._writer.do(job)
            except StoreError as error:
                if self._closing:  # what is not stored now is found by the next start
                    raise
                log.warning("not stored", problem=str(error), again_in=pause)
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2)

    def _hear(self, message: dict[str, Any], data: bytes) -> None:
        match message["say"]:
            case "ready":
                self._ready, self._deaths = True, 0
                for question in self._questions.values():  # its predecessor took them with it
                    self._worker.send(question.message)
                self.wake()
            case "node" | "event":
                self._heard_event(message, data)
            case "done":
                self._heard_done(message)
            case "answer":
                self._heard_answer(message)
            case "dead":
                self._heard_death(message["why"])

    def _heard_event(self, message: dict[str, Any], data: bytes) -> None:
        flight = self._flight
        if flight is None or (message["id"], message["attempt"]) != (flight.run.id, flight.run.attempt):
            return
        if message["say"] == "node":
            flight.node = message["event"]["node"]
        self._hub.tell(flight.run.id, message["event"], data or None)

    def _heard_done(self, message: dict[str, Any]) -> None:
        flight = self._flight
        if flight is None or (message["id"], message["attempt"]) != (flight.run.id, flight.run.attempt):
            return
        self._flight = None
        files = [Artifact(**item) for item in message.get("files", ())]
        outputs = outputs_of(message.get("outputs", {}), files)
        error = Fault(**message["error"]) if message.get("error") else None
        self._metrics.ended(flight.run, message["state"])

        def ended(queue: Queue) -> None:
            run, state = flight.run, message["state"]
            queue.finish(run.id, run.attempt, state, outputs=outputs, files=files, error=error)

        self._endings.append(ended)
        self.wake()

    def _heard_answer(self, message: dict[str, Any]) -> None:
        question = self._questions.get(message["question"])
        if question is None or question.answer.done():
            return
        answer = question.answer
        if "error" in message:
            found = message["error"]
            error = PatchbayError(Code(found["code"]), found["at"], found["what"], found["fix"])
            answer.set_exception(error)
        else:
            answer.set_result(message["found"])

    def _heard_death(self, why: str) -> None:
        flight, self._flight, self._ready, self._warm = self._flight, None, False, ""
        if not self._closing:
            self._deaths += 1
            self._metrics.worker_deaths.inc()
            log.warning("worker died", why=why, run=flight.run.id if flight else None)
            self._spawn(self._replace(flight, why))

    async def _replace(self, flight: Flight | None, why: str) -> None:
        if flight is not None:
            await self._give_back(flight, why)
        if self._deaths > 1:
            await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._deaths, 20)))
        await self._worker.start(self._hear)

    async def _give_back(self, flight: Flight, why: str, *, counted: bool = True) -> None:
        run = flight.run
        await asyncio.to_thread(shutil.rmtree, flight.folder, ignore_errors=True)
        await self._store(
            lambda queue: queue.give_back(run.id, run.attempt, node=flight.node, reason=why, counted=counted)
        )

    async def _insist(self, run: Run) -> None:
        """A run that does not stop in time takes its worker with it."""
        await asyncio.sleep(GRACE)
        flight = self._flight
        if flight is not None and (flight.run.id, flight.run.attempt) == (run.id, run.attempt):
            self._worker.kill(f"Run {run.id} did not stop within {GRACE:.0f} seconds of being cancelled.")


def job_of(run: Run, text: str, *, previews: bool = False) -> Job:
    """What the worker is told of a run."""
    return Job(
        id=run.id,
        attempt=run.attempt,
        name=stem_of(run.name),
        document=text,
        folder=str(run.folder),
        base=run.base,
        wanted=run.wanted,
        only=run.only,
        previews=previews,
    )


def outputs_of(told: dict[str, Any], files: list[Artifact]) -> dict[str, Any]:
    """A run's outputs as they are stored: plain values, or the artifacts that they became."""
    by_name = {item.file: item.model_dump() for item in files}
    return {
        name: [by_name[file] for file in output["files"]] if "files" in output else output["value"]
        for name, output in told.items()
    }


def free_folder(outputs: Path, run: Run) -> Path:
    """A folder that no other attempt has: `outputs/000042-fox`, with the attempt where it is not the first."""
    again = f"-{run.attempt}" if run.attempt > 1 else ""
    stem = outputs / f"{run.number:06d}-{stem_of(run.name)}{again}"
    folder, number = stem, 1
    while folder.exists():  # from a queue that was moved away
        number += 1
        folder = stem.with_name(f"{stem.name}.{number}")
    return folder
