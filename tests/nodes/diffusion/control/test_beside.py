"""A denoiser that reads more than latents is given more than latents, and its pipeline sees nothing of it."""

import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion.control import controls
from nodes.diffusion.control.beside import Widened
from nodes.diffusion.sampling import denoising
from nodes.diffusion.text import prompts
from nodes.types import BlankLatent, Control, Denoiser, TextEncoder
from tests.nodes.diffusion.tiny import controlled, exact


class Seen(torch.nn.Module):
    dtype = torch.float32

    @property
    def config(self):
        return {"in_channels": 9, "sample_size": 8}

    def forward(self, sample=None, hidden_states=None, control_latents=None):
        given = sample if hidden_states is None else hidden_states
        return given if control_latents is None else (given, control_latents)


def test_a_widened_denoiser_reads_more_and_hides_that_it_does():
    wide = Widened(Seen(), torch.ones(2, 5, 3, 3), 4, 1)
    assert wide.config == {"in_channels": 4, "sample_size": 8}
    assert wide.dtype is torch.float32
    assert wide(torch.zeros(4, 4, 3, 3)).shape == (4, 9, 3, 3)
    assert wide(sample=torch.zeros(2, 4, 3, 3))[:, 4:].min() == 1
    tokens = Widened(Seen(), torch.ones(2, 6, 5), 4, -1)
    assert tokens(hidden_states=torch.zeros(2, 6, 4)).shape == (2, 6, 9)


def test_some_take_what_is_beside_by_a_name():
    latents, beside = Widened(Seen(), torch.ones(1, 8, 2, 3, 3), 4, None)(torch.zeros(2, 4, 2, 3, 3))
    assert latents.shape == (2, 4, 2, 3, 3)
    assert beside.shape == (2, 8, 2, 3, 3)


@pytest.fixture(scope="module")
def following(tmp_path_factory):
    return controlled.model_of(None, tmp_path_factory.mktemp("following"), "FluxControlPipeline")


def sampled(source, *made):
    positive = prompts.encode_text(TextEncoder(source), exact.PROMPT)
    for control in made:
        positive = controls.with_control(positive, control)
    settings = {"scheduler": "FlowMatchEuler", "steps": 1, "guidance": 3.0, "seed": 0}
    return denoising.sample(Denoiser(source), positive, None, BlankLatent(32, 32, 1), **settings)


def shown(seed=0):
    return Control(None, controlled.picture((32, 32), 1, seed))


def test_what_is_shown_counts(following):
    one, another = (sampled(following, shown(seed)).samples for seed in (0, 1))
    assert not torch.equal(one, another)


def test_a_model_that_follows_a_picture_needs_one_and_others_none(family, following):
    for source, made in ((following, ()), (following, (shown(), shown(1))), (family("FluxPipeline"), (shown(),))):
        with pytest.raises(PatchbayError, match="picture"):
            sampled(source, *made)


@pytest.mark.parametrize(
    ("name", "value"), [("strength", 0.5), ("start", 0.1), ("end", 0.9), ("mode", 1), ("mask", controlled.hole((8, 8)))]
)
def test_a_model_that_reads_a_picture_itself_can_only_be_shown_it(following, name, value):
    positive = prompts.encode_text(TextEncoder(following), exact.PROMPT)
    with pytest.raises(PatchbayError, match=f"{name} means nothing"):
        controls.with_control(positive, Control(None, controlled.picture((32, 32), 1, 0), **{name: value}))
