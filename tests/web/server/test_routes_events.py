"""The stream as clients get it: nothing missed, nothing twice, in order, over both ways and over restarts."""

import asyncio
import io
import json
import random

import pytest
from aiohttp import ClientError, WSMsgType
from PIL import Image

from engine import Code, StoreError
from tests.web.server.kit import draw, one
from tests.web.server.site import places
from web.server import routes_events
from web.server.hub import BEHIND, KEPT, STEP
from web.server.queue import Queue
from web.worker.wire import HEADER

SHOW = '''
"""A node that shows what it is doing."""

import io
import time
from dataclasses import dataclass

from engine import node, report


@dataclass(frozen=True)
class Sketch:
    """A grey picture."""

    shade: int

    def digest(self) -> str:
        return f"sketch {self.shade}"

    def files(self) -> list[bytes]:
        from PIL import Image

        found = io.BytesIO()
        Image.new("RGB", (600, 300), (self.shade,) * 3).save(found, "PNG")
        return [found.getvalue()]


@node("Show", deterministic=False)
def show(*, steps: int = 3) -> int:
    """Report every step with a preview."""
    for done in range(1, steps + 1):
        report(done, steps, lambda: Sketch(done * 10))
        time.sleep(0.55)  # previews are made twice a second at most
    return steps
'''


@pytest.fixture
def home(home):
    (home / "nodes" / "show.py").write_text(SHOW)
    return home


async def over_websocket(site, query, seen, enough):
    """Read until `enough(seen)`; the numbers and events go to `seen`."""
    async with site.client.ws_connect(f"/api/events{query}") as socket:
        while not enough(seen):
            message = await socket.receive(timeout=10)
            if message.type is not WSMsgType.TEXT:
                return
            seen.append(json.loads(message.data))


