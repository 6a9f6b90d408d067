from __future__ import annotations

import pytest

from engine import GraphError
from engine.migrations import MIGRATIONS, VERSION, migrate


def step(name):
    return lambda document: {**document, "version": document["version"] + 1, "seen": [*document.get("seen", []), name]}


FAKE = (step("one"), step("two"), step("three"))


@pytest.mark.parametrize(("version", "seen"), [(1, ["one", "two", "three"]), (2, ["two", "three"]), (3, ["three"])])
def test_an_old_document_goes_through_every_later_step_in_order(version, seen):
    assert migrate({"version": version}, FAKE) == {"version": 4, "seen": seen}


def test_todays_document_is_left_alone():
    assert migrate({"version": 4}, FAKE) == {"version": 4}
    assert len(MIGRATIONS) + 1 == VERSION


@pytest.mark.parametrize("version", [5, 0, -1, 1.0, "1", None, True, [1]])
def test_a_version_that_is_none_is_refused(version):
    with pytest.raises(GraphError) as caught:
        migrate({"version": version}, FAKE)
    assert (caught.value.code.value, caught.value.at) == ("unknown_version", "version")
    assert caught.value.fix in ("Upgrade Patchbay.", 'Write "version": 4 at its top.')
