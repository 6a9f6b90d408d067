"""Is a ControlNet exact? The shim around a denoiser against the stock ControlNet pipelines, on the same modules."""

import itertools
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from unittest.mock import patch

import diffusers
import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from nodes.diffusion.control import controls
from nodes.diffusion.disk.nets import PART
from nodes.diffusion.disk.source import survey
from nodes.diffusion.latents import autoencoding
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.sampling import denoising, painting
from nodes.diffusion.stages import layouts, stock
from nodes.diffusion.text import prompts
from nodes.types import VAE, BlankLatent, Control, Denoiser, Image, Mask, Scheduler, TextEncoder
from tests.nodes.diffusion.tiny import begun, embedded, exact
from tests.nodes.diffusion.tiny.nets import build_net
from tests.nodes.diffusion.tiny.table import FOLLOWERS, TINY, build

CONTROLLED = {
    "StableDiffusionPipeline": (
        "StableDiffusionControlNetPipeline",
        "StableDiffusionControlNetImg2ImgPipeline",
        "StableDiffusionControlNetInpaintPipeline",
        "StableDiffusionAdapterPipeline",
    ),
    "StableDiffusionPAGPipeline": (
        "StableDiffusionControlNetPAGPipeline",
        "StableDiffusionControlNetPAGInpaintPipeline",
    ),
    "StableDiffusionXLPAGPipeline": (
        "StableDiffusionXLControlNetPAGPipeline",
        "StableDiffusionXLControlNetPAGImg2ImgPipeline",
    ),
    "StableDiffusionXLPipeline": (
        "StableDiffusionXLControlNetPipeline",
        "StableDiffusionXLControlNetImg2ImgPipeline",
        "StableDiffusionXLControlNetInpaintPipeline",
        "StableDiffusionXLControlNetUnionPipeline",
        "StableDiffusionXLControlNetUnionImg2ImgPipeline",
        "StableDiffusionXLControlNetUnionInpaintPipeline",
        "StableDiffusionXLAdapterPipeline",
    ),
    "StableDiffusion3Pipeline": (
        "StableDiffusion3ControlNetPipeline",
        "StableDiffusion3ControlNetInpaintingPipeline",
    ),
    "FluxPipeline": (
        "FluxControlNetPipeline",
        "FluxControlNetImg2ImgPipeline",
        "FluxControlNetInpaintPipeline",
        "FluxControlPipeline",
        "FluxControlImg2ImgPipeline",
        "FluxControlInpaintPipeline",
    ),
    "QwenImagePipeline": ("QwenImageControlNetPipeline", "QwenImageControlNetInpaintPipeline"),
    "HunyuanDiTPipeline": ("HunyuanDiTControlNetPipeline",),
    "SanaPipeline": ("SanaControlNetPipeline",),
    "ZImagePipeline": ("ZImageControlNetPipeline", "ZImageControlNetInpaintPipeline"),
    "CogView4Pipeline": ("CogView4ControlPipeline",),
    "CogVideoXPipeline": ("CogVideoXFunControlPipeline",),
    "EasyAnimatePipeline": ("EasyAnimateControlPipeline",),
    "KandinskyV22Pipeline": ("KandinskyV22ControlnetPipeline", "KandinskyV22ControlnetImg2ImgPipeline"),
    "AnimateDiffPipeline": (
        "AnimateDiffControlNetPipeline",
        "AnimateDiffSparseControlNetPipeline",
        "AnimateDiffVideoToVideoControlNetPipeline",
    ),
}
"""ControlNet classes that the text-to-image class of their family stands for: the first draws from noise."""

FAMILY = {name: family for family, names in CONTROLLED.items() for name in names}

READ_MASKS = {
    "StableDiffusion3ControlNetInpaintingPipeline",
    "QwenImageControlNetInpaintPipeline",
    "ZImageControlNetInpaintPipeline",
}
"""Classes whose ControlNets read a mask; they draw from noise."""

WHOLE = {
    "AnimateDiffSparseControlNetPipeline",
    "HunyuanDiTControlNetPipeline",
    "SanaControlNetPipeline",
    "ZImageControlNetPipeline",
    "ZImageControlNetInpaintPipeline",
    "StableDiffusionAdapterPipeline",
}
"""Classes whose ControlNets act in all steps."""