async def over_http(site, query, seen, enough, **headers):
    async with site.client.get(f"/api/events{query}", headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        number = None
        while not enough(seen):
            line = (await asyncio.wait_for(response.content.readline(), 10)).decode()
            if not line:
                return
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: "):
                seen.append(json.loads(line[6:]))
                assert seen[-1]["sequence"] == number


READERS = {"websocket": over_websocket, "http": over_http}


async def listening(site, count):
    """Wait until so many clients listen."""
    async with asyncio.timeout(10):
        while site.service.hub.listeners != count:
            await asyncio.sleep(0.001)


def numbers(seen):
    return [event["sequence"] for event in seen]


def ended(run_id):
    return lambda seen: any(event["event"] == "run_finished" and event["run"] == run_id for event in seen)


async def history(site):
    """What is stored, as it goes out."""
    notices = await site.service.writer.do(lambda queue: queue.history(0, 2**40, 10**6))
    return [{"sequence": notice.id * STEP, "run": notice.run, **notice.body} for notice in notices]


def stored(seen):
    return [event for event in seen if event["sequence"] % STEP == 0]


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
async def test_a_run_is_told_from_its_queue_to_its_end(site, read):
    seen = []
    run = await site.submit(draw(1))
    await read(site, "?after=0", seen, ended(run["id"]))
    assert [(event["event"], event["run"]) for event in seen] == [
        ("server_started", None),
        *((tag, run["id"]) for tag in ("run_queued", "run_started", "plan_started", "node_started", "node_finished")),
        ("run_finished", run["id"]),
    ]
    assert numbers(seen) == sorted(set(numbers(seen)))
    assert seen[-1]["state"] == "done"
    assert seen[-1]["outputs"] == (await site.run(run["id"]))["outputs"]
    assert stored(seen) == await history(site)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
async def test_without_a_number_the_stream_begins_now(site, read):
    await site.done(draw(1))
    seen = []
    reading = asyncio.create_task(read(site, "", seen, lambda seen: len(seen) == 2))
    await listening(site, 1)
    await site.pause()
    await site.resume()
    await reading
    assert [event["event"] for event in seen] == ["queue_paused", "queue_resumed"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
async def test_a_client_that_comes_and_goes_sees_every_event_once(site, read, seed):
    """It goes at any moment, between two events or with some on their way, and comes back with the last it has seen."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    runs = 12
    over = ended(str(runs))

    async def submit_all():
        for shade in range(runs):
            await site.submit(draw(shade) if shade % 3 else one("Wait", seconds=0.03, steps=3))
            await asyncio.sleep(chance.uniform(0, 0.03))

    submitting = asyncio.create_task(submit_all())
    seen = []
    while not over(seen):
        stop, after = len(seen) + chance.randrange(1, 9), numbers(seen)[-1] if seen else 0
        await read(site, f"?after={after}", seen, lambda seen, stop=stop: len(seen) >= stop or over(seen))
        await asyncio.sleep(chance.choice([0, 0.02]))
    await submitting
    assert numbers(seen) == sorted(set(numbers(seen)))
    assert stored(seen) == await history(site)
    assert sum(event["event"] == "node_finished" for event in seen) == runs
    assert site.service.hub.listeners <= 1  # the last one may not have been noticed yet


async def test_after_a_restart_numbers_go_on_and_nothing_is_seen_twice(open_site):
    seen = []
    for start in range(3):
        site = await open_site()
        run = await site.submit(draw(start))
        after = numbers(seen)[-1] if seen else 0
        await over_websocket(site, f"?after={after}", seen, ended(run["id"]))
        unseen = await site.done(draw(100 + start))
        kept = await history(site)
        await site.close()
    assert numbers(seen) == sorted(set(numbers(seen)))
    assert stored(seen) == [event for event in kept if event["run"] != unseen["id"]]
    assert [event["event"] for event in stored(seen)].count("server_started") == 3


async def test_a_client_that_was_away_for_long_is_told_what_is_stored(site):
    """More than the memory holds: the stored events come from the database, the others are gone."""
    await site.done(draw(1))
    for number in range(KEPT + 100):
        site.service.hub.tell("1", {"event": "node_progress", "node": "a", "done": number})
    await site.done(draw(2))
    for read in READERS.values():
        seen = []
        await read(site, "?after=0", seen, ended("2"))
        assert numbers(seen) == sorted(set(numbers(seen)))
        assert stored(seen) == await history(site)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
async def test_one_run_can_be_followed_alone(site, read):
    for shade in range(3):
        await site.done(draw(shade))
    await site.pause()
    seen = []
    await read(site, "?after=0&run=2", seen, lambda seen: seen and seen[-1]["event"] == "queue_paused")
    assert {event["run"] for event in seen} == {"2", None}
    assert [event["event"] for event in stored(seen)] == [
        "server_started",
        "run_queued",
        "run_started",
        "run_finished",
        "queue_paused",
    ]


async def test_an_event_source_goes_on_with_the_header_it_sends(site):
    run = await site.done(draw(1))
    everything, rest = [], []
    await over_http(site, "?after=0", everything, ended(run["id"]))
    last = str(everything[2]["sequence"])
    await over_http(site, "", rest, ended(run["id"]), **{"Last-Event-ID": last})
    assert rest == everything[3:]
    rest = []  # the address is what a person wrote, so it wins
    await over_http(site, f"?after={everything[0]['sequence']}", rest, ended(run["id"]), **{"Last-Event-ID": last})
    assert rest == everything[1:]


@pytest.mark.parametrize("query", ["after=-1", "after=x", f"after={2**53}", "run=x", f"run={'9' * 16}", "since=1"])
async def test_a_bad_query_is_refused(site, query):
    status, problem = await site.get(f"/api/events?{query}")
    assert (status, places(problem)) == (400, [("bad_request", "/" + query.partition("=")[0])])
    async with site.client.get("/api/events", headers={"Last-Event-ID": "9" * 400}) as response:
        assert response.status == 400


async def test_previews_come_as_small_pictures_to_those_who_watch(site):
    previews, texts = [], []
    async with site.client.ws_connect("/api/events") as socket:
        run = await site.submit(one("Show", steps=2))
        while not ended(run["id"])(texts):
            message = await socket.receive(timeout=10)
            if message.type is WSMsgType.BINARY:
                length, size = HEADER.unpack(message.data[: HEADER.size])
                body = message.data[HEADER.size :]
                assert len(body) == length + size
                previews.append((json.loads(body[:length]), body[length:]))
            else:
                texts.append(json.loads(message.data))
    assert [about["event"] for about, _ in previews] == ["node_preview"] * 2
    for number, (about, data) in enumerate(previews, 1):
        assert (about["run"], about["node"]) == (run["id"], "show")
        picture = Image.open(io.BytesIO(data), formats=["JPEG"])
        assert picture.size == (256, 128)
        assert abs(picture.getpixel((9, 9))[0] - number * 10) < 3
    assert not any(event["event"] == "node_preview" for event in texts)
    ordered = sorted(numbers(texts) + numbers(about for about, _ in previews))
    assert ordered == sorted(set(ordered))
    seen = []
    await over_http(site, "?after=0", seen, ended(run["id"]))
    assert numbers(seen) == [1 * STEP, *(number for number in numbers(texts) if number > STEP)]


async def test_without_a_watcher_no_preview_is_made(site):
    await site.done(one("Show", steps=2))
    (job,) = [message["job"] for message in site.server.service.dispatcher._worker.sent if message["do"] == "run"]
    assert job["previews"] is False


async def test_a_client_that_does_not_read_is_cut_off_and_told_why(site):
    async with site.client.ws_connect("/api/events?after=0") as socket:
        await socket.receive(timeout=10)
        for _ in range(BEHIND + 100):
            site.service.hub.tell("1", {"event": "node_message", "node": "a", "text": "x" * 4000})
        message = await socket.receive(timeout=10)
        while message.type is WSMsgType.TEXT:
            message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1013)
    await listening(site, 0)


async def test_a_client_over_http_that_does_not_read_is_let_go(site, monkeypatch):
    monkeypatch.setattr(routes_events, "HEARTBEAT", 0.3)
    async with site.client.get("/api/events") as response:
        await listening(site, 1)
        for _ in range(BEHIND - 10):
            site.service.hub.tell("1", {"event": "node_message", "node": "a", "text": "x" * 4000})
        await listening(site, 0)
        with pytest.raises(ClientError):
            await response.content.read()


async def test_a_history_that_cannot_be_read_ends_the_stream(site, monkeypatch):
    await site.done(draw(1))
    site.service.hub._oldest = 2 * STEP

    def fail(*_arguments):
        raise StoreError(Code.DAMAGED, "queue.db", "It is damaged.", "")

    monkeypatch.setattr(Queue, "history", fail)
    async with site.client.ws_connect("/api/events?after=0") as socket:
        message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1013)


async def test_when_the_server_stops_its_listeners_are_sent_away(site):
    async with site.client.ws_connect("/api/events") as socket, site.client.get("/api/events") as response:
        await listening(site, 2)
        site.service.hub.close()
        message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1013)
        assert (await response.content.read()).startswith(b": open\n\n")


async def test_what_a_client_says_is_not_heard_but_must_be_short(site):
    async with site.client.ws_connect("/api/events?after=0") as socket:
        await socket.send_str("hello")
        await socket.send_bytes(b"\0")
        await socket.receive(timeout=10)
        await site.pause()
        assert json.loads((await socket.receive(timeout=10)).data)["event"] == "queue_paused"
        await socket.send_str("x" * 5000)
        message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1009)


@pytest.mark.parametrize("headers", [{"Sec-WebSocket-Version": "12"}, {"Sec-WebSocket-Key": "short"}])
async def test_a_handshake_that_is_none_is_refused(site, headers):
    good = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    good |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    status, problem = await site.get("/api/events", headers={**good, **headers})
    assert (status, problem["code"]) == (400, "bad_request")


async def test_another_sites_page_cannot_listen(site):
    with pytest.raises(ClientError) as caught:
        await site.client.ws_connect("/api/events", headers={"Origin": "http://evil.example"})
    assert caught.value.status == 403
