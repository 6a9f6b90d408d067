"""The queue of runs in SQLite: every change of a run's state is one of these methods.

A `Queue` belongs to one thread and one open transaction at a time, see `writer.py`. Each method either does all of its
work or raises and is rolled back. What happened is collected as `Notice`s, which become events once they are committed.
"""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from engine import Code, ServerError, StoreError
from web.server.record import ENDED, LIVE, Artifact, Fault, Run, State, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

MAX_TRIES = 3
"""How often a run is started before it is given up."""

LOOK_AHEAD = 32
"""Among so many runs from the head, one whose models are loaded already goes first."""

PATIENCE = 60.0
"""Seconds during which the head of the queue may be overtaken."""

KEPT_NOTICES = 100_000
"""How much of the history a client that reconnects can be told."""

FORMAT = 1
"""The layout of the tables; a database of another one is refused."""

TABLES = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    priority INTEGER NOT NULL,
    place REAL NOT NULL,
    key TEXT UNIQUE,
    request TEXT,
    body TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE INDEX queued ON runs (priority DESC, place) WHERE state = 'queued';
CREATE INDEX by_state ON runs (state, number);
CREATE TABLE documents (digest TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE artifacts (
    digest TEXT NOT NULL, run INTEGER NOT NULL, file TEXT NOT NULL, PRIMARY KEY (digest, run, file)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER, body TEXT NOT NULL, digest TEXT NOT NULL
) STRICT;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""

INSERT_RUN = "INSERT INTO runs (state, priority, place, key, request, body, digest) VALUES (?, ?, ?, ?, ?, '', '')"
UPDATE_RUN = "UPDATE runs SET state = ?, priority = ?, place = ?, body = ?, digest = ? WHERE number = ?"
SELECT_RUN = "SELECT number, state, body, digest FROM runs WHERE number = ?"
SELECT_KEY = "SELECT number, request FROM runs WHERE key = ?"
SELECT_HEAD = (
    "SELECT number, state, body, digest FROM runs WHERE state = 'queued' ORDER BY priority DESC, place LIMIT ?"
)
SELECT_LIST = "SELECT number, state, body, digest FROM runs WHERE number < ? ORDER BY number DESC LIMIT ?"
SELECT_LIST_OF = (
    "SELECT number, state, body, digest FROM runs WHERE state = ? AND number < ? ORDER BY number DESC LIMIT ?"
)
SELECT_RUNNING = "SELECT number, state, body, digest FROM runs WHERE state = 'running' ORDER BY number"
SELECT_PLACES = "SELECT number, place FROM runs WHERE state = 'queued' AND priority = ? ORDER BY place"
FIRST_PLACE = "SELECT min(place) FROM runs WHERE state = 'queued' AND priority = ?"
LAST_PLACE = "SELECT max(place) FROM runs WHERE state = ? AND priority = ?"
COUNT_STATES = "SELECT state, count(*) FROM runs GROUP BY state"
INSERT_EVENT = "INSERT INTO events (run, body, digest) VALUES (?, ?, ?)"
SELECT_EVENTS = "SELECT id, run, body, digest FROM events WHERE id > ? AND id < ? ORDER BY id LIMIT ?"
SELECT_EVENTS_OF = (
    "SELECT id, run, body, digest FROM events WHERE id > ? AND id < ? AND (run = ? OR run IS NULL) ORDER BY id LIMIT ?"
)
FORGET_EVENTS = "DELETE FROM events WHERE id <= ?"
LAST_EVENT = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
PUT_FACT = "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
PUT_DOCUMENT = "INSERT INTO documents VALUES (?, ?) ON CONFLICT DO NOTHING"
PUT_ARTIFACT = "INSERT INTO artifacts VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
SELECT_ARTIFACT = "SELECT run, file FROM artifacts WHERE digest = ? ORDER BY run DESC"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened to a run, or to the queue itself (`run` is None), with its place in history."""

    id: int
    run: str | None
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a client wants to be run, checked already."""

    name: str
    document: str
    """The text of the graph, values included."""
    base: str | None = None
    inputs: dict[str, Any]
    wanted: list[str] | None = None
    only: str | list[str] | None = None
    priority: int = 0
    affinity: str = ""
    key: str | None = None
    """Two orders with one key are one run."""
    drawn: dict[str, int] = field(default_factory=dict)
    """The values in the document that were drawn for this order, by `node.input`."""
    asked: str | None = None
    """The graph as it was before these were drawn."""

    def request(self) -> str:
        """Digest of what is asked for: the same key must stand for the same request, whatever was drawn for it."""
        asked = self.document if self.asked is None else self.asked
        return digest_of(json.dumps([asked, self.base, self.wanted, self.only]))


def open_database(path: Path) -> sqlite3.Connection:
    """The database at `path`, made where there is none.

    Raises `StoreError` (`damaged`, `unknown_version`) for a file that cannot be trusted; it is left as it is.
    """
    fresh = not path.exists() or not path.stat().st_size
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")
        if fresh:
            connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {FORMAT}; COMMIT;")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise _damaged(path, str(error)) from error
    if verdict != "ok":
        raise _damaged(path, verdict)
    if found != FORMAT:
        what = f"The queue has format {found}; this Patchbay reads format {FORMAT}."
        raise StoreError(Code.UNKNOWN_VERSION, str(path), what, "Use the Patchbay that made it, or move it away.")
    return connection


def _damaged(path: Path, reason: str) -> StoreError:
    fix = "Restore it from a copy, or move it away to begin with an empty queue. The pictures are not in it."
    return StoreError(Code.DAMAGED, str(path), f"The queue's database is damaged: {reason}.", fix)


class Queue:
    """The runs of one data folder. `clock` gives Unix time in seconds."""

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], float] = time.time) -> None:
        self._db = connection
        self._clock = clock
        self.notices: list[Notice] = []

    # Orders by clients

    def enqueue(self, order: Order) -> tuple[Run, bool]:
        """The run of an order, and whether it is new. Raises `ServerError` (`conflict`) for a key that is taken."""
        known = self._db.execute(SELECT_KEY, (order.key,)).fetchone() if order.key else None
        if known is not None:
            if known[1] != order.request():
                what = "This idempotency key belongs to another request."
                raise ServerError(Code.CONFLICT, "idempotency_key", what, "Use a new key.")
            return self.get(str(known[0])), False
        document = digest_of(order.document)
        self._db.execute(PUT_DOCUMENT, (document, order.document))
        cursor = self._db.execute(INSERT_RUN, ("queued", order.priority, 0.0, order.key, order.request()))
        number = int(cursor.lastrowid or 0)
        run = Run(
            id=str(number),
            number=number,
            name=order.name,
            state="queued",
            priority=order.priority,
            place=self._last_place(order.priority) + 1,
            created=self._clock(),
            inputs=order.inputs,
            wanted=order.wanted,
            only=order.only,
            drawn=order.drawn,
            document=document,
            base=order.base,
            affinity=order.affinity,
        )
        self._put(run)
        self._tell("run_queued", run)
        return run, True

    def cancel(self, run_id: str) -> Run:
        """Cancel a queued run at once; mark a running one, which ends when its worker says so.

        Raises `ServerError` (`conflict`) for one that is over.
        """
        run = self.get(run_id)
        if run.state == "queued":
            run = run.to(state="cancelled", finished=self._clock())
            self._put(run)
            self._tell("run_finished", run)
        elif run.state == "running":
            if not run.cancelling:
                run = run.to(cancelling=True)
                self._put(run)
                self._tell("run_cancelling", run)
        else:
            raise _conflict(run, "cancelled")
        return run

    def retry(self, run_id: str) -> Run:
        """Queue a failed or cancelled run again, behind the others. Raises `ServerError` (`conflict`)."""
        run = self.get(run_id)
        if run.state not in ("failed", "cancelled"):
            raise _conflict(run, "retried")
        run = run.to(
            state="queued",
            tries=0,
            cancelling=False,
            error=None,
            started=None,
            finished=None,
            outputs={},
            files=[],
            folder=None,
            overtaken=None,
            place=self._last_place(run.priority) + 1,
        )
        self._put(run)
        self._tell("run_queued", run)
        return run

    def move(
        self, run_id: str, *, before: str | None = None, to: str | None = None, priority: int | None = None
    ) -> Run:
        """Move a queued run: `before` another one, `to` "first" or "last", or just to another priority.

        It takes the other one's priority. A run that was moved to the front is not overtaken.
        Raises `ServerError` (`conflict`) unless both are queued.
        """
        run = self._queued(run_id)
        if before is not None:
            other = self._queued(before)
            if other.id == run.id:
                return run
            run = run.to(priority=other.priority, place=self._place_before(other, run), overtaken=0.0)
        else:
            level = run.priority if priority is None else priority
            if to == "first":
                run = run.to(priority=level, place=self._first_place(level) - 1, overtaken=0.0)
            elif to == "last" or level != run.priority:
                run = run.to(priority=level, place=self._last_place(level) + 1, overtaken=None)
        self._put(run)
        self._tell("run_moved", run)
        return run

    def pause(self, *, paused: bool) -> None:
        """Let no run start, or let them start again; what runs goes on."""
        if paused != self.paused:
            self._db.execute(PUT_FACT, ("paused", json.dumps(paused)))
            self._note("queue_paused" if paused else "queue_resumed", None, {})

    # The life of a run

    def claim(self, warm: str | None = None) -> tuple[Run, str] | None:
        """Start the run whose turn it is: the run, in its next attempt, and its document. None when none may start.

        `warm` names the models that are loaded: among the first runs of the head's priority one that needs just those
        goes first, as long as the head is not held up for longer than `PATIENCE`.
        """
        while not self.paused and (head := self._head()) is not None:
            run = self._choose(head, warm)
            text = self._document(run)
            if text is None:
                self._end(run, "failed", error=_row_fault(f"The graph of run {run.id}"))
                continue
            run = run.to(state="running", attempt=run.attempt + 1, tries=run.tries + 1, started=self._clock())
            self._put(run)
            self._tell("run_started", run)
            return run, text
        return None

    def _head(self) -> Run | None:
        while runs := self.waiting(1):
            if runs[0].state == "queued":  # a damaged row has just been taken out of the queue
                return runs[0]
        return None

    def _choose(self, head: Run, warm: str | None) -> Run:
        if not warm or head.affinity in (warm, ""):
            return head
        since = head.overtaken if head.overtaken is not None else self._clock()
        if self._clock() - since >= PATIENCE:
            return head
        level = [run for run in self.waiting(LOOK_AHEAD) if run.priority == head.priority and run.state == "queued"]
        chosen = next((run for run in level if run.affinity == warm), head)
        if chosen is not head and head.overtaken is None:
            self._put(head.to(overtaken=since))
        return chosen

    def place_files(self, run_id: str, attempt: int, folder: str) -> bool:
        """Say where an attempt puts its files; False when the attempt is no longer the newest."""
        run = self._attempt(run_id, attempt)
        if run is None:
            return False
        self._put(run.to(folder=folder))
        return True

    def finish(
        self,
        run_id: str,
        attempt: int,
        state: State,
        *,
        outputs: dict[str, Any] | None = None,
        files: Sequence[Artifact] = (),
        error: Fault | None = None,
    ) -> Run | None:
        """End an attempt with its results, or None when it is not the newest: then its results are refused."""
        run = self._attempt(run_id, attempt)
        if run is None:
            return None
        return self._end(run, state, outputs=outputs or {}, files=list(files), error=error)

    def give_back(
        self, run_id: str, attempt: int, *, node: str | None, reason: str, counted: bool = True
    ) -> Run | None:
        """An attempt died: queue its run again, or give it up after `MAX_TRIES`, naming the node it died in.

        `counted` is False where the run had no part in it, such as when the server was stopped.
        """
        run = self._attempt(run_id, attempt)
        if run is None:
            return None
        if run.cancelling:
            return self._end(run, "cancelled")
        tries = run.tries if counted else run.tries - 1
        if tries >= MAX_TRIES:
            what = f"{reason} This was attempt {run.tries} of {MAX_TRIES}; it is not tried again."
            fix = "Look at the node it died in; `patchbay serve` prints what the worker said. Retry it when mended."
            return self._end(run, "failed", error=Fault(code=Code.WORKER_DIED, at=node or "", what=what, fix=fix))
        run = run.to(state="queued", tries=tries, started=None, folder=None)
        self._put(run)
        self._tell("run_queued", run, because=reason)
        return run

    def recover(self) -> list[Run]:
        """After a crash: queue what was under way again, cancel it or give it up; returns it as it was."""
        found = self.running()
        for run in found:
            self.give_back(run.id, run.attempt, node=None, reason="The server ended while it ran.")
        self._db.execute(FORGET_EVENTS, (self.last_notice() - KEPT_NOTICES,))
        self._note("server_started", None, {})
        return found

    # Looking

    @property
    def paused(self) -> bool:
        """Whether no run may start."""
        row = self._db.execute("SELECT value FROM facts WHERE name = 'paused'").fetchone()
        return row is not None and json.loads(row[0]) is True

    def get(self, run_id: str) -> Run:
        """A run. Raises `ServerError` (`not_found`)."""
        row = self._db.execute(SELECT_RUN, (int(run_id),)).fetchone() if _is_number(run_id) else None
        if row is None:
            raise ServerError(Code.NOT_FOUND, run_id, f'There is no run "{run_id}".', "`patchbay runs` lists them.")
        return self._read(row)

    def page(self, state: State | None = None, after: int | None = None, limit: int = 50) -> list[Run]:
        """Runs, newest first; `after` is the number of the last one that the client has seen."""
        top = after if after is not None else 2**62
        rows = (
            self._db.execute(SELECT_LIST, (top, limit))
            if state is None
            else self._db.execute(SELECT_LIST_OF, (state, top, limit))
        )
        return [self._read(row) for row in rows.fetchall()]

    def waiting(self, limit: int = 1000) -> list[Run]:
        """The queued runs in the order in which they would start."""
        return [self._read(row) for row in self._db.execute(SELECT_HEAD, (limit,)).fetchall()]

    def running(self) -> list[Run]:
        """The runs that are under way."""
        found = [self._read(row) for row in self._db.execute(SELECT_RUNNING).fetchall()]
        return [run for run in found if run.state == "running"]

    def counts(self) -> dict[str, int]:
        """How many runs there are in each state."""
        return dict(self._db.execute(COUNT_STATES).fetchall())

    def document(self, run: Run) -> str:
        """The text of a run's graph, values included. Raises `StoreError` (`damaged`)."""
        text = self._document(run)
        if text is None:
            raise StoreError(Code.DAMAGED, run.id, _row_fault(f"The graph of run {run.id}").what)
        return text

    def artifact(self, digest: str) -> list[tuple[Run, Artifact]]:
        """The runs that made a file of this content, newest first."""
        found = []
        for number, file in self._db.execute(SELECT_ARTIFACT, (digest,)).fetchall():
            run = self.get(str(number))
            found += [(run, item) for item in run.files if item.digest == digest and item.file == file]
        return found

    def history(self, after: int, before: int, limit: int = 1000, run_id: str | None = None) -> list[Notice]:
        """What happened after one notice and before another, oldest first; to one run and the queue, or to all."""
        rows = (
            self._db.execute(SELECT_EVENTS, (after, before, limit))
            if run_id is None
            else self._db.execute(SELECT_EVENTS_OF, (after, before, int(run_id), limit))
        ).fetchall()
        return [
            Notice(number, None if run is None else str(run), json.loads(body))
            for number, run, body, digest in rows
            if digest_of(body) == digest
        ]

    def last_notice(self) -> int:
        """The newest notice's number, 0 before the first."""
        row = self._db.execute(LAST_EVENT).fetchone()
        return int(row[0]) if row else 0

    # Rows

    def _put(self, run: Run) -> None:
        text = run.model_dump_json()
        values = (run.state, run.priority, run.place, text, digest_of(text), run.number)
        self._db.execute(UPDATE_RUN, values)

    def _read(self, row: tuple[int, State, str, str]) -> Run:
        """The run of a row. One that no longer matches its digest is a failed run that says so."""
        number, state, text, digest = row
        if digest_of(text) == digest:
            try:
                run = Run.model_validate_json(text)
            except ValidationError:
                run = None
            if run is not None and (run.number, run.state) == (number, state):
                return run
        now = self._clock()
        fault = _row_fault(f"The row of run {number}")
        run = Run(
            id=str(number),
            number=number,
            name="damaged",
            state="failed",
            place=0,
            created=now,
            document="",
            error=fault,
        )
        self._put(run)
        return run

    def _document(self, run: Run) -> str | None:
        row = self._db.execute("SELECT text FROM documents WHERE digest = ?", (run.document,)).fetchone()
        return row[0] if row is not None and digest_of(row[0]) == run.document else None

    def _attempt(self, run_id: str, attempt: int) -> Run | None:
        run = self.get(run_id)
        return run if run.state == "running" and run.attempt == attempt else None

    def _queued(self, run_id: str) -> Run:
        run = self.get(run_id)
        if run.state != "queued":
            raise _conflict(run, "moved")
        return run

    def _end(self, run: Run, state: State, **changes: Any) -> Run:  # noqa: ANN401  # the fields' own types
        run = run.to(state=state, finished=self._clock(), cancelling=False, **changes)
        self._put(run)
        self._db.executemany(PUT_ARTIFACT, [(item.digest, run.number, item.file) for item in run.files])
        self._tell("run_finished", run)
        return run

    def _tell(self, tag: str, run: Run, **more: Any) -> None:  # noqa: ANN401  # JSON
        body = {"state": run.state, "attempt": run.attempt, "priority": run.priority, "name": run.name, **more}
        if run.state in ENDED:
            body["outputs"] = run.outputs
            body["error"] = None if run.error is None else run.error.model_dump()
        self._note(tag, run, body)

    def _note(self, tag: str, run: Run | None, body: dict[str, Any]) -> None:
        body = {"event": tag, "at": self._clock(), **body}
        text = json.dumps(body, ensure_ascii=False)
        cursor = self._db.execute(INSERT_EVENT, (run.number if run else None, text, digest_of(text)))
        self.notices.append(Notice(int(cursor.lastrowid or 0), run.id if run else None, body))

    # Places

    def _first_place(self, priority: int) -> float:
        (place,) = self._db.execute(FIRST_PLACE, (priority,)).fetchone()
        return 0.0 if place is None else place

    def _last_place(self, priority: int) -> float:
        """The last place of a priority; one that runs may come back to its own."""
        found = [self._db.execute(LAST_PLACE, (state, priority)).fetchone()[0] for state in LIVE]
        return max((place for place in found if place is not None), default=0.0)

    def _place_before(self, other: Run, moved: Run) -> float:
        """A place just before another run's; the places of a priority are spread anew when there is none left."""
        places = [
            row for row in self._db.execute(SELECT_PLACES, (other.priority,)).fetchall() if row[0] != moved.number
        ]
        index = [number for number, _ in places].index(other.number)
        low = places[index - 1][1] if index else other.place - 2
        middle = (low + other.place) / 2
        if low < middle < other.place:
            return middle
        self._spread([number for number, _ in places], places[0][1])
        return self._place_before(self.get(other.id), moved)

    def _spread(self, numbers: Sequence[int], first: float) -> None:
        for offset, number in enumerate(numbers):
            self._put(self.get(str(number)).to(place=first + offset))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 15  # noqa: PLR2004  # SQLite's integers end at 19


def _conflict(run: Run, done: str) -> ServerError:
    what = f"Run {run.id} is {run.state}, so it cannot be {done}."
    fix = "Submit it again." if run.state == "done" else "Only a queued run can." if done == "moved" else ""
    return ServerError(Code.CONFLICT, run.id, what, fix)


def _row_fault(what: str) -> Fault:
    sentence = f"{what} no longer matches its digest: the disk, or another program, has changed the database."
    return Fault(code=Code.DAMAGED, at="", what=sentence, fix="Submit the graph again, and look at the disk.")