LONE = {
    "AnimateDiffSparseControlNetPipeline",
    "SanaControlNetPipeline",
    "ZImageControlNetPipeline",
    "ZImageControlNetInpaintPipeline",
    "QwenImageControlNetPipeline",
    "QwenImageControlNetInpaintPipeline",
}
"""Classes that use one ControlNet at a time, or of one kind only."""


@dataclass(frozen=True)
class Way:
    """How a run is controlled: strength, start and end of each ControlNet, and how the run is called."""

    nets: tuple = ((0.8, 0.0, 1.0),)
    guided: bool = True
    batch: int = 1
    steps: int = 3
    strength: float | None = None
    hints: int = 1


WAYS = (
    Way(),
    Way(guided=False, batch=2, nets=((1.5, 0.0, 0.5),)),
    Way(nets=((0.8, 0.25, 1.0), (0.4, 0.0, 0.75))),
    Way(batch=2, hints=2),
)
FROM_PICTURES = (
    Way(strength=0.7, batch=2),
    Way(strength=0.8, guided=False, steps=4, nets=((0.8, 0.0, 0.6), (0.4, 0.3, 1.0))),
)
"""Alone and several at once, with and without guidance, in parts of the steps, from noise and from pictures."""


def begins(name):
    """What a class begins with: noise, pictures, or pictures with a mask."""
    if "Img2Img" in name or "VideoToVideo" in name:
        return "pictures"
    return "masked pictures" if "Inpaint" in name and name not in READ_MASKS else "noise"


def ways(name):
    """Those that a class can be called in."""
    tiny = TINY[FAMILY[name]]
    found = []
    for way in WAYS if begins(name) == "noise" else FROM_PICTURES:
        nets = way.nets
        if name in FOLLOWERS:
            nets = ((1.0, 0.0, 1.0),)
        elif name in LONE:
            nets = nets[:1]
        if name in WHOLE:
            nets = tuple((strength, 0.0, 1.0) for strength, _, _ in nets)
        elif "Adapter" in name:  # it takes one number for the end
            nets = tuple((strength, 0.0, nets[0][2]) for strength, _, _ in nets)
        batch = way.batch if tiny.batches and name != "KandinskyV22ControlnetImg2ImgPipeline" else 1
        if way.hints > 1 and name == "CogView4ControlPipeline":  # it takes prompts of one length only as tensors
            continue
        found.append(replace(way, nets=nets, batch=batch, hints=1 if tiny.frames > 1 else min(way.hints, batch)))
    return list(dict.fromkeys(found))


def proved(source, folder):
    """The ControlNet classes that are exact through the class of `source`; ControlNets are made in `folder`."""
    return [name for name in CONTROLLED.get(source.pipeline_class, ()) if all(exactly(source, folder, name))]


def exactly(source, folder, name):
    """In each way, whether a class is exact."""
    nets = nets_of(source, folder / name, name)
    model = model_of(source, folder / name, name)
    for way in ways(name):
        found, wanted = ours(model, nets, way, name), theirs(model, nets, way, name)
        yield torch.equal(found, wanted) and bool(torch.isfinite(wanted).all())


def nets_of(source, folder, name):
    """Two ControlNets for a class."""
    return [] if name in FOLLOWERS else [build_net(source, folder / f"net{seed}", seed, name=name) for seed in (0, 1)]


def model_of(source, folder, name):
    """The model that a class is run on: that of its family, or one that reads the picture itself."""
    if name not in FOLLOWERS:
        return source
    build(name, folder / "model")
    return survey(folder / "model", at="test")


def picture(size, batch, seed):
    width, height = size
    drawn = torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))
    return Image((drawn * 255).round() / 255)


