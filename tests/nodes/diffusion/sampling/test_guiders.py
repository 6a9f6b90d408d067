"""Guiders in the place of a pipeline's own guidance: the plain one changes no bit, the others are Diffusers'."""

from dataclasses import replace

import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.sampling import denoising
from nodes.diffusion.sampling.guider_table import CLASSES, chosen
from nodes.diffusion.sampling.guiders import Guidance
from nodes.diffusion.schedules.shim import Position, Window
from nodes.diffusion.stages import stock
from nodes.diffusion.text import prompts
from nodes.diffusion.weights.libraries import guiders
from nodes.types import Denoiser, Guider, Scheduler, TextEncoder
from tests.nodes.diffusion.tiny import embedded, exact
from tests.nodes.diffusion.tiny.table import TINY

pytestmark = [  # Diffusers' own, of PRX, of Ideogram 4, of Chroma and of Mochi
    pytest.mark.filterwarnings("ignore:`LoraLoaderMixin` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:`past_key_values` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning"),
]

SD = "StableDiffusionPipeline"
QUICK = (SD, "StableDiffusionXLPipeline", "StableDiffusion3Pipeline", "FluxPipeline", "PixArtSigmaPipeline")
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TINY]

DISTILLED = ("LatentConsistencyModelPipeline", "SanaSprintPipeline", "Flux2Pipeline", "Flux3DistilledModularPipeline")
RESCALED = ("QwenImagePipeline", "Lumina2Pipeline", "LongCatImagePipeline", "NucleusMoEImagePipeline")
"""Their own guidance is more than the plain one, which therefore is another."""

OTHERS = [
    Guider("CFG", {"rescale": 0.5}),
    Guider("CFG", {"start": 0.0, "end": 0.5}),
    Guider("CFG-Zero*"),
    Guider("CFG-Zero*", {"zero_steps": 0}),
    Guider("APG", {"threshold": 1.0}),
    Guider("APG", {"threshold": 1.0, "momentum": -0.5}),
    Guider("APG", {"eta": 0.0}),
    Guider("TCFG"),
]


def guided(source, guider=None, *, case=exact.CASES[1], **more):
    """A latent of the tiny model."""
    tiny, call = TINY[source.pipeline_class], stock.signature(source.pipeline_class)
    encoder = TextEncoder(source)
    settings = {
        "scheduler": Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler),
        "steps": tiny.steps,
        "guidance": tiny.guidance,
        "seed": 7,
        "options": exact.options_of(tiny, call, case),
        "guider": guider,
        **more,
    }
    batch = case.batch if tiny.batches else 1
    negative, shown = None, exact.pictures_of(source.pipeline_class, max(tiny.pictures))
    with exact.small_area(source.pipeline_class):
        if "negative_prompt" in call:
            negative = prompts.encode_text(encoder, exact.NEGATIVE, role="negative", options=tiny.text, pictures=shown)
        words = exact.words_of(source.pipeline_class)
        return denoising.sample(
            Denoiser(source),
            embedded.carried(prompts.encode_text(encoder, words, options=tiny.text, pictures=shown), batch),
            negative,
            settings.pop("latent", None) or exact.beginning(source, exact.Case(batch=batch), shown),
            **settings,
        )


@pytest.mark.parametrize("name", NAMES)
def test_plain_guidance_is_the_pipeline_s_own_or_refused(family, name):
    source = family(name)
    shown = source.family.pictures
    if name in DISTILLED or source.family.own_guidance or (shown is not None and shown.among_tokens):
        with pytest.raises(PatchbayError) as caught:
            guided(source, Guider("CFG"))
        assert caught.value.at == "guider"
        return
    own, plain = guided(source).samples, guided(source, Guider("CFG")).samples
    assert torch.isfinite(plain).all()
    assert torch.equal(own, plain) is (name not in RESCALED)


@pytest.mark.parametrize("guider", OTHERS, ids=str)
@pytest.mark.parametrize("name", [SD, "FluxPipeline"])  # both predictions in one call, and one after the other
def test_the_others_are_others_and_the_same_each_time(family, name, guider):
    source = family(name)
    one, again = guided(source, guider).samples, guided(source, guider).samples
    assert torch.isfinite(one).all()
    assert torch.equal(one, again)
    assert not torch.equal(one, guided(source).samples)


def test_a_rescaled_guidance_is_the_stock_pipeline_s(family, stock_guided):
    source = family(SD)
    ours = guided(source, Guider("CFG", {"rescale": 0.7})).samples
    assert torch.allclose(ours, stock_guided(source, 0.7), atol=1e-5)


