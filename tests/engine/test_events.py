from __future__ import annotations

import json
from typing import get_args

from engine import Code, NodeError
from engine.events import Body, Event, NodeFailed, NodePreview, NodeProgress, RunStarted


def test_every_event_has_a_tag_of_its_own():
    tags = [body.tag for body in get_args(Body)]
    assert len(set(tags)) == len(tags)


def test_events_are_plain_data():
    assert Event(3, NodeProgress(node="n", done=1)).json() == {
        "sequence": 3, "event": "node_progress", "node": "n", "done": 1, "total": None
    }  # fmt: skip
    failed = Event(1, NodeFailed(node="n", error=NodeError(Code.NODE_FAILED, "n", "It broke."))).json()
    assert failed["error"]["what"] == "It broke."
    assert json.loads(json.dumps(Event(1, RunStarted(nodes=("a",))).json()))["nodes"] == ["a"]


def test_a_previews_value_stays_behind():
    assert Event(1, NodePreview(node="n", value=object())).json() == {
        "sequence": 1,
        "event": "node_preview",
        "node": "n",
    }
