"""A part of a picture is painted, bit for bit as the stock inpainting classes do it, and the rest is left alone."""

from dataclasses import replace

import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.source import survey
from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.latents import autoencoding
from nodes.diffusion.sampling import painting
from nodes.diffusion.schedules.shim import Window
from nodes.diffusion.stages import layouts
from nodes.types import VAE, Image, Latent, Mask, Sampler
from tests.nodes.diffusion.tiny import exact
from tests.nodes.diffusion.tiny.table import READERS, TINY, build

pytestmark = [  # Diffusers' own, of Chroma and of Depth2Img
    pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning"),
]

QUICK = ("StableDiffusionPipeline", "FluxPipeline")
"""Run always at every strength; the others with the marker `slow`."""

NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in exact.INPAINT]
ODD = {"Kandinsky3Pipeline", "HiDreamImagePipeline", "ErnieImagePipeline"}
"""Their tiny latents do not have the size that was asked for."""


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


@pytest.fixture
def masked(family):
    """A latent with a mask, from a picture that both kinds of models can read."""

    def make(name, batch=2):
        source = family(name)
        picture, _ = exact.picture_of(source, batch)
        return source, painting.encoded(VAE(source), picture, exact.mask_of(source))

    return make


def outside(latent):
    """1 where a latent is not painted."""
    return 1 - painting._small(latent.mask, latent.samples)


@pytest.mark.parametrize("strength", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_inpainting_is_the_stock_class_s(family, name, strength):
    for task in exact.INPAINT[name]:
        ours, theirs = exact.inpainting(family(name), task, strength)
        assert torch.isfinite(theirs).all()
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    "name",
    [
        "StableDiffusionXLPipeline",
        "StableDiffusion3Pipeline",
        "QwenImagePipeline",
        "QwenImageEditPipeline",
        "Flux2KleinPipeline",
    ],
)
def test_so_it_is_at_one_strength_in_more_families(family, name):
    ours, theirs = exact.inpainting(family(name), exact.INPAINT[name][0], 0.6, steps=3)
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("strength", [0.6, 1.0])
@pytest.mark.parametrize(
    "scheduler", ["PNDM", "Heun", "EulerAncestral", "DPMSolverMultistep", "UniPC", "LMS", "SASolver"]
)
def test_inpainting_is_the_stock_class_s_with_every_scheduler(family, scheduler, strength):
    source = family("StableDiffusionPipeline")
    ours, theirs = exact.inpainting(source, "StableDiffusionInpaintPipeline", strength, scheduler=scheduler)
    assert torch.isfinite(theirs).all()
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("strength", [0.6, 1.0])
@pytest.mark.parametrize("name", READERS)
def test_models_made_for_inpainting_read_what_the_stock_class_shows_them(family, name, strength):
    batch = 1 if name == "FluxFillPipeline" else 2  # the stock class encodes a batch at once, which rounds differently
    ours, theirs = exact.inpainting(family(name), name, strength, batch=batch, steps=3)
    assert torch.isfinite(theirs).all()
    assert torch.equal(ours, theirs)


def test_what_a_model_reads_changes_what_it_paints(masked):
    """Else the equality above would say nothing."""
    for name in READERS:
        source, latent = masked(name, 1)
        hides = source.family.decoder == "movq"  # a part of the latents, where others are shown a picture without it
        changes = {"kept": latent.samples + 1} if hides else {"around": latent.mask.around + 1}
        found = [latent.mask, replace(latent.mask, **changes)]
        found.append(replace(latent.mask, coverage=1 - latent.mask.coverage))
        painted = [sampled(source, replace(latent, mask=mask)).samples for mask in found]
        assert not torch.equal(painted[0], painted[1])
        assert not torch.equal(painted[0], painted[2])


