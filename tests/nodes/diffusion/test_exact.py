"""Every family gives its stock pipeline's bits: the encoded prompt, the sampled latent and the decoded picture."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from engine import Settings
from engine.errors import PatchbayError
from engine.events import NodeMessage
from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.sampling import denoising
from nodes.diffusion.schedules.scheduler_table import CLASSES, DIFFUSION, FLOW, prediction_of, predictions_of
from nodes.diffusion.schedules.shim import Window
from nodes.diffusion.stages import stock
from nodes.diffusion.text import prompts
from nodes.types import BlankLatent, Conditioning, Denoiser, Sampler, Scheduler, TextEncoder, leaves
from tests.nodes.diffusion.tiny import begun, embedded, exact
from tests.nodes.diffusion.tiny.table import TINY

pytestmark = [  # Diffusers' own, of PRX, of Chroma, of Mochi and of Ideogram 4
    pytest.mark.filterwarnings("ignore:`LoraLoaderMixin` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning"),
    pytest.mark.filterwarnings("ignore:`past_key_values` is deprecated:FutureWarning"),
]

QUICK = (
    "StableDiffusionXLPipeline",
    "StableDiffusion3Pipeline",
    "FluxPipeline",
    "QwenImagePipeline",
    "ZImagePipeline",
    "WanPipeline",
)
"""Run always; the others with the marker `slow`."""

OWN_LEVELS = ("CogView4Pipeline", "MochiPipeline", "LTXConditionPipeline", "Cosmos2TextToImagePipeline")
"""Flow models whose pipelines tell times, or levels that rise or begin far above 1, which no sampler takes."""

REMEMBERING = ("HunyuanImagePipeline", "MotifVideoPipeline")
"""Their guiders remember the steps before."""

NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TINY]


def test_every_class_that_runs_stages_has_a_tiny_model_to_prove_it():
    assert set(TINY) == {row.pipeline_class for row in FAMILIES.values()}


@pytest.mark.parametrize("name", NAMES)
def test_the_stages_give_the_stock_pipeline_s_bits(family, name):
    """With and without guidance, alone and in a batch, in two sizes."""
    for case in exact.cases(name):
        equal = exact.compare(family(name), case)
        assert all(equal.values()), (str(case), equal)


def in_parts(source, scheduler, *ends):
    """The latent after a run in parts that end at these steps; another seed after the first part."""
    with exact.small_area(source.pipeline_class):
        return _in_parts(source, scheduler, *ends)


def _in_parts(source, scheduler, *ends):
    name = source.pipeline_class
    tiny, call = TINY[name], stock.signature(name)
    encoder = TextEncoder(source)
    shown = exact.pictures_of(name, max(tiny.pictures))
    positive = prompts.encode_text(encoder, exact.words_of(name), options=tiny.text, pictures=shown)
    positive = embedded.carried(positive, 1)
    negative = None
    if "negative_prompt" in call:
        negative = prompts.encode_text(encoder, exact.NEGATIVE, role="negative", options=tiny.text, pictures=shown)
    latent, first = exact.beginning(source, exact.CASES[0], shown), 0
    for end in ends:
        latent = denoising.sample(
            Denoiser(source), positive, negative, latent, scheduler=scheduler, steps=3, guidance=tiny.guidance,
            seed=7 + first, options=exact.options_of(tiny, call, exact.CASES[0]), window=Window(3, first, end),
        )  # fmt: skip
        first = end
    return latent.samples


@pytest.mark.parametrize("sampler", [False, True], ids=["own", "sampler"])
@pytest.mark.parametrize("name", NAMES)
def test_two_parts_are_the_whole_or_refused(family, name, sampler):
    source = family(name)
    prediction = prediction_of(source.scheduler)
    own = Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler, family=name)
    base = "FlowMatchEuler" if prediction == FLOW else "Euler"
    chosen = Sampler(base, source.kind, source.scheduler, {}, name, "euler_ancestral") if sampler else own
    if (
        source.family.whole
        or name in REMEMBERING
        or (sampler and (prediction not in {*DIFFUSION, FLOW} or name in OWN_LEVELS))
    ):
        with pytest.raises(PatchbayError):
            in_parts(source, chosen, 1, 3)
        return
    whole = in_parts(source, chosen, 3)
    assert torch.isfinite(whole).all()
    assert torch.equal(in_parts(source, chosen, 1, 3), whole)


IN_SINGLE = [
    pytest.param(f"{name}Pipeline", marks=[] if name == "Wan" else [pytest.mark.slow])
    for name in ("Wan", "LTX", "ZImage", "Sana", "Cosmos2TextToImage", "Ideogram4")
]
"""They hold their latents in single precision, whatever the model's is."""


@pytest.mark.parametrize("name", IN_SINGLE)
def test_two_parts_are_the_whole_in_half_precision_too(family, within, name):
    source = family(name)
    own = Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler, family=name)
    with within(settings=Settings(dtype="bfloat16")):
        whole = in_parts(source, own, 3)
        assert whole.dtype == torch.float32
        assert torch.equal(in_parts(source, own, 1, 3), whole)


