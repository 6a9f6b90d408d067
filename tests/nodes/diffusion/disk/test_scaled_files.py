"""Which scales in a header are understood, and what is left of it without them."""

import pytest

from nodes.diffusion.disk.headers import Header
from nodes.diffusion.disk.scaled_files import scales, unscaled


def header(scale, shape, precision="F8_E4M3"):
    shapes = {"a.weight": (4, 8), scale: shape, "a.bias": (4,)}
    return Header(shapes, {"a.weight": (precision, 32), scale: ("F32", 4), "a.bias": ("F32", 16)})


@pytest.mark.parametrize("scale", ["a.weight_scale", "a.scale_weight"])
@pytest.mark.parametrize("shape", [(), (1,), (4, 1)])
def test_a_scale_for_all_or_for_each_row_is_understood(scale, shape):
    found = header(scale, shape)
    assert scales(found) == {"a.weight": scale}
    assert unscaled(found).shapes == {"a.weight": (4, 8), "a.bias": (4,)}
    assert unscaled(found).precisions() == {"F8_E4M3": 32, "F32": 16}


@pytest.mark.parametrize(
    ("scale", "shape", "precision"),
    [
        ("a.weight_scale", (4, 2), "F8_E4M3"),
        ("a.weight_scale", (8, 1), "F8_E4M3"),
        ("a.weight_scale", (), "U8"),
        ("a.weight_scale", (), "BF16"),
        ("a.weight_scale_2", (), "F8_E4M3"),
        ("b.weight_scale", (), "F8_E4M3"),
    ],
)
def test_any_other_stays_in_the_header_for_others_to_refuse(scale, shape, precision):
    found = header(scale, shape, precision)
    assert scales(found) == {}
    assert scale in unscaled(found).shapes
