"""The score reads pixels: all on the drawn pictures themselves, next to nothing on others."""

import numpy as np
import pytest

from nodes.pocket import captions, draw, score
from nodes.pocket.draw import Still, Thing

COUNT = 60


@pytest.fixture(scope="module", params=draw.KINDS)
def asked(request):
    pictures, _ = score.questions(request.param, COUNT)
    return pictures, [draw.paint(picture) for picture in pictures]


def test_drawn_pictures_are_what_they_are(asked):
    pictures, drawn = asked
    (row,) = score.table(pictures, drawn).values()
    for column, value in row.items():
        assert value >= 93, (column, value)


@pytest.mark.parametrize("kind", ["one", "two", "three"])
def test_every_prompt_names_the_background_that_is_scored(kind):
    pictures, prompts = score.questions(kind, COUNT)
    for picture, prompt in zip(pictures, prompts, strict=True):
        wordings = captions.WORDINGS.get(picture.background, (picture.background,))
        assert any(f"{name} background" in prompt for name in wordings), prompt


def test_noise_and_blur_do_not_confuse_it(asked):
    pictures, drawn = asked
    noise = np.random.default_rng(0)
    rough = [np.clip(pixels + noise.normal(0, 8, pixels.shape), 0, 255).astype(np.uint8) for pixels in drawn]
    (row,) = score.table(pictures, rough).values()
    assert min(row.values()) >= 90


def test_other_pictures_are_not(asked):
    pictures, drawn = asked
    (row,) = score.table(pictures, [*drawn[1:], drawn[0]]).values()
    assert row["all"] < 10


def test_an_empty_picture_has_nothing_of_it(asked):
    pictures, _ = asked
    (row,) = score.table(pictures, [np.full((256, 256, 3), 128, np.uint8)] * COUNT).values()
    assert row["all"] < 5


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"colour": "blue"}, "colour"),
        ({"figure": "heart"}, "figure"),
        ({"x": 0.5}, "place"),
        ({"radius": 0.3}, "size"),
    ],
)
def test_one_wrong_thing_costs_its_own_column(changed, column):
    right = {"colour": "red", "figure": "star", "x": -0.3, "y": 0.0, "radius": 0.44}
    wanted, given = (Still("white", (Thing(**values),)) for values in (right, {**right, **changed}))
    found = score.score(wanted, draw.paint(given))
    assert [name for name, value in found.items() if not value] == [column, "all"]


def test_exchanged_colours_are_not_bound():
    def two(first, second):
        things = (Thing(first, "star", 0, -0.47, 0.36), Thing(second, "cat", 0, 0.47, 0.36))
        return Still("white", things, "above")

    found = score.score(two("red", "blue"), draw.paint(two("blue", "red")))
    assert found["binding"] == 0
    assert found["all"] == 0


def test_exchanged_places_are_no_relation():
    def two(up):
        things = (Thing("red", "star", 0, -up, 0.36), Thing("blue", "cat", 0, up, 0.36))
        return Still("white", things, "above")

    found = score.score(two(0.47), draw.paint(two(-0.47)))
    assert found["binding"] == 1
    assert found["relation"] == 0
