"""What priors draw, and what decoders draw after it: the stages are the stock pipelines, one behind the other."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes import apply_prior, encode_text, mix_latents, sample, vae_decode, vae_encode
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.types import VAE, BlankLatent, Denoiser, Image, Latent, Sampler, Scheduler, TextEncoder
from tests.nodes.diffusion.tiny import embedded, exact

PRIOR, DECODER = "KandinskyV22PriorPipeline", "KandinskyV22Pipeline"
PAIRS = [(PRIOR, DECODER), ("KandinskyPriorPipeline", "KandinskyPipeline")]

CALL = {"num_inference_steps": 2, "guidance_scale": 4.0, "return_dict": False}


def own(source):
    return Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler)


def drawn(source, positive, negative=None, *, latent=None, seed=7):
    latent = latent or BlankLatent(64, 64, 1)
    return sample(Denoiser(source), positive, latent, negative, scheduler=own(source), steps=2, guidance=4.0, seed=seed)


def generator(*seeds):
    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


def prompt(source, text="a red fox", role="positive"):
    reads = "text_encoder" in source.parts
    return encode_text(TextEncoder(source), text if reads else "", role=role)


def words(source, **given):
    """The arguments of a stock call that concern words, where it reads any."""
    return given if "text_encoder" in source.parts else {}


def pictures(count=1):
    drawn = torch.rand(count, 3, 48, 40, generator=torch.Generator().manual_seed(3))
    return Image((drawn * 255).round() / 255)


@pytest.mark.parametrize(("prior", "decoder"), PAIRS)
@torch.no_grad()
def test_a_prior_and_its_decoder_draw_what_the_stock_pipelines_draw(family, prior, decoder):
    """Guided, without a negative prompt, so against the embedding of nothing."""
    first, second = family(prior), family(decoder)
    with ExitStack() as held:
        embeds, nothing = exact.stock_pipeline(held, first)("a red fox", generator=generator(7), **CALL)
        theirs = exact.stock_pipeline(held, second)(
            **words(second, prompt="a red fox"), image_embeds=embeds, negative_image_embeds=nothing,
            width=64, height=64, generator=generator(7), output_type="np", **CALL,
        )[0]  # fmt: skip
    embedding = drawn(first, prompt(first))
    steered = apply_prior(prompt(second), VAE(first), embedding)
    assert torch.equal(steered.tensors["negative_image_embeds"], nothing)
    ours = vae_decode(VAE(second), drawn(second, steered))
    assert torch.equal(ours.pixels, torch.from_numpy(theirs).permute(0, 3, 1, 2))


@torch.no_grad()
def test_stable_cascade_draws_in_two_parts_what_its_stock_pipelines_draw(family):
    first, second = family("StableCascadePriorPipeline"), family("StableCascadeDecoderPipeline")
    with ExitStack() as held:
        prior = exact.stock_pipeline(held, first)
        embeds = prior("a red fox", generator=generator(7), width=128, height=128, **CALL)[0]
        decoder = exact.stock_pipeline(held, second)
        theirs = decoder(embeds, "a red fox", generator=generator(7), output_type="pt", **CALL)
    embedding = drawn(first, prompt(first), latent=BlankLatent(128, 128, 1))
    steered = apply_prior(prompt(second), VAE(first), embedding)
    ours = vae_decode(VAE(second), drawn(second, steered, latent=BlankLatent(128, 128, 1)))
    assert torch.equal(ours.pixels, theirs)
    with pytest.raises(PatchbayError, match="makes pictures of 128 x 128") as other:
        drawn(second, steered, latent=BlankLatent(256, 128, 1))
    assert other.value.problem.fix == "Set EmptyLatent to 128 x 128."
    with pytest.raises(PatchbayError, match="works against no embedding"):
        apply_prior(prompt(second), VAE(first))
    with pytest.raises(PatchbayError, match="no encoder for pictures"):
        vae_encode(VAE(first), pictures())
    with pytest.raises(PatchbayError, match="no VAE turns into a picture"):
        vae_decode(VAE(first), embedding)


@torch.no_grad()
def test_a_negative_prompt_is_drawn_against_itself_with_the_next_seed(family):
    source = family(PRIOR)
    with ExitStack() as held:
        pipeline = exact.stock_pipeline(held, source)
        theirs = pipeline("a red fox", negative_prompt="grey", generator=generator(7, 8), **CALL)
    against = prompt(source, "grey", "negative")
    ours = [drawn(source, prompt(source), against), drawn(source, prompt(source, "grey"), against, seed=8)]
    for one, other in zip(ours, theirs, strict=True):  # the stock class draws both in one batch, which rounds otherwise
        torch.testing.assert_close(one.samples[:, :, 0, 0], other)


@torch.no_grad()
def test_mixed_embeddings_are_the_stock_interpolation(family):
    source = family(PRIOR)
    picture = pictures()
    with ExitStack() as held:
        pipeline = exact.stock_pipeline(held, source)
        given = [to_pillow(picture.pixels[0]), "a red fox"]
        theirs = pipeline.interpolate(given, [0.5, 0.5], num_inference_steps=2, generator=generator(7)).image_embeds
    seen, told = vae_encode(VAE(source), picture).latent, drawn(source, prompt(source))
    ours = mix_latents(seen, told, method="lerp", frames=3).samples[1:2, :, 0, 0]
    torch.testing.assert_close(ours, theirs)


def test_another_embedding_gives_another_picture_and_a_negative_s_own_is_used(family):
    prior, decoder = family(PRIOR), family(DECODER)
    one, other = (Latent(vae_encode(VAE(prior), pictures(2)).latent.samples[i : i + 1], prior.kind) for i in (0, 1))
    steered, against = (apply_prior(prompt(decoder), VAE(prior), each) for each in (one, other))
    alone = drawn(decoder, steered).samples
    assert not torch.equal(alone, drawn(decoder, against).samples)
    assert not torch.equal(alone, drawn(decoder, steered, against).samples)
    assert torch.equal(alone, drawn(decoder, steered, apply_prior(prompt(decoder), VAE(prior))).samples)


def test_what_an_embedding_cannot_do_is_refused(family):
    prior, decoder, other = family(PRIOR), family(DECODER), family("StableDiffusionPipeline")
    embedding = Latent(torch.zeros(1, embedded.WIDTH, 1, 1), prior.kind)
    with pytest.raises(PatchbayError, match="carries none") as missing:
        drawn(decoder, prompt(decoder))
    assert missing.value.problem.fix.startswith("Put ApplyPrior")
    with pytest.raises(PatchbayError, match="draws after no embedding"):
        apply_prior(prompt(other), VAE(prior), embedding)
    with pytest.raises(PatchbayError, match="does not draw after"):
        apply_prior(prompt(decoder), VAE(other), embedding)
    with pytest.raises(PatchbayError) as stranger:
        apply_prior(prompt(decoder), VAE(prior), Latent(embedding.samples, "sd1"))
    assert stranger.value.code is Code.KIND_MISMATCH
    with pytest.raises(PatchbayError, match="no VAE turns into a picture"):
        vae_decode(VAE(prior), embedding)
    three = apply_prior(prompt(decoder), VAE(prior), Latent(torch.zeros(3, embedded.WIDTH, 1, 1), prior.kind))
    with pytest.raises(PatchbayError, match="3 embeddings for 1 picture"):
        drawn(decoder, three)
    with pytest.raises(PatchbayError, match="no schedule of so few steps"):
        sample(Denoiser(prior), prompt(prior), BlankLatent(64, 64, 1), scheduler=own(prior), steps=1)
    with pytest.raises(PatchbayError, match="no word has a weight"):
        encode_text(TextEncoder(prior), "(a) fox", weights="towards empty")


def test_an_embedding_is_of_a_prompt_s_identity(family):
    prior, decoder = family(PRIOR), family(DECODER)
    one, other = (Latent(torch.full((1, embedded.WIDTH, 1, 1), number), prior.kind) for number in (0.0, 1.0))
    given = [prompt(decoder), *(apply_prior(prompt(decoder), VAE(prior), each) for each in (None, one, other))]
    assert len({each.digest() for each in given}) == 4


@pytest.mark.parametrize("scheduler", ["DDIM", "Euler", "DPMSolverMultistep", "euler_ancestral"])
def test_a_scheduler_that_reads_no_variance_is_given_none(family, scheduler):
    """Kandinsky predicts one beside the noise; only DDPM reads it."""
    prior, decoder = family(PRIOR), family(DECODER)
    assert decoder.scheduler["variance_type"] == "learned_range"
    chosen = scheduler
    if scheduler.islower():
        chosen = Sampler("DDPM", decoder.kind, decoder.scheduler, {}, DECODER, scheduler)
    steered = apply_prior(prompt(decoder), VAE(prior))
    steered = replace(steered, tensors={**steered.tensors, "image_embeds": torch.zeros(1, embedded.WIDTH)})
    found = sample(Denoiser(decoder), steered, BlankLatent(64, 64, 1), scheduler=chosen, steps=2, guidance=4.0, seed=7)
    assert torch.isfinite(found.samples).all()
