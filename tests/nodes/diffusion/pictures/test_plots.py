import pytest
import torch

from nodes.diffusion.pictures.plots import Line, _Axis, chart, stacked
from nodes.types import Image


def test_a_chart_is_a_picture_and_other_lines_are_other_pictures():
    one, other = (chart("levels", [Line("a", values)]) for values in ((3.0, 1.0, 0.0), (3.0, 2.0, 0.0)))
    assert one.pixels.shape == (1, 3, 320, 480)
    assert one.pixels.min() >= 0
    assert one.pixels.max() <= 1
    assert not torch.equal(one.pixels, other.pixels)


def test_every_line_has_a_colour_of_its_own():
    def colours(count):
        picture = chart("", [Line("", (float(i), 5.0 - i)) for i in range(count)], width=120, height=90)
        return {tuple(pixel) for pixel in (picture.pixels[0].flatten(1).T * 255).round().int().tolist()}

    assert len(colours(3) - colours(0)) >= 3


@pytest.mark.parametrize("values", [(), (0.0,), (0.0, 0.0), (5.0, 5.0), (-1.0, 2.0)])
@pytest.mark.parametrize("logarithmic", [False, True])
def test_odd_values_make_a_chart_too(values, logarithmic):
    assert chart("", [Line("x", values)], logarithmic=logarithmic).pixels.isfinite().all()


def test_a_chart_without_lines_is_empty():
    assert chart("", []).pixels.std() > 0


def test_ticks_are_round():
    assert _Axis.over([0.0, 14.6], logarithmic=False).ticks() == [0, 5, 10]
    assert _Axis.over([0.03, 14.6], logarithmic=True).ticks() == pytest.approx([0.01, 0.1, 1, 10, 100])
    assert _Axis(0, 1).ticks() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_pictures_are_stacked():
    assert stacked([Image(torch.zeros(1, 3, 2, 5)), Image(torch.ones(1, 3, 3, 5))]).pixels.shape == (1, 3, 5, 5)
