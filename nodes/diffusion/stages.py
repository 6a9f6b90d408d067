"""The stages of a diffusion pipeline as functions: encode a prompt, encode a picture, denoise, decode.

Each stage runs Diffusers' own pipeline class on parts from the shelf, so its result is bit for bit the stock one. A
pipeline object is made for each call: it costs less than a millisecond and shares nothing but the weights.
Results are on the CPU and never changed again.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import torch

from engine.context import current, report, say, stop_if_cancelled
from engine.errors import Code, PatchbayError
from nodes.diffusion import noise, schedulers, windows, words
from nodes.diffusion.device import pick_device
from nodes.diffusion.libraries import diffusers
from nodes.diffusion.shelf import SHELF
from nodes.diffusion.shim import SchedulerShim, Window, begin_at, index_of
from nodes.types import (
    VAE,
    BlankLatent,
    Conditioning,
    Denoiser,
    Image,
    Latent,
    LatentDistribution,
    Scheduler,
    TextEncoder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nodes.diffusion.source import ModelSource


def encode_text(encoder: TextEncoder[Any], text: str) -> Conditioning[Any]:
    """The prompt as the denoiser reads it: embeddings [1, tokens, features].

    Says so through the run's messages when the prompt is longer than the text encoder can read, or has words that are
    not in the list that the model ships.
    """
    source = encoder.source
    with (
        SHELF.use(source, "tokenizer", alone=True) as tokenizer,
        SHELF.use(source, "text_encoder") as text_encoder,
        _pipeline(source, tokenizer=tokenizer, text_encoder=text_encoder) as pipeline,
    ):
        _tell_truncation(tokenizer, text)
        if told := words.remark(source, text):
            say(told)
        embeds, _ = pipeline.encode_prompt(text, pipeline.device, 1, do_classifier_free_guidance=False)
    return Conditioning(_kept(embeds), encoder, text)


def encode_image(vae: VAE[Any], image: Image) -> LatentDistribution[Any]:
    """What the VAE's encoder says of each picture of the batch, each encoded by itself.

    Raises `bad_value` when a side is no multiple of the VAE's factor.
    """
    source = vae.source
    with SHELF.use(source, "vae") as module, _pipeline(source, vae=module) as pipeline:
        _check_sides(image.pixels.shape[-1], image.pixels.shape[-2], pipeline.vae_scale_factor)
        pixels = pipeline.image_processor.preprocess(image.pixels).to(pipeline.device, module.dtype)
        # as the stock pipeline gets them from a picture file: convolutions round differently in the other layout
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        found = [module.encode(pixels[i : i + 1]).latent_dist for i in range(len(pixels))]
        mean = torch.cat([each.mean for each in found])
        logvar = torch.cat([each.logvar for each in found])
        shift = module.config.shift_factor or 0.0
        return LatentDistribution(_kept(mean), _kept(logvar), module.config.scaling_factor, shift, source.kind)


def sample_distribution(found: LatentDistribution[Any], seeds: Sequence[int] | None = None) -> Latent[Any]:
    """Latents from what `encode_image` found: for each picture one per seed, or its most likely one without seeds.

    Picture i uses `seed + i`. Order: all seeds of the first picture, then all of the second.
    Raises `bad_value` for an empty list of seeds.
    """
    mean, logvar = found.mean, found.logvar
    if seeds is not None:
        if not seeds:
            raise PatchbayError(Code.BAD_VALUE, "seeds", "There is no seed to draw with.", "Give at least one.")
        own = [noise.generator(seed + index) for index in range(len(mean)) for seed in seeds]
        mean = mean.repeat_interleave(len(seeds), 0)
        deviation = torch.exp(0.5 * logvar).repeat_interleave(len(seeds), 0)
        mean = mean + deviation * noise.draw(mean.shape[1:], own, mean.dtype)
    return Latent((mean - found.shift) * found.scaling, found.kind)


def decode(vae: VAE[Any], latent: Latent[Any]) -> Image:
    """The pictures that the latents stand for. Raises `kind_mismatch` for latents of another family."""
    source = vae.source
    _check_kind("latent", latent.kind, "VAE", source.kind)
    with SHELF.use(source, "vae") as module, _pipeline(source, vae=module) as pipeline:
        latents = latent.samples.to(pipeline.device, module.dtype)
        pixels = module.decode(latents / module.config.scaling_factor, return_dict=False, generator=None)[0]
        pixels = pipeline.image_processor.postprocess(pixels, "pt", do_denormalize=[True] * len(pixels))
        return Image(_kept(pixels.float()))


def sample(  # these are what a picture depends on
    model: Denoiser[Any],
    positive: Conditioning[Any],
    negative: Conditioning[Any] | None,
    latent: Latent[Any] | BlankLatent,
    *,
    scheduler: Scheduler[Any] | str,
    steps: int,
    guidance: float,
    seed: int,
    denoise: float = 1.0,
    window: Window | None = None,
) -> Latent[Any]:
    """Denoise, steered by the prompt: text-to-image from a blank latent, image-to-image from a filled one.

    From a blank latent the result is that of the stock text-to-image pipeline. From a latent it is that of the stock
    image-to-image pipeline with `strength=denoise`; even at 1 a trace of the latent may remain, as in the stock one.
    Picture i of a batch uses `seed + i`. With guidance above 1 and no negative, the empty prompt is used.
    A `window` says which steps to run in place of `denoise`. One that stops early leaves its noise in the latent, with
    the state of the solver and the generators; a latent with such leftovers goes on at exactly that step.

    Raises `kind_mismatch` for parts of different families, `bad_value` for sizes or settings that cannot work.
    """
    source = model.source
    _check_kinds(model, positive, negative, latent, scheduler)
    window = windows.checked(latent, window) if window else windows.of_share(latent, steps, denoise)
    windows.check_leftover(latent, window, scheduler)
    if guidance > 1 and negative is None:
        negative = encode_text(positive.encoder, "")
    with (
        SHELF.use(source, "unet") as unet,
        _pipeline(source, unet=unet, vae=_skeleton(source)) as pipeline,
    ):
        own = noise.generators(seed, _batch(latent))
        start = _start(pipeline, latent, scheduler, own, window)
        fresh = schedulers.build(scheduler, source.scheduler, source.family.pipeline_class)
        shim = pipeline.scheduler = SchedulerShim(
            fresh,
            _reporter(source),
            window=window,
            noised=isinstance(latent, Latent),
            own=own,
            resume=windows.state_in(latent),
        )
        result = pipeline(
            **_call(pipeline, positive, negative if guidance > 1 else None, start),
            generator=own,
            num_inference_steps=steps,
            guidance_scale=guidance,
        ).images
    return Latent(_kept(result), source.kind, windows.leftover(shim, window, scheduler))


def _call(
    pipeline: Any,  # noqa: ANN401
    positive: Conditioning[Any],
    negative: Conditioning[Any] | None,
    start: torch.Tensor,
) -> Mapping[str, object]:
    """The arguments of the stock call that follow from the values, every default spelled out."""
    factor = pipeline.vae_scale_factor
    dtype = pipeline.unet.dtype
    return {
        "prompt": None,
        "prompt_embeds": positive.embeds.to(pipeline.device, dtype),
        "negative_prompt_embeds": None if negative is None else negative.embeds.to(pipeline.device, dtype),
        "num_images_per_prompt": len(start),
        "latents": start,
        "height": start.shape[-2] * factor,
        "width": start.shape[-1] * factor,
        "eta": 0.0,
        "guidance_rescale": 0.0,
        "clip_skip": None,
        "output_type": "latent",
        "return_dict": True,
    }


def _start(
    pipeline: Any,  # noqa: ANN401
    latent: Latent[Any] | BlankLatent,
    scheduler: Scheduler[Any] | str,
    own: list[torch.Generator],
    window: Window,
) -> torch.Tensor:
    """The latents that the pipeline starts from: plain noise, or the given latents with the noise of the window."""
    device, dtype = pipeline.device, pipeline.unet.dtype
    channels = pipeline.unet.config.in_channels
    if isinstance(latent, BlankLatent):
        factor = pipeline.vae_scale_factor
        _check_sides(latent.width, latent.height, factor)
        return noise.draw((channels, latent.height // factor, latent.width // factor), own, dtype).to(device)
    if latent.samples.ndim != 4 or latent.samples.shape[1] != channels:  # noqa: PLR2004  # [batch, channels, h, w]
        what = f"A latent of shape {tuple(latent.samples.shape)} does not fit a model of {channels} channels."
        raise PatchbayError(Code.BAD_VALUE, "latent", what)
    if latent.leftover is not None:
        return latent.samples.to(device, dtype)
    source: ModelSource = pipeline.source
    live = schedulers.build(scheduler, source.scheduler, source.family.pipeline_class)
    live.set_timesteps(window.steps, device=device)
    index = index_of(live, window.first)
    begin_at(live, index)
    timestep = live.timesteps[index : index + 1].repeat(len(latent.samples))
    drawn = noise.draw(latent.samples.shape[1:], own, dtype).to(device)
    noised: torch.Tensor = live.add_noise(latent.samples.to(device, dtype), drawn, timestep)
    return noised


def _batch(latent: Latent[Any] | BlankLatent) -> int:
    return latent.batch if isinstance(latent, BlankLatent) else len(latent.samples)


def _reporter(source: ModelSource) -> Any:  # noqa: ANN401
    """What the shim calls at each step: progress, cancellation, and a preview for those who want one."""
    stop_if_cancelled()

    def on_step(done: int, total: int, latents: torch.Tensor) -> None:
        report(done, total, lambda: decode(VAE(source), Latent(latents, source.kind)))

    return on_step


@contextmanager
def _pipeline(source: ModelSource, **parts: object) -> Iterator[Any]:
    """A stock pipeline of the source's family with only these parts, in inference mode, silent."""
    device = pick_device(current().settings)
    family = source.family
    absent = dict.fromkeys({*family.parts, *family.unused} - parts.keys())
    pipeline = _staged(family.pipeline_class)(**parts, **absent, requires_safety_checker=False)
    pipeline.source, pipeline.place = source, device
    pipeline.set_progress_bar_config(disable=True)
    try:
        with torch.inference_mode():
            yield pipeline
    finally:
        pipeline.maybe_free_model_hooks()


