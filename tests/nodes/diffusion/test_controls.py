"""A ControlNet beside the denoiser of a text-to-image pipeline is the stock ControlNet pipeline, bit for bit."""

import threading
from dataclasses import replace

import pytest
import torch

from engine.errors import Cancelled, Code, PatchbayError
from engine.events import NodeProgress
from nodes.diffusion import controls, denoising, latent_math, prompts
from nodes.diffusion.shelf import SHELF
from nodes.diffusion.shim import Window
from nodes.types import BlankLatent, Control, Denoiser, Image, TextEncoder
from tests.nodes.diffusion.tiny import controlled, exact
from tests.nodes.diffusion.tiny.controlled import CONTROLLED, Way

SD = "StableDiffusionPipeline"
CASES = [
    pytest.param(name, way, marks=[pytest.mark.slow] if "PAG" in name else [])
    for name in CONTROLLED
    for way in controlled.ways(name)
]


@pytest.fixture(scope="session")
def nets(family, tmp_path_factory):
    """Two ControlNets for the tiny model of a class."""
    made = {}

    def of(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(f"{name}Nets")
            made[name] = [controlled.build_net(family(name), folder / str(seed), seed) for seed in (0, 1)]
        return made[name]

    return of


@pytest.mark.parametrize(("name", "way"), CASES, ids=str)
def test_controlled_runs_are_the_stock_classes(family, nets, name, way):
    source = family(name)
    ours = controlled.ours(source, nets(name), way)
    assert torch.isfinite(ours).all()
    assert torch.equal(ours, controlled.theirs(source, nets(name), way))


@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize("name", [SD, "StableDiffusionXLPipeline"])
def test_what_a_pooling_controlnet_says_is_for_the_prompt_alone(family, tmp_path, name, guided):
    source = family(name)
    net = controlled.build_net(source, tmp_path / "net", global_pool_conditions=True)
    way = Way(guided=guided)
    assert torch.equal(controlled.ours(source, [net], way), controlled.theirs(source, [net], way))


@pytest.mark.parametrize(
    "other",
    [
        Way(nets=()),
        Way(nets=((0.7, 0.0, 1.0),)),
        Way(nets=((0.8, 0.3, 1.0),)),
        Way(nets=((0.8, 0.0, 0.7),)),
        Way(nets=((0.8, 0.0, 1.0), (0.8, 0.0, 1.0))),
    ],
)
def test_every_setting_counts(family, nets, other):
    """Else the equality above would say nothing."""
    one, another = (controlled.ours(family(SD), nets(SD), way) for way in (Way(), other))
    assert not torch.equal(one, another)


def test_without_strength_nothing_is_steered(family, nets):
    plain = controlled.ours(family(SD), nets(SD), Way(nets=()))
    assert torch.equal(controlled.ours(family(SD), nets(SD), Way(nets=((0.0, 0.0, 1.0),))), plain)


def test_a_picture_of_another_size_is_resized_as_the_stock_class_does(family, nets, monkeypatch):
    source, drawn = family(SD), controlled.picture
    monkeypatch.setattr(controlled, "picture", lambda _, batch, seed: drawn((40, 56), batch, seed))
    assert torch.equal(controlled.ours(source, nets(SD), Way()), controlled.theirs(source, nets(SD), Way()))


@pytest.fixture
def steps(family, nets):
    """Some steps of a run that is controlled between a quarter and three quarters of them."""
    source = family(SD)
    positive = prompts.encode_text(TextEncoder(source), exact.PROMPT)
    picture = controlled.picture((32, 32), 1, 3)
    steered = controls.with_control(positive, Control(nets(SD)[0], picture, 1.0, 0.25, 0.75))

    def run(latent=None, first=0, last=None, prompt=steered, **options):
        return denoising.sample(
            Denoiser(source), prompt, None, latent or BlankLatent(32, 32, 1),
            scheduler="DDIM", steps=8, guidance=3.0, seed=7, window=Window(8, first, last), **options,
        )  # fmt: skip

    run.plain = positive
    return run


@pytest.mark.parametrize("middle", [1, 2, 4, 7])
def test_parts_are_controlled_as_the_whole_is(steps, middle):
    """The shares are those of the whole schedule, wherever a part begins."""
    whole = steps().samples
    assert torch.equal(steps(steps(last=middle), middle).samples, whole)


def test_a_cancelled_controlled_run_leaves_the_next_one_as_it_was(steps, within):
    plain, steered = steps(prompt=steps.plain).samples, steps().samples
    cancel, seen = threading.Event(), []

    def emit(event):
        seen.extend([event] if isinstance(event, NodeProgress) else [])
        if len(seen) == 4:
            cancel.set()

    with within(emit=emit, cancel=cancel), pytest.raises(Cancelled):
        steps()
    assert torch.equal(steps(prompt=steps.plain).samples, plain)
    assert torch.equal(steps().samples, steered)
    assert not any(entry.users for entry in SHELF._entries.values())


def test_two_threads_share_a_model_and_only_one_is_controlled(steps):
    alone = {"steered": steps().samples, "plain": steps(prompt=steps.plain).samples}
    beside = {}

    def work(name, **options):
        torch.set_num_threads(1)
        beside[name] = steps(**options).samples

    threads = [
        threading.Thread(target=work, args=("steered",)),
        threading.Thread(target=work, args=("plain",), kwargs={"prompt": steps.plain}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(beside[name], alone[name]) for name in alone)


def steered(prompt, net, pictures=1, **settings):
    return controls.with_control(prompt, Control(net, Image(torch.zeros(pictures, 3, 32, 32)), **settings))


def test_what_cannot_be_steered_is_refused(family, nets, steps):
    blank = BlankLatent(32, 32, 1)
    settings = {"scheduler": "DDIM", "steps": 2, "guidance": 3.0, "seed": 0}
    foreign = nets("StableDiffusionXLPipeline")[0]
    for prompt, negative, code in (
        (steered(steps.plain, foreign), None, Code.KIND_MISMATCH),
        (steps.plain, steered(steps.plain, nets(SD)[0]), Code.BAD_VALUE),
        (steered(steps.plain, nets(SD)[0], pictures=2), None, Code.BAD_VALUE),
    ):
        with pytest.raises(PatchbayError) as caught:
            denoising.sample(Denoiser(family(SD)), prompt, negative, blank, **settings)
        assert caught.value.code is code


def test_a_family_that_follows_no_controlnet_of_this_class_says_so(family, nets, steps):
    source = replace(family(SD))
    object.__setattr__(source, "pipeline_class", "LatentConsistencyModelPipeline")
    with pytest.raises(PatchbayError, match="A LatentConsistencyModelPipeline follows no ControlNet"):
        controls.check_controls(source, steered(steps.plain, nets(SD)[0]), None)


def test_a_share_of_the_steps_has_a_beginning_before_its_end(steps, nets):
    with pytest.raises(PatchbayError, match=r"no steps from 0\.5 to 0\.5"):
        steered(steps.plain, nets(SD)[0], start=0.5, end=0.5)


def test_a_steered_prompt_differs_from_a_plain_one_and_is_not_mixed(steps, nets):
    net = nets(SD)[0]
    values = [steps.plain, steered(steps.plain, net), steered(steps.plain, net, strength=0.5)]
    assert len({value.digest() for value in values}) == 3
    assert values[1].nbytes > values[0].nbytes
    with pytest.raises(PatchbayError, match="only plain prompts can be mixed"):
        latent_math.mix(values[0], values[1], 0.5, "lerp")