def sampled(source, latent, scheduler=None, **how):
    name = source.pipeline_class if source.reads_mask else source.family.pipeline_class
    tiny = TINY.get(name)
    if tiny is not None and any(tiny.pictures):
        how["pictures"] = exact.pictures_of(name, max(tiny.pictures), 1)
        with exact.small_area(name):
            return exact.own_from_latent(source, name, latent, steps=3, scheduler=scheduler, **how)
    return exact.own_from_latent(source, name, latent, steps=3, scheduler=scheduler, **(how or {"denoise": 1.0}))


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in TINY
        if name not in ODD and not FAMILIES[name].is_prior
    ],
)
def test_without_a_hole_nothing_changes_and_with_nothing_else_all_is_painted(family, name):
    """In every family that can start from a latent, whether or not it has an inpainting class."""
    source = family(name)
    case = exact.Case(guided=not TINY[name].unguided, size=1, pictures=max(TINY[name].pictures))
    latent = exact.own_latent(source, case)[2]
    width, height = TINY[name].sizes[1]
    nowhere, everywhere = (painting.masked(latent, Mask(torch.full((1, 1, height, width), one))) for one in (0.0, 1.0))
    if source.family.whole or source.family.blank_only:
        with pytest.raises(PatchbayError, match=r"cannot paint a part|blank latent only"):
            sampled(source, nowhere)
        return
    assert torch.equal(sampled(source, nowhere).samples, latent.samples)
    part, whole = (sampled(source, each, window=Window(3, 1)).samples for each in (everywhere, latent))
    assert torch.equal(part, whole)


@pytest.mark.parametrize("scheduler", ["DDIM", "Heun", "UniPC", "euler", "dpmpp_2m", "dpmpp_sde"])
def test_two_parts_with_a_mask_are_the_whole(masked, scheduler):
    source, latent = masked("StableDiffusionPipeline")
    chosen = scheduler
    if scheduler.islower():
        chosen = Sampler("Euler", source.kind, source.scheduler, {}, source.pipeline_class, scheduler)
    whole = sampled(source, latent, chosen, window=Window(3))
    half = sampled(source, latent, chosen, window=Window(3, 0, 2))
    assert half.leftover is not None
    assert torch.equal(half.mask.kept, latent.samples)
    rest = sampled(source, half, chosen, window=Window(3, 2))
    assert torch.equal(rest.samples, whole.samples)
    assert rest.mask is whole.mask is None
    assert torch.equal((whole.samples * outside(latent)), latent.samples * outside(latent))
    assert not torch.equal(whole.samples, latent.samples)


@pytest.mark.parametrize("name", ["FluxPipeline", "StableDiffusionInpaintPipeline"])
def test_so_they_are_in_flow_models_and_in_models_that_read_a_mask(masked, name):
    source, latent = masked(name)
    half = sampled(source, latent, window=Window(3, 1, 2))
    rest = sampled(source, half, window=Window(3, 2))
    assert torch.equal(rest.samples, sampled(source, latent, window=Window(3, 1)).samples)


def test_the_mask_is_part_of_the_identity_and_the_size(masked):
    _, latent = masked("StableDiffusionPipeline")
    samples, mask = latent.samples, latent.mask
    others = (
        None,
        mask,
        replace(mask, around=None),
        replace(mask, coverage=mask.coverage / 2),
        replace(mask, around=None, kept=mask.around),
        replace(mask, around=None, noise=mask.around),
    )
    found = [replace(latent, mask=other) for other in others]
    assert len({each.digest() for each in found}) == len(found)
    assert found[0].nbytes == samples.nbytes
    assert found[2].nbytes == samples.nbytes + mask.coverage.nbytes


def test_what_is_hidden_is_nothing_to_the_vae(family):
    source = family("StableDiffusionPipeline")
    picture, _ = exact.picture_of(source, 1)
    mask = exact.mask_of(source)
    pixels = painting.hidden(picture, mask).pixels
    assert torch.equal(pixels * 2 - 1, (picture.pixels * 2 - 1) * (mask.coverage < 0.5))


