"""The tokenizer of the drawn world."""

import json
from random import Random

import pytest
from transformers import CLIPTokenizer

from nodes.diffusion.text.words import KnownWords
from nodes.pocket import MODEL, captions, draw, vocabulary


@pytest.fixture(scope="module")
def tokenizer():
    return vocabulary.build()


def test_each_known_word_is_one_token(tokenizer):
    for topic in captions.known_words().values():
        for word in topic:
            assert len(tokenizer(word).input_ids) == 3, word


def test_any_text_can_be_read(tokenizer):
    for text in ("", "Füchse 狐 🦊", "RED!", "x" * 500):
        ids = tokenizer(text, padding="max_length", max_length=32, truncation=True).input_ids
        assert len(ids) == 32


def test_captions_fit(tokenizer):
    random = Random(1)
    assert max(len(tokenizer(captions.caption(draw.imagine(random), random)).input_ids) for _ in range(2000)) <= 32


def test_the_list_of_words_is_what_captions_use(tmp_path):
    vocabulary.write_words(tmp_path, "pocket")
    listed = KnownWords.model_validate(json.loads((tmp_path / "words.json").read_text()))
    assert not listed.unknown("A red circle above two".replace(" two", ""))
    assert listed.unknown("a red dragon") == ["dragon"]


def test_the_box_has_the_tokenizer_and_the_words_of_the_drawn_world(tokenizer, tmp_path):
    vocabulary.write_words(tmp_path, "pocket")
    assert (MODEL / "tokenizer" / "words.json").read_text() == (tmp_path / "words.json").read_text()
    shipped = CLIPTokenizer.from_pretrained(MODEL / "tokenizer")
    random = Random(2)
    for _ in range(100):
        text = captions.caption(draw.imagine(random), random)
        assert shipped(text).input_ids == tokenizer(text).input_ids
