"""A text encoder is asked once for what it has said already in the same stage."""

import pytest
import torch

from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.text import prompts
from nodes.diffusion.text.answers import Answers
from nodes.types import TextEncoder


class Encoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.asked = []

    def forward(self, *args, **kwargs):
        self.asked.append((args, kwargs))
        return (torch.rand(2),)


def test_the_same_question_has_the_same_answer():
    encoder = Encoder()
    answers = Answers(encoder)
    ids = torch.tensor([[1, 2]])
    first = answers(ids, attention_mask=None, more=[1, {"a": ids}])
    assert answers(ids.clone(), attention_mask=None, more=[1, {"a": ids.clone()}]) is first
    assert len(encoder.asked) == 1


@pytest.mark.parametrize(
    "other",
    [
        ((torch.tensor([[1, 3]]),), {}),
        ((torch.tensor([[1, 2]], dtype=torch.int32),), {}),
        ((torch.tensor([[1, 2, 0]]),), {}),
        ((None,), {}),
        ((torch.tensor([[1, 2]]),), {"attention_mask": torch.ones(1, 2)}),
        ((torch.tensor([[1, 2]]), 1), {}),
    ],
)
def test_another_question_is_asked(other):
    answers = Answers(Encoder())
    first = answers(torch.tensor([[1, 2]]))
    assert answers(*other[0], **other[1]) is not first


def test_who_looks_inside_has_the_question_asked_again():
    encoder = Encoder()
    answers = Answers(encoder)
    first = answers(torch.tensor([[1, 2]]))
    seen = []
    encoder.register_forward_hook(lambda *_: seen.append(1))
    assert answers(torch.tensor([[1, 2]])) is not first
    assert seen == [1]


def test_an_encoder_that_looks_into_itself_answers_once_all_the_same():
    encoder = Encoder()
    encoder.register_forward_hook(lambda *_: None)
    answers = Answers(encoder)
    assert answers(torch.tensor([[1, 2]])) is answers(torch.tensor([[1, 2]]))


def test_it_passes_for_the_encoder():
    encoder = Encoder()
    assert isinstance(Answers(encoder), Encoder)
    assert Answers(encoder).asked is encoder.asked


def test_a_negative_is_read_once(pocket):
    with SHELF.use(pocket, "text_encoder") as encoder:
        asked = []
        hook = encoder.register_forward_pre_hook(lambda *_: asked.append(1))
        try:
            prompts.encode_text(TextEncoder(pocket), "grey", role="negative")
        finally:
            hook.remove()
    assert len(asked) == 1
