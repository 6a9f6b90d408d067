from types import SimpleNamespace

import torch

from nodes.diffusion.stages import layouts
from nodes.diffusion.text import canvases
from nodes.types import Conditioning, TextEncoder
from tests.nodes.diffusion.stages.test_layouts import bare


def prompt(*, sized):
    """Four places for words of which two are taken, and one token of a picture."""
    source = SimpleNamespace(family=SimpleNamespace(sized=sized))
    tensors = {
        "llm_features": torch.arange(10.0).view(1, 5, 2),
        "position_ids": torch.zeros(1, 5, 3, dtype=torch.long),
        "segment_ids": torch.zeros(1, 5, dtype=torch.long),
        "indicator": torch.tensor([[0, 0, 3, 3, 2]]),
    }
    return Conditioning(tensors, TextEncoder(source), "x", options={"max_sequence_length": 4})


def test_a_prompt_gets_a_place_for_each_token_of_the_picture():
    pipeline = bare("Ideogram4Pipeline", vae_scale_factor=8, patch_size=2)
    found = canvases.fitted(pipeline, prompt(sized=True), layouts.Size(48, 32)).tensors
    assert found["llm_features"].shape == (1, 10, 2)
    assert torch.equal(found["llm_features"][:, :4], torch.arange(8.0).view(1, 4, 2))
    assert not found["llm_features"][:, 4:].any()
    assert found["indicator"].tolist() == [[0, 0, 3, 3, *[2] * 6]]
    assert found["segment_ids"].tolist() == [[-1, -1, *[1] * 8]]
    assert found["position_ids"].shape == (1, 10, 3)


def test_a_prompt_without_such_places_stays_as_it_is():
    given = prompt(sized=False)
    assert canvases.fitted(None, given, layouts.Size(48, 32)) is given
