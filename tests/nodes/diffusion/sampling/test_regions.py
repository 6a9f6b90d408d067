"""Several prompts for one picture, against loops written out here."""

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import FluxPipeline
from diffusers.pipelines.flux.pipeline_flux import calculate_shift

from engine.errors import Code, PatchbayError
from nodes.diffusion.control.controls import with_control
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.sampling import denoising, regions
from nodes.diffusion.schedules import noise, schedulers
from nodes.diffusion.schedules.shim import Window
from nodes.diffusion.text import prompts
from nodes.types import Area, BlankLatent, Control, Denoiser, Guider, Mask, Scheduler, TextEncoder
from tests.nodes.diffusion.tiny import controlled

SD, SDXL, SD3, FLUX = (
    f"{name}Pipeline" for name in ("StableDiffusion", "StableDiffusionXL", "StableDiffusion3", "Flux")
)
ANIMA = "AnimaModularPipeline"
WIDTH, HEIGHT, STEPS, SCALE, BATCH = 48, 32, 4, 3.0, 2


def mask(seed=0, batch=1):
    """Soft everywhere, nowhere nothing."""
    return Mask(torch.rand(batch, 1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed)) * 0.9 + 0.1)


AREAS = (
    (Area(), Area()),
    (Area(mask(0), 0.7), Area(mask(1, BATCH), 1.5)),
    (Area(mask(0)), Area(end=0.5), Area(mask(2), 2.0, 0.25, 1.0)),
)


def encoded(source, areas, *, role="positive"):
    encoder = TextEncoder(source)
    each = [prompts.encode_text(encoder, text, role=role) for text in ("a fox", "a red circle", "snow")[: len(areas)]]
    return regions.combined([regions.limited(*pair) for pair in zip(each, areas, strict=True)])


def ours(source, positive, negative, **settings):
    own = Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler)
    settings = {"steps": STEPS, "guidance": SCALE, "seed": 7, **settings}
    blank = settings.pop("latent", None) or BlankLatent(WIDTH, HEIGHT, BATCH)
    return denoising.sample(Denoiser(source), positive, negative, blank, scheduler=own, **settings)


def repeated(conditioning):
    return {name: torch.cat([tensor] * BATCH) for name, tensor in conditioning.tensors.items() if name != "text_ids"}