@cache
def _staged(name: str) -> Any:  # noqa: ANN401
    """The stock pipeline class `name`, told its device: it would take that of its first part, which may be absent."""
    place = property(lambda self: self.place)
    return type(name, (getattr(diffusers, name),), {"device": place, "_execution_device": place})


@lru_cache(maxsize=8)
def _skeleton(source: ModelSource) -> Any:  # noqa: ANN401
    """The VAE without its weights: the denoising stage asks it for sizes only."""
    part = source.parts["vae"]
    with torch.device("meta"):
        return getattr(diffusers, part.class_name).from_config(dict(part.config))


def _kept(tensor: torch.Tensor) -> torch.Tensor:
    """A copy on the CPU that may be used outside inference mode."""
    with torch.inference_mode(mode=False):
        return tensor.detach().to("cpu", copy=True)


def _tell_truncation(tokenizer: Any, text: str) -> None:  # noqa: ANN401
    """Say which words the text encoder will not see."""
    limit = tokenizer.model_max_length
    ids = tokenizer(text, padding=False, truncation=False).input_ids
    if len(ids) > limit:
        cut = tokenizer.decode(ids[limit - 1 : -1]).strip()
        say(f"The prompt is {len(ids)} tokens long and this model reads {limit}. Not read: {cut}")


