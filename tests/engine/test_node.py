from __future__ import annotations

import math
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import pytest
from pydantic import BaseModel, Field

from engine import Bound, Graph, Lazy, PatchbayError, node
from engine.node import REQUIRED, NodeType, port_name
from engine.types import ANYTHING, ListOf, Named, Scalar, Var, choice, parse
from tests.engine import kit
from tests.engine.kit import File

T = TypeVar("T")
N = TypeVar("N", int, float)


class TwoWords:
    pass


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Pair(NamedTuple):
    left: int
    right: list[str]


class Seen:
    def inspect(self, pictures): ...


class Outputs(NamedTuple):
    number: int
    seen: Annotated[Seen | None, "note"]
    many: list[Seen]
    hidden: TwoWords
    hidden_too: list[TwoWords]
    any_of_them: T


class Odd(NamedTuple):
    left: tuple[int, int]


def test_a_node_is_called_as_the_function_it_is():
    assert kit.add(1, b=2) == 3
    assert kit.add.summary == "Give the sum."
    assert kit.number.summary == ""


def test_the_annotations_are_the_ports():
    @node("Many", category="c")
    def many(image: TwoWords, extra: list[TwoWords] | None = None, *, size: kit.Percent = 5) -> Pair:
        raise NotImplementedError

    image, extra, size = many.inputs.values()
    assert (image.type, image.default, image.required, image.dial, image.adapter) == (
        Named("TwoWords"), REQUIRED, True, False, None
    )  # fmt: skip
    assert (extra.default, extra.required, extra.json_schema()) == (None, False, None)
    assert (size.dial, size.description, size.type) == (True, "From nothing to all.", Scalar("int"))
    assert size.json_schema() == {
        "type": "integer", "minimum": 0, "maximum": 100, "default": 5, "description": "From nothing to all."
    }  # fmt: skip
    assert kit.percentage.inputs["value"].json_schema().keys() == {"type", "minimum", "maximum", "description"}
    assert many.output_names == ("left", "right")
    assert (many.category, many.generic, many.lazy, many.is_async) == ("c", False, False, False)


def test_a_node_may_take_the_name_of_its_function():
    @node
    def plain(a: int) -> None:
        raise NotImplementedError

    assert (plain.id, plain.outputs) == ("plain", ())


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (TwoWords, "two_words"),
        (list[TwoWords], "two_wordss"),
        (str, "text"),
        (int, "number"),
        (float, "number"),
        (bool, "value"),
        (T, "value"),
        (int | str, "value"),
    ],
)
def test_a_single_output_is_named_after_its_type(annotation, name):
    assert port_name(parse(annotation)) == name


def test_a_lazy_input_has_the_type_of_its_value():
    @node("Pick")
    def pick(one: Lazy[int], two: Lazy[T] | None = None) -> T:
        raise NotImplementedError

    assert (pick.inputs["one"].type, pick.inputs["one"].lazy) == (Scalar("int"), True)
    assert pick.inputs["two"].lazy
    assert not pick.inputs["two"].required
    assert pick.lazy
    assert pick.generic


def adapted(annotation):
    def function(a):
        raise NotImplementedError

    function.__annotations__ = {"a": annotation, "return": None}
    return node("Adapted")(function).inputs["a"].adapter


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (int, [1, -5], [True, 1.0, "1", None]),
        (float, [1, 1.5], [True, "1", math.nan, math.inf]),
        (bool, [True], [1, "yes"]),
        (str, ["a"], [1, None]),
        (int | None, [1, None], ["1", True]),
        (list[int], [[], [1]], [[True], 1, (1,)]),
        (Literal["a", 1], ["a", 1], ["b", 2]),
        (Color, ["red", Color.BLUE], ["green", 1]),
        (Color | None, ["red", None], ["green"]),
        (list[Color], [["red"]], [["green"]]),
        (Annotated[int, Field(ge=2)], [2], [1]),
        (dict[str, int], [{"a": 1}], [{"a": "1"}, []]),
        (int | TwoWords, [1], ["a"]),
        (T, [1, "a", None], []),
        (N, [1, 1.5], ["a"]),
        (Any, [1, [None]], []),
        (Annotated[str, File()], ["a"], [1]),
    ],
)
def test_a_value_is_checked_strictly(annotation, good, bad):
    adapter = adapted(annotation)
    for value in good:
        adapter.validate_python(value)
    for value in bad:
        with pytest.raises(ValueError, match="validation error"):
            adapter.validate_python(value)


def test_an_enum_arrives_as_its_member():
    assert adapted(Color).validate_python("red") is Color.RED


@pytest.mark.parametrize("annotation", [TwoWords, list[TwoWords], TwoWords | None, None, Annotated[TwoWords, "x"]])
def test_a_class_comes_by_link_only(annotation):
    adapter = adapted(annotation)
    assert adapter is None or annotation is None


def declared(source):
    """The error of declaring this function."""
    names = {
        "Annotated": Annotated, "Bound": Bound, "Graph": Graph, "Lazy": Lazy, "T": T, "TwoWords": TwoWords, "Odd": Odd,
        "Percent": kit.Percent, "File": File, "BaseModel": BaseModel, "Field": Field, "Complex": complex,
    }  # fmt: skip
    exec(source, names)  # noqa: S102  # declarations are what is tested
    with pytest.raises(PatchbayError) as caught:
        node("Bad")(names["f"])
    error = caught.value
    assert error.code.value == "bad_declaration"
    assert error.fix
    return error.at, error.what