class Loop:
    """One family's loop: what is told to the denoiser is written out, and nothing is shared with the nodes."""

    def __init__(self, source, denoiser):
        self.denoiser, self.source = denoiser, source
        config = source.parts[source.family.denoisers[0]].config
        with SHELF.use(source, "vae") as vae:
            self.side = 2 ** (len(vae.config.block_out_channels) - 1)
        self.channels = vae.config.latent_channels
        self.is_xl = config.get("addition_embed_type") == "text_time"

    def noise(self):
        shape = (self.channels, HEIGHT // self.side, WIDTH // self.side)
        return noise.draw(shape, noise.generators(7, BATCH), torch.float32)

    def say(self, latents, time, told):
        """The prediction for some prompts, one for each latent."""
        if self.source.pipeline_class == SD3:
            return self.denoiser(
                hidden_states=latents, timestep=time.expand(len(latents)), encoder_hidden_states=told["prompt_embeds"],
                pooled_projections=told["pooled_prompt_embeds"], return_dict=False,
            )[0]  # fmt: skip
        more = {}
        if self.is_xl:
            ids = torch.tensor([[HEIGHT, WIDTH, 0, 0, HEIGHT, WIDTH]] * len(latents), dtype=torch.float32)
            more = {"added_cond_kwargs": {"text_embeds": told["pooled_prompt_embeds"], "time_ids": ids}}
        return self.denoiser(latents, time, encoder_hidden_states=told["prompt_embeds"], return_dict=False, **more)[0]


def averaged(said, areas, index, shape):
    """The mean of what is said, by strength and mask, of those that have their time."""
    total = weights = 0
    for one, area in zip(said, areas, strict=True):
        if index / STEPS < area.start or (index + 1) / STEPS > area.end:
            continue
        weight = area.strength
        if area.mask is not None:
            weight = weight * torch.nn.functional.adaptive_avg_pool2d(area.mask.coverage, shape)
            weight = weight if one.ndim == 4 else weight.flatten(2).transpose(1, 2)
        total, weights = total + weight * one, weights + weight
    return total / weights


@torch.inference_mode()
def by_hand(source, positive, negative):
    """Both halves in one call for the first prompts, as the stock pipelines do, and a call for each further one."""
    areas = [entry.area for entry in positive.prompts]
    with ExitStack() as held:
        loop = Loop(source, held.enter_context(SHELF.use(source, source.family.denoisers[0])))
        live = schedulers.build(str(source.scheduler["_class_name"]), source.scheduler, source.pipeline_class)
        live.set_timesteps(STEPS)
        latents = loop.noise() * getattr(live, "init_noise_sigma", 1.0)
        first, against = repeated(positive), repeated(negative)
        both = {name: torch.cat([against[name], first[name]]) for name in first}
        for index, time in enumerate(live.timesteps):
            doubled = torch.cat([latents] * 2)
            if hasattr(live, "scale_model_input"):
                doubled = live.scale_model_input(doubled, time)
            below, said = loop.say(doubled, time, both).chunk(2)
            others = [loop.say(doubled[BATCH:], time, repeated(entry)) for entry in positive.beside]
            above = averaged([said, *others], areas, index, latents.shape[-2:])
            latents = live.step(below + SCALE * (above - below), time, latents, return_dict=False)[0]
    return latents


@torch.inference_mode()
def anima_by_hand(source, positive, negative):
    """A prediction after the other, of pictures that are videos of one frame inside."""
    areas = [entry.area for entry in positive.prompts]
    with SHELF.use(source, "transformer") as transformer:
        latents = noise.draw((4, HEIGHT // 4, WIDTH // 4), noise.generators(7, BATCH), torch.float32)
        live = schedulers.build(str(source.scheduler["_class_name"]), source.scheduler, source.pipeline_class)
        live.set_timesteps(sigmas=np.linspace(1.0, 1 / STEPS, STEPS))
        for index, time in enumerate(live.timesteps):
            above, *others, below = [
                transformer(
                    latents.unsqueeze(2), time.expand(BATCH) / 1000, repeated(told)["prompt_embeds"], return_dict=False
                )[0].squeeze(2)
                for told in (*positive.prompts, negative)
            ]
            above = averaged([above, *others], areas, index, latents.shape[-2:])
            latents = live.step(below + SCALE * (above - below), time, latents, return_dict=False)[0]
    return latents


@torch.inference_mode()
def flux_by_hand(source, positive):
    """Guidance is a number that the model reads, latents are packed in squares."""
    areas = [entry.area for entry in positive.prompts]
    with SHELF.use(source, "transformer") as transformer, SHELF.use(source, "vae") as vae:
        side = 2 ** (len(vae.config.block_out_channels) - 1)
        height, width = HEIGHT // side, WIDTH // side
        shape = (vae.config.latent_channels, height, width)
        latents = noise.draw(shape, noise.generators(7, BATCH), torch.float32)
        latents = FluxPipeline._pack_latents(latents, BATCH, *shape)
        live = schedulers.build(str(source.scheduler["_class_name"]), source.scheduler, source.pipeline_class)
        names = ("base_image_seq_len", "max_image_seq_len", "base_shift", "max_shift")
        mu = calculate_shift(latents.shape[1], *(live.config[name] for name in names))
        live.set_timesteps(sigmas=np.linspace(1.0, 1 / STEPS, STEPS), mu=mu)
        ids = FluxPipeline._prepare_latent_image_ids(BATCH, height // 2, width // 2, latents.device, latents.dtype)
        for index, time in enumerate(live.timesteps):
            said = [
                transformer(
                    hidden_states=latents, timestep=time.expand(BATCH) / 1000, guidance=torch.full([BATCH], SCALE),
                    pooled_projections=repeated(entry)["pooled_prompt_embeds"], img_ids=ids,
                    encoder_hidden_states=repeated(entry)["prompt_embeds"], txt_ids=entry.tensors["text_ids"],
                    return_dict=False,
                )[0]
                for entry in positive.prompts
            ]  # fmt: skip
            above = averaged(said, areas, index, (height // 2, width // 2))
            latents = live.step(above, time, latents, return_dict=False)[0]
        return FluxPipeline._unpack_latents(latents, HEIGHT, WIDTH, side)


CASES = [
    pytest.param(name, areas, marks=[] if areas is AREAS[-1] or name == SD else [pytest.mark.slow])
    for name in (SD, SDXL, SD3, FLUX, ANIMA)
    for areas in AREAS
]


@pytest.mark.parametrize(("name", "areas"), CASES)
def test_several_prompts_are_those_of_a_loop_by_hand(family, name, areas):
    source = family(name)
    positive = encoded(source, areas)
    if name == FLUX:
        found, expected = ours(source, positive, None).samples, flux_by_hand(source, positive)
    else:
        negative = prompts.encode_text(TextEncoder(source), "grey", role="negative")
        by_loop = anima_by_hand if name == ANIMA else by_hand
        found, expected = ours(source, positive, negative).samples, by_loop(source, positive, negative)
    assert torch.isfinite(found).all()
    assert torch.allclose(found, expected, atol=1e-6, rtol=1e-5), (found - expected).abs().max()


@pytest.fixture
def source(family):
    return family(SD)


@pytest.fixture
def negative(source):
    return prompts.encode_text(TextEncoder(source), "grey", role="negative")


@pytest.fixture
def plain(source):
    return prompts.encode_text(TextEncoder(source), "a fox")


def test_a_prompt_beside_itself_is_that_prompt(source, plain, negative):
    alone = ours(source, plain, negative).samples
    areas = [Area(mask(0), 2.0), Area(mask(1))]
    twice = regions.combined([regions.limited(plain, area) for area in areas])
    assert torch.allclose(ours(source, twice, negative).samples, alone, atol=1e-4)
    assert torch.equal(ours(source, regions.combined([plain]), negative).samples, alone)


def test_a_hard_mask_keeps_a_prompt_to_its_place_for_one_step(source, negative):
    """After one step no place has heard of the others' prompts but through the denoiser itself."""
    left = torch.zeros(1, 1, HEIGHT, WIDTH)
    left[..., : WIDTH // 2] = 1
    both = encoded(source, (Area(Mask(left)), Area(Mask(1 - left))))
    found = ours(source, both, negative, steps=1).samples
    alone = [ours(source, replace(entry, area=None, beside=()), negative, steps=1).samples for entry in both.prompts]
    half = found.shape[-1] // 2
    assert torch.allclose(found[..., :half], alone[0][..., :half], atol=1e-6)
    assert torch.allclose(found[..., half:], alone[1][..., half:], atol=1e-6)
    assert not torch.allclose(*alone, atol=1e-4)


def test_negatives_act_together_too(source, plain, negative):
    both = encoded(source, (Area(mask(0)), Area(mask(1))), role="negative")
    one = ours(source, plain, both).samples
    assert not torch.allclose(one, ours(source, plain, negative).samples, atol=1e-3)
    assert not torch.allclose(one, ours(source, plain, replace(both, area=None, beside=())).samples, atol=1e-3)


def test_parts_have_the_limits_of_the_whole(source, negative):
    positive = encoded(source, AREAS[2])
    whole = ours(source, positive, negative, window=Window(STEPS)).samples
    part = ours(source, positive, negative, window=Window(STEPS, 0, 1))
    assert torch.equal(ours(source, positive, negative, window=Window(STEPS, 1), latent=part).samples, whole)


def test_prompts_controls_and_a_guider_go_together(source, negative, tmp_path):
    net = controlled.build_net(source, tmp_path / "net")
    control = Control(net, controlled.picture((WIDTH, HEIGHT), 1, 5))
    positive = encoded(source, AREAS[1])
    steered = with_control(positive, control)
    assert all(entry.controls == (control,) for entry in steered.prompts)
    found = ours(source, steered, negative).samples
    assert torch.equal(found, ours(source, steered, negative, guider=Guider("CFG")).samples)
    first = replace(positive, controls=(control,))
    for other in (positive, first, replace(steered, area=None, beside=())):
        assert not torch.allclose(found, ours(source, other, negative).samples, atol=1e-3)


def test_without_guidance_prompts_act_together(source, negative):
    positive = encoded(source, AREAS[1])
    found = ours(source, positive, None, guidance=1.0).samples
    assert not torch.equal(found, ours(source, replace(positive, area=None, beside=()), None, guidance=1.0).samples)
    assert torch.equal(found, ours(source, positive, negative, guidance=1.0).samples)


@pytest.mark.parametrize(
    ("areas", "what"),
    [
        ([Area(Mask(torch.zeros(1, 1, 8, 8)))], "At step 4 of 4 no prompt acts in some places"),
        ([Area(start=0.5), Area(start=0.75)], "At step 2 of 4 no prompt acts at all"),
        ([Area(end=0.5), Area(end=0.25)], "At step 4 of 4 no prompt acts at all"),
        ([Area(), Area(mask(0, 3))], "A mask of 3 pictures cannot limit a prompt for 2"),
    ],
)
def test_a_place_or_a_time_without_a_prompt_is_refused(source, negative, areas, what):
    with pytest.raises(PatchbayError, match=what) as caught:
        ours(source, encoded(source, areas), negative)
    assert caught.value.code is Code.BAD_VALUE


def test_what_cannot_be_limited_or_combined_is_refused(family, source, plain):
    with pytest.raises(PatchbayError, match="no steps"):
        regions.limited(plain, Area(start=1.0))
    for already in (regions.limited(plain, Area()), regions.combined([plain, plain])):
        with pytest.raises(PatchbayError, match="already"):
            regions.limited(already, Area())
    with pytest.raises(PatchbayError, match="no prompt"):
        regions.combined([])
    with pytest.raises(PatchbayError) as caught:
        regions.combined([plain, prompts.encode_text(TextEncoder(family(SDXL)), "x")])
    assert caught.value.code is Code.KIND_MISMATCH
    assert len(regions.combined([regions.combined([plain, plain]), plain]).prompts) == 3


def test_a_family_that_takes_one_prompt_says_so(source, plain):
    other = replace(source)
    object.__setattr__(other, "pipeline_class", "LatentConsistencyModelPipeline")
    with pytest.raises(PatchbayError, match="takes one prompt"):
        regions.check_regions(other.family, regions.limited(plain, Area()), None)
    regions.check_regions(other.family, plain, None)


def test_limits_are_part_of_what_a_prompt_is(plain):
    values = [
        plain,
        regions.limited(plain, Area()),
        regions.limited(plain, Area(mask(0))),
        regions.limited(plain, Area(mask(0), 2.0)),
        regions.combined([plain, plain]),
        regions.combined([plain, regions.limited(plain, Area())]),
    ]
    assert len({value.digest() for value in values}) == len(values)
    assert values[2].nbytes > plain.nbytes
    assert values[4].nbytes == 2 * plain.nbytes
