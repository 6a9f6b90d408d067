from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Kind
from engine.types import (
    ANYTHING,
    NULL,
    Bindings,
    Choice,
    KindName,
    ListOf,
    Named,
    OneOf,
    Scalar,
    Var,
    choice,
    fits,
    kinds_clash,
    members_of,
    parse,
    substitute,
    subtype,
    to_json,
    type_of,
    union,
)

T = TypeVar("T")
K = TypeVar("K", bound=Kind)
INT, FLOAT, TEXT, BOOL = map(Scalar, ("int", "float", "str", "bool"))


class Image:
    pass


class Photo(Image):
    pass


class Latent(Generic[K]):
    def __init__(self, kind):
        self.kind = kind


class Color(Enum):
    RED = "red"
    BLUE = "blue"


IMAGE, PHOTO = parse(Image), parse(Photo)
SDXL, SD1 = Named("Latent", (KindName("sdxl"),)), Named("Latent", (KindName("sd1"),))

leaves = st.sampled_from(
    [INT, FLOAT, TEXT, BOOL, NULL, IMAGE, PHOTO, SD1, SDXL, choice(1, 2), choice(1), choice("a"), choice(True)]
)
ground = st.recursive(
    leaves, lambda inner: inner.map(ListOf) | st.lists(inner, min_size=1, max_size=3).map(union), max_leaves=5
)
kind_names = st.sampled_from(
    [KindName("a"), KindName("b"), Var("J", kind=True), Var("K", kind=True), Var("L", kind=True)]
)
any_type = st.recursive(
    leaves
    | st.just(ANYTHING)
    | st.builds(Var, st.sampled_from("ST"))
    | kind_names.map(lambda kind: Named("Latent", (kind,))),
    lambda inner: inner.map(ListOf) | st.lists(inner, min_size=1, max_size=3).map(union),
    max_leaves=5,
)


def below(left, right):
    return subtype(left, right, Bindings())


@given(any_type)
def test_every_type_is_a_subtype_of_itself(one):
    assert below(one, one)
    assert fits(one, one, Bindings()) == "direct"


@given(ground, ground, ground)
def test_subtype_is_transitive(one, two, three):
    if below(one, two) and below(two, three):
        assert below(one, three)


@given(ground, ground)
def test_a_union_is_the_least_type_above_its_members(one, two):
    both = union((one, two))
    assert below(one, both)
    assert below(two, both)
    for bound in (one, two, FLOAT, ListOf(FLOAT)):
        assert below(both, bound) == (below(one, bound) and below(two, bound))


@given(any_type, any_type, any_type)
def test_unions_are_flat_idempotent_and_associative(one, two, three):
    assert union((one, one)) == one
    assert union((union((one, two)), three)) == union((one, union((two, three))))
    assert not any(isinstance(member, OneOf) for member in members_of(union((one, two, three))))


@given(any_type)
def test_anything_fits_both_ways(one):
    assert below(ANYTHING, one)
    assert below(one, ANYTHING)


@given(ground, ground)
def test_a_value_fits_its_list_and_a_list_maps_over_its_items(one, two):
    if below(one, two) and not any(isinstance(member, ListOf) for type_ in (one, two) for member in members_of(type_)):
        assert fits(one, ListOf(two), Bindings()) == "wrap"
        assert fits(ListOf(one), two, Bindings()) == "map"


@given(any_type, any_type, any_type)
def test_undo_restores_everything(one, two, three):
    bindings = Bindings()
    subtype(one, two, bindings)
    before, mark = dict(bindings._known), bindings.mark()
    subtype(two, three, bindings)
    subtype(three, one, bindings)
    bindings.undo(mark)
    assert bindings._known == before


@given(any_type, any_type)
def test_a_link_that_does_not_fit_binds_nothing(one, two):
    bindings = Bindings()
    if fits(one, two, bindings) is None:
        assert not bindings._known


@given(any_type)
def test_every_type_has_a_label_and_is_plain_data(one):
    import json

    assert str(one)
    assert json.loads(json.dumps(to_json(one)))["is"]


