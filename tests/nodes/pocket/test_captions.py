"""Pictures in words."""

import re
from random import Random

import pytest

from nodes.pocket import captions, draw
from nodes.pocket.draw import Still, Thing


def test_a_caption_names_all_that_counts():
    picture = Still("white", (Thing("red", "star", 0, 0, 0.3), Thing("blue", "umbrella", 0, 0, 0.3)), "above")
    for seed in range(50):
        text = captions.caption(picture, Random(seed))
        assert "red star above a blue umbrella" in text


@pytest.mark.parametrize("kind", draw.KINDS)
def test_captions_are_lower_case_english_in_several_wordings(kind):
    picture = draw.KINDS[kind](Random(3), draw.SHOWN)
    texts = {captions.caption(picture, Random(seed)) for seed in range(60)}
    assert len(texts) > 5
    for text in texts:
        assert re.fullmatch(r"[a-z]+(,? [a-z]+)*", text), text
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", text.replace("a cute", "")), text


def test_every_word_of_a_caption_is_known():
    known = {word for words in captions.known_words().values() for word in words}
    random = Random(11)
    for _ in range(2000):
        assert set(captions.words_of(captions.caption(draw.imagine(random), random))) <= known


def test_a_word_has_one_topic():
    words = [word for topic in captions.known_words().values() for word in topic]
    assert len(words) == len(set(words))
    assert {"red", "grey"} <= set(captions.known_words()["colours"])
