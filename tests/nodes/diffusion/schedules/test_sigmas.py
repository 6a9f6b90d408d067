"""Laws of noise levels, for any table, any number of steps and any cut."""

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.errors import Code, PatchbayError
from nodes.diffusion.schedules import sigmas
from nodes.diffusion.schedules.processes import falling

STABLE_DIFFUSION = tuple(math.exp(math.log(0.03) + math.log(14.6 / 0.03) * (i / 999) ** 0.7) for i in range(1000))
FLOW = tuple((i + 1) / 1000 for i in range(1000))
TABLES = st.sampled_from([STABLE_DIFFUSION, FLOW])
STEPS = st.integers(1, 120)
LEVELS = st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=30, unique=True).map(lambda x: sorted(x, reverse=True))


@pytest.mark.parametrize("curve", sigmas.CURVES)
@given(table=TABLES, steps=STEPS)
def test_a_curve_falls_from_the_model_s_greatest_level_to_nothing(curve, table, steps):
    values = sigmas.CURVES[curve](table, steps)
    assert len(values) == steps + 1
    assert falling(values)
    assert values[0] == pytest.approx(table[-1])
    assert values[-1] == 0
    assert sigmas.checked(values) == tuple(values)


@pytest.mark.parametrize("curve", ["normal", "karras", "exponential", "kl_optimal"])
@given(table=TABLES, steps=st.integers(2, 120))
def test_a_curve_with_an_end_of_its_own_ends_at_the_model_s_least_level(curve, table, steps):
    assert sigmas.CURVES[curve](table, steps)[-2] == pytest.approx(table[0])


def test_curves_are_those_of_the_formulas():
    table = (0.1, 1.0, 10.0)
    assert sigmas.exponential(table, 3) == pytest.approx([10, 1, 0.1, 0])
    root = (10 ** (1 / 7) + 0.1 ** (1 / 7)) / 2
    assert sigmas.karras(table, 3) == pytest.approx([10, root**7, 0.1, 0])
    assert sigmas.simple(table, 3) == [10, 1, 0.1, 0]
    assert sigmas.normal(table, 3) == pytest.approx([10, 1, 0.1, 0])
    assert sigmas.sgm_uniform(table, 2) == pytest.approx([10, 1, 0])
    assert sigmas.kl_optimal(table, 3)[1] == pytest.approx(math.tan((math.atan(10) + math.atan(0.1)) / 2))
    assert sigmas.linear_quadratic((0.001, 1.0), 4) == pytest.approx([1, 0.9875, 0.975, 0.725, 0])
    assert sigmas.beta(FLOW, 2) == pytest.approx([1, 0.5, 0], abs=0.001)  # the median of a symmetric distribution


def test_beta_is_dense_at_both_ends():
    values = sigmas.beta(FLOW, 20)
    steps = [a - b for a, b in pairwise(values)]
    assert steps[0] < steps[10] > steps[-1]


@given(LEVELS, st.data())
def test_what_is_cut_and_joined_is_what_it_was(values, data):
    place = data.draw(st.integers(1, len(values) - 1))
    assume(place < len(values) - 1)
    assert sigmas.joined(sigmas.cut(values, 0, place), sigmas.cut(values, place, None)) == tuple(values)


@given(LEVELS)
def test_to_turn_round_twice_is_nothing(values):
    checked = sigmas.checked(values)
    assert sigmas.checked(checked[::-1])[::-1] == checked


@given(LEVELS, st.floats(0.1, 10), st.floats(0.1, 10))
def test_scales_multiply(values, a, b):
    assert sigmas.scaled(sigmas.scaled(values, a), b) == pytest.approx(sigmas.scaled(values, a * b))


@given(st.sampled_from([3, 10, 50]), st.floats(0.1, 10), st.floats(0.1, 10))
def test_shifts_of_flow_levels_multiply_and_keep_both_ends(steps, a, b):
    values = sigmas.sgm_uniform(FLOW, steps)
    shifted = sigmas.shifted(sigmas.shifted(values, a, flow=True), b, flow=True)
    assert shifted == pytest.approx(sigmas.shifted(values, a * b, flow=True))
    assert shifted[0] == pytest.approx(1)
    assert shifted[-1] == 0


@given(st.floats(0.01, 0.99), st.floats(0.1, 10))
def test_a_shift_of_a_flow_level_is_a_factor_of_noise_against_picture(level, shift):
    (moved, _) = sigmas.shifted([level, 0.0], shift, flow=True)
    assert moved / (1 - moved) == pytest.approx(shift * level / (1 - level))
    assert sigmas.shifted([level, 0.0], shift, flow=False) == (level * shift, 0.0)


@given(LEVELS, st.floats(0.01, 1))
def test_a_share_counts_steps_as_sample_does(values, denoise):
    steps = len(values) - 1
    assume(int(steps * denoise) > 0)
    kept = sigmas.share(values, denoise)
    assert len(kept) == int(steps * denoise) + 1
    assert kept[-1] == values[-1]


@given(TABLES, st.floats(0.05, 0.4), st.floats(0.5, 0.9))
def test_bounds_are_kept(table, low, high):
    part = sigmas.between(table, low, high)
    assert (part[0], part[-1]) == (low, high)
    assert sigmas.karras(part, 5)[:1] == pytest.approx([high])
    assert sigmas.between(table, None, None) == list(table)


@pytest.mark.parametrize(
    "call",
    [
        lambda: sigmas.checked([]),
        lambda: sigmas.checked([1.0]),
        lambda: sigmas.checked([1.0, 1.0]),
        lambda: sigmas.checked([1.0, 2.0, 1.5]),
        lambda: sigmas.checked([1.0, -1.0]),
        lambda: sigmas.checked([math.inf, 1.0]),
        lambda: sigmas.checked([math.nan, 1.0]),
        lambda: sigmas.cut([3.0, 2.0, 1.0], 2, 1),
        lambda: sigmas.cut([3.0, 2.0, 1.0], 0, 3),
        lambda: sigmas.share([3.0, 2.0, 1.0], 0.4),
        lambda: sigmas.joined([3.0, 2.0], [2.5, 1.0]),
        lambda: sigmas.between(FLOW, 0.5, 0.2),
    ],
)
def test_what_makes_no_steps_is_refused(call):
    with pytest.raises(PatchbayError) as caught:
        call()
    assert caught.value.code is Code.BAD_VALUE
    assert caught.value.fix


def test_the_smallest_shift_of_a_flow_level_is_still_a_level():
    assert sigmas.shifted([1.0, 0.0], 5e-324, flow=True) == (1.0, 0.0)
