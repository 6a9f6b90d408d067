from __future__ import annotations

import math
from enum import Enum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.keys import canonical, content_bytes, content_digest, link_bytes, node_key

NAN = float("nan")


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Word(StrEnum):
    RED = "red"


class Digested:
    def __init__(self, name):
        self.name = name

    def digest(self):
        return self.name


class Other(Digested):
    pass


DIFFERENT = [
    1, 1.0, True, "1", b"1", 0, 0.0, -0.0, False, None, "", [], (), {}, [1], (1,), [[1]], [1, 1], ["1"], ["11"],
    {"a": 1}, {"a": [1]}, {"a": "1"}, {1: "a"}, math.inf, -math.inf, NAN, "nan", Size.SMALL, Size.LARGE, Word.RED,
    "red",
    Digested("a"), Digested("b"), Other("a"), "a", 10**30, -1, [None], ["a", "b"], ["ab"], ["a", ["b"]], "\ud800",
]  # fmt: skip


def test_different_values_have_different_bytes():
    found = [canonical(value) for value in DIFFERENT]
    assert None not in found
    assert len(set(found)) == len(DIFFERENT)


def test_equal_values_have_equal_bytes():
    assert canonical(NAN) == canonical(-NAN) == canonical(math.inf - math.inf)
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})
    assert canonical(Digested("a")) == canonical(Digested("a"))


@pytest.mark.parametrize(
    "value", [object(), Digested, {1, 2}, [object()], (1, object()), {"a": object()}, {object(): 1}]
)
def test_an_object_without_identity_has_no_key(value):
    assert canonical(value) is None
    assert content_digest(value) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


def told(value):
    """A value with its types, to compare by."""
    match value:
        case list() | tuple():
            return (type(value).__name__, tuple(map(told, value)))
        case dict():
            return ("dict", frozenset((told(key), told(item)) for key, item in value.items()))
        case float():
            return ("float", "nan" if math.isnan(value) else value.hex())
        case _:
            return (type(value).__name__, value)


@given(values, values)
def test_bytes_are_equal_exactly_where_values_are(one, two):
    assert (canonical(one) == canonical(two)) == (told(one) == told(two))


@given(st.lists(st.tuples(st.text("ab=:0\0"), st.binary()), unique_by=lambda pair: pair[0], max_size=3),
       st.lists(st.tuples(st.text("ab=:0\0"), st.binary()), unique_by=lambda pair: pair[0], max_size=3))  # fmt: skip
def test_node_keys_depend_on_each_input_and_not_on_their_order(one, two):
    assert (node_key("s", one) == node_key("s", two)) == (sorted(one) == sorted(two))
    assert node_key("s", one) == node_key("s", reversed(one))
    assert node_key("s", one) != node_key("t", one)


def test_a_link_counts_by_key_and_port_and_a_content_by_its_digest():
    assert len({link_bytes("k", "a"), link_bytes("k", "b"), link_bytes("l", "a"), content_bytes("k")}) == 4