@pytest.mark.parametrize("scheduler", [name for name in CLASSES if FLOW in predictions_of(name)])
@pytest.mark.parametrize("name", ["FluxPipeline", "QwenImagePipeline", "WanPipeline"])
def test_every_flow_scheduler_runs_in_flow_families(family, name, scheduler):
    whole = in_parts(family(name), scheduler, 3)
    assert torch.isfinite(whole).all()
    assert torch.equal(in_parts(family(name), scheduler, 1, 3), whole)


@pytest.mark.parametrize("name", NAMES)
def test_another_prompt_gives_another_latent(family, name):
    """Else the equality above would say nothing."""
    source, case = family(name), replace(exact.CASES[0], pictures=max(TINY[name].pictures))
    one, other = (exact.own_latent(source, case, prompt=prompt)[2].samples for prompt in (exact.PROMPT, "zzz"))
    assert torch.equal(one, other) is not stock.reads_words(name)


@pytest.mark.filterwarnings("ignore:Passing `image` as torch tensor")  # stock Z-Image takes latents for pixels first
@pytest.mark.parametrize("strength", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("name", [name for name in NAMES if getattr(name, "values", [name])[0] in begun.BEGUN])
def test_what_begins_from_a_picture_or_a_video_is_the_stock_class_s(family, name, strength):
    for task in begun.BEGUN[name]:
        ours, theirs = begun.begun(family(name), task, strength)
        assert torch.isfinite(theirs).all()
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", NAMES)
def test_whether_roles_differ_is_as_the_table_says(family, name):
    """Where a negative prompt is encoded in another way, it must be said to be one."""
    source = family(name)
    tiny, call = TINY[name], stock.signature(name)
    if "negative_prompt" not in call:
        return
    encoder = TextEncoder(source)
    given = {"options": tiny.text, "pictures": exact.pictures_of(name, max(tiny.pictures))}
    with exact.small_area(name):
        as_negative = prompts.encode_text(encoder, "grey", role="negative", **given)
        as_positive = prompts.encode_text(encoder, exact.words_of(name, "grey"), **given)
    same = sorted(as_negative.tensors) == sorted(as_positive.tensors) and all(
        one.shape == other.shape and torch.equal(one, other)
        for one, other in zip(leaves(as_negative.tensors), leaves(as_positive.tensors), strict=True)
    )
    assert same or source.family.roles_differ


def test_a_positive_prompt_is_no_negative_where_roles_differ(family):
    source = replace(family("StableDiffusionXLPipeline"))
    object.__setattr__(source, "pipeline_class", "Lumina2Pipeline")
    prompt = Conditioning({}, TextEncoder(source), "x")
    with pytest.raises(PatchbayError, match='Set "role"'):
        prompts.negative_for(SimpleNamespace(source=source), prompt, prompt, 3.0, {})


def test_a_model_that_takes_no_negative_says_so(family):
    source = replace(family("StableDiffusionXLPipeline"))
    object.__setattr__(source, "pipeline_class", "SanaSprintPipeline")
    prompt = Conditioning({}, TextEncoder(source), "x")
    with pytest.raises(PatchbayError, match="takes no negative prompt"):
        prompts.negative_for(SimpleNamespace(source=source), prompt, prompt, 3.0, {})


def test_without_a_negative_sdxl_works_against_nothing_and_not_against_the_empty_prompt(family):
    source, case = family("StableDiffusionXLPipeline"), exact.CASES[0]
    encoder = TextEncoder(source)
    assert not leaves(prompts.encode_text(encoder, None, role="negative").tensors)[0].any()
    assert leaves(prompts.encode_text(encoder, "", role="negative").tensors)[0].any()
    assert case.guided


def test_a_negative_that_a_distilled_model_does_not_read_is_told(family, within):
    source = family("FluxPipeline")
    encoder = TextEncoder(source)
    prompt, seen = prompts.encode_text(encoder, "x"), []
    with within(emit=seen.append):
        denoising.sample(
            Denoiser(source), prompt, prompt, BlankLatent(32, 32, 1),
            scheduler="FlowMatchEulerDiscreteScheduler", steps=1, guidance=3.5, seed=0,
        )  # fmt: skip
    assert any("true_cfg_scale" in event.text for event in seen if isinstance(event, NodeMessage))


@pytest.mark.slow
def test_what_a_call_sets_in_a_denoiser_s_configuration_is_put_back(family, monkeypatch):
    """Frames in blocks, each block behind the one before it; the next run has none."""
    name = "SkyReelsV2DiffusionForcingPipeline"
    source, case, tiny = family(name), exact.Case(), replace(TINY[name], frames=13)
    monkeypatch.setitem(TINY, name, tiny)
    plain = exact.own_latent(source, case)[2].samples
    monkeypatch.setitem(TINY, name, replace(tiny, options={"causal_block_size": 2, "ar_step": 1}))
    forced = exact.own_latent(source, case)[2].samples
    monkeypatch.setitem(TINY, name, tiny)
    assert torch.equal(exact.own_latent(source, case)[2].samples, plain)
    assert not torch.equal(forced, plain)