def hole(size):
    """A mask that ends between the latents' numbers."""
    width, height = size
    coverage = torch.zeros(1, 1, height, width)
    coverage[..., height // 4 + 1 : -height // 4, width // 4 : -width // 4 - 1] = 1
    return Mask(coverage)


def controls_of(nets, way, size, name="", frames=1):
    """The controls of a run, each with pictures of its own."""
    frames = 1 if "Sparse" in name else frames
    shown = [picture(size, way.hints * frames, 20 + index) for index in range(len(way.nets))]
    given = zip(nets or [None] * len(shown), shown, way.nets, strict=False)
    more = {"mask": hole(size)} if name in READ_MASKS else {}
    if name == "ZImageControlNetInpaintPipeline":
        more["around"] = picture(size, 1, 3)
    return [
        Control(net, image, *numbers, mode=index + 1 if net is not None and net.source.modes else None, **more)
        for index, (net, image, numbers) in enumerate(given)
    ]


def options_of(source, way):
    """Arguments beyond those that every call is given."""
    name = source.family.pipeline_class
    return exact.options_of(TINY[name], stock.signature(name), exact.Case(guided=way.guided))


def class_of(source, way):
    """The stock class that is meant where none is named."""
    return CONTROLLED[source.pipeline_class][way.strength is not None]


def latent_of(source, way, name):
    """What the run begins with."""
    tiny = TINY[source.family.pipeline_class]
    size = tiny.sizes[1]
    if way.strength is None:
        return BlankLatent(*size, way.batch, tiny.frames)
    if tiny.frames > 1:
        return begun.video_of(source)[1]
    found = autoencoding.sample_distribution(autoencoding.encode_image(VAE(source), picture(size, way.batch, 3)))
    return painting.masked(found, hole(size), around_of(source, way)) if "Inpaint" in name else found


def around_of(source, way):
    """What a model that was made for inpainting reads beside the mask."""
    size = TINY[source.family.pipeline_class].sizes[1]
    hidden = painting.hidden(picture(size, way.batch, 3), hole(size))
    return autoencoding.sample_distribution(autoencoding.encode_image(VAE(source), hidden))


def ours(source, nets, way, name=None):
    """Latents through the stages."""
    name = name or class_of(source, way)
    tiny, encoder = TINY[source.family.pipeline_class], TextEncoder(source)
    words = exact.words_of(source.family.pipeline_class)
    positive = prompts.encode_text(encoder, words, options=tiny.text)
    positive = embedded.carried(positive, way.batch)
    for control in controls_of(nets, way, tiny.sizes[1], name, tiny.frames):
        positive = controls.with_control(positive, control)
    against = None
    if way.guided and "negative_prompt" in stock.signature(name):
        against = prompts.encode_text(encoder, exact.NEGATIVE, role="negative", options=tiny.text)
    return denoising.sample(
        Denoiser(source),
        positive,
        against,
        latent_of(source, way, name),
        scheduler=Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler),
        steps=way.steps,
        guidance=guidance_of(source, way),
        seed=11,
        denoise=way.strength or 1.0,
        options=options_of(source, way),
    ).samples


def guidance_of(source, way):
    tiny = TINY[source.family.pipeline_class]
    return tiny.guidance if way.guided else source.family.least_guidance


def said(source, way):
    """The prompts as words: one for all pictures, encoded once."""
    negative = exact.NEGATIVE if way.guided else None
    return {
        "prompt": exact.PROMPT,
        "negative_prompt": negative,
        "num_images_per_prompt": way.batch,
        **TINY[source.family.pipeline_class].text,
    }


def encoded(source, way):
    """The prompts as tensors: one for each picture, as a picture of its own for each asks for."""
    found = {"negative_prompt": None}
    options = TINY[source.family.pipeline_class].text
    for role, text in (("positive", exact.PROMPT), ("negative", exact.NEGATIVE)):
        tensors = prompts.encode_text(TextEncoder(source), text, role=role, options=options).tensors
        prefix = "negative_" if role == "negative" else ""
        found |= {
            f"{prefix}{name}": tensor * way.batch if isinstance(tensor, list) else torch.cat([tensor] * way.batch)
            for name, tensor in tensors.items()
        }
    return found


def likely_after(name, drawn):
    """Let a stock class take the most likely latents of its pictures, after it has `drawn` those of its hints."""
    module = sys.modules[getattr(diffusers, name).__module__]
    retrieve, calls = module.retrieve_latents, itertools.count()

    def taken(encoded, generator=None, sample_mode="sample"):
        return retrieve(encoded, generator, sample_mode if next(calls) < drawn else "argmax")

    return patch.object(module, "retrieve_latents", taken)


