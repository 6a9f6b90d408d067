"""Skeletons in OpenPose's colours: which joints are drawn, where, and what binds them."""

import torch

from nodes.diffusion.pictures.skeletons import skeletons

RED, ORANGE, BLUE = (255, 0, 0), (255, 85, 0), (0, 0, 255)


def colour(picture, x, y):
    return tuple((picture[:, y, x] * 255).round().int().tolist())


def test_nobody_is_black():
    assert torch.equal(skeletons([], 40, 24), torch.zeros(3, 24, 40))


def test_a_joint_is_a_disc_of_its_colour_that_grows_with_the_picture():
    for side in (512, 1024):
        picture = skeletons([{0: (side / 2, side / 4)}], side, side)
        assert colour(picture, side // 2, side // 4) == RED
        radius = 4 * side // 512
        across = (picture.sum(0) > 0)[side // 4].sum()
        assert 2 * radius - 1 <= across <= 2 * radius + 2


def test_a_neck_lies_between_shoulders_and_limbs_are_dimmer_than_joints():
    picture = skeletons([{5: (300.0, 100.0), 6: (100.0, 100.0), 0: (200.0, 40.0)}], 512, 512)
    assert colour(picture, 200, 100) == ORANGE
    assert colour(picture, 100, 100) == (255, 170, 0)
    assert colour(picture, 300, 100) == (85, 255, 0)
    assert colour(picture, 150, 100) == (153, 0, 0)
    assert colour(picture, 250, 100) == (153, 51, 0)
    assert colour(picture, 200, 70) == tuple(int(part * 0.6) for part in BLUE)


def test_without_both_shoulders_there_is_no_neck():
    picture = skeletons([{5: (300.0, 100.0), 0: (200.0, 40.0)}], 512, 512)
    assert not picture[:, 60:90, 180:320].any()
