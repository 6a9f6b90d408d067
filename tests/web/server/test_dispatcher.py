"""From the queue to the worker and back, with a worker that does what each test wants."""

import asyncio

import pytest

from engine import Code, ServerError, StoreError
from tests.web.server.test_queue import order
from web.server import dispatcher as module
from web.server.dispatcher import Dispatcher, free_folder, outputs_of, stem_of
from web.server.hub import Hub
from web.server.metrics import Metrics
from web.server.record import Artifact, Run
from web.server.writer import Writer


class Puppet:
    """A worker whose answers are the test's."""

    def __init__(self):
        self.jobs = asyncio.Queue()
        self.sent = []
        self.killed = []
        self.starts = 0

    async def start(self, hear):
        self.starts += 1
        self.hear = hear
        asyncio.get_running_loop().call_soon(hear, {"say": "ready"}, b"")

    def send(self, message):
        self.sent.append(message)
        if message["do"] == "run":
            self.jobs.put_nowait(message["job"])

    def kill(self, why):
        self.killed.append(why)
        self.hear({"say": "dead", "why": why}, b"")

    async def close(self):
        pass

    def finish(self, job, state="done", **more):
        self.hear({"say": "done", "id": job["id"], "attempt": job["attempt"], "state": state, **more}, b"")

    async def next(self):
        async with asyncio.timeout(10):
            return await self.jobs.get()


class Stage:
    """A dispatcher over a real queue."""

    def __init__(self, tmp_path):
        loop = asyncio.get_running_loop()
        self.hub = Hub()
        self.outputs = tmp_path / "outputs"
        self.writer = Writer(tmp_path / "queue.db", lambda told: loop.call_soon_threadsafe(self.hub.tell_stored, told))
        self.worker = Puppet()
        self.dispatcher = Dispatcher(self.writer, self.hub, self.worker, self.outputs, Metrics())

    async def add(self, **more):
        run, _ = await self.writer.do(lambda queue: queue.enqueue(order(**more)))
        self.dispatcher.wake()
        return run

    async def get(self, run):
        return await self.writer.do(lambda queue: queue.get(run.id))

    async def until(self, run, state):
        async with asyncio.timeout(10):
            while (found := await self.get(run)).state != state:
                await asyncio.sleep(0.005)
        return found


@pytest.fixture
async def stage(tmp_path):
    found = Stage(tmp_path)
    await found.dispatcher.start()
    yield found
    await found.dispatcher.close()
    found.writer.close()


async def test_runs_are_brought_one_after_another(stage):
    first, second = await stage.add(), await stage.add()
    job = await stage.worker.next()
    assert (job["id"], stage.dispatcher.running) == (first.id, first.id)
    assert stage.worker.jobs.empty()
    stage.worker.finish(job, outputs={"n": {"value": 1}})
    assert (await stage.worker.next())["id"] == second.id
    assert (await stage.get(first)).outputs == {"n": 1}


async def test_however_often_it_is_woken_one_run_is_brought(stage):
    runs = [await stage.writer.do(lambda queue: queue.enqueue(order())[0]) for _ in range(5)]
    for _ in range(5):
        stage.dispatcher.wake()
    for run in runs:
        job = await stage.worker.next()
        stage.dispatcher.wake()
        await asyncio.sleep(0.01)
        assert job["id"] == run.id
        assert stage.worker.jobs.empty()
        stage.worker.finish(job)
    await stage.until(runs[-1], "done")


async def test_the_warm_model_goes_first(stage):
    await stage.add(affinity="a")
    job = await stage.worker.next()
    await stage.add(affinity="b")
    warm = await stage.add(affinity="a")
    stage.worker.finish(job)
    assert (await stage.worker.next())["id"] == warm.id


