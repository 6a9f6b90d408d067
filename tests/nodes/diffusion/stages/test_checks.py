"""What a stock pipeline refuses by itself is told in our words; what is a fault stays one."""

import diffusers
import pytest

from engine.errors import Code, PatchbayError
from nodes.diffusion.stages.checks import own_words


def check_inputs():
    message = "`height` must be divisible by 16"
    raise ValueError(message)


def test_what_a_pipeline_checks_itself_is_a_bad_value():
    with pytest.raises(PatchbayError, match="refuses this: `height` must be divisible by 16") as caught, own_words({}):
        check_inputs()
    assert (caught.value.code, caught.value.at) == (Code.BAD_VALUE, "latent")
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_failure_is_put_down_to_the_options_that_it_names():
    with pytest.raises(PatchbayError, match="cannot work with eta: KeyError: 'eta'"), own_words({"eta": 1, "x": 2}):
        raise KeyError("eta")  # noqa: EM101


def test_a_failure_is_put_down_to_the_options_of_the_line_that_failed():
    scheduler = diffusers.DDIMScheduler()
    with (
        pytest.raises(PatchbayError, match="cannot work with num_train_timesteps: "),
        own_words({"num_train_timesteps": 1, "x": 2}),
    ):
        scheduler.set_timesteps("many")


def test_a_failure_that_names_no_option_stays_what_it_is():
    with pytest.raises(KeyError), own_words({"eta": 1}):
        raise KeyError("beta")  # noqa: EM101


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


def test_a_scheduler_that_cannot_be_told_what_the_pipeline_must_is_a_bad_choice():
    def retrieve_timesteps():
        message = "does not support custom timestep schedules"
        raise ValueError(message)

    with pytest.raises(PatchbayError, match="Use the model's own scheduler") as caught, own_words({"eta": 1}):
        retrieve_timesteps()
    assert caught.value.at == "scheduler"


def test_a_package_that_the_pipeline_asks_for_is_named():
    with pytest.raises(PatchbayError, match="not installed: PyAV is required") as caught, own_words({}):
        raise ImportError("PyAV is required")  # noqa: EM101, TRY003
    assert caught.value.code == Code.MISSING_PACKAGE
