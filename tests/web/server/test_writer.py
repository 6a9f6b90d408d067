"""One thread, one commit for many jobs, and nobody is told before it."""

import asyncio
import sqlite3
import threading

import pytest

from engine import Code, ServerError, StoreError
from tests.web.server.test_queue import order
from web.server.queue import open_database
from web.server.writer import Writer


@pytest.fixture
def told():
    return []


@pytest.fixture
def writer(tmp_path, told):
    found = Writer(tmp_path / "queue.db", told.extend)
    yield found
    found.close()


def enqueue(queue):
    return queue.enqueue(order())[0]


def test_what_was_answered_is_in_the_file(tmp_path, writer):
    run = writer.submit(enqueue).result()
    with sqlite3.connect(tmp_path / "queue.db") as other:
        assert other.execute("SELECT number FROM runs").fetchall() == [(run.number,)]


def test_many_threads_lose_nothing(writer):
    numbers = []

    def client():
        numbers.extend(writer.submit(enqueue).result().number for _ in range(50))

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 401))


def test_a_job_that_fails_is_rolled_back_alone(writer, told):
    gate = threading.Event()
    writer.submit(lambda _queue: gate.wait())

    def half(queue):
        enqueue(queue)
        what = "in the middle"
        raise ServerError(Code.CONFLICT, "", what)

    whole, broken, other = writer.submit(enqueue), writer.submit(half), writer.submit(enqueue)
    gate.set()
    with pytest.raises(ServerError, match="in the middle"):
        broken.result()
    assert {whole.result().number, other.result().number} == {1, 2}
    assert [notice.body["event"] for notice in told] == ["run_queued", "run_queued"]
    assert writer.submit(lambda queue: queue.counts()).result() == {"queued": 2}


def test_waiting_jobs_share_a_commit(tmp_path):
    commits = []
    writer = Writer(tmp_path / "queue.db", commits.append)
    gate = threading.Event()
    writer.submit(lambda _queue: gate.wait())
    waiting = [writer.submit(enqueue) for _ in range(100)]
    gate.set()
    for future in waiting:
        future.result()
    writer.close()
    assert [len(notices) for notices in commits] == [100]


def test_closing_finishes_what_was_handed_over(tmp_path):
    writer = Writer(tmp_path / "queue.db", lambda _notices: None)
    waiting = [writer.submit(enqueue) for _ in range(20)]
    writer.close()
    assert all(future.done() for future in waiting)


def test_a_full_disk_is_told_to_every_job_and_nothing_is_half_written(tmp_path, monkeypatch):
    class Full:
        def __init__(self, connection):
            self._connection = connection
            self.full = False

        def __getattr__(self, name):
            return getattr(self._connection, name)

        def execute(self, text, *arguments):
            if text == "COMMIT" and self.full:
                message = "database or disk is full"
                raise sqlite3.OperationalError(message)
            return self._connection.execute(text, *arguments)

    opened = []
    monkeypatch.setattr(
        "web.server.writer.open_database", lambda path: opened.append(Full(open_database(path))) or opened[0]
    )
    told = []
    writer = Writer(tmp_path / "queue.db", told.extend)
    opened[0].full = True
    for future in [writer.submit(enqueue), writer.submit(enqueue)]:
        with pytest.raises(StoreError, match="disk is full") as caught:
            future.result()
        assert caught.value.code == "not_written"
    opened[0].full = False
    assert told == []
    assert writer.submit(enqueue).result().number == 1
    writer.close()


async def test_it_can_be_awaited(writer):
    runs = await asyncio.gather(*(writer.do(enqueue) for _ in range(10)))
    assert len({run.id for run in runs}) == 10


def test_a_job_that_nobody_waits_for_any_more_is_left_out(writer):
    gate = threading.Event()
    writer.submit(lambda _queue: gate.wait())
    given_up, other = writer.submit(enqueue), writer.submit(enqueue)
    assert given_up.cancel()
    gate.set()
    assert other.result().number == 1