@pytest.mark.parametrize(
    ("output", "wanted", "how"),
    [
        (INT, FLOAT, "direct"),
        (FLOAT, INT, None),
        (BOOL, INT, None),
        (BOOL, FLOAT, None),
        (choice(True), INT, None),
        (choice(True), choice(1), None),
        (choice(1), INT, "direct"),
        (choice(1), FLOAT, "direct"),
        (choice("a"), TEXT, "direct"),
        (choice("a"), choice("a", "b"), "direct"),
        (choice("a", "b"), choice("a"), None),
        (choice("a"), IMAGE, None),
        (TEXT, choice("a"), None),
        (PHOTO, IMAGE, "direct"),
        (IMAGE, PHOTO, None),
        (IMAGE, union((IMAGE, NULL)), "direct"),
        (union((IMAGE, NULL)), IMAGE, None),
        (IMAGE, ListOf(IMAGE), "wrap"),
        (IMAGE, union((ListOf(IMAGE), NULL)), "wrap"),
        (ListOf(IMAGE), union((ListOf(IMAGE), NULL)), "direct"),
        (ListOf(IMAGE), IMAGE, "map"),
        (ListOf(ListOf(IMAGE)), ListOf(IMAGE), None),
        (ListOf(ListOf(IMAGE)), IMAGE, None),
        (ListOf(TEXT), IMAGE, None),
        (TEXT, ListOf(IMAGE), None),
        (ListOf(TEXT), ListOf(INT), None),
        (SDXL, SD1, None),
        (SD1, SD1, "direct"),
        (IMAGE, TEXT, None),
        (TEXT, IMAGE, None),
    ],
)
def test_the_relation_by_example(output, wanted, how):
    assert fits(output, wanted, Bindings()) == how


def test_ports_that_share_a_kind_must_be_of_one_kind():
    bindings, k = Bindings(), Named("Latent", (Var("n.K", kind=True),))
    assert fits(SD1, k, bindings) == "direct"
    assert fits(SDXL, k, bindings) is None
    assert bindings.resolve(k) == SD1
    assert fits(k, SD1, bindings) == "direct"


def test_kinds_are_inferred_through_nodes_that_know_none():
    bindings = Bindings()
    first, second = Var("a.K", kind=True), Var("b.K", kind=True)
    assert bindings.unify(first, second)
    assert bindings.unify(second, first)
    assert bindings.unify(KindName("sd1"), second)
    assert bindings.find(first) == KindName("sd1")
    assert not bindings.unify(KindName("sdxl"), first)
    assert bindings.unify(ANYTHING, first)


def test_a_general_variable_stands_for_everything_that_came():
    bindings, var = Bindings(), Var("n.T")
    assert fits(PHOTO, var, bindings) == "direct"
    assert bindings.resolve(var) == PHOTO
    assert fits(IMAGE, var, bindings) == "direct"
    assert fits(PHOTO, var, bindings) == "direct"
    assert bindings.resolve(var) == IMAGE
    assert fits(TEXT, var, bindings) == "direct"
    assert bindings.resolve(ListOf(var)) == ListOf(union((IMAGE, TEXT)))
    bindings.widen(var, var)
    assert fits(var, INT, bindings) == "direct"


def test_a_union_tries_its_members_and_forgets_what_did_not_fit():
    bindings, k = Bindings(), Var("n.K", kind=True)
    two = Named("Two", (k, KindName("b")))
    wanted = OneOf((two, Named("Two", (KindName("a"), k))))
    assert fits(Named("Two", (KindName("a"), KindName("c"))), wanted, bindings) == "direct"
    assert bindings.resolve(k) == KindName("c")


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, INT),
        (None, NULL),
        (type(None), NULL),
        (Any, ANYTHING),
        (object, ANYTHING),
        (Annotated[int, "x"], INT),
        (Literal["a", 1], Choice((("str", "a"), ("int", 1)))),
        (Optional[int], union((INT, NULL))),  # noqa: UP045  # people write both
        (int | str, union((INT, TEXT))),
        (int | Any, ANYTHING),
        (list[int], ListOf(INT)),
        (dict, Scalar("object")),
        (dict[str, int], Scalar("object")),
        (T, Var("T")),
        (K, Var("K", kind=True)),
        (Photo, Named("Photo", (), ("Image",))),
        (Latent[K], Named("Latent", (Var("K", kind=True),))),
        (Latent, Named("Latent")),
        (Color, choice("red", "blue")),
        (Path, TEXT),
    ],
)
def test_annotations_are_read(annotation, expected):
    assert parse(annotation) == expected


