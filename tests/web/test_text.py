"""Text that goes out."""

import json

import pytest

from web.text import dumps, stem_of


@pytest.mark.parametrize("value", [None, True, 0, -1, 2**63, 2**64, -(2**80), 1.5, "né 🦊", "\0", [], {"a": [{}]}])
def test_json_is_exact(value):
    assert json.loads(dumps(value)) == value
    assert json.loads(dumps({"beside": 2**80, "value": value})) == {"beside": 2**80, "value": value}


def test_whole_numbers_stay_whole():
    assert dumps([2**64 - 1, 2**64]) == b"[18446744073709551615,18446744073709551616]"


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(TypeError):
        dumps({1, 2})
    with pytest.raises(TypeError):
        dumps(object())


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("fox", "fox"),
        ("a red fox!", "a_red_fox"),
        ("../../etc/passwd", "etc_passwd"),
        ("/", "graph"),
        ("", "graph"),
        (".", "graph"),
        ("\0", "graph"),
        ("C:\\x", "C_x"),
        ("x" * 99, "x" * 60),
        ("𠀀" * 99, "𠀀" * 30),
        ("x" + "𠀀" * 99, "x" + "𠀀" * 29),
    ],
)
def test_a_name_becomes_part_of_a_path_and_no_path(name, stem):
    assert stem_of(name) == stem
    assert len(stem.encode()) <= 120