def _check_sides(width: int, height: int, factor: int) -> None:
    if width % factor or height % factor or not width or not height:
        what = f"{width} x {height} pixels cannot be encoded: this model works on multiples of {factor}."
        near = f"{max(factor, round(width / factor) * factor)} x {max(factor, round(height / factor) * factor)}"
        raise PatchbayError(Code.BAD_VALUE, "size", what, f"Resize or crop, for instance to {near}.")


def _check_kinds(
    model: Denoiser[Any],
    positive: Conditioning[Any],
    negative: Conditioning[Any] | None,
    latent: Latent[Any] | BlankLatent,
    scheduler: Scheduler[Any] | str,
) -> None:
    """The plan has checked these already; a call from Python has not."""
    _check_kind("positive", positive.kind, "model", model.kind)
    if negative is not None:
        _check_kind("negative", negative.kind, "model", model.kind)
    if isinstance(latent, Latent):
        _check_kind("latent", latent.kind, "model", model.kind)
    if isinstance(scheduler, Scheduler):
        _check_kind("scheduler", scheduler.kind, "model", model.kind)


def _check_kind(port: str, given: str, owner: str, wanted: str) -> None:
    if given != wanted:
        what = f"{port} is of kind {given}, but the {owner} is of kind {wanted}."
        raise PatchbayError(Code.KIND_MISMATCH, port, what, f"Make it with the parts of a {wanted} model.")
