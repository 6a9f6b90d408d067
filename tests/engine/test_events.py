from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Code, NodeError
from engine.events import (
    Body,
    Event,
    NodeFailed,
    NodeFinished,
    NodeMessage,
    NodePreview,
    NodeProgress,
    NodeReused,
    NodeSkipped,
    NodeStarted,
    RunFinished,
    RunStarted,
    read_event,
)


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


words = st.text(max_size=5)
counts = st.integers(0, 1 << 40)
seconds = st.floats(0, 1e6)
errors = st.builds(
    NodeError,
    st.sampled_from(Code),
    words,
    words,
    words,
    st.dictionaries(words, words).map(lambda found: found.items()),
)
bodies = st.one_of(
    st.builds(RunStarted, nodes=st.lists(words).map(tuple)),
    st.builds(NodeStarted, node=words),
    st.builds(NodeProgress, node=words, done=counts, total=st.none() | counts),
    st.builds(NodePreview, node=words, value=st.none()),
    st.builds(NodeMessage, node=words, text=words),
    st.builds(NodeReused, node=words),
    st.builds(NodeFinished, node=words, seconds=seconds),
    st.builds(NodeFailed, node=words, error=errors),
    st.builds(NodeSkipped, node=words, because=words),
    st.builds(RunFinished, state=words, seconds=seconds),
)


@given(st.builds(Event, counts, bodies))
def test_an_event_comes_back_from_json_as_it_was(event):
    data = json.loads(json.dumps(event.json()))
    found = read_event({**data, "run": "of no matter"})
    assert found.json() == event.json()
    if isinstance(event.body, NodeFailed):
        assert found.body.error.problem == event.body.error.problem
        assert found.body.error.inputs == event.body.error.inputs
    else:
        assert found == event


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "There is no event None."),
        ({"sequence": 1, "event": "node_dreamt"}, "There is no event 'node_dreamt'."),
        ({"sequence": 1, "event": "node_started"}, "The event node_started has no 'node'."),
        ({"event": "node_started", "node": "n"}, "The event node_started has no 'sequence'."),
        ({"sequence": 1, "event": "node_failed", "node": "n", "error": {"code": "x"}}, "'x' is not a valid Code"),
    ],
)
def test_what_is_no_event_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        read_event(data)
