"""Methods have settings of their own and refuse others."""

import pytest

from engine.errors import PatchbayError
from nodes.diffusion.sampling.cache_table import METHODS, chosen, settings_of


def test_what_is_given_goes_over_the_method_s_own():
    patch = chosen("MagCache", {"threshold": 0.2, "most": None}, [1.0, 0.5])
    assert settings_of(patch) == {"threshold": 0.2, "most": 3, "start": 0.2}
    assert patch.ratios == (1.0, 0.5)
    assert len({chosen(method, {}, None).digest() for method in METHODS} | {patch.digest()}) == len(METHODS) + 1


@pytest.mark.parametrize(("method", "setting"), [("FirstBlock", "every"), ("MagCache", "end"), ("TaylorSeer", "most")])
def test_a_setting_that_a_method_does_not_have_is_refused(method, setting):
    with pytest.raises(PatchbayError, match=f"{method} has no {setting}; it has") as caught:
        chosen(method, {setting: 1}, None)
    assert caught.value.at == setting


def test_ratios_are_for_mag_cache_alone():
    with pytest.raises(PatchbayError, match="has no ratios"):
        chosen("FirstBlock", {}, [1.0])


def test_a_share_without_steps_is_refused():
    with pytest.raises(PatchbayError, match="no steps from"):
        chosen("TaylorSeer", {"start": 0.5, "end": 0.5}, None)
