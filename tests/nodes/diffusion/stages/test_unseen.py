"""Stages that look at no picture."""

from types import SimpleNamespace

import pytest
import torch

from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.stages import stock, unseen
from nodes.diffusion.stages.pipelines import opened


def test_empty_pictures_have_the_names_of_the_call():
    assert unseen.blank(FAMILIES["FluxPipeline"]) == {}
    assert unseen.blank(FAMILIES["FluxKontextPipeline"]) == {}
    assert [*unseen.blank(FAMILIES["LTXImageToVideoPipeline"])] == ["image"]
    assert isinstance(unseen.blank(FAMILIES["LucyEditPipeline"])["video"], list)


@pytest.fixture
def looking(family):
    """A pipeline that looks at nothing, and whether everything wanted is there."""
    wanted = SimpleNamespace(there=False)
    with opened(family("HunyuanVideo15ImageToVideoPipeline")) as pipeline:
        unseen.look_at_nothing(pipeline, lambda: wanted.there)
        yield pipeline, wanted


def test_pictures_are_zeros_until_everything_is_there(looking):
    pipeline, wanted = looking
    given = pipeline.vae.encode(torch.ones(2, 3, 5, 32, 40)).latents
    assert given.shape == (2, 4, 2, 4, 5)
    assert not given.any()
    assert pipeline.encode_image(image=None) is None
    wanted.there = True
    for read in (pipeline.vae.encode, pipeline.encode_image, pipeline.feature_extractor):
        with pytest.raises(stock.Reached):
            read(torch.ones(1, 3, 5, 32, 32))


def test_the_rest_of_the_vae_is_its_own(looking):
    pipeline, _ = looking
    assert pipeline.vae.config.latent_channels == 4
