"""The stages of a diffusion pipeline as functions: encode a prompt, encode a picture, denoise, decode.

Each stage runs Diffusers' own pipeline class on parts from the shelf, so its result is bit for bit the stock one.
Results are on the CPU and never changed again.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import torch

from engine.context import report, say, stop_if_cancelled
from engine.errors import Code, PatchbayError
from nodes.diffusion import codecs, layouts, noise, schedulers, stock, windows, words
from nodes.diffusion.families import LATENT_CHANNELS, TEXT_WIDTHS
from nodes.diffusion.pipelines import OWNED, checked_options, opened, own_scheduler, stop_at_timesteps, told
from nodes.diffusion.shelf import SHELF
from nodes.diffusion.shim import NOTHING, SchedulerShim, Window, begin_at, index_of
from nodes.types import (
    VAE,
    BlankLatent,
    Conditioning,
    Denoiser,
    Image,
    Latent,
    LatentDistribution,
    Role,
    Scheduler,
    TextEncoder,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nodes.diffusion.families import Family
    from nodes.diffusion.source import ModelSource


def encode_text(
    encoder: TextEncoder[Any],
    text: str | None,
    *,
    role: Role = "positive",
    options: Mapping[str, object] | None = None,
    beside: str | None = None,
) -> Conditioning[Any]:
    """The prompt as the denoiser reads it, encoded as the stock pipeline encodes one in that role.

    None as a negative is what the pipeline takes where none is given. `options` are arguments of the stock call that
    concern the text, for instance `clip_skip` or `max_sequence_length`. `beside` is the positive prompt that a negative
    is encoded beside, in families where that matters.

    Says so through the run's messages when the prompt is longer than the text encoder can read, or has words that are
    not in the list that the model ships. Raises `bad_value` for an option that the pipeline does not have.
    """
    source = encoder.source
    options = checked_options(source, options or {})
    with ExitStack() as held:
        parts = {
            name: held.enter_context(SHELF.use(source, name, alone=not source.parts[name].weights))
            for name in sorted(source.parts)
            if source.family.is_text(name)
        }
        pipeline = held.enter_context(opened(source, **parts))
        _tell_truncation(source, parts, text or "", options)
        if told := words.remark(source, text or ""):
            say(told)
        recorder = stock.Recorder()
        pipeline.prompts = recorder
        pipeline.scheduler = stop_at_timesteps(source, lambda: bool(recorder.found))
        with suppress(stock.Reached):
            pipeline(**_encoding(source, text, role, options, beside))
        return Conditioning(_kept_all(stock.of_role(recorder.found, role)), encoder, text, role, options)


def _encoding(
    source: ModelSource, text: str | None, role: Role, options: Mapping[str, object], beside: str | None
) -> dict[str, Any]:
    """The arguments of a stock call that is stopped once it has encoded one prompt in its role."""
    call = stock.signature(source.family.pipeline_class)
    given: dict[str, Any] = {
        "height": 256,
        "width": 256,
        "num_inference_steps": 2,
        "generator": noise.generator(0),
        "output_type": "latent",
        "return_dict": False,
        "use_resolution_binning": False,
    }
    if role == "negative" and text is None:
        given |= {"prompt": beside or "", "guidance_scale": 2.0, "true_cfg_scale": 2.0}
    elif role == "negative" and "negative_prompt" in call:
        given |= {
            "prompt": text if beside is None else beside,
            "negative_prompt": text,
            "guidance_scale": 2.0,
            "true_cfg_scale": 2.0,
        }
    else:
        given |= {"prompt": text, "guidance_scale": 0.0, "true_cfg_scale": 0.0}
    return call.only({**given, **options})


def encode_image(vae: VAE[Any], image: Image) -> LatentDistribution[Any]:
    """What the VAE's encoder says of each picture of the batch, each encoded by itself.

    Raises `bad_value` when a side is no multiple of the VAE's factor.
    """
    source = vae.source
    name = source.family.decoder
    with SHELF.use(source, name) as module, opened(source, **{name: module}) as pipeline:
        _check_sides(image.pixels.shape[-1], image.pixels.shape[-2], layouts.multiple(pipeline))
        processor = getattr(pipeline, "image_processor", None) or pipeline.video_processor
        pixels = processor.preprocess(image.pixels).to(pipeline.device, module.dtype)
        # as the stock pipeline gets them from a picture file: convolutions round differently in the other layout
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        shift, scaling = codecs.scale_of(module, source)
        found = [codecs.distribution(module, pixels[i : i + 1]) for i in range(len(pixels))]
        mean, logvar = (torch.cat(each) for each in zip(*found, strict=True))
        if mean.ndim == 5 and "num_frames" not in stock.signature(source.family.pipeline_class):  # noqa: PLR2004
            mean, logvar = mean.squeeze(2), logvar.squeeze(2)  # a picture is no video of one frame
        return LatentDistribution(_kept(mean), _kept(logvar), scaling, shift, source.kind)


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
    return Latent((mean - codecs.per_channel(found.shift, mean)) * codecs.per_channel(found.scaling, mean), found.kind)


def decode(vae: VAE[Any], latent: Latent[Any]) -> Image:
    """The pictures that the latents stand for; of a video its frames, in order.

    Raises `kind_mismatch` for latents of another family.
    """
    source = vae.source
    _check_kind("latent", latent.kind, "VAE", source.kind)
    name = source.family.decoder
    with ExitStack() as held:
        parts = {name: held.enter_context(SHELF.use(source, name))} if name in source.parts else {}
        pipeline = held.enter_context(opened(source, **parts))
        pixels = _decode_plain if source.family.decodes_plainly else _decode_stock
        return Image(_kept(_as_pictures(pixels(pipeline, latent.samples))))


def _decode_plain(pipeline: Any, samples: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """The way of pipelines that scale and nothing else: no pipeline call is needed."""
    module = pipeline.vae
    latents = samples.to(pipeline.device, module.dtype)
    pixels = module.decode(latents / module.config.scaling_factor, return_dict=False)[0]
    done: torch.Tensor = pipeline.image_processor.postprocess(pixels, "pt", do_denormalize=[True] * len(pixels))
    return done


def _decode_stock(pipeline: Any, samples: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """The stock call with nothing to denoise: what it does after its loop, whatever the family."""
    source: ModelSource = pipeline.source
    call = stock.signature(source.family.pipeline_class)
    size, batch = layouts.size_of(pipeline, samples), len(samples)
    latents = layouts.pack(pipeline, samples.to(pipeline.device, pipeline.precision))
    pipeline.prompts = stock.Blank(batch, pipeline.device, pipeline.precision, *_widths(source))
    pipeline.scheduler = SchedulerShim(own_scheduler(source), lambda *_: None, window=NOTHING, noised=True)
    given = told(size, noise.generators(0, batch), {"prompt": [""] * batch, "latents": latents})
    settings = {"num_inference_steps": 2, "guidance_scale": 0.0, "true_cfg_scale": 0.0, "output_type": "pt"}
    done: torch.Tensor = pipeline(**call.only({**given, **settings}))[0]
    return done


def _widths(source: ModelSource) -> tuple[int, int]:
    """The widths of a prompt and of a pooled prompt, which some pipelines check even where they do not read them."""
    text = source.parts[source.family.denoisers[0]].first_integer(TEXT_WIDTHS) or 8
    encoders = [part for name, part in sorted(source.parts.items()) if source.family.is_text(name) and part.weights]
    pooled = [part.first_integer(("projection_dim", "hidden_size", "d_model")) for part in encoders]
    return text, (pooled[-1] if pooled else None) or 1


def _as_pictures(pixels: torch.Tensor) -> torch.Tensor:
    """Pictures [batch, 3, height, width] of pictures, or of videos [batch, frames, 3, height, width]."""
    return pixels.flatten(0, 1).float() if pixels.ndim == 5 else pixels.float()  # noqa: PLR2004


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
    options: Mapping[str, object] | None = None,
    window: Window | None = None,
) -> Latent[Any]:
    """Denoise, steered by the prompt: text-to-image from a blank latent, image-to-image from a filled one.

    From a blank latent the result is that of the stock text-to-image pipeline. From a latent it is that of the stock
    image-to-image pipeline with `strength=denoise`; even at 1 a trace of the latent may remain, as in the stock one.
    Picture i of a batch uses `seed + i`. With guidance above 1 and no negative, the stock pipeline's own is used: the
    empty prompt in most families. `options` are further arguments of the stock call, by their names there.
    A `window` says which steps to run in place of `denoise`. One that stops early leaves its noise in the latent, with
    the state of the solver and the generators; a latent with such leftovers goes on at exactly that step.

    Raises `kind_mismatch` for parts of different families, `bad_value` for sizes or settings that cannot work.
    """
    source = model.source
    _check_kinds(model, positive, negative, latent, scheduler)
    call = stock.signature(source.family.pipeline_class)
    options = checked_options(source, options or {}, OWNED | {call.guidance or ""})
    begun = source.family.begun_steps
    window = windows.checked(latent, window) if window else windows.of_share(latent, steps, denoise, begun=begun)
    windows.check_parts(latent, window, source.family)
    windows.check_leftover(latent, window, scheduler)
    own = noise.generators(seed, _batch(latent))
    settings: dict[str, object] = {
        "num_inference_steps": steps,
        call.guidance or "": guidance,
        "output_type": "latent",
        **options,
    }
    with ExitStack() as held:
        names = [name for name in source.family.denoisers if name in source.parts]
        parts = {name: held.enter_context(SHELF.use(source, name)) for name in names}
        pipeline = held.enter_context(opened(source, **parts))
        size = _size(pipeline, latent)
        negative = _negative(pipeline, positive, negative, guidance, options)
        arguments = call.only({**told(size, own, _replayed(pipeline, positive, negative, len(own))), **settings})
        if isinstance(latent, Latent):
            noised = _noised(pipeline, latent, scheduler, own, window, arguments)
            arguments["latents"] = layouts.pack(pipeline, noised)
        shim = pipeline.scheduler = SchedulerShim(
            schedulers.build(scheduler, source.scheduler, source.family.pipeline_class),
            _reporter(pipeline, size),
            window=window,
            noised=isinstance(latent, Latent),
            own=own,
            resume=windows.state_in(latent),
            on_last=stock.stop_with if source.family.ends_early else None,
        )
        result = layouts.unpack(pipeline, _run(pipeline, arguments), size)
    return Latent(_kept(result), source.kind, windows.leftover(shim, window, scheduler))


def _run(pipeline: Any, arguments: Mapping[str, Any]) -> torch.Tensor:  # noqa: ANN401
    """What the stock call gives, or what its last step gave where the call would make something else of it."""
    try:
        result: torch.Tensor = pipeline(**arguments)[0]
    except stock.Reached as reached:
        last: torch.Tensor = reached.args[0]
        return last
    if not pipeline.source.family.ends_early:
        return result
    what = "The stock pipeline ended without its last step."
    raise PatchbayError(Code.BAD_VALUE, "steps", what)


def _replayed(
    pipeline: Any,  # noqa: ANN401
    positive: Conditioning[Any],
    negative: Conditioning[Any] | None,
    batch: int,
) -> dict[str, Any]:
    """Let the pipeline find its prompts encoded; returns the arguments that go with them."""
    pipeline.prompts = stock.Replay(
        positive.tensors,
        None if negative is None else negative.tensors,
        batch,
        pipeline.device,
        pipeline.precision,
        pipeline.source.family.axes,
    )
    prompts: dict[str, Any] = {"prompt": [positive.text or ""] * batch, **stock.conditionings([positive, negative])}
    if negative is not None and negative.text is not None:
        prompts["negative_prompt"] = [negative.text] * batch
    return prompts


def _negative(
    pipeline: Any,  # noqa: ANN401
    positive: Conditioning[Any],
    negative: Conditioning[Any] | None,
    guidance: float,
    options: Mapping[str, object],
) -> Conditioning[Any] | None:
    """The negative that the stock call would work against: the one given, its own if none is, or none at all."""
    family: Family = pipeline.source.family
    call = stock.signature(family.pipeline_class)
    if not call.takes_negative:
        if negative is not None:
            what = "This model takes no negative prompt."
            raise PatchbayError(Code.BAD_VALUE, "negative", what, "Take the link away.")
        return None
    if negative is not None and family.roles_differ and negative.role != "negative":
        what = "This model reads a negative prompt in another way than a positive one, and this one is positive."
        raise PatchbayError(Code.BAD_VALUE, "negative", what, 'Set "role" of its EncodeText to "negative".')
    if call.negative_is_optional:
        true = guidance if call.guidance == "true_cfg_scale" else options.get("true_cfg_scale")
        if negative is not None and not (isinstance(true, (int, float)) and true > 1):
            say("The negative prompt is not read: this model works against one only with true_cfg_scale above 1.")
        return negative
    if not stock.is_guided(pipeline, guidance):
        return None
    if negative is None or family.joint:
        return _own_negative(positive, negative)
    return negative


def _own_negative(positive: Conditioning[Any], negative: Conditioning[Any] | None) -> Conditioning[Any]:
    """A negative encoded for this positive: what the stock call takes where none is given, or the one given.

    Some families encode a negative to the length of the positive, which is known only here.
    """
    text, options = (None, positive.options) if negative is None else (negative.text, negative.options)
    if negative is not None:
        alone = encode_text(negative.encoder, text, role="negative", options=options)
        if alone.digest() != negative.digest():
            what = "This model encodes a negative prompt together with the positive one, so it cannot be a mixture."
            raise PatchbayError(Code.BAD_VALUE, "negative", what, "Give a negative prompt as EncodeText makes it.")
    encoder = positive.encoder if negative is None else negative.encoder
    return encode_text(encoder, text, role="negative", options=options, beside=positive.text)


def _noised(
    pipeline: Any,  # noqa: ANN401
    latent: Latent[Any],
    scheduler: Scheduler[Any] | str,
    own: list[torch.Generator],
    window: Window,
    arguments: Mapping[str, Any],
) -> torch.Tensor:
    """The given latents with the noise of the window's first timestep, unless they have that already.

    Only the pipeline knows its timesteps, which may depend on the picture's size, so it is asked up to there.
    """
    samples = latent.samples
    source: ModelSource = pipeline.source
    _check_shape(pipeline, samples)
    samples = samples.to(pipeline.device, pipeline.precision)
    if latent.leftover is not None:
        return samples
    live = schedulers.build(scheduler, source.scheduler, source.family.pipeline_class)
    pipeline.scheduler = SchedulerShim(live, lambda *_: None, noised=True, on_timesteps=stock.stop)
    asked = {"latents": layouts.pack(pipeline, samples), "generator": noise.generators(0, len(samples))}
    with suppress(stock.Reached):
        pipeline(**{**arguments, **asked})
    index = index_of(live, window.first)
    begin_at(live, index)
    timestep = live.timesteps[index : index + 1].repeat(len(samples))
    drawn = noise.draw(samples.shape[1:], own, samples.dtype).to(samples.device)
    if hasattr(live, "scale_noise"):  # flow matching
        scaled: torch.Tensor = live.scale_noise(samples, timestep, drawn)
        return scaled
    noised: torch.Tensor = live.add_noise(samples, drawn, timestep)
    return noised


def _size(pipeline: Any, latent: Latent[Any] | BlankLatent) -> layouts.Size:  # noqa: ANN401
    if isinstance(latent, Latent):
        return layouts.size_of(pipeline, latent.samples)
    _check_sides(latent.width, latent.height, layouts.multiple(pipeline))
    return layouts.Size(latent.width, latent.height, latent.frames)


def _check_shape(pipeline: Any, samples: torch.Tensor) -> None:  # noqa: ANN401
    """Refuse latents that no model of this kind makes; the plan has checked kinds, a call from Python has not."""
    source: ModelSource = pipeline.source
    vae = source.parts.get(source.family.decoder)
    channels = vae.first_integer(LATENT_CHANNELS) if vae else None
    if channels is not None:
        channels *= layouts.patch(pipeline) ** 2
    if samples.ndim not in {4, 5} or (channels is not None and samples.shape[1] != channels):
        what = f"A latent of shape {tuple(samples.shape)} does not fit a model of {channels} channels."
        raise PatchbayError(Code.BAD_VALUE, "latent", what)


def _batch(latent: Latent[Any] | BlankLatent) -> int:
    return latent.batch if isinstance(latent, BlankLatent) else len(latent.samples)


def _reporter(pipeline: Any, size: layouts.Size) -> Any:  # noqa: ANN401
    """What the shim calls at each step: progress, cancellation, and a preview for those who want one."""
    stop_if_cancelled()
    source = pipeline.source

    def on_step(done: int, total: int, latents: torch.Tensor) -> None:
        report(done, total, lambda: decode(VAE(source), Latent(layouts.unpack(pipeline, latents, size), source.kind)))

    return on_step


def _kept(tensor: torch.Tensor) -> torch.Tensor:
    """A copy on the CPU that may be used outside inference mode."""
    with torch.inference_mode(mode=False):
        return tensor.detach().to("cpu", copy=True)


def _kept_all(value: Any) -> Any:  # noqa: ANN401  # tensors in mappings and lists, however deep
    if isinstance(value, dict):
        return {name: _kept_all(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_kept_all(item) for item in value)
    return _kept(value) if isinstance(value, torch.Tensor) else value


def _tell_truncation(source: ModelSource, parts: Mapping[str, Any], text: str, options: Mapping[str, object]) -> None:
    """Say which words the text encoder will not see; of several, the one that reads most counts."""
    tokenizer = parts.get(next((name for name in sorted(parts, reverse=True) if "tokenizer" in name), ""))
    if tokenizer is None:
        return
    call = stock.signature(source.family.pipeline_class)
    chosen = options.get("max_sequence_length", call.defaults.get("max_sequence_length"))
    limit = chosen if isinstance(chosen, int) else tokenizer.model_max_length
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
