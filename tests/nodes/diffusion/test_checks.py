"""What a stock pipeline refuses by itself is told in our words; what is a fault stays one."""

import pytest

from engine.errors import Code, PatchbayError
from nodes.diffusion.checks import own_words


def check_inputs():
    message = "`height` must be divisible by 16"
    raise ValueError(message)


def test_what_a_pipeline_checks_itself_is_a_bad_value():
    with pytest.raises(PatchbayError, match="refuses this: `height` must be divisible by 16") as caught, own_words({}):
        check_inputs()
    assert (caught.value.code, caught.value.at) == (Code.BAD_VALUE, "latent")
    assert isinstance(caught.value.__cause__, ValueError)


def test_options_are_what_a_failure_is_put_down_to():
    with pytest.raises(PatchbayError, match="cannot work with eta, x: KeyError: 'a'"), own_words({"eta": 1, "x": 2}):
        raise KeyError("a")  # noqa: EM101


def test_a_fault_without_options_stays_what_it_is():
    with pytest.raises(RuntimeError, match="shapes"), own_words({}):
        raise RuntimeError("shapes")  # noqa: EM101


def test_a_refusal_in_our_words_and_too_little_memory_stay_what_they_are():
    class OutOfMemoryError(RuntimeError):
        """As torch calls its own."""

    for error in (PatchbayError(Code.BAD_VALUE, "steps", "x"), OutOfMemoryError()):
        with pytest.raises(type(error)) as caught, own_words({"eta": 1}):
            raise error
        assert caught.value is error
