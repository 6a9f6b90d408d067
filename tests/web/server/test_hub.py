"""One numbered stream: in order, replayed, bounded."""

import asyncio
import json

from web.server.hub import BEHIND, KEPT, STEP, Hub
from web.server.queue import Notice


def notice(number, run="1"):
    return Notice(number, run, {"event": "run_queued"})


def sequences(listener):
    return [message.sequence for message in listener._queue]


def test_numbers_grow_over_stored_and_passing_events():
    hub = Hub()
    listener, _ = hub.subscribe()
    hub.tell_stored([notice(1)])
    hub.tell("1", {"event": "node_progress"})
    hub.tell("1", {"event": "node_progress"})
    hub.tell_stored([notice(2), notice(3)])
    assert sequences(listener) == [STEP, STEP + 1, STEP + 2, 2 * STEP, 3 * STEP]
    assert [json.loads(message.text)["sequence"] for message in listener._queue] == sequences(listener)


def test_a_client_that_connects_again_misses_nothing_and_sees_nothing_twice():
    hub = Hub()
    hub.begin(7)
    hub.tell_stored([notice(8)])
    for _ in range(5):
        hub.tell("1", {"event": "node_progress"})
    listener, oldest = hub.subscribe(after=8 * STEP + 2)
    hub.tell_stored([notice(9)])
    assert sequences(listener) == [8 * STEP + 3, 8 * STEP + 4, 8 * STEP + 5, 9 * STEP]
    assert oldest == 7 * STEP


def test_what_left_the_memory_is_named():
    hub = Hub()
    hub.tell_stored(notice(number) for number in range(1, KEPT + 4))
    _, oldest = hub.subscribe(after=0)
    assert oldest == 3 * STEP


def test_a_client_can_follow_one_run_and_the_queue():
    hub = Hub()
    listener, _ = hub.subscribe(run="1")
    hub.tell_stored([notice(1, "1"), notice(2, "2"), notice(3, None)])
    assert sequences(listener) == [STEP, 3 * STEP]


def test_a_slow_client_is_cut_off_and_costs_the_others_nothing():
    hub = Hub()
    slow, _ = hub.subscribe()
    for _ in range(BEHIND + 10):
        hub.tell("1", {"event": "node_progress"})
    fresh, _ = hub.subscribe()
    hub.tell("1", {"event": "node_progress"})
    assert slow.lost
    assert len(slow._queue) == BEHIND
    assert not fresh.lost
    hub.unsubscribe(slow)
    assert hub.listeners == 1


def test_previews_are_the_first_to_go_and_are_not_kept():
    hub = Hub()
    listener, _ = hub.subscribe()
    for _ in range(BEHIND // 2):
        hub.tell("1", {"event": "node_preview"}, b"picture")
    assert len(listener._queue) == BEHIND // 8 + 1
    later, _ = hub.subscribe(after=0)
    assert sequences(later) == []


def test_numbers_never_run_into_the_next_notice():
    hub = Hub()
    hub.tell_stored([notice(1)])
    hub._sequence = 2 * STEP - 2
    listener, _ = hub.subscribe()
    for _ in range(3):
        hub.tell("1", {"event": "node_progress"})
    hub.tell_stored([notice(2)])
    assert sequences(listener) == [2 * STEP - 1, 2 * STEP]


async def test_waiting_ends_with_a_message_with_time_or_with_the_server():
    hub = Hub()
    listener, _ = hub.subscribe()
    assert await listener.next(0.01) is None
    waiting = asyncio.create_task(listener.next(10))
    await asyncio.sleep(0)
    hub.tell_stored([notice(1)])
    assert (await waiting).sequence == STEP
    waiting = asyncio.create_task(listener.next(10))
    await asyncio.sleep(0)
    hub.close()
    assert await waiting is None
    assert listener.lost
    late, _ = hub.subscribe()
    assert late.lost
