"""Pictures into latents and back, as the stock pipelines do it. Results are on the CPU and never changed again."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.families.blocks import is_modular
from nodes.diffusion.families.family import TEXT_WIDTHS
from nodes.diffusion.latents import codecs, embeddings, sounding
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.schedules import noise
from nodes.diffusion.schedules.shim import NOTHING, SchedulerShim
from nodes.diffusion.stages import layouts, stock, unseen
from nodes.diffusion.stages.checks import check_kind, own_words
from nodes.diffusion.stages.pipelines import beginning, opened, own_scheduler, taught, told, unguided, unread_picture
from nodes.diffusion.weights.device import kept
from nodes.diffusion.weights.libraries import VaeImageProcessor
from nodes.types import VAE, Image, Latent, LatentDistribution, Video

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nodes.diffusion.disk.source import ModelSource


_WITH_OPACITY = 4
"""The channels of pictures that are not opaque everywhere."""


def encoded(vae: VAE[Any], given: Image | Video) -> LatentDistribution[Any]:
    """What the VAE's encoder says of pictures, or of a video. Raises as the two functions below."""
    return encode_video(vae, given) if isinstance(given, Video) else encode_image(vae, given)


def encode_image(vae: VAE[Any], image: Image) -> LatentDistribution[Any]:
    """What the VAE's encoder says of each picture of the batch, each encoded by itself.

    A prior's encoder makes embeddings of them. Raises `bad_value` when a side is no multiple of the VAE's factor.
    """
    source = vae.source
    if source.family.is_prior:
        return embeddings.encoded(vae, image)
    if source.family.decoder not in source.parts:  # it works on pixels
        mean = 2 * image.pixels - 1
        return LatentDistribution(mean, torch.full_like(mean, codecs.NO_VARIANCE), 1.0, 0.0, source.kind)
    name = source.family.decoder
    with SHELF.use(source, name) as module, opened(source, **{name: module}) as pipeline:
        if source.family.tiles:
            what = "This VAE encodes no pictures, only videos in tiles."
            raise PatchbayError(Code.UNSUPPORTED_CLASS, "vae", what, "Start from an empty latent.")
        layouts.check_sides(image.pixels.shape[-1], image.pixels.shape[-2], layouts.multiple(pipeline))
        is_normalised = hasattr(pipeline, "_patchify_latents")
        shift, scaling = (0.0, 1.0) if is_normalised else codecs.scale_of(module, source)
        pixels = _pixels(pipeline, _opaque(module, image.pixels)).to(module.dtype)
        found = [codecs.distribution(module, pixels[i : i + 1]) for i in range(len(pixels))]
        mean, logvar = _folded(pipeline, *(torch.cat(each) for each in zip(*found, strict=True)))
        if mean.ndim != layouts.dimensions(pipeline):  # a picture is no video of one frame, but for a video model it is
            mean, logvar = ((each.squeeze if mean.ndim == 5 else each.unsqueeze)(2) for each in (mean, logvar))  # noqa: PLR2004
        return LatentDistribution(kept(mean), kept(logvar), scaling, shift, source.kind)