@pytest.mark.parametrize("annotation", [list, tuple, tuple[int, int], "int", 3])
def test_what_no_port_can_have_is_refused(annotation):
    with pytest.raises(TypeError, match="no type that a port can have"):
        parse(annotation)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, NULL),
        (1, choice(1)),
        (True, choice(True)),
        ("a", choice("a")),
        (1.5, FLOAT),
        ([], ListOf(ANYTHING)),
        ([1, "a"], ListOf(union((choice(1), choice("a"))))),
        ((1,), ListOf(choice(1))),
        ({}, Scalar("object")),
        (Photo(), PHOTO),
        (Latent("sd1"), Named("Latent", (KindName("sd1"),))),
        (Latent(None), Named("Latent")),
        (Color.RED, choice("red", "blue")),
    ],
)
def test_values_have_types(value, expected):
    assert type_of(value) == expected


def test_variables_are_replaced_everywhere():
    var = Var("T")
    whole = union((ListOf(var), Named("Box", (var,)), INT))
    assert substitute(whole, lambda _: TEXT) == union((ListOf(TEXT), Named("Box", (TEXT,)), INT))


@pytest.mark.parametrize(
    ("output", "wanted", "clash"),
    [
        (SDXL, SD1, True),
        (ListOf(SDXL), SD1, True),
        (SDXL, ListOf(SD1), True),
        (SDXL, union((SD1, NULL)), True),
        (SD1, SD1, False),
        (IMAGE, SD1, False),
        (TEXT, SD1, False),
    ],
)
def test_a_clash_of_kinds_is_told_from_other_mismatches(output, wanted, clash):
    assert kinds_clash(output, wanted) == clash


def test_labels_read_like_words():
    assert str(union((TEXT, NULL))) == "text or nothing"
    assert str(ListOf(SD1)) == "list of Latent[sd1]"
    assert str(Named("Latent", (Var("n.K"),))) == "Latent"
    assert str(Var("n.K")) == "K"
    assert str(choice("a", 1)) == "'a' or 1"
    assert str(choice(*range(9))) == "one of 9 names"
    assert str(ANYTHING) == "anything"


def test_a_variable_may_be_within_some_types_only():
    N = TypeVar("N", int, float)
    number, bindings = parse(N), Bindings()
    assert number == Var("N", within=(INT, FLOAT))
    assert fits(INT, number, bindings) == "direct"
    assert fits(FLOAT, number, bindings) == "direct"
    assert bindings.resolve(number) == FLOAT
    assert fits(TEXT, number, bindings) is None
    assert fits(Var("T"), number, bindings) == "direct"
    assert to_json(number)["within"] == [{"is": "scalar", "name": "int"}, {"is": "scalar", "name": "float"}]


def test_undo_takes_back_what_replaced_something_too():
    bindings, var = Bindings(), Var("T")
    bindings.widen(var, INT)
    mark = bindings.mark()
    bindings.widen(var, TEXT)
    bindings.undo(mark)
    assert bindings.resolve(var) == INT


def test_a_class_is_no_scalar_and_a_list_no_class():
    assert not below(INT, TEXT)
    assert not below(ListOf(INT), IMAGE)
    assert not below(IMAGE, ListOf(IMAGE))
    assert not below(KindName("a"), IMAGE)


def test_a_kind_may_stand_alone():
    bindings = Bindings()
    assert fits(Var("a", kind=True), Var("b", kind=True), bindings) == "direct"
    assert fits(KindName("sd1"), Var("a", kind=True), bindings) == "direct"
    assert bindings.find(Var("b", kind=True)) == KindName("sd1")
