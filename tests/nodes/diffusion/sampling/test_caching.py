"""A cache leaves out work of one run, and nothing of a run reaches the next."""

import itertools
import threading

import pytest
import torch
from torch.overrides import TorchFunctionMode

from engine.errors import Cancelled, PatchbayError
from engine.events import NodeProgress
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.sampling import adapting, caching, denoising, regions
from nodes.diffusion.sampling.cache_table import METHODS, chosen
from nodes.diffusion.text import prompts
from nodes.types import BlankLatent, Denoiser, Scheduler, TextEncoder
from tests.nodes.diffusion.tiny import exact
from tests.nodes.diffusion.tiny.table import TINY

# Diffusers and PyTorch warn of their own use of themselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.* is deprecated and will be removed:FutureWarning"),
    pytest.mark.filterwarnings("ignore:torch.meshgrid:UserWarning"),
    pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning"),
]

STEPS = 6
EAGER = {
    "FirstBlock": {"threshold": 10.0},
    "TaylorSeer": {"every": 3, "start": 0.2},
    "MagCache": {"threshold": 10.0},
    "FasterCache": {"start": 0.2},
    "PyramidAttention": {"every": 3},
}
"""Settings with which every method leaves something out of a short run."""


def eager(method, **settings):
    given = {**EAGER[method], **settings}
    return chosen(method, given, [1.0, 0.98, 0.97] if method == "MagCache" else None)


class Counting(TorchFunctionMode):
    """Counts the attentions and products of matrices that are computed."""

    def __init__(self):
        self.count = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.count += function in {torch.nn.functional.scaled_dot_product_attention, torch.nn.functional.linear}
        return function(*args, **(kwargs or {}))


def run(source, *, guided=False, seed=7, positive=None):
    """A latent of a tiny model, and how much was computed for it."""
    tiny = TINY[source.pipeline_class]
    case = exact.Case(guided)
    call = exact.stock.signature(source.pipeline_class)
    positive = positive or prompts.encode_text(TextEncoder(source), exact.PROMPT, options=tiny.text)
    negative = prompts.encode_text(TextEncoder(source), exact.NEGATIVE, role="negative", options=tiny.text)
    with Counting() as counted:
        made = denoising.sample(
            Denoiser(source),
            positive,
            negative if guided and "negative_prompt" in call else None,
            BlankLatent(*tiny.sizes[0], 1, tiny.frames),
            scheduler=Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler),
            steps=STEPS,
            guidance=exact.guidance_of(source.pipeline_class, case),
            seed=seed,
            options=exact.options_of(tiny, call, case),
        )
    return made.samples, counted.count


def cancel_midway(within, source, **how):
    """Begin a run and cancel it after half of its steps."""
    cancel = threading.Event()

    def emit(event):
        if isinstance(event, NodeProgress) and event.done == STEPS // 2:
            cancel.set()

    with within(emit=emit, cancel=cancel), pytest.raises(Cancelled):
        run(source, **how)


def hooks_in(source):
    """How many of Diffusers' hooks sit in the denoiser on the shelf."""
    with SHELF.use(source, source.family.denoisers[0]) as module:
        return sum(len(each._diffusers_hook.hooks) for each in module.modules() if hasattr(each, "_diffusers_hook"))


@pytest.fixture
def flux(family):
    return family("FluxPipeline")


@pytest.mark.parametrize("method", METHODS)
def test_a_cache_leaves_out_work_and_a_cancelled_run_leaves_nothing(flux, within, method):
    cached = flux.patched(eager(method))
    plain, whole = run(flux)
    first, less = run(cached)
    cancel_midway(within, cached, seed=3)
    assert hooks_in(cached) == 0
    again, as_much = run(cached)
    assert torch.equal(first, again)
    assert less == as_much < whole
    assert not torch.equal(first, plain)
    assert torch.equal(run(flux)[0], plain)


def test_the_calls_of_a_step_have_memories_of_their_own(family):
    """A pipeline that names no calls asks for the prompt and against it one after the other: Chroma."""
    source = family("ChromaPipeline")
    alone, _ = run(source.patched(eager("TaylorSeer", every=100, start=0.99)), guided=True)
    assert torch.equal(alone, run(source, guided=True)[0])
    cached, _ = run(source.patched(eager("TaylorSeer")), guided=True)
    assert (cached - alone).abs().max() < 0.1 * alone.abs().max()


@pytest.mark.parametrize(
    ("method", "why"), [("FasterCache", "are tokens"), ("PyramidAttention", "one after the other")]
)
def test_what_a_method_cannot_tell_apart_is_refused_while_it_runs(flux, method, why):
    with pytest.raises(PatchbayError, match=why) as caught:
        run(flux.patched(eager(method)), guided=True)
    assert caught.value.at == "model"
    assert hooks_in(flux.patched(eager(method))) == 0


def test_what_diffusers_itself_fails_at_is_told(family):
    with pytest.raises(PatchbayError, match="A Flux2Transformer2DModel fails with FirstBlock: "):
        run(family("Flux2Pipeline").patched(eager("FirstBlock")))


def test_several_prompts_are_refused(flux):
    prompt = prompts.encode_text(TextEncoder(flux), "a fox", options=TINY["FluxPipeline"].text)
    several = regions.combined([prompt, prompt])
    with pytest.raises(PatchbayError, match="several prompts"):
        run(flux.patched(eager("FirstBlock")), positive=several)


@pytest.mark.parametrize(
    ("name", "method", "why"),
    [
        ("StableDiffusion3Pipeline", "FirstBlock", "has no caches"),
        ("ChromaPipeline", "FirstBlock", "is not known"),
        ("QwenImagePipeline", "MagCache", "only FLUX.1's"),
    ],
)
def test_a_model_that_takes_no_such_cache_is_refused(family, name, method, why):
    with pytest.raises(PatchbayError, match=why):
        caching.check(family(name), chosen(method, {}, None))


def test_what_finds_nothing_to_leave_out_is_refused(flux, monkeypatch):
    monkeypatch.setattr(caching, "_ATTENTION", "nothing")
    with pytest.raises(PatchbayError, match="finds nothing"):
        caching.check(flux, chosen("TaylorSeer", {}, None))


def test_other_denoisers_that_take_over_are_refused(flux, monkeypatch):
    monkeypatch.setattr(adapting, "is_timed", lambda _source: True)
    with pytest.raises(PatchbayError, match="sees nothing of the steps"):
        run(flux.patched(eager("FirstBlock")))


def test_two_runs_at_once_take_turns(flux):
    cached, made = flux.patched(eager("FirstBlock")), {}
    alone = {seed: run(cached, seed=seed)[0] for seed in (1, 2)}
    threads = [threading.Thread(target=lambda s=seed: made.update({s: run(cached, seed=s)[0]})) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(made[seed], alone[seed]) for seed in alone)


CACHED = [name for name in TINY if name not in {"AnimateDiffPipeline", "AnimateDiffPAGPipeline"}]


@pytest.mark.slow
@pytest.mark.parametrize("name", CACHED)
def test_every_model_takes_a_cache_whole_or_refuses_it(family, within, name):
    source = family(name)
    for method, guided in itertools.product(METHODS, (False, True)):
        if not guided and not TINY[name].unguided:
            continue
        patch = eager(method)
        try:
            caching.check(source, patch)
            cached, less = run(source.patched(patch), guided=guided)
        except PatchbayError:
            continue
        _, whole = run(source, guided=guided)
        cancel_midway(within, source.patched(patch), guided=guided, seed=3)
        assert torch.equal(run(source.patched(patch), guided=guided)[0], cached)
        assert cached.isfinite().all()
        assert less < whole
