"""What a model does not know is said, for models that ship the list of their words."""

import json
from dataclasses import replace

import pytest

from engine.errors import Code, PatchbayError
from nodes.diffusion.text import words


@pytest.fixture
def source(tmp_path, tiny):
    (tmp_path / "tokenizer").mkdir()
    return replace(tiny, config=tmp_path)


@pytest.fixture
def ship(tmp_path):
    def write(document):
        (tmp_path / "tokenizer" / "words.json").write_text(json.dumps(document))

    return write


def test_a_model_without_a_list_has_nothing_to_say(source):
    assert words.remark(source, "a dragon") == ""


def test_unknown_words_are_named_once_and_in_order(source, ship):
    ship({"name": "box", "topics": {"colours": ["red"], "things": ["cat", "star"]}, "also": ["a", "and"]})
    told = words.remark(source, "A red dragon and a red-hot Dragon, a cat 3 füchse")
    assert told == "Not known here: dragon, hot, füchse. box knows: colours: red; things: cat, star."
    assert words.remark(source, "a red star AND a cat!") == ""


def test_many_unknown_words_are_counted(source, ship):
    ship({"name": "box", "topics": {}})
    assert " and 2 more. " in words.remark(source, " ".join(f"word{letter}" for letter in "abcdefghijkl"))


@pytest.mark.parametrize(
    "document", [[], {"name": "box"}, {"name": 1, "topics": {}}, {"name": "b", "topics": {}, "x": 1}]
)
def test_a_broken_list_is_refused(source, ship, document):
    ship(document)
    with pytest.raises(PatchbayError) as caught:
        words.remark(source, "a cat")
    assert caught.value.code is Code.BAD_MODEL