@torch.no_grad()
def theirs(source, nets, way, name=None):
    """Latents of the stock class for the same, called as its documentation says."""
    tiny = TINY[source.family.pipeline_class]
    name = name or class_of(source, way)
    call = stock.signature(name)
    size = tiny.sizes[1]
    used = controls_of(nets, way, size, name, tiny.frames)
    shown = [[to_pillow(pixels) for pixels in control.image.pixels] for control in used]
    one_or_all = (lambda values: values[0]) if len(used) == 1 else list
    with ExitStack() as held:
        if "VideoToVideo" in name:
            held.enter_context(exact.most_likely(name))
        elif name not in FROM_SEEDS:  # it draws its hint from the global generator
            held.enter_context(patch.object(DiagonalGaussianDistribution, "sample", lambda own, _=None: own.mode()))
        elif way.strength is not None:
            held.enter_context(likely_after(name, len(used) if nets else 0))
        live = [held.enter_context(SHELF.use(control.net.source, PART)) for control in used if control.net]
        beside = {"controlnet": one_or_all(live)} if live else {}
        if "Adapter" in name:
            beside = {"adapter": diffusers.MultiAdapter(live) if len(live) > 1 else live[0]}
        pipeline = exact.stock_pipeline(held, source, name, **beside)
        if name == "EasyAnimateControlPipeline":  # it tells its encoder of an encoder that it no longer has
            encode = pipeline.encode_prompt
            pipeline.encode_prompt = lambda text_encoder_index, **more: encode(**more)  # noqa: ARG005
        hints = one_or_all([each if way.hints * tiny.frames > 1 else each[0] for each in shown])
        latent = latent_of(source, way, name)
        arguments = {
            **(encoded(source, way) if way.hints > 1 and source.family.after is None else said(source, way)),
            "control_image": [hints] if "Union" in name and len(used) == 1 else hints,
            "control_video": torch.stack([used[0].image.pixels.transpose(0, 1)] * way.batch)
            if "EasyAnimate" in name
            else [hints],
            "conditioning_frames": hints,
            "video": [to_pillow(frame) for frame in picture(size, tiny.frames, 3).pixels],
            "control_mask": [to_pillow(hole(size).coverage[0])] * way.hints,
            "image": hints if way.strength is None else latent.samples,
            "mask_image": hole(size).coverage.expand(way.batch if name in READ_MASKS else 1, -1, -1, -1),
            "control_mode": one_or_all([control.mode for control in used]),
            "strength": way.strength,
            "width": size[0],
            "height": size[1],
            "num_frames": tiny.frames,
            call.guidance: guidance_of(source, way),
            "controlnet_conditioning_scale": one_or_all([control.strength for control in used]),
            "adapter_conditioning_scale": one_or_all([control.strength for control in used]),
            "adapter_conditioning_factor": used[0].end,
            "control_guidance_start": one_or_all([control.start for control in used]),
            "control_guidance_end": one_or_all([control.end for control in used]),
            "generator": [torch.Generator("cpu").manual_seed(11 + index) for index in range(way.batch)],
            "num_inference_steps": way.steps,
            "use_resolution_binning": False,
            **options_of(source, way),
        }
        if "Inpaint" in name or (way.strength is not None and "Flux" in name):
            number = way.batch if way.strength else 1
            arguments["image"] = [to_pillow(pixels) for pixels in picture(size, number, 3).pixels]
        last = []
        if source.family.after is not None:
            arguments |= embedded.followed(source, way, used[0], last.append)
            if way.strength is not None:  # it takes either side for the other
                shown = to_pillow(picture(size, 1, 3).pixels[0])
                arguments |= {"image": shown, "width": size[1], "height": size[0]}
        arguments = {argument: value for argument, value in arguments.items() if argument in call}
        found = pipeline(**arguments, output_type="pt" if "hint" in arguments else "latent", return_dict=False)[0]
        return layouts.unpack(pipeline, last[-1] if last else found, layouts.Size(*size, tiny.frames))


FROM_SEEDS = {
    "FluxControlNetPipeline",
    "FluxControlNetImg2ImgPipeline",
    "FluxControlNetInpaintPipeline",
    "FluxControlPipeline",
    "FluxControlImg2ImgPipeline",
    "FluxControlInpaintPipeline",
    "QwenImageControlNetPipeline",
}
"""Classes whose hints are drawn from the seeds."""
