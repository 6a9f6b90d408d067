"""A denoiser behind a shim is the denoiser: nothing changes until a hand is laid on a prediction."""

from contextlib import contextmanager

import pytest
import torch

from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.sampling import denoising
from nodes.diffusion.stages import denoiser_shim
from nodes.diffusion.stages.denoiser_shim import Call, DenoiserShim
from tests.nodes.diffusion.tiny import exact
from tests.nodes.diffusion.tiny.table import TINY

QUICK = (
    "StableDiffusionPipeline",
    "StableDiffusionXLPipeline",
    "StableDiffusion3Pipeline",
    "FluxPipeline",
    "WanPipeline",  # calls its denoisers in a context of more arguments
    "AnimateDiffPipeline",  # wants an object, not a tuple
)
NAMES = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name in TINY
    if name != "Flux2KleinKVPipeline"  # gives more than a prediction
    if not FAMILIES[name].is_prior  # gives it by another name, and nothing puts a shim before it
]

pytestmark = [  # Diffusers' own, of Chroma and of Mochi
    pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning"),
]


@pytest.fixture
def shimmed(monkeypatch):
    """Put a shim before every denoiser of the runs to come."""

    def install(predict):
        real = denoising.opened

        @contextmanager
        def opened(source, **parts):
            with real(source, **parts) as pipeline:
                denoiser_shim.install(pipeline, predict)
                yield pipeline

        monkeypatch.setattr(denoising, "opened", opened)

    return install


@pytest.mark.parametrize("name", NAMES)
def test_a_shim_that_does_nothing_changes_nothing(family, shimmed, name):
    source = family(name)
    plain = [exact.own_latent(source, case)[2].samples for case in exact.cases(name)]
    calls = []

    def predict(call):
        calls.append(call)
        return call.run()

    shimmed(predict)
    assert all(
        torch.equal(exact.own_latent(source, case)[2].samples, latent)
        for case, latent in zip(exact.cases(name), plain, strict=True)
    )
    assert calls


@pytest.mark.parametrize(
    ("name", "labels"),
    [("FluxPipeline", {"cond", "uncond"}), ("StableDiffusion3Pipeline", {None}), ("WanPipeline", {"cond", "uncond"})],
)
def test_calls_have_the_names_that_the_pipeline_gives_them(family, shimmed, name, labels):
    seen = set()
    shimmed(lambda call: seen.add(call.label) or call.run())
    exact.own_latent(family(name), exact.CASES[0])
    assert seen == labels


def test_what_is_predicted_in_its_place_counts(family, shimmed):
    source = family("StableDiffusionPipeline")
    plain = exact.own_latent(source, exact.CASES[0])[2].samples
    shimmed(lambda call: call.run() * 0.5)
    assert not torch.equal(exact.own_latent(source, exact.CASES[0])[2].samples, plain)


def test_it_has_what_the_denoiser_has_and_leaves_it_as_it_is(family):
    source = family("StableDiffusionPipeline")
    with SHELF.use(source, "unet") as unet:
        before = dict(vars(unet))
        shim = DenoiserShim(unet, Call.run)
        assert shim.config is unet.config
        assert shim.dtype == torch.float32
        assert isinstance(shim, torch.nn.Module)
        shim.own = 1
        assert vars(unet) == before
        with pytest.raises(AttributeError):
            shim.nothing  # noqa: B018  # it is asked for


def test_a_part_of_a_call_has_what_belongs_to_its_samples():
    ids, mask = torch.arange(3), torch.arange(4)
    call = Call(None, {"sample": torch.arange(8).view(4, 2), "more": {"mask": mask, "ids": ids}, "t": torch.tensor(1)})
    part = call.part(1, 2)
    assert torch.equal(part.samples, torch.tensor([[4, 5], [6, 7]]))
    assert torch.equal(part.arguments["more"]["mask"], mask[2:])
    assert part.arguments["more"]["ids"] is ids
    assert part.arguments["t"].ndim == 0
    assert call.told(t=2).arguments["t"] == 2
