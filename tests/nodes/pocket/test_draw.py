"""The drawn world."""

import subprocess
import sys
from itertools import combinations
from random import Random

import numpy as np
import pytest

from nodes.pocket import draw, scenes
from nodes.pocket.draw import Still, Thing
from nodes.pocket.figures import FIGURES
from nodes.pocket.palette import COLOURS


def still(figure, colour="red", background="white", radius=0.6):
    return Still(background, (Thing(colour, figure, 0.0, 0.0, radius),))


@pytest.mark.parametrize("kind", draw.KINDS)
def test_the_same_seed_draws_the_same_picture(kind):
    first, again = (draw.KINDS[kind](Random(5), draw.SHOWN) for _ in range(2))
    assert first == again
    assert np.array_equal(draw.paint(first, 64), draw.paint(again, 64))


def test_a_picture_has_the_side_that_is_asked_for():
    assert draw.paint(still("circle")).shape == (256, 256, 3)
    assert draw.paint(still("circle"), 32).dtype == np.uint8


def test_every_figure_looks_different():
    drawn = {figure: draw.paint(still(figure), 64).astype(int) for figure in FIGURES}
    for one, other in combinations(drawn, 2):
        assert np.abs(drawn[one] - drawn[other]).mean() > 2, (one, other)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("colour", COLOURS)
def test_a_good_part_of_a_figure_is_in_its_colour(figure, colour):
    background = "white" if colour != "white" else "black"
    pixels = draw.paint(still(figure, colour, background), 64).reshape(-1, 3).astype(int)
    apart = np.abs(pixels - COLOURS[background]).max(1) > 30
    own = np.abs(pixels - COLOURS[colour]).max(1) < 8
    assert own.sum() > 0.3 * apart.sum()


def test_a_thing_stays_inside_the_picture():
    for seed in range(200):
        (thing,) = draw.imagine_one(Random(seed), draw.SHOWN).things
        assert max(abs(thing.x), abs(thing.y)) + thing.radius < 1


def test_held_out_pairs_are_never_drawn_for_training():
    assert 20 < len(draw.HELD_OUT) < 40
    pictures = [draw.imagine(Random(seed)) for seed in range(3000)]
    things = [thing for picture in pictures if isinstance(picture, Still) for thing in picture.things]
    assert not [thing for thing in things if draw.held_out(thing.colour, thing.figure)]
    assert {(thing.colour, thing.figure) for thing in things} == set(draw.SHOWN)


def test_things_differ_from_each_other_and_from_the_background():
    for seed in range(300):
        picture = draw.imagine_three(Random(seed), draw.SHOWN)
        pairs = {(thing.colour, thing.figure) for thing in picture.things}
        assert len(pairs) == 3
        assert picture.background not in {thing.colour for thing in picture.things}


def test_two_things_lie_as_their_relation_says():
    for seed in range(100):
        picture = draw.imagine_two(Random(seed), draw.SHOWN)
        first, second = picture.things
        right, down = draw.RELATIONS[picture.relation]
        assert (first.x - second.x) * right + (first.y - second.y) * down > 0.8


def test_every_subject_changes_its_scene():
    seen = set()
    for seed in range(400):
        scene = scenes.imagine(Random(seed))
        if scene.subject and scene.subject not in seen:
            seen.add(scene.subject)
            bare = scenes.Scene(**{**vars(scene), "subject": "", "colour": ""})
            assert np.abs(draw.paint(scene, 64).astype(int) - draw.paint(bare, 64)).max() > 60
    assert seen == {name for names in scenes.SUBJECTS.values() for name in names if name}


@pytest.mark.parametrize("module", ["draw", "captions", "score", "train"])
def test_the_commands_and_the_drawn_world_import_no_torch(module):
    code = f"import sys, nodes.pocket.{module}; sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
