"""Every message of the stream is one of the declared ones."""

import json
from dataclasses import fields
from typing import get_args

import pytest

from engine.errors import Code, NodeError
from engine.events import Body, Event, RunFinished
from tests.web.server.kit import draw, one
from web.server.hub import message_of
from web.server.queue import Order, Queue, open_database
from web.server.stream import StreamEvent, Told
from web.text import dumps
from web.worker.job import Job
from web.worker.runner import _Teller

SAMPLES = {
    "nodes": ("a", "b"),
    "node": "a",
    "done": 1,
    "total": None,
    "value": None,
    "text": "hello",
    "seconds": 0.5,
    "error": NodeError(Code.NODE_FAILED, "a", "It broke.", "Mend it.", [("number", "1")]),
    "because": "b",
    "state": "done",
}


def told_by_a_worker(body):
    told = []
    teller = _Teller(
        Job(id="7", attempt=1, name="fox", document="{}", folder=""), lambda message, _: told.append(message)
    )
    teller(Event(1, body(**{item.name: SAMPLES[item.name] for item in fields(body)})))
    return [json.loads(dumps({"sequence": 1, "run": "7", **message["event"]})) for message in told]


@pytest.mark.parametrize("body", get_args(Body))
def test_what_a_worker_tells_is_declared(body):
    messages = told_by_a_worker(body)
    assert len(messages) == (body is not RunFinished)  # the queue tells how a run ended
    for message in messages:
        assert StreamEvent.model_validate(message).model_dump(exclude_unset=True) == message


async def history(site):
    notices = await site.service.writer.do(lambda queue: queue.history(0, 2**40, 1000))
    return [json.loads(message_of(notice).text) for notice in notices]


async def test_what_the_queue_tells_is_declared_and_nothing_else_is(site):
    await site.done(draw(1))
    failed = await site.wait((await site.submit(one("Fail")))["id"])
    running = await site.submit(one("Wait", seconds=20.0, steps=2000))
    await site.wait(running["id"], "running")
    await site.request("DELETE", f"/api/runs/{running['id']}")
    await site.wait(running["id"])
    await site.pause()
    await site.post(f"/api/runs/{failed['id']}/retry")
    await site.post(f"/api/runs/{failed['id']}/move", {"to": "first"})
    await site.resume()
    messages = await history(site)
    for message in messages:
        assert StreamEvent.model_validate(message).model_dump(exclude_unset=True) == message
    workers = {message["event"] for body in get_args(Body) for message in told_by_a_worker(body)}
    union, _ = get_args(Told)
    declared = {tag for part in get_args(union) for tag in get_args(part.model_fields["event"].annotation)}
    assert {message["event"] for message in messages} | workers == declared


def test_a_run_that_is_queued_again_says_why(tmp_path):
    connection = open_database(tmp_path / "queue.db")
    queue = Queue(connection)
    run, _ = queue.enqueue(Order(name="fox", document="{}", inputs={}))
    queue.claim()
    queue.give_back(run.id, 1, node=None, reason="It died.")
    connection.close()
    *_, last = queue.notices
    message = StreamEvent.model_validate_json(message_of(last).text).root
    assert (message.event, message.because) == ("run_queued", "It died.")