@pytest.fixture
def stock_guided():
    def call(source, rescale):
        return guided(source, options={"guidance_rescale": rescale}).samples

    return call


@pytest.mark.parametrize("guider", OTHERS, ids=str)
def test_what_comes_one_by_one_is_guided_as_what_comes_together(guider):
    toward, against = (torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    together, apart = Guidance(guider, 3.0), Guidance(guider, 3.0)
    for index in range(3):
        position = Position(index, 3)
        both = together.together(torch.cat([against, toward]), 4, position)
        first = apart.first(toward)
        second = apart.second(against, 4, position)
        assert torch.equal(both, torch.cat([second, first]))
        toward, against = toward * 0.9, against * 1.1


def test_the_arithmetic_is_that_of_diffusers_guider():
    toward, against = (torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    theirs = guiders.AdaptiveProjectedGuidance(guidance_scale=3.0, eta=0.5, adaptive_projected_guidance_rescale=1.0)
    theirs.set_state(0, 2, None)
    ours = Guidance(Guider("APG", {"eta": 0.5, "threshold": 1.0}), 3.0)
    found = ours.together(torch.cat([against, toward]), 4, Position(0, 2))
    assert torch.equal(found, torch.cat([theirs.forward(toward, against).pred] * 2))


def test_what_a_model_says_of_variance_is_not_guided():
    toward, against = torch.rand(1, 8, 6, 6), torch.rand(1, 8, 6, 6)
    found = Guidance(Guider("CFG"), 3.0).together(torch.cat([against, toward]), 4, Position(0, 2))
    assert torch.equal(found[:1, 4:], toward[:, 4:])
    assert torch.equal(found[:1, :4], against[:, :4] + 3.0 * (toward - against)[:, :4])


def test_a_counterpart_that_never_had_a_prediction_stays_as_it_is():
    against = torch.rand(1, 4, 6, 6)
    assert Guidance(Guider("CFG"), 3.0).second(against, 4, Position(0, 2)) is against


@pytest.mark.parametrize(("name", "more"), [(SD, {"guidance": 1.0}), ("FluxPipeline", {"options": {}})])
def test_a_run_without_two_predictions_takes_no_guider(family, name, more):
    with pytest.raises(PatchbayError, match=r"above 1") as caught:
        guided(family(name), Guider("CFG"), **more)
    assert caught.value.code is Code.BAD_VALUE


def test_momentum_is_not_cut_in_parts(family):
    source, guider = family(SD), Guider("APG", {"momentum": -0.5})
    part = guided(source, window=Window(2, 0, 1))
    for latent, window in ((None, Window(2, 0, 1)), (part, Window(2, 1))):
        with pytest.raises(PatchbayError, match="Momentum"):
            guided(source, guider, latent=latent, window=window)
    assert guided(source, replace(guider, settings={}), window=Window(2, 0, 1)).leftover is not None


def test_parts_are_guided_as_the_whole_is(family):
    source, guider = family(SD), Guider("APG", {"start": 0.25, "end": 0.75})
    settings = {"steps": 8, "case": exact.CASES[0]}
    whole = guided(source, guider, window=Window(8), **settings).samples
    part = guided(source, guider, window=Window(8, 0, 3), **settings)
    assert torch.equal(guided(source, guider, latent=part, window=Window(8, 3), **settings).samples, whole)


def test_nothing_to_begin_with_is_refused_where_it_is_divided_by(family):
    source = replace(family(SD))
    object.__setattr__(source, "pipeline_class", "QwenImagePipeline")
    with pytest.raises(PatchbayError, match="zero_steps"):
        denoising.check_guider(source.family, Guider("CFG-Zero*"), is_guided=True, in_parts=False)
    denoising.check_guider(source.family, Guider("CFG-Zero*", {"zero_steps": 0}), is_guided=True, in_parts=False)


def test_settings_are_checked_by_name():
    assert chosen("APG", {"eta": 0.5, "momentum": None, "start": 0.0}) == {"eta": 0.5, "start": 0.0}
    with pytest.raises(PatchbayError, match="CFG has no eta; it has no settings of its own"):
        chosen("CFG", {"eta": 0.5})
    with pytest.raises(PatchbayError, match="no steps"):
        chosen("CFG", {"start": 1.0})


def test_every_named_guider_and_setting_is_one_of_diffusers():
    import inspect

    for named in CLASSES.values():
        known = inspect.signature(getattr(guiders, named.class_name).__init__).parameters
        assert {"guidance_scale", *named.settings.values()} <= set(known)
