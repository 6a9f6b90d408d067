"""The one thread that touches the database. Jobs that wait together share one commit, so a busy queue costs few.

A job is a function of the `Queue`. It is answered only after the COMMIT that holds its work, and each job is whole: one
that raises is rolled back alone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from engine import Code, StoreError
from web.server.queue import Queue, open_database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from web.server.queue import Notice

T = TypeVar("T")

BATCH = 256
"""Jobs in one commit, at most."""

_Item = tuple["Callable[[Queue], Any]", "Future[Any]"]
_Done = tuple["Future[Any]", Any, "BaseException | None"]


class Writer:
    """Runs jobs on the database at `path`. `on_commit` gets what happened, in its thread, before jobs are answered."""

    def __init__(self, path: Path, on_commit: Callable[[list[Notice]], None]) -> None:
        self._path = path
        self._db = open_database(path)
        self._queue = Queue(self._db)
        self._on_commit = on_commit
        self._jobs: SimpleQueue[_Item | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="patchbay-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[Queue], T]) -> Future[T]:
        """Hand over a job; its future has the result once it is committed.

        The future raises what the job raised, or `StoreError` (`not_written`, `damaged`) when nothing was committed.
        """
        future: Future[T] = Future()
        self._jobs.put((job, future))
        return future

    async def do(self, job: Callable[[Queue], T]) -> T:
        """`submit`, awaited."""
        return await asyncio.wrap_future(self.submit(job))

    def close(self) -> None:
        """Finish what was handed over and close the database."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while True:
            first = self._jobs.get()
            items = [] if first is None else [first]
            open_ = first is not None
            while open_ and len(items) < BATCH:
                try:
                    item = self._jobs.get_nowait()
                except Empty:
                    break
                if item is None:
                    open_ = False
                else:
                    items.append(item)
            if items:
                self._commit(items)
            if not open_:
                self._db.close()
                return

    def _commit(self, items: list[_Item]) -> None:
        done: list[_Done] = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            done = [self._run(job, future) for job, future in items if future.set_running_or_notify_cancel()]
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._abandon(items, _worded(self._path, error))
            return
        notices, self._queue.notices = self._queue.notices, []
        if notices:
            self._on_commit(notices)
        for future, result, failure in done:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)

    def _run(self, job: Callable[[Queue], Any], future: Future[Any]) -> _Done:
        self._db.execute("SAVEPOINT job")
        told = len(self._queue.notices)
        try:
            result, failure = job(self._queue), None
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001  # whatever the job raises is its caller's
            del self._queue.notices[told:]
            self._db.execute("ROLLBACK TO job")
            result, failure = None, error
        self._db.execute("RELEASE job")
        return future, result, failure

    def _abandon(self, items: list[_Item], error: StoreError) -> None:
        """Nothing of a batch was committed: every one of its jobs is told so."""
        self._queue.notices = []
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        for _, future in items:
            if not future.cancelled():
                future.set_exception(error)


def _worded(path: Path, error: sqlite3.Error) -> StoreError:
    if isinstance(error, sqlite3.OperationalError):
        what = f"The queue's database was not written: {error}."
        return StoreError(Code.NOT_WRITTEN, str(path), what, "Free some space; nothing that was told is lost.")
    what = f"The queue's database is damaged: {error}."
    return StoreError(Code.DAMAGED, str(path), what, "Restore it from a copy, or move it away to begin anew.")
