"""Denoising: the loop of Diffusers' own pipeline class on parts from the shelf, bit for bit the stock one."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch

from engine.context import report, stop_if_cancelled
from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.weak_layers import check_weakening
from nodes.diffusion.control.controls import check_controls
from nodes.diffusion.latents import embeddings, sounding
from nodes.diffusion.latents.glimpses import glimpse
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.sampling import adapting, batching, caching, guiders, painting, steering, windows
from nodes.diffusion.sampling.begun import Begun, begun_with, left_of, settling
from nodes.diffusion.sampling.guiders import Guidance, check_guider
from nodes.diffusion.sampling.regions import check_regions
from nodes.diffusion.sampling.wish import Prompts, Wish
from nodes.diffusion.schedules import noise, schedulers
from nodes.diffusion.schedules.shim import SchedulerShim, Window
from nodes.diffusion.stages import layouts, own_guiders, stock
from nodes.diffusion.stages.checks import check_kinds, own_words
from nodes.diffusion.stages.pipelines import OWNED, beginning, checked_options, opened, taught, told, unread_picture
from nodes.diffusion.text import canvases, picturing
from nodes.diffusion.text.prompts import check_words, evened, negative_for
from nodes.diffusion.weights.device import kept
from nodes.types import BlankLatent, Conditioning, Denoiser, Guider, Latent, Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nodes.diffusion.disk.source import ModelSource
    from nodes.diffusion.families.family import Family


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
    guider: Guider | None = None,
) -> Latent[Any]:
    """Denoise, steered by the prompt: text-to-image from a blank latent, image-to-image from a filled one.

    From a blank latent the result is that of the stock text-to-image pipeline. From a latent it is that of the stock
    image-to-image pipeline with `strength=denoise`; even at 1 a trace of the latent may remain, as in the stock one.
    Picture i of a batch uses `seed + i`. With guidance above 1 and no negative, the stock pipeline's own is used: the
    empty prompt in most families. `options` are further arguments of the stock call, by their names there.
    A `window` says which steps to run in place of `denoise`. One that stops early leaves its noise in the latent, with
    the state of the solver and the generators; a latent with such leftovers goes on at exactly that step.
    A latent with a mask is painted there alone, as the stock inpainting pipeline does it: from pure noise where all
    steps are run. What is finished has no mask.

    Raises `kind_mismatch` for parts of different families, `bad_value` for sizes or settings that cannot work.
    """
    source = picturing.source_for(model.source, positive.pictures)
    check_kinds(model, positive, negative, latent, scheduler)
    call = stock.signature(source.family.pipeline_class)
    options = checked_options(source, options or {}, OWNED | source.family.shown | {call.guidance or ""})
    whole = window is not None
    window = windows.checked(latent, window) if window else windows.of_share(latent, steps, denoise, source.family)
    share = denoise if source.family.told_share and not whole else None
    _check_latent(source, latent, window, scheduler)
    check_controls(source, positive, negative)
    check_regions(source.family, positive, negative)
    check_words(positive)
    shown = picturing.check(source, positive, negative, guider=guider is not None)
    own = noise.generators(seed, _batch(latent))
    wish = Wish(source, latent, scheduler, guidance, options, window, whole, share, shown, guider, own)
    with ExitStack() as held:
        pipeline = held.enter_context(opened(source, **_parts(held, source), **picturing.readers(held, source, shown)))
        size = _checked_size(pipeline, latent)
        picturing.check_size(pipeline, shown, size)
        settings = {
            "num_inference_steps": steps,
            **_settings(source, guidance, options),
            "output_type": layouts.output(pipeline),
        }
        prompts = _prompts(pipeline, wish, positive, negative, size)
        arguments = _arguments(source.family, {**told(size, own, _said(pipeline, wish, prompts, size)), **settings})
        _install(held, pipeline, wish, prompts, size)
        with own_words({**stock.conditionings([prompts.positive, prompts.negative]), **options}):
            begun = begun_with(pipeline, wish, latent, arguments) if isinstance(latent, Latent) else None
            if begun is not None:
                arguments |= beginning(pipeline, layouts.pack(pipeline, begun.latents))
            shim = pipeline.scheduler = _shim(pipeline, wish, begun, size)
            own_guiders.follow(pipeline, lambda: shim.position(whole=whole))
            result, sound = _run(pipeline, arguments)
        samples = _plain(pipeline, result, size, len(shown))
    left = windows.leftover(shim, window, scheduler)
    return Latent(samples, source.kind, left, None if left is None else left_of(latent, begun), sound)


def _prompts(
    pipeline: Any,  # noqa: ANN401
    wish: Wish,
    positive: Conditioning[Any],
    negative: Conditioning[Any] | None,
    size: layouts.Size,
) -> Prompts:
    """The prompts of a run, made to fit each other and the size. Raises `bad_value` for a guider with nothing to do."""
    own_guiders.begin(pipeline, wish.guidance, in_parts=wish.in_parts)
    against = negative_for(pipeline, positive, negative, wish.guidance, wish.options)
    positive, negative = evened(positive, against)
    is_guided = guiders.is_guided(wish.source.family, negative, wish.guidance, wish.options)
    _check_guider(wish.source, wish.guider, is_guided=is_guided, in_parts=wish.in_parts)
    return Prompts(canvases.fitted(pipeline, positive, size), negative, is_guided)


def _said(pipeline: Any, wish: Wish, prompts: Prompts, size: layouts.Size) -> dict[str, Any]:  # noqa: ANN401
    """What the stock call is told by words and pictures."""
    return {
        **_replayed(pipeline, prompts.positive, prompts.negative, len(wish.own)),
        **picturing.arguments(wish.source.family, wish.shown, size, len(wish.own)),
        **embeddings.told(pipeline, prompts.positive, prompts.negative, len(wish.own), size),
        **adapting.told(pipeline, is_guided=prompts.is_guided),
    }


def _install(held: ExitStack, pipeline: Any, wish: Wish, prompts: Prompts, size: layouts.Size) -> None:  # noqa: ANN401
    """Lay hands on the predictions of a run, from the inside out, and show it what it paints in."""
    picturing.steady(pipeline, painting=isinstance(wish.latent, Latent) and wish.latent.mask is not None)
    scale = guiders.scale_of(wish.source.family, wish.guidance, wish.options)
    steered = steering.Steering(
        prompts.positive,
        prompts.negative if prompts.is_guided else None,
        None if wish.guider is None else Guidance(wish.guider, scale),
        adapting.is_timed(wish.source),
    )
    caching.install(held, pipeline, steered)
    batching.install(held, pipeline, steered, len(wish.own))
    if isinstance(wish.latent, Latent):
        painting.check_size(wish.latent, size)
        painting.show(pipeline, wish.latent)
    steering.install(held, pipeline, steered, own=wish.own, size=size, whole=wish.whole)


def _shim(pipeline: Any, wish: Wish, begun: Begun | None, size: layouts.Size) -> SchedulerShim:  # noqa: ANN401
    """The scheduler of a run."""
    family = wish.source.family
    live = taught(pipeline, schedulers.build(wish.scheduler, wish.source.scheduler, family.pipeline_class))
    return SchedulerShim(
        live,
        _reporter(pipeline, size),
        window=wish.window,
        noised=begun is not None,
        own=wish.own,
        settle=settling(pipeline, live, wish.latent, begun),
        resume=windows.state_in(wish.latent),
        on_last=stock.stop_with if wish.source.ends_early else None,
        asks_twice=family.asks_twice,
        share=wish.share,
    )


def _check_latent(
    source: ModelSource, latent: Latent[Any] | BlankLatent, window: Window, scheduler: Scheduler[Any] | str
) -> None:
    """Refuse a latent that the model cannot begin with, or not at this step. Raises `bad_value`."""
    windows.check_parts(latent, window, source.family)
    windows.check_start(latent, source.family)
    windows.check_leftover(latent, window, scheduler)
    painting.check(latent, source)


def _check_guider(source: ModelSource, guider: Guider | None, *, is_guided: bool, in_parts: bool) -> None:
    """Refuse a guider that cannot work on this model, or not in this run. Raises `bad_value`."""
    if guider is None:
        return
    check_guider(source.family, guider, is_guided=is_guided, in_parts=in_parts)
    if guider.weakening is not None:
        check_weakening(source, guider.weakening)


def _parts(held: ExitStack, source: ModelSource) -> dict[str, Any]:
    """The parts that predict, from the shelf, those through which a prompt comes to them, and those that read it again.

    A call may set something in the configurations of the first, which is put back.
    """
    family = source.family
    names = [name for name in (*family.denoisers, *family.connectors, *family.rereads) if name in source.parts]
    parts = {name: held.enter_context(SHELF.use(source, name, alone=not source.parts[name].weights)) for name in names}
    for name in names:
        if name in family.denoisers:
            held.callback(setattr, parts[name], "_internal_dict", parts[name].config)
    return parts


def _run(pipeline: Any, arguments: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor | None]:  # noqa: ANN401
    """What the stock call gives, or what its last step gave where the call would make something else of it.

    Beside it the sound, if there is any.
    """
    sounding.leave_scaled(pipeline)
    try:
        given = pipeline(**arguments)
    except stock.Reached as reached:
        return reached.args[0], None
    if not pipeline.source.ends_early:
        result = given if isinstance(given, torch.Tensor) else given[0]  # one class gives no tuple
        return result, kept(given[1]) if pipeline.source.family.sound else None
    what = "The stock pipeline ended without its last step."
    raise PatchbayError(Code.BAD_VALUE, "steps", what, "Give it more steps.")


def _plain(pipeline: Any, result: torch.Tensor, size: layouts.Size, shown: int) -> torch.Tensor:  # noqa: ANN401
    """What a run gave, as latents are held between nodes: without those of the pictures `shown` that lead it."""
    samples = layouts.unpack(pipeline, result, size)
    pictures = pipeline.source.family.pictures
    return kept(samples[:, :, shown:] if pictures is not None and pictures.leading else samples)


def _settings(source: ModelSource, guidance: float, options: Mapping[str, object]) -> dict[str, object]:
    """The arguments of the stock call that have nothing to do with the prompts."""
    name = stock.signature(source.family.pipeline_class).guidance or ""
    scale = None if options.get("guidance_schedule") else guidance  # one number, or one for each step
    return {name: scale, **unread_picture(source), **options}


def _arguments(family: Family, given: Mapping[str, Any]) -> dict[str, Any]:
    """Of what is given, what the stock call takes: lists for a batch, and nothing in lists where it draws one video.

    Raises `bad_value` for more than one video there.
    """
    arguments = stock.signature(family.pipeline_class).only(given)
    if not family.alone:
        return arguments
    if len(arguments["generator"]) > 1:
        what = f"This model draws one video at a time, and the latent asks for {len(arguments['generator'])}."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Set batch of EmptyLatent to 1.")
    lists = ("prompt", "negative_prompt", "generator")
    return {name: value[0] if name in lists and value else value for name, value in arguments.items()}


def _replayed(
    pipeline: Any,  # noqa: ANN401
    positive: Conditioning[Any],
    negative: Conditioning[Any] | None,
    batch: int,
) -> dict[str, Any]:
    """Let the pipeline find its prompts encoded; returns the arguments that go with them."""
    family: Family = pipeline.source.family
    embeddings.leave_nothing(pipeline)
    pipeline.prompts = stock.Replay(
        positive.tensors,
        None if negative is None else negative.tensors,
        batch,
        pipeline.device,
        pipeline.precision,
        family.axes,
        family.joined,
    )
    count = 1 if family.one_prompt else batch
    prompts: dict[str, Any] = {"prompt": [positive.text or ""] * count, **stock.conditionings([positive, negative])}
    if family.one_prompt:
        prompts["num_images_per_prompt"] = batch
    if negative is not None and negative.text is not None and not family.joined:
        prompts["negative_prompt"] = [negative.text] * count
    return prompts


def _size(pipeline: Any, latent: Latent[Any] | BlankLatent) -> layouts.Size:  # noqa: ANN401
    if isinstance(latent, Latent):
        return layouts.size_of(pipeline, latent.samples)
    layouts.check_sides(latent.width, latent.height, layouts.multiple(pipeline))
    layouts.check_frames(pipeline, latent.frames)
    return layouts.Size(latent.width, latent.height, latent.frames)


def _checked_size(pipeline: Any, latent: Latent[Any] | BlankLatent) -> layouts.Size:  # noqa: ANN401
    """The size of the pictures, one that the pipeline takes as it is."""
    size = _size(pipeline, latent)
    layouts.check_known(pipeline, size)
    return size


def _batch(latent: Latent[Any] | BlankLatent) -> int:
    return latent.batch if isinstance(latent, BlankLatent) else len(latent.samples)


def _reporter(pipeline: Any, size: layouts.Size) -> Any:  # noqa: ANN401
    """What the shim calls at each step: progress, cancellation, and a preview for those who want one."""
    stop_if_cancelled()
    source = pipeline.source

    def on_step(done: int, total: int, finished: Callable[[], torch.Tensor]) -> None:
        def preview() -> object:
            return glimpse(source, Latent(layouts.unpack(pipeline, finished(), size), source.kind))

        report(done, total, None if source.family.is_prior else preview)

    return on_step
