from __future__ import annotations

from engine import Paths, Settings
from engine.choices import Choice, Choosable


class Words:
    def choices(self, _paths, _settings):
        return [Choice("a"), Choice("b", "sd1", {"bytes": 3})]


def test_a_resource_that_lists_what_it_takes_is_told_from_one_that_does_not():
    assert isinstance(Words(), Choosable)
    assert not isinstance(object(), Choosable)


def test_a_choice_may_be_no_more_than_a_name():
    first, second = Words().choices(Paths(), Settings())
    assert (first.kind, first.detail) == ("", {})
    assert (second.name, second.kind, second.detail) == ("b", "sd1", {"bytes": 3})
