"""A ControlNet beside the denoiser of a text-to-image pipeline is the stock ControlNet pipeline, bit for bit."""

import functools
import threading
from dataclasses import replace

import diffusers
import pytest
import torch

from engine.errors import Cancelled, Code, PatchbayError
from engine.events import NodeProgress
from nodes.diffusion.control import controls
from nodes.diffusion.disk.nets import PART
from nodes.diffusion.disk.source import survey
from nodes.diffusion.latents import latent_math
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.sampling import denoising
from nodes.diffusion.schedules.shim import Window
from nodes.diffusion.text import prompts
from nodes.types import BlankLatent, Control, Denoiser, Image, TextEncoder
from tests.nodes.diffusion.tiny import controlled, dits, exact, vaes
from tests.nodes.diffusion.tiny.controlled import Way
from tests.nodes.diffusion.tiny.table import build

pytestmark = pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning")  # Diffusers' own

SD = "StableDiffusionPipeline"
CASES = [
    pytest.param(name, way, marks=[] if number == 0 and "PAG" not in name else [pytest.mark.slow])
    for name in controlled.FAMILY
    for number, way in enumerate(controlled.ways(name))
]


@pytest.fixture(scope="session")
def nets(family, tmp_path_factory):
    """Two ControlNets for the tiny model of a class."""

    @functools.cache
    def of(name):
        folder = tmp_path_factory.mktemp(f"{name}Nets")
        return controlled.nets_of(family(controlled.FAMILY.get(name, name)), folder, name)

    return of


@pytest.mark.parametrize(("name", "way"), CASES, ids=str)
def test_controlled_runs_are_the_stock_classes(family, nets, tmp_path, name, way):
    model = controlled.model_of(family(controlled.FAMILY[name]), tmp_path, name)
    ours = controlled.ours(model, nets(name), way, name)
    assert torch.isfinite(ours).all()
    assert torch.equal(ours, controlled.theirs(model, nets(name), way, name))


def test_a_model_that_reads_a_mask_is_controlled_as_in_the_stock_class(nets, tmp_path):
    """Its ControlNet sees the latents alone."""
    name, way = "StableDiffusionControlNetInpaintPipeline", Way(strength=0.7)
    build("StableDiffusionInpaintPipeline", tmp_path)
    source = survey(tmp_path, at="test")
    assert torch.equal(controlled.ours(source, nets(SD), way, name), controlled.theirs(source, nets(SD), way, name))


@pytest.mark.parametrize("name", ["FluxControlNetPipeline", "FluxControlNetImg2ImgPipeline"])
def test_a_flux_union_is_told_its_mode(family, tmp_path, name):
    source = family("FluxPipeline")
    union = [controlled.build_net(source, tmp_path / str(seed), seed, num_mode=3) for seed in (0, 1)]
    way = Way(strength=None if name == "FluxControlNetPipeline" else 0.7)
    ours = controlled.ours(source, union, way, name)
    assert torch.equal(ours, controlled.theirs(source, union, way, name))
    assert not torch.equal(ours, controlled.ours(source, union[::-1], way, name))


@pytest.mark.parametrize("places", [33, 16])
def test_a_z_image_controlnet_may_have_room_for_a_mask(family, tmp_path, places):
    name, source = "ZImageControlNetPipeline", family("ZImagePipeline")
    net = controlled.build_net(source, tmp_path / "net", control_in_dim=places)
    assert torch.equal(controlled.ours(source, [net], Way(), name), controlled.theirs(source, [net], Way(), name))


def test_an_adapter_may_read_shades_of_grey(family, tmp_path, monkeypatch):
    drawn = controlled.picture
    monkeypatch.setattr(controlled, "picture", lambda *sizes: Image(drawn(*sizes).pixels[:, :1].expand(-1, 3, -1, -1)))
    name, source = "StableDiffusionAdapterPipeline", family(SD)
    net = controlled.build_net(source, tmp_path / "net", name=name, in_channels=1)
    monkeypatch.setattr(controlled, "to_pillow", lambda pixels: to_pillow(pixels).convert("L"))
    assert torch.equal(controlled.ours(source, [net], Way(), name), controlled.theirs(source, [net], Way(), name))


def test_an_adapter_acts_beside_a_controlnet(family, nets):
    source, both = family(SD), (nets(SD)[0], nets("StableDiffusionAdapterPipeline")[0])
    numbers = (0.8, 0.0, 1.0)
    way, alone = Way(nets=(numbers, numbers)), Way(nets=(numbers,))
    found = [controlled.ours(source, *given) for given in ((both, way), (both[:1], alone), (both[1:], alone))]
    assert not any(torch.equal(found[0], each) for each in found[1:])


