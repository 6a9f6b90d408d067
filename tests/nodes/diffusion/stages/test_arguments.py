"""Arguments of stock calls, checked by name and type."""

from typing import Any

import diffusers
import pytest
import torch

from engine import Code, PatchbayError
from nodes.diffusion.stages.arguments import call_of


class Pipeline:
    def __call__(
        self,
        prompt: str | list[str],
        image: torch.Tensor | None = None,
        steps: int = 50,
        guidance: float = 1.0,
        labels: torch.Tensor | list[int] | None = None,
        size: tuple[int, int] | None = None,
        extra: dict[str, Any] | None = None,
        timesteps: list[int] = None,  # noqa: RUF013  # as Diffusers writes it
        return_dict: bool = True,  # noqa: FBT001, FBT002  # as Diffusers writes it
        **kwargs,
    ):
        """A call in the manner of Diffusers."""


CALL = call_of(Pipeline)


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("steps", 3, 3),
        ("guidance", 7, 7.0),
        ("labels", [1, 2], [1, 2]),
        ("labels", None, None),
        ("size", [64, 32], (64, 32)),
        ("extra", {"scale": 0.5}, {"scale": 0.5}),
        ("timesteps", None, None),
        ("timesteps", [9, 5], [9, 5]),
    ],
)
def test_values_are_taken_as_the_signature_has_them(name, value, taken):
    found = CALL.options({name: value})
    assert found == {name: taken}
    assert type(found[name]) is type(taken)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", "3"),
        ("steps", 2.5),
        ("steps", True),
        ("steps", None),
        ("guidance", "much"),
        ("labels", "fox"),
        ("size", [1, 2, 3]),
        ("extra", [1]),
        ("timesteps", ["a"]),
    ],
)
def test_values_of_other_types_are_refused(name, value):
    with pytest.raises(PatchbayError, match=f"not what {name} takes") as caught:
        CALL.options({name: value})
    assert caught.value.code == Code.BAD_VALUE
    assert caught.value.at == f"options.{name}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("step", 'Did you mean "steps"'),
        ("kwargs", "takes no option"),
        ("return_dict", "takes no option"),
        ("prompt", 'Give it as "prompt"'),
    ],
)
def test_unknown_names_and_those_of_inputs_are_refused(name, reason):
    with pytest.raises(PatchbayError, match=reason):
        CALL.options({name: 1})


def test_inputs_get_the_names_of_the_call():
    assert CALL.inputs({"prompt": "a fox", "image": None}) == {"prompt": "a fox"}
    assert call_of(diffusers.VideoToVideoSDPipeline).inputs({"image": 1}) == {"video": 1}
    assert call_of(diffusers.StableDiffusionInpaintPipeline).inputs({"mask": 1}) == {"mask_image": 1}
    with pytest.raises(PatchbayError, match="takes no mask") as caught:
        CALL.inputs({"mask": 1})
    assert caught.value.at == "mask"


def test_what_a_call_cannot_do_without_is_asked_for():
    CALL.check_whole({"prompt": "a fox"})
    with pytest.raises(PatchbayError, match='needs "prompt"') as caught:
        CALL.check_whole({})
    assert (caught.value.code, caught.value.at) == (Code.MISSING_INPUT, "prompt")
    with pytest.raises(PatchbayError) as caught:
        call_of(diffusers.DiTPipeline).check_whole({})
    assert caught.value.at == "options.class_labels"


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # what two of them import
def test_every_pipeline_of_diffusers_has_a_call_that_can_be_read():
    import inspect

    from nodes.diffusion.disk.whole import pipeline_classes

    for name in sorted(pipeline_classes()):
        cls = getattr(diffusers, name)
        if inspect.isclass(cls) and issubclass(cls, diffusers.DiffusionPipeline):
            assert call_of(cls).pipeline == name