def refusal(call, *args, **kwargs):
    with pytest.raises(PatchbayError) as caught:
        call(*args, **kwargs)
    assert caught.value.code is Code.BAD_VALUE
    assert caught.value.fix
    return caught.value


def test_a_mask_of_the_wrong_size_says_what_is_wrong(family):
    source = family("StableDiffusionPipeline")
    picture, latent = exact.picture_of(source, 2)
    error = refusal(painting.masked, latent, Mask(torch.ones(1, 1, 30, 48)))
    assert error.at == "mask"
    assert "48 x 30 pixels" in error.what
    assert "ResizeMask" in error.fix
    assert refusal(painting.masked, latent, Mask(torch.ones(1, 1, 32, 96))).at == "mask"
    twice = painting.masked(latent, Mask(torch.ones(1, 1, 64, 96)))
    error = refusal(sampled, source, twice)
    assert (error.at, "96 x 64" in error.what, "48 x 32" in error.what) == ("latent", True, True)
    error = refusal(painting.encoded, VAE(source), picture, Mask(torch.ones(1, 1, 64, 96)))
    assert error.at == "mask"
    assert "3 masks for 2" in refusal(painting.masked, latent, Mask(torch.ones(3, 1, 32, 48))).what


def test_an_unfinished_latent_takes_no_mask(masked):
    source, latent = masked("StableDiffusionPipeline")
    half = sampled(source, latent, window=Window(3, 0, 2))
    assert "left at step 2 of 3" in refusal(painting.masked, half, Mask(latent.mask.coverage)).what


def test_a_model_that_reads_a_mask_wants_it_with_the_picture_around(masked):
    source, latent = masked("StableDiffusionInpaintPipeline")
    error = refusal(sampled, source, replace(latent, mask=None))
    assert "brings neither" in error.what
    assert "VAEEncodeMasked" in error.fix
    assert (
        "without the picture" in refusal(sampled, source, replace(latent, mask=replace(latent.mask, around=None))).what
    )


def test_each_picture_may_have_a_mask_of_its_own(family):
    source = family("StableDiffusionPipeline")
    _, latent = exact.picture_of(source, 2)
    coverage = torch.cat([torch.zeros(1, 1, 32, 48), torch.ones(1, 1, 32, 48)])
    painted = sampled(source, painting.masked(latent, Mask(coverage))).samples
    assert torch.equal(painted[0], latent.samples[0])
    assert not torch.isclose(painted[1], latent.samples[1]).any()


def test_a_mask_is_small_as_the_stock_class_makes_it():
    coverage = torch.zeros(1, 1, 16, 16)
    coverage[..., 0, 8] = 0.5
    coverage[..., 15, 0:8] = 1.0
    latent = painting.masked(Latent(torch.zeros(1, 4, 2, 2), "sd1"), Mask(coverage))
    assert painting._small(latent.mask, latent.samples).flatten().tolist() == [0, 1, 0, 0]


def test_latents_are_put_back_as_the_loop_holds_them(family):
    """Flux 2 packs what it is given plain."""

    class Packing:
        _patchify_latents = staticmethod(lambda latents: latents)
        _pack_latents = staticmethod(lambda latents: latents.flatten(2).transpose(1, 2))

    samples = torch.arange(16.0).view(1, 4, 2, 2)
    assert layouts.within(Packing(), samples).shape == (1, 4, 4)
    assert torch.equal(layouts.within(object(), samples), samples)


def test_encoding_masked_is_encoding_and_masking(family):
    source = family("StableDiffusionPipeline")
    picture, latent = exact.picture_of(source, 1)
    found = painting.encoded(VAE(source), picture, exact.mask_of(source))
    assert torch.equal(found.samples, latent.samples)
    drawn = painting.encoded(VAE(source), picture, exact.mask_of(source), [3])
    again = autoencoding.sample_distribution(autoencoding.encode_image(VAE(source), Image(picture.pixels)), [3])
    assert torch.equal(drawn.samples, again.samples)
