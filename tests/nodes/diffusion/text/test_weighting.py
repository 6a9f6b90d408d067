"""What the brackets of a prompt mean."""

import math

import pytest

from engine.errors import PatchbayError
from nodes.diffusion.text.weighting import Piece, parse


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("", [("", 1)]),
        ("a fox", [("a fox", 1)]),
        ("(fox)", [("fox", 1.1)]),
        ("a ((fox)) runs", [("a ", 1), ("fox", 1.21), (" runs", 1)]),
        ("(fox:1.2)", [("fox", 1.2)]),
        ("(fox : 1.2 )", [("fox ", 1.2)]),
        ("(fox:0)", [("fox", 0)]),
        ("(fox:-.5)", [("fox", -0.5)]),
        ("(fox:1.)", [("fox", 1)]),
        ("[fox]", [("fox", 1 / 1.1)]),
        ("([fox])", [("fox", 1)]),
        ("(a (red:1.5) fox:2)", [("a ", 2), ("red", 3), (" fox", 2)]),
        ("((a):1.5)", [("a", 1.65)]),
        (r"\(fox\) \[\] \\", [(r"(fox) [] \ ".rstrip(), 1)]),
        (r"a \n b", [(r"a \n b", 1)]),
        (r"(fox\):1.2)", [("fox)", 1.2)]),
        ("(16:9 picture)", [("16:9 picture", 1.1)]),
        ("(a:b:1.2)", [("a:b", 1.2)]),
        ("a (b:1) c", [("a b c", 1)]),
        ("()", [("", 1)]),
    ],
)
def test_brackets_weigh_what_they_hold(prompt, pieces):
    found = parse(prompt)
    assert [piece.text for piece in found] == [text for text, _ in pieces]
    assert all(math.isclose(piece.weight, weight) for piece, (_, weight) in zip(found, pieces, strict=True))


def test_weights_of_one_are_no_weights():
    assert parse("a (b:1.0) c") == [Piece("a b c")]


@pytest.mark.parametrize(("prompt", "place"), [("a (fox", 3), ("a fox)", 6), ("(a]", 3), ("[a", 1), ("(a (b)", 1)])
def test_a_bracket_without_a_partner_is_refused_with_its_place(prompt, place):
    with pytest.raises(PatchbayError, match=f"character {place} has no partner") as caught:
        parse(prompt)
    assert caught.value.at == "text"
    assert "\\" in caught.value.fix


def test_what_changes_a_prompt_during_the_run_is_refused():
    with pytest.raises(PatchbayError, match="during the run"):
        parse("a [fox:dog:0.5]")
