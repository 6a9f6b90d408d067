from __future__ import annotations

from pathlib import Path
from typing import Annotated

from engine import Catalog, Paths, Settings, node
from engine.choices import Choice, Choosable, Collection, collections, models, named


class Words:
    def choices(self, _paths, _settings):
        return [Choice("a"), Choice("b", "sd1", {"bytes": 3})]


class Loader(Words):
    loads = True

    def __init__(self, *more):
        self.more = more

    def resolve(self, value, _paths, _settings, _at):
        return Path(value)

    def digest(self, resolved):
        return str(resolved)

    def choices(self, paths, settings):
        return [*super().choices(paths, settings), *self.more]


class Keeper(Loader):
    def describe(self, name, _paths, _at, *, digests=True):
        return {"name": name, "digests": digests}

    def fetch(self, name, _at, _progress=None):
        return Path(name)

    def families(self):
        return {}


class Silent(Loader):
    choices = None


PLAIN, KEEPER = Loader(Choice("b", "other"), Choice("c")), Keeper()


def test_a_resource_that_lists_what_it_takes_is_told_from_one_that_does_not():
    assert isinstance(Words(), Choosable)
    assert not isinstance(object(), Choosable)


def test_a_resource_that_looks_after_models_is_told_from_one_that_lists_them():
    assert isinstance(KEEPER, Collection)
    assert not isinstance(PLAIN, Collection)


def test_a_choice_may_be_no_more_than_a_name():
    first, second = Words().choices(Paths(), Settings())
    assert (first.kind, first.detail) == ("", {})
    assert (second.name, second.kind, second.detail) == ("b", "sd1", {"bytes": 3})


@node("Load")
def load(*, model: Annotated[Path, KEEPER], other: Annotated[Path, PLAIN], steps: int = 3) -> int:
    """Take models."""
    return steps


def test_what_loads_models_is_found_and_each_model_listed_once():
    types = Catalog.of([load]).types.values()
    assert list(collections(types)) == [KEEPER, PLAIN]
    found = models(types, Paths(), Settings())
    assert [(choice.name, choice.kind) for choice in found] == [("a", ""), ("b", "sd1"), ("c", "")]


class Beads(Loader):
    noun = "bead"


class Unlisted(Silent):
    noun = "bead"


@node("Thread")
def thread(
    *, first: Annotated[Path, Beads()], second: Annotated[Path, Beads(Choice("d"))], third: Annotated[Path, Unlisted()]
) -> int:
    """Take beads."""
    return len((first, second, third))


def test_what_inputs_of_one_sort_may_name_is_listed_once():
    types = Catalog.of([thread, load]).types.values()
    assert [choice.name for choice in named(types, "bead", Paths(), Settings())] == ["a", "b", "d"]
    assert named(types, "pearl", Paths(), Settings()) == []
