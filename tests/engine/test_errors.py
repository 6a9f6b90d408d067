from __future__ import annotations

import json

import pytest

from engine import Cancelled, Code, GraphError, NodeError, PatchbayError, Problem, StoreError
from engine.errors import nearest

ONE = Problem(Code.BAD_VALUE, "a.x", "It is wrong.", "Mend it.")
TWO = Problem(Code.CYCLE, "", "It goes round.")


def test_a_problem_reads_as_place_reason_and_fix():
    assert str(ONE) == "a.x: It is wrong. Mend it."
    assert str(TWO) == "It goes round."


def test_a_problem_seen_from_outside_gains_a_place():
    assert ONE.moved("outer/").at == "outer/a.x"
    assert TWO.moved("outer/").at == "outer"


def test_every_error_is_plain_data_too():
    assert PatchbayError(*vars_of(ONE)).fields() == {
        "code": "bad_value", "at": "a.x", "what": "It is wrong.", "fix": "Mend it."
    }  # fmt: skip
    whole = GraphError([ONE, TWO])
    assert str(whole) == f"{ONE}\n{TWO}"
    assert [problem["code"] for problem in whole.fields()["problems"]] == ["bad_value", "cycle"]
    failed = NodeError(Code.NODE_FAILED, "n", "It broke.", inputs=[("a", "1")])
    assert str(failed) == "n: It broke.\n    a = 1"
    assert json.loads(json.dumps(failed.fields()))["inputs"] == {"a": "1"}


def vars_of(problem):
    return problem.code, problem.at, problem.what, problem.fix


@pytest.mark.parametrize("kind", [GraphError, NodeError, StoreError])
def test_one_except_clause_catches_every_refusal(kind):
    assert issubclass(kind, PatchbayError)


def test_a_cancelled_run_passes_a_nodes_own_except_clause():
    assert not issubclass(Cancelled, Exception)


def test_the_nearest_name_is_offered_or_nothing():
    assert nearest("promt", ["prompt", "seed"]) == 'Did you mean "prompt"?'
    assert nearest("xyz", ["prompt", "seed"]) == ""
