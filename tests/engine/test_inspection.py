from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine.inspection import (
    LONGEST_TEXT,
    MOST_ITEMS,
    MOST_PICTURES,
    Fact,
    Histogram,
    Inspectable,
    Inspection,
    Shown,
    inspect_value,
    label_of,
)
from tests.engine.kit import Latent


@dataclass(frozen=True)
class Seen:
    size: int

    def inspect(self, pictures):
        shown = tuple(Shown(f"part {number}", 1, 1, b"png") for number in range(min(pictures, 3)))
        return Inspection((Fact("size", str(self.size)),), Histogram(0.0, 1.0, (2, 3)), shown)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (3, "int"),
        (True, "bool"),
        ("x", "text"),
        (0.5, "float"),
        (None, "nothing"),
        ({}, "object"),
        (Latent("sd1"), "Latent[sd1]"),
        ([Latent("sd1")] * 3, "list of Latent[sd1]"),
        ([1, 2], "list of int"),
        ([1, "x"], "list of int or text"),
        ([], "list of anything"),
        ((1,), "list of int"),
    ],
)
def test_a_value_is_called_by_its_type(value, label):
    assert label_of(value) == label


def test_a_value_that_says_what_there_is_to_see_is_asked():
    assert isinstance(Seen(1), Inspectable)
    found = inspect_value(Seen(4))
    assert (found.facts, found.histogram, len(found.pictures)) == ((("size", "4"),), Histogram(0.0, 1.0, (2, 3)), 3)


@pytest.mark.parametrize(
    ("value", "text"), [(3, "3"), (None, "null"), (True, "true"), (Latent("a"), "Latent(kind='a')"), ({1}, "{1}")]
)
def test_any_other_value_is_one_line(value, text):
    assert inspect_value(value) == Inspection((Fact("value", text),))


def test_a_text_is_shown_as_it_is_as_far_as_that_goes():
    assert inspect_value("a\nb").facts == (("value", "a\nb"), ("characters", "3"))
    long = inspect_value("x" * (LONGEST_TEXT + 1)).facts
    assert (len(long[0].value), long[0].value[-4:], long[1].value) == (LONGEST_TEXT, "x...", str(LONGEST_TEXT + 1))


def test_a_list_is_looked_at_item_by_item():
    found = inspect_value([Seen(1), "b", [2]])
    assert found.facts == (
        ("items", "3"), ("1: size", "1"), ("2: value", "b"), ("2: characters", "1"), ("3: items", "1"),
        ("3: 1: value", "2"),
    )  # fmt: skip
    assert found.histogram is None
    assert [picture.label for picture in found.pictures] == ["1: part 0", "1: part 1", "1: part 2"]
    assert inspect_value([]).facts == (("items", "0"),)


def test_a_long_list_is_cut_and_its_pictures_are_few():
    found = inspect_value([Seen(number) for number in range(40)])
    assert found.facts[0] == ("items", "40")
    assert len(found.facts) == 1 + MOST_ITEMS
    assert [picture.label for picture in found.pictures] == [f"{number}: part 0" for number in range(1, 17)]
    assert len(found.pictures) == MOST_PICTURES