async def test_a_dead_worker_is_replaced_and_its_run_comes_back(stage):
    run = await stage.add()
    job = await stage.worker.next()
    folder = stage.outputs / "000001-fox"
    assert job["folder"] == str(folder)
    folder.mkdir(parents=True)
    (folder / "half.png").write_text("half")
    stage.worker.hear(
        {"say": "node", "id": run.id, "attempt": 1, "event": {"event": "node_started", "node": "boom"}}, b""
    )
    stage.worker.hear({"say": "dead", "why": "It crashed."}, b"")
    again = await stage.worker.next()
    assert (again["id"], again["attempt"], stage.worker.starts) == (run.id, 2, 2)
    assert not folder.exists()
    assert again["folder"] == str(stage.outputs / "000001-fox-2")


async def test_a_run_that_kills_three_workers_fails_and_names_its_node(stage, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    run = await stage.add()
    for attempt in (1, 2, 3):
        await stage.worker.next()
        event = {"event": "node_started", "node": "boom"}
        stage.worker.hear({"say": "node", "id": run.id, "attempt": attempt, "event": event}, b"")
        stage.worker.hear({"say": "dead", "why": "It crashed."}, b"")
    found = await stage.until(run, "failed")
    assert (found.error.code, found.error.at) == ("worker_died", "boom")


async def test_what_an_old_attempt_says_is_not_heard(stage):
    run = await stage.add()
    await stage.worker.next()
    stage.worker.hear({"say": "dead", "why": "It crashed."}, b"")
    new = await stage.worker.next()
    stage.worker.finish({"id": run.id, "attempt": 1}, outputs={"n": {"value": "old"}})
    listener, _ = stage.hub.subscribe()
    stage.worker.hear({"say": "event", "id": run.id, "attempt": 1, "event": {"event": "node_finished"}}, b"")
    assert not listener._queue
    stage.worker.finish(new, outputs={"n": {"value": "new"}})
    assert (await stage.until(run, "done")).outputs == {"n": "new"}


async def test_a_cancelled_run_is_told_to_its_worker(stage):
    run = await stage.add()
    job = await stage.worker.next()
    assert (await stage.dispatcher.cancel(run.id)).cancelling
    assert stage.worker.sent[-1] == {"do": "cancel", "id": run.id, "attempt": 1}
    stage.worker.finish(job, "cancelled")
    await stage.until(run, "cancelled")
    assert not stage.worker.killed


async def test_a_run_that_does_not_stop_takes_its_worker_with_it(stage, monkeypatch):
    monkeypatch.setattr(module, "GRACE", 0.01)
    run, other = await stage.add(), await stage.add()
    await stage.worker.next()
    await stage.dispatcher.cancel(run.id)
    assert (await stage.worker.next())["id"] == other.id
    assert (await stage.get(run)).state == "cancelled"
    assert "did not stop" in stage.worker.killed[0]


async def test_a_queued_run_is_cancelled_without_the_worker(stage):
    await stage.add()
    await stage.worker.next()
    run = await stage.add()
    assert (await stage.dispatcher.cancel(run.id)).state == "cancelled"
    assert all(message["do"] == "run" for message in stage.worker.sent)


async def test_a_result_waits_for_a_full_disk(stage, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    run = await stage.add()
    job = await stage.worker.next()
    do, left = stage.writer.do, [3]

    async def full(work):
        if left[0]:
            left[0] -= 1
            what = "The disk is full."
            raise StoreError(Code.NOT_WRITTEN, "queue.db", what)
        return await do(work)

    monkeypatch.setattr(stage.writer, "do", full)
    stage.worker.finish(job, outputs={"n": {"value": 1}})
    async with asyncio.timeout(10):
        while left[0]:
            await asyncio.sleep(0.001)
    monkeypatch.undo()
    assert (await stage.until(run, "done")).outputs == {"n": 1}


async def test_a_result_is_stored_though_the_worker_died_after_it(stage):
    run = await stage.add()
    job = await stage.worker.next()
    stage.worker.finish(job, outputs={"n": {"value": 1}})
    stage.worker.hear({"say": "dead", "why": "It crashed."}, b"")
    assert (await stage.until(run, "done")).outputs == {"n": 1}


async def test_stopping_gives_the_run_back_uncounted(tmp_path):
    stage = Stage(tmp_path)
    await stage.dispatcher.start()
    run = await stage.add()
    await stage.worker.next()
    await stage.dispatcher.close()
    found = await stage.get(run)
    assert (found.state, found.tries, found.attempt) == ("queued", 0, 1)
    stage.writer.close()


async def test_events_reach_the_hub_with_their_run(stage):
    run = await stage.add()
    await stage.worker.next()
    listener, _ = stage.hub.subscribe()
    event = {"event": "node_preview", "node": "sample"}
    stage.worker.hear({"say": "event", "id": run.id, "attempt": 1, "event": event}, b"picture")
    message = listener._queue[-1]
    assert (message.run, message.preview) == (run.id, b"picture")


async def test_questions_are_answered_or_refused(stage, monkeypatch):
    await asyncio.sleep(0.01)
    job = module.job_of(Run(id="1", number=1, name="x", state="queued", place=0, created=0, document=""), "{}")
    asking = asyncio.create_task(stage.dispatcher.forecast(job))
    await asyncio.sleep(0.01)
    question = stage.worker.sent[-1]["question"]
    stage.worker.hear({"say": "answer", "question": question, "found": [{"node": "a"}]}, b"")
    assert await asking == [{"node": "a"}]
    stage.worker.hear({"say": "answer", "question": question, "found": []}, b"")
    monkeypatch.setattr(module, "ANSWER_TIME", 0.01)
    with pytest.raises(ServerError, match="did not answer in time"):
        await stage.dispatcher.forecast(job)


async def test_a_question_that_died_with_its_worker_is_asked_of_the_next(stage):
    await asyncio.sleep(0.01)
    job = module.job_of(Run(id="1", number=1, name="x", state="queued", place=0, created=0, document=""), "{}")
    asking = asyncio.create_task(stage.dispatcher.forecast(job))
    await asyncio.sleep(0.01)
    first = stage.worker.sent[-1]
    stage.worker.hear({"say": "dead", "why": "killed"}, b"")
    await asyncio.sleep(0.05)
    assert stage.worker.sent[-1] == first
    assert len([message for message in stage.worker.sent if message == first]) == 2
    stage.worker.hear({"say": "answer", "question": first["question"], "found": [{"node": "a"}]}, b"")
    assert await asking == [{"node": "a"}]


async def test_a_worker_that_has_not_started_answers_no_question(tmp_path):
    stage = Stage(tmp_path)
    with pytest.raises(ServerError, match="is starting"):
        await stage.dispatcher.forecast(None)
    await asyncio.to_thread(stage.writer.close)


def test_outputs_are_values_or_the_files_they_became():
    picture = Artifact(digest="ab", file="fox-0001.png", media_type="image/png", bytes=3)
    told = {"image": {"files": ["fox-0001.png"]}, "seed": {"value": 4}}
    assert outputs_of(told, [picture]) == {"image": [picture.model_dump()], "seed": 4}


@pytest.mark.parametrize(
    ("name", "stem"),
    [("Red fox", "Red_fox"), ("../../etc", "etc"), ("狐狸", "狐狸"), ("///", "graph"), ("x" * 99, "x" * 60)],
)
def test_names_become_names_of_files(name, stem):
    assert stem_of(name) == stem


def test_no_attempt_gets_a_folder_that_is_there(tmp_path):
    run = Run(id="7", number=7, name="fox", state="running", place=0, created=0, document="", attempt=1)
    assert free_folder(tmp_path, run) == tmp_path / "000007-fox"
    (tmp_path / "000007-fox").mkdir()
    assert free_folder(tmp_path, run) == tmp_path / "000007-fox.2"
    assert free_folder(tmp_path, run.to(attempt=3)) == tmp_path / "000007-fox-3"
