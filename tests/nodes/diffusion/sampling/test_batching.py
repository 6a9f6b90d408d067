"""Predictions for and against the prompt in one batch or one by one are the model's own, but for rounding."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch.overrides import TorchFunctionMode

from engine.errors import PatchbayError
from nodes import tune_model
from nodes.diffusion.changes.tuning import ONE_BY_ONE, TOGETHER, CachePatch, TunePatch, check_once
from nodes.diffusion.sampling import denoising
from nodes.diffusion.sampling.batch_table import CAN
from nodes.diffusion.sampling.batching import Together, joined
from nodes.diffusion.stages.denoiser_shim import Call
from nodes.diffusion.text import prompts
from nodes.types import BlankLatent, Denoiser, Guider, TextEncoder
from tests.nodes.diffusion.tiny import exact
from tests.nodes.diffusion.tiny.table import TINY

# Diffusers' own, of PRX, of Chroma, of Mochi and of Depth2Img
pytestmark = [
    pytest.mark.filterwarnings("ignore:`LoraLoaderMixin` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning"),
]

STEPS = 4
TOLERANCE = 1e-4
"""Of the largest number in a latent."""

QUICK = ("QwenImagePipeline", "WanPipeline", "StableDiffusionPipeline", "ZImagePipeline")
WAYS = [
    (way, name) if name in QUICK else pytest.param(way, name, marks=pytest.mark.slow)
    for way, names in CAN.items()
    for name in sorted(names)
]


class Watching(TorchFunctionMode):
    """The most numbers in one tensor that an attention or a convolution gave."""

    def __init__(self):
        self.most = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        if function in {torch.nn.functional.scaled_dot_product_attention, torch.conv2d}:
            self.most = max(self.most, made.numel())
        return made


def sizes_of_calls(source, monkeypatch):
    """A latent and how many samples each call of a denoiser had."""
    sizes = []
    own = Call.run
    monkeypatch.setattr(Call, "run", lambda call: sizes.append(len(call.samples)) or own(call))
    latent = exact.own_latent(source, exact.cases(source.pipeline_class)[0])[2].samples
    monkeypatch.undo()
    return latent, sizes


@pytest.mark.parametrize(("way", "name"), WAYS)
def test_another_way_of_asking_gives_the_same_but_for_rounding(family, monkeypatch, way, name):
    monkeypatch.setitem(TINY, name, replace(TINY[name], steps=STEPS))
    source = family(name)
    plain = exact.own_latent(source, exact.cases(name)[0])[2].samples
    made, sizes = sizes_of_calls(source.patched(TunePatch(guidance_batch=way)), monkeypatch)
    assert (made - plain).abs().max() <= TOLERANCE * plain.abs().max()
    if way == TOGETHER:  # the first step tells the shape of an answer
        assert sizes == [1, 1, *[2] * (len(sizes) - 2)]
    else:
        assert set(sizes) == {1}


def test_one_by_one_takes_half_the_memory(tiny):
    held = []
    for source in (tiny, tiny.patched(TunePatch(guidance_batch=ONE_BY_ONE))):
        with Watching() as seen:
            exact.own_latent(source, exact.CASES[0])
        held.append(seen.most)
    assert held[1] == held[0] / 2


def test_without_a_negative_nothing_is_asked_in_another_way(family):
    source = family("FluxPipeline")
    case = exact.Case(guided=False)
    plain = exact.own_latent(source, case)[2].samples
    made = exact.own_latent(source.patched(TunePatch(guidance_batch=TOGETHER)), case)[2].samples
    assert torch.equal(made, plain)


@pytest.mark.parametrize(
    ("name", "way", "words"),
    [
        ("FluxPipeline", ONE_BY_ONE, "FluxPipeline is asked one by one as it is"),
        ("StableDiffusionPipeline", TOGETHER, "StableDiffusionPipeline is asked together as it is"),
        ("Flux2Pipeline", TOGETHER, "It is not known that Flux2Pipeline can be asked together"),
    ],
)
def test_what_a_model_does_by_itself_or_is_not_known_to_do_is_refused(family, name, way, words):
    with pytest.raises(PatchbayError, match=words) as caught:
        tune_model(Denoiser(family(name)), guidance_batch=way)
    assert caught.value.at == "guidance_batch"


def test_a_guider_does_not_wait_for_both(family):
    source = family("WanPipeline")
    text = TINY["WanPipeline"].text
    positive, negative = (
        prompts.encode_text(TextEncoder(source), exact.PROMPT, role=role, options=text)
        for role in ("positive", "negative")
    )
    tuned = tune_model(Denoiser(source), guidance_batch=TOGETHER).model
    blank = BlankLatent(32, 32, 1, 5)
    settings = {"scheduler": "UniPC", "steps": 2, "guidance": 3.0, "seed": 0, "guider": Guider("CFG", {})}
    with pytest.raises(PatchbayError, match="before the second is asked for"):
        denoising.sample(tuned, positive, negative, blank, **settings)


def test_a_cache_and_another_way_of_asking_are_refused():
    for patch, lever in ((TunePatch(guidance_batch=TOGETHER), CachePatch("FirstBlock")),) * 2:
        with pytest.raises(PatchbayError, match="apart by how the model is asked"):
            check_once([patch], lever, "model")
        with pytest.raises(PatchbayError, match="apart by how the model is asked"):
            check_once([lever], patch, "model")


class Reading:
    """Says for each sample how many words of its prompt are read."""

    def forward(self, sample, words, words_mask=None, scale=1.0):
        """The signature."""

    def __call__(self, sample, words, words_mask=None, scale=1.0):
        read = torch.ones(words.shape[:2]) if words_mask is None else words_mask.float()
        return (scale * read.sum(1)[:, None].expand(len(sample), sample.shape[1]),)


def asked(length, **more):
    return Call(Reading(), {"sample": torch.zeros(1, 3), "words": torch.ones(1, length, 2), **more})


def test_prompts_of_different_lengths_are_told_apart_by_a_mask():
    assert joined(asked(2), asked(5)).run()[:, 0].tolist() == [2, 5]
    assert "words_mask" not in joined(asked(5), asked(5)).arguments


def test_what_one_batch_cannot_say_is_refused():
    with pytest.raises(PatchbayError, match="another scale for the prompt than against it"):
        joined(asked(2, scale=1.0), asked(2, scale=2.0))


def test_an_answer_that_nothing_fills_in_ends_the_run():
    step = SimpleNamespace(now=0)
    together = Together(lambda: step.now)
    together.predict(asked(2)), together.predict(asked(3))
    step.now = 1
    waiting = together.predict(asked(2))
    assert waiting.isnan().all()
    assert together.predict(asked(3))[0, 0] == 3
    assert waiting[0, 0] == 2
    step.now = 2
    together.predict(asked(2))
    together.end(KeyError)
    with pytest.raises(PatchbayError, match="asked for the prompt alone"):
        together.end(None)
    step.now = 3
    with pytest.raises(PatchbayError, match="asked for the prompt alone"):
        together.predict(asked(2))


def test_what_a_denoiser_cannot_do_for_both_at_once_is_told_as_such():
    step = SimpleNamespace(now=0)
    together = Together(lambda: step.now)
    together.predict(asked(2)), together.predict(asked(2))
    step.now = 1
    together.predict(asked(2, scale="a"))
    with pytest.raises(PatchbayError, match="A Reading cannot be asked for both at once"):
        together.predict(asked(2, scale="a"))