@pytest.mark.parametrize(
    ("source", "at", "what"),
    [
        ("def f(a) -> int: ...", "Bad.a", "It has no annotation."),
        ("def f(*a: int) -> int: ...", "Bad.a", "Ports have names: *args and **kwargs cannot be ports."),
        ("def f(**a: int) -> int: ...", "Bad.a", "Ports have names: *args and **kwargs cannot be ports."),
        ("def f(a: int): ...", "Bad", "It does not say what it returns."),
        ("def f(a: 'Missing') -> int: ...", "Bad", "Its annotations cannot be read: name 'Missing' is not defined."),
        ("def f(a: list) -> int: ...", "Bad.a", "<class 'list'> is no type that a port can have."),
        ("def f(a: int) -> tuple[int, int]: ...", "Bad", "<class 'tuple'> is no type that a port can have."),
        ("def f(a: int) -> Odd: ...", "Bad.left", "<class 'tuple'> is no type that a port can have."),
        ("def f(a: int) -> Bound: ...", "Bad", "It does not say what the graph that it returns gives."),
        ("def f(a: int) -> Bound | Graph: ...", "Bad", "It does not say what the graph that it returns gives."),
        ("def f(a: TwoWords = 3) -> int: ...", "Bad.a", "A linked input's default can only be None."),
        ("def f(a: TwoWords = None) -> int: ...", "Bad.a", "A linked input's default can only be None."),
        ("def f(a: Lazy[int] = 3) -> int: ...", "Bad.a", "A linked input's default can only be None."),
    ],
)
def test_a_declaration_that_is_wrong_says_so_when_it_is_made(source, at, what):
    assert declared(source) == (at, what)


def test_a_default_that_does_not_fit_says_so():
    at, what = declared("def f(*, a: Percent = 101) -> int: ...")
    assert at == "Bad.a"
    assert what == "Its default 101 does not fit: Input should be less than or equal to 100."


def test_a_constraint_that_cannot_be_checked_says_so():
    at, what = declared("def f(*, a: Annotated[int, Field(max_length=3)] = 1) -> int: ...")
    assert at == "Bad.a"
    assert what.startswith("Its annotation cannot be checked: ")
    at, what = declared("def f(*, a: dict[str, TwoWords]) -> int: ...")
    assert at == "Bad.a"
    assert what.startswith("Its annotation cannot be checked: ")


def test_what_is_annotated_may_be_optional():
    @node("Maybe")
    def maybe(*, file: Annotated[str, File(), Field(description="A text.")] | None = None) -> None:
        raise NotImplementedError

    assert maybe.inputs["file"].description == "A text."
    assert maybe.inputs["file"].json_schema() == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert isinstance(maybe.inputs["file"].resource, File)


@pytest.mark.parametrize("name", ["", "two words", "9", "a.b", "graph:x"])
def test_an_id_is_one_word(name):
    with pytest.raises(PatchbayError) as caught:
        node(name)(lambda: None)
    assert caught.value.what == "A node type's id is a word of letters, digits and underscores."
    assert caught.value.fix


def test_a_graph_in_the_return_type_stands_for_what_it_gives():
    @node("One")
    def one() -> int | Bound:
        raise NotImplementedError

    @node("Two")
    def two() -> Pair | Graph:
        raise NotImplementedError

    @node("Three")
    def three() -> list[int] | str | Bound:
        raise NotImplementedError

    assert [port.name for port in one.outputs] == ["number"]
    assert two.output_names == ("left", "right")
    assert three.outputs[0].type == parse(list[int] | str)
    assert one.expands
    assert not one.deterministic


def test_an_output_says_whether_its_class_has_something_to_show():
    @node("Give")
    def give() -> Outputs: ...

    assert [port.inspectable for port in give.outputs] == [True, True, True, False, False, True]


def test_a_relay_gives_what_it_is_given():
    @node("Bend", relay=True)
    def bend(value: T) -> T:
        return value

    assert bend.relay
    for wrong in (kit.add.function, kit.divide.function, kit.total.function):
        with pytest.raises(PatchbayError, match="one input and one output") as caught:
            node("Wrong", relay=True)(wrong)
        assert caught.value.code == "bad_declaration"


def test_an_effect_is_never_a_result():
    assert not kit.write.deterministic


def test_any_and_unions_are_types_of_outputs():
    @node("Any")
    def anything() -> Any:
        raise NotImplementedError

    assert anything.outputs[0].type == ANYTHING


def changed(version=1, body="return 1", name="Same"):
    names = {"node": node}
    exec(f"def f() -> int:\n    {body}", names)  # noqa: S102
    return node(name, version=version)(names["f"]).source


def test_id_version_and_code_are_a_types_identity():
    assert changed() == changed()
    assert len({changed(), changed(version=2), changed(body="return 2"), changed(name="Other")}) == 4


def test_a_function_with_a_file_is_known_by_its_text():
    def twice(factor):
        @node("Twice")
        def one() -> int:
            return factor

        return one

    assert twice(1).source == twice(1).source
    assert "def add" in kit.add._code


def test_an_identity_can_be_given():
    one = NodeType("A", lambda: None, {}, (), identity=lambda: "mine")
    assert one._code == "mine"


def test_type_variables_are_found_wherever_they_stand():
    @node("Deep")
    def deep(a: list[T] | None = None) -> int:
        raise NotImplementedError

    assert deep.inputs["a"].generic
    assert deep.inputs["a"].type.members[0] == ListOf(Var("T"))
    assert choice("red", "blue") == parse(Color)
