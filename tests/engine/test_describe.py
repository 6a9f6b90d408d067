from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from engine.describe import describe


class Array:
    shape = (2, 3)
    dtype = "torch.float16"
    device = "cuda:0"

    def float(self):
        return self

    def min(self):
        return -1.0

    def max(self):
        return 2.0

    def mean(self):
        return 1 / 3


class Empty(Array):
    def min(self):
        raise RuntimeError


class Plain:
    shape, dtype = (), "int64"


@dataclass
class Point:
    x: int
    y: list[int]
    hidden: int = field(default=0, repr=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Array(), "Array(shape=(2, 3), float16, cuda:0, min=-1, max=2, mean=0.3333)"),
        (Empty(), "Empty(shape=(2, 3), float16, cuda:0, no statistics)"),
        (Plain(), "Plain(shape=(), int64, no statistics)"),
        (Point(1, [2]), "Point(x=1, y=[2] (1 items))"),
        (Point, "<class 'test_describe.Point'>"),
        ([1, 2, 3, 4], "[1, 2, 3, ...] (4 items)"),
        ((), "[] (0 items)"),
        ("a", "'a'"),
        ("a" * 200, "'" + "a" * 96 + "..."),
        (None, "None"),
    ],
)
def test_a_value_is_told_in_one_line(value, text):
    assert describe(value).replace(f"{__name__}.", "test_describe.") == text


def test_an_object_that_cannot_show_itself_is_named_by_its_class():
    class Broken:
        def __repr__(self):
            raise ValueError

    assert describe(Broken()) == "Broken"