def test_the_layers_that_a_controlnet_borrows_are_given_to_no_other_model(family, tmp_path):
    net = controlled.build_net(family("ZImagePipeline"), tmp_path / "net")
    controlled.ours(family("ZImagePipeline"), [net], Way(), "ZImageControlNetPipeline")
    with SHELF.use(net.source, PART) as live:
        assert live.t_embedder is None


@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize("name", [SD, "StableDiffusionXLPipeline"])
def test_what_a_pooling_controlnet_says_is_for_the_prompt_alone(family, tmp_path, name, guided):
    source = family(name)
    net = controlled.build_net(source, tmp_path / "net", global_pool_conditions=True)
    way = Way(guided=guided)
    assert torch.equal(controlled.ours(source, [net], way), controlled.theirs(source, [net], way))


def test_a_flux_controlnet_that_reads_pixels_is_the_stock_class_s(tmp_path):
    """Others read latents. Its own layers make eight pixels one, so the VAE of its model must too."""
    torch.manual_seed(0)
    diffusers.FluxPipeline(**{**dits.flux(), "vae": vaes.flow(levels=3)}).save_pretrained(tmp_path / "model")
    source = survey(tmp_path / "model", at="test")
    net = controlled.build_net(source, tmp_path / "net", conditioning_embedding_channels=16)
    assert torch.equal(controlled.ours(source, [net], Way()), controlled.theirs(source, [net], Way()))


@pytest.mark.parametrize("zeros", [True, False])
def test_an_sd3_controlnet_reads_pooled_words_or_not(family, tmp_path, zeros):
    source = family("StableDiffusion3Pipeline")
    net = controlled.build_net(source, tmp_path / "net", force_zeros_for_pooled_projection=zeros)
    assert torch.equal(controlled.ours(source, [net], Way()), controlled.theirs(source, [net], Way()))


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


def test_a_controlnet_is_told_what_it_reads_and_nothing_else(family, steps, tmp_path):
    flux = prompts.encode_text(TextEncoder(family("FluxPipeline")), exact.PROMPT)
    z_image, sd3 = family("ZImagePipeline"), family("StableDiffusion3Pipeline")
    union = controlled.build_net(family("FluxPipeline"), tmp_path / "union", num_mode=3)
    plain = controlled.build_net(family(SD), tmp_path / "plain")
    masked = controlled.build_net(sd3, tmp_path / "masked", extra_conditioning_channels=1)
    roomy = controlled.build_net(z_image, tmp_path / "roomy", control_in_dim=33)
    mask, picture = controlled.hole((32, 32)), controlled.picture((32, 32), 1, 0)
    for net, told, said in (
        (union, {}, "Set mode to 0 to 2"),
        (union, {"mode": 3}, "Set mode to 0 to 2"),
        (plain, {"mode": 0}, "has no modes"),
        (plain, {"mask": mask}, "reads no mask"),
        (plain, {"around": picture}, "no picture to paint in"),
        (masked, {}, "nothing says which"),
        (roomy, {"mask": mask}, "reads no mask without the picture to paint in"),
        (roomy, {"around": picture}, "nothing says which"),
    ):
        with pytest.raises(PatchbayError, match=said):
            controls.with_control(flux, Control(net, picture, **told))


def test_a_sparse_controlnet_may_read_pixels_and_no_more_pictures_than_frames(family, tmp_path):
    name, source = "AnimateDiffSparseControlNetPipeline", family("AnimateDiffPipeline")
    settings = {"use_simplified_condition_embedding": False, "conditioning_channels": 3}
    net = controlled.build_net(source, tmp_path / "net", name=name, **settings)
    way = Way(steps=2)
    assert torch.equal(controlled.ours(source, [net], way, name), controlled.theirs(source, [net], way, name))
    with pytest.raises(PatchbayError, match="3 pictures cannot steer 2 frames"):
        controlled.ours(source, [net], replace(way, hints=3), name)


def test_an_adapter_for_other_sizes_is_refused(family, steps, tmp_path):
    """Its configuration tells of no kind, so its sizes count."""
    source = family(SD)
    net = controlled.build_net(source, tmp_path / "net", name="Adapter", channels=[16, 32, 64, 64])
    assert net.kind == ""
    with pytest.raises(PatchbayError, match=r"channels \[16, 32, 64, 64\], the model block_out_channels \[32, 64\]"):
        controls.check_controls(source, steered(steps.plain, net), None)


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
