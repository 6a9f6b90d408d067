"""What is kept of a run."""

import pytest
from pydantic import TypeAdapter, ValidationError

from web.server.record import ENDED, LIVE, Artifact, Fault, Run, RunId, State, digest_of

RUN = Run(
    id="7",
    number=7,
    name="né 🦊",
    state="done",
    place=1.5,
    created=1.0,
    document="ab",
    inputs={"seed": 2**80, "prompt": "\0", "list": [1, 1.0, True, None]},
    outputs={"n": 2**80},
    files=[Artifact(digest="ab", file="fox-0001.png", media_type="image/png", bytes=3, width=2, height=2)],
    error=Fault(code="node_failed", at="a", what="It broke.", inputs={"x": "1"}),
)


def test_what_is_written_is_read_back():
    assert Run.model_validate_json(RUN.model_dump_json()) == RUN


def test_a_run_is_never_changed_only_replaced():
    assert RUN.to(state="failed").state == "failed"
    assert RUN.state == "done"
    with pytest.raises(ValidationError):
        RUN.state = "failed"


def test_a_row_of_another_time_is_refused_rather_than_half_read():
    for changes in ({"color": "red"}, {"state": "lost"}, {"id": "x"}, {"priority": 2000}, {"place": float("nan")}):
        with pytest.raises(ValidationError):
            Run.model_validate({**RUN.model_dump(), **changes})


def test_every_state_is_live_or_ended():
    assert {*LIVE, *ENDED} == set(State.__args__)
    assert not set(LIVE) & set(ENDED)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.0", "1 ", "1\n", "²", "1" * 16])
def test_a_runs_id_is_a_number_that_sqlite_can_hold(text):
    with pytest.raises(ValidationError):
        TypeAdapter(RunId).validate_python(text)


def test_a_flipped_bit_shows_in_the_digest():
    text = RUN.model_dump_json()
    flipped = [text[:i] + chr(ord(text[i]) ^ 1) + text[i + 1 :] for i in range(0, len(text), 9)]
    assert len({digest_of(text), *map(digest_of, flipped)}) == len(flipped) + 1
