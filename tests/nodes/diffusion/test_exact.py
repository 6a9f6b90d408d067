"""Every family gives its stock pipeline's bits: the encoded prompt, the sampled latent and the decoded picture."""

import pytest
import torch

from nodes.diffusion.source import survey
from tests.nodes.diffusion.tiny import exact
from tests.nodes.diffusion.tiny.table import TINY, build

QUICK = ("StableDiffusionXLPipeline", "StableDiffusion3Pipeline", "FluxPipeline")
"""Run always; the others with the marker `slow`."""

NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TINY]


@pytest.fixture(scope="session")
def family(tmp_path_factory):
    made = {}

    def source(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name) / "model"
            build(name, folder)
            made[name] = survey(folder, at="test")
        return made[name]

    return source


@pytest.mark.parametrize("name", NAMES)
def test_the_stages_give_the_stock_pipeline_s_bits(family, name):
    """With and without guidance, alone and in a batch, in two sizes."""
    for case in exact.cases(name):
        equal = exact.compare(family(name), case)
        assert all(equal.values()), (str(case), equal)


@pytest.mark.parametrize("name", NAMES)
def test_another_prompt_gives_another_latent(family, name):
    """Else the equality above would say nothing."""
    source, case = family(name), exact.CASES[0]
    one, other = (exact.own_latent(source, case, prompt=prompt)[2].samples for prompt in (exact.PROMPT, "zzz"))
    assert not torch.equal(one, other)


@pytest.mark.parametrize("strength", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("name", [name for name in NAMES if getattr(name, "values", [name])[0] in exact.IMAGE_TO_IMAGE])
def test_image_to_image_is_the_stock_class_s(family, name, strength):
    for task in exact.IMAGE_TO_IMAGE[name]:
        ours, theirs = exact.image_to_image(family(name), task, strength)
        assert torch.isfinite(theirs).all()
        assert torch.equal(ours, theirs)