def _folded(pipeline: Any, mean: torch.Tensor, logvar: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ANN401
    """What a VAE says, in the shape that the pipeline's latents have; those of FLUX.2's VAE normalised."""
    if hasattr(pipeline, "_reorder_image_tokens"):
        return pipeline._reorder_image_tokens(mean), pipeline._reorder_image_tokens(logvar)  # noqa: SLF001
    if not hasattr(pipeline, "_patchify_latents"):
        return mean, logvar
    mean, logvar = (pipeline._patchify_latents(each) for each in (mean, logvar))  # noqa: SLF001  # it has no public name
    mean, logvar = codecs.normalised(pipeline.vae, mean, logvar)
    if layouts.patch(pipeline) > 1:
        return mean, logvar
    return pipeline._unpatchify_latents(mean), pipeline._unpatchify_latents(logvar)  # noqa: SLF001


def _opaque(module: Any, pictures: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """Pictures [batch, 3, height, width] with a fourth channel of ones, for VAEs that see how opaque pictures are."""
    if module.config.get("in_channels") != _WITH_OPACITY:
        return pictures
    return torch.cat([pictures, torch.ones_like(pictures[:, :1])], 1)


def _pixels(pipeline: Any, pictures: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """Pictures [batch, 3, height, width] as the pipeline's VAE wants them.

    They lie in memory as those that the stock pipeline gets from a picture file: convolutions round differently in the
    other layout.
    """
    own = (getattr(pipeline, name, None) for name in ("image_processor", "video_processor"))
    processor = next((each for each in own if each), None)  # a class that only draws from noise may have none
    processor = processor or VaeImageProcessor(vae_scale_factor=layouts.multiple(pipeline))
    if processor.config.do_resize:  # to multiples of its own, which may be more than the VAE's
        layouts.check_sides(pictures.shape[-1], pictures.shape[-2], processor.config.vae_scale_factor)
    prepare = VaeImageProcessor.preprocess  # one class has a method of this name for other things
    pixels: torch.Tensor = prepare(processor, pictures).to(pipeline.device)
    return pixels.contiguous(memory_format=torch.channels_last)


def encode_video(vae: VAE[Any], video: Video) -> LatentDistribution[Any]:
    """What the VAE's encoder says of a video, as the stock video-to-video classes of its family prepare it.

    Raises `bad_value` for a model that makes pictures, for a side that is no multiple of the VAE's factor, and for a
    number of frames that its latents cannot stand for.
    """
    source = vae.source
    name = source.family.decoder
    with SHELF.use(source, name) as module, opened(source, **{name: module}) as pipeline:
        if not layouts.is_video(pipeline):
            what = "This VAE belongs to a model that makes pictures, and this is a video."
            raise PatchbayError(Code.BAD_VALUE, "image", what, "Encode its frames: VideoToImages.")
        layouts.check_sides(video.frames.shape[-1], video.frames.shape[-2], layouts.multiple(pipeline))
        layouts.check_frames(pipeline, len(video.frames), at="image", fix="Cut the video")
        pixels = _pixels(pipeline, video.frames).to(module.dtype).unsqueeze(0).transpose(1, 2)
        mean, logvar = codecs.distribution_of_video(module, pixels)
        shift, scaling = codecs.scale_of(module, source)
        return LatentDistribution(kept(mean), kept(logvar), scaling, shift, source.kind)


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
    check_kind("latent", latent.kind, "VAE", source.kind)
    if source.family.is_prior:
        what = "What a prior draws is an embedding, which no VAE turns into a picture."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, "vae", what, "Give it to a decoder: ApplyPrior.")
    name = source.family.decoder
    with ExitStack() as held:
        parts = {name: held.enter_context(SHELF.use(source, name))} if name in source.parts else {}
        pipeline = held.enter_context(opened(_decoding(source), **parts))
        return Image(kept(on_white(_way_of(pipeline.source)(pipeline, latent.samples))))


def _way_of(source: ModelSource) -> Callable[[Any, torch.Tensor], torch.Tensor]:
    """How pictures are made of latents."""
    if source.family.decoder not in source.parts:
        return _shown
    if is_modular(source.family.pipeline_class):
        return _decode_in_blocks
    if source.family.decoder == "movq":
        return _decode_movq
    if source.family.decoder == "vqgan":
        return _decode_vqgan
    if source.family.decodes_plainly:
        return _decode_plain
    return _decode_stock if stock.reads_words(source.family.pipeline_class) else _decode_frames


def _shown(pipeline: Any, samples: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """The way of models that work on pixels: the latents are the picture, from -1 to 1."""
    done: torch.Tensor = VaeImageProcessor.denormalize(samples.to(pipeline.device))
    return done


def _decoding(source: ModelSource) -> ModelSource:
    """The model as the class takes it that decodes its latents."""
    other = source.family.decodes_as
    return source.run_as(other) if other else source


def _decode_plain(pipeline: Any, samples: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """The way of pipelines that scale and nothing else: no pipeline call is needed."""
    module = pipeline.vae
    latents = samples.to(pipeline.device, module.dtype)
    pixels = module.decode(latents / module.config.scaling_factor, return_dict=False)[0]
    done: torch.Tensor = pipeline.image_processor.postprocess(pixels, "pt", do_denormalize=[True] * len(pixels))
    return done


def _decode_movq(pipeline: Any, samples: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """The way of Kandinsky, whose pipelines give tensors from -1 to 1 but files as they should be."""
    pixels = pipeline.movq.decode(samples.to(pipeline.device, pipeline.movq.dtype), force_not_quantize=True).sample
    done: torch.Tensor = VaeImageProcessor.denormalize(pixels)
    return done


def _decode_vqgan(pipeline: Any, samples: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """The way of Stable Cascade, whose VAE gives pictures from 0 to 1."""
    module = pipeline.vqgan
    latents = module.config.scale_factor * samples.to(pipeline.device, module.dtype)
    done: torch.Tensor = module.decode(latents).sample.clamp(0, 1)
    return done


def _decode_frames(pipeline: Any, samples: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """The way of a pipeline that needs a picture to be called, and has a method of its own for videos."""
    latents = layouts.pack(pipeline, samples.to(pipeline.device, pipeline.precision))
    frames = latents.shape[1]
    done: torch.Tensor = pipeline.video_processor.postprocess_video(
        pipeline.decode_latents(latents, frames, frames), output_type="pt"
    )
    return done


def _decode_in_blocks(pipeline: Any, samples: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """The way of modular pipelines: the blocks that decode run alone."""
    layouts.check_shape(pipeline, samples)
    latents = layouts.pack(pipeline, samples.to(pipeline.device, pipeline.precision))
    done: torch.Tensor = pipeline.decoded(latents)
    return done


def _decode_stock(pipeline: Any, samples: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """The stock call with nothing to denoise: what it does after its loop, whatever the family."""
    source: ModelSource = pipeline.source
    call = stock.signature(source.family.pipeline_class)
    layouts.check_shape(pipeline, samples)
    size, batch = layouts.size_of(pipeline, samples), len(samples)
    layouts.check_known(pipeline, size)
    if source.family.tiles:
        _tile(pipeline.vae, samples)
    latents = layouts.pack(pipeline, samples.to(pipeline.device, pipeline.precision))
    pipeline.prompts = stock.Blank(batch, pipeline.device, pipeline.precision, *_widths(source))
    pipeline.scheduler = SchedulerShim(
        taught(pipeline, own_scheduler(source)), lambda *_: None, window=NOTHING, noised=True
    )
    given = told(
        size,
        noise.generators(0, batch),
        {"prompt": [""] * batch, **beginning(pipeline, latents), **unread_picture(source)},
    )
    settings = {"num_inference_steps": 2, **unguided(source.family), "output_type": "pt"}
    shown = source.family.pictures
    if shown is not None and shown.least:
        given |= unseen.blank(source.family)
        unseen.look_at_nothing(pipeline, lambda: False)
    sounding.mute(pipeline)
    with own_words({}):
        done: torch.Tensor = pipeline(**call.only({**given, **settings}))[0]
    return done


def _tile(module: Any, samples: torch.Tensor) -> None:  # noqa: ANN401
    """Let a VAE work in tiles. Raises `bad_value` for latents that are smaller than one."""
    parts = (module.config.temporal_compression_ratio, *[module.spatial_compression_ratio] * 2)
    least = [side // part for side, part in zip(module.kernel, parts, strict=True)]
    if any(have < need for have, need in zip(samples.shape[2:], least, strict=True)):
        frames, height, width = module.kernel
        what = f"This VAE decodes tiles of {width} x {height} pixels and {frames} frames, and the video is smaller."
        fix = f"Set EmptyLatent to at least {width} x {height} and {(least[0] - 1) * parts[0] + 1} frames."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, fix)
    module.enable_tiling()


def _widths(source: ModelSource) -> tuple[int, int]:
    """The widths of a prompt and of a pooled prompt, which some pipelines check even where they do not read them."""
    text = source.parts[source.family.denoisers[0]].first_integer(TEXT_WIDTHS) or 8
    encoders = [part for name, part in sorted(source.parts.items()) if source.family.is_text(name) and part.trained]
    pooled = [part.first_integer(("projection_dim", "hidden_size", "d_model")) for part in encoders]
    return text, (pooled[-1] if pooled else None) or 1


def on_white(pixels: torch.Tensor) -> torch.Tensor:
    """Pictures [batch, 3, height, width] of pictures, or of videos [batch, frames, 3, height, width].

    What is not opaque lies on white, as in pictures from files.
    """
    pixels = pixels.flatten(0, 1).float() if pixels.ndim == 5 else pixels.float()  # noqa: PLR2004
    if pixels.shape[1] != _WITH_OPACITY:
        return pixels
    opacity = pixels[:, 3:]
    return pixels[:, :3] * opacity + (1 - opacity)
