from __future__ import annotations

from threading import Event

import pytest

from engine import Cancelled, Settings, report, say, track
from engine.context import NodeContext, Pace, call_within, current, stop_if_cancelled


def within(function, **more):
    bodies = []
    context = NodeContext("n", bodies.append, **more)
    call_within(context, function, {})
    return bodies


def progress(bodies):
    return [(body.done, body.total) for body in bodies if body.tag == "node_progress"]


def test_outside_a_run_nobody_listens():
    assert list(track("ab")) == ["a", "b"]
    report(1, 2, preview=list)
    say("nothing")
    assert current().node == ""


def test_track_reports_each_item_and_the_total_where_it_is_known():
    assert progress(within(lambda: list(track("ab")))) == [(0, 2), (1, 2), (2, 2)]
    assert progress(within(lambda: list(track(iter("ab"))))) == [(0, None), (1, None), (2, None)]
    assert progress(within(lambda: list(track(iter("ab"), 2)))) == [(0, 2), (1, 2), (2, 2)]


def test_a_call_for_one_item_reports_its_share_of_all():
    assert progress(within(lambda: report(1, 2), part=(1, 3))) == [(3, 6)]


def test_previews_are_made_at_a_pace():
    made = []

    def node():
        for step in range(100):
            report(step, 100, preview=lambda: made.append(1))

    within(node, settings=Settings(previews=True))
    assert len(made) == 1
    pace = Pace(0.0)
    assert pace.is_due()
    assert pace.is_due()


def test_previews_are_made_only_where_they_are_wanted():
    def node():
        report(1, 1, preview=lambda: "picture")

    assert [body.tag for body in within(node)] == ["node_progress"]
    bodies = within(node, settings=Settings(previews=True))
    assert [body.tag for body in bodies] == ["node_progress", "node_preview"]
    assert bodies[1].value == "picture"


def test_a_sentence_reaches_the_user():
    (body,) = within(lambda: say("long prompt"))
    assert (body.node, body.text) == ("n", "long prompt")


def test_a_cancelled_node_stops_at_its_next_report():
    cancel = Event()
    done = []

    def node():
        for item in track(range(9)):
            done.append(item)
            if item == 1:
                cancel.set()

    with pytest.raises(Cancelled):
        within(node, cancel=cancel)
    assert done == [0, 1]
    with pytest.raises(Cancelled):
        within(stop_if_cancelled, cancel=cancel)
