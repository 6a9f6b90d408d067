"""Is a ControlNet exact? The shim around a denoiser against the stock ControlNet pipelines, on the same modules."""

from contextlib import ExitStack
from dataclasses import dataclass

import diffusers
import torch

from nodes.diffusion import autoencoding, controls, denoising, layouts, prompts, stock
from nodes.diffusion.nets import PART, survey_net
from nodes.diffusion.pixels import to_pillow
from nodes.diffusion.shelf import SHELF
from nodes.types import VAE, BlankLatent, Control, ControlNet, Denoiser, Image, Scheduler, TextEncoder
from tests.nodes.diffusion.tiny import exact
from tests.nodes.diffusion.tiny.table import TINY, disturb

CONTROLLED = {
    "StableDiffusionPipeline": ("StableDiffusionControlNetPipeline", "StableDiffusionControlNetImg2ImgPipeline"),
    "StableDiffusionPAGPipeline": ("StableDiffusionControlNetPAGPipeline",),
    "StableDiffusionXLPAGPipeline": (
        "StableDiffusionXLControlNetPAGPipeline",
        "StableDiffusionXLControlNetPAGImg2ImgPipeline",
    ),
    "StableDiffusionXLPipeline": ("StableDiffusionXLControlNetPipeline", "StableDiffusionXLControlNetImg2ImgPipeline"),
}
"""ControlNet classes that the text-to-image class of their family stands for: the first draws from noise."""


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
    Way(strength=0.7, batch=2),
    Way(strength=0.8, guided=False, steps=4, nets=((0.8, 0.0, 0.6), (0.4, 0.3, 1.0))),
)
"""Alone and several at once, with and without guidance, in parts of the steps, from noise and from pictures."""


def ways(name):
    """Those that the classes can be called in."""
    return [way for way in WAYS if way.strength is None or len(CONTROLLED[name]) > 1]


def build_net(source, folder, seed=0, **config):
    """Save a random ControlNet for a tiny model to `folder`, the same one each time."""
    torch.manual_seed(seed)
    with ExitStack() as held:
        unet = held.enter_context(SHELF.use(source, source.family.denoisers[0]))
        net = diffusers.ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 16))
    net.register_to_config(**config)
    disturb(net)
    for parameter in net.parameters():
        parameter.data += torch.randn(parameter.shape) * 0.02  # a copy of the denoiser would say what it says
    net.save_pretrained(folder)
    return ControlNet(survey_net(folder, "test"))


def picture(size, batch, seed):
    width, height = size
    drawn = torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))
    return Image((drawn * 255).round() / 255)


def controls_of(nets, way, size):
    """The controls of a run, each with pictures of its own."""
    shown = [picture(size, way.hints, 20 + index) for index in range(len(way.nets))]
    return [Control(net, image, *numbers) for net, image, numbers in zip(nets, shown, way.nets, strict=False)]


def latent_of(source, way):
    """What the run begins with."""
    size = TINY[source.pipeline_class].sizes[1]
    if way.strength is None:
        return BlankLatent(*size, way.batch)
    found = autoencoding.encode_image(VAE(source), picture(size, way.batch, 3))
    return autoencoding.sample_distribution(found)


def ours(source, nets, way):
    """Latents through the stages."""
    tiny, encoder = TINY[source.pipeline_class], TextEncoder(source)
    positive = prompts.encode_text(encoder, exact.PROMPT)
    for control in controls_of(nets, way, tiny.sizes[1]):
        positive = controls.with_control(positive, control)
    return denoising.sample(
        Denoiser(source),
        positive,
        prompts.encode_text(encoder, exact.NEGATIVE, role="negative") if way.guided else None,
        latent_of(source, way),
        scheduler=Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler),
        steps=way.steps,
        guidance=tiny.guidance if way.guided else 0.0,
        seed=11,
        denoise=way.strength or 1.0,
        options=tiny.options,
    ).samples


def said(way):
    """The prompts as words: one for all pictures, encoded once."""
    negative = exact.NEGATIVE if way.guided else None
    return {"prompt": exact.PROMPT, "negative_prompt": negative, "num_images_per_prompt": way.batch}


def encoded(source, way):
    """The prompts as tensors: one for each picture, as a picture of its own for each asks for."""
    found = {}
    for role, text in (("positive", exact.PROMPT), ("negative", exact.NEGATIVE)):
        tensors = prompts.encode_text(TextEncoder(source), text, role=role).tensors
        prefix = "negative_" if role == "negative" else ""
        found |= {f"{prefix}{name}": torch.cat([tensor] * way.batch) for name, tensor in tensors.items()}
    return found


@torch.no_grad()
def theirs(source, nets, way):
    """Latents of the stock class for the same, called as its documentation says."""
    tiny = TINY[source.pipeline_class]
    name = CONTROLLED[source.pipeline_class][way.strength is not None]
    call = stock.signature(name)
    used = controls_of(nets, way, tiny.sizes[1])
    shown = [[to_pillow(pixels) for pixels in control.image.pixels] for control in used]
    one_or_all = (lambda values: values[0]) if len(used) == 1 else list
    with ExitStack() as held:
        live = [held.enter_context(SHELF.use(control.net.source, PART)) for control in used]
        pipeline = exact.stock_pipeline(held, source, name, controlnet=one_or_all(live))
        hints = one_or_all([each if way.hints > 1 else each[0] for each in shown])
        latent = latent_of(source, way)
        arguments = {
            **(encoded(source, way) if way.hints > 1 else said(way)),
            **({"image": hints} if way.strength is None else {"image": latent.samples, "control_image": hints}),
            "strength": way.strength,
            "width": tiny.sizes[1][0],
            "height": tiny.sizes[1][1],
            "guidance_scale": tiny.guidance if way.guided else 0.0,
            "controlnet_conditioning_scale": one_or_all([control.strength for control in used]),
            "control_guidance_start": one_or_all([control.start for control in used]),
            "control_guidance_end": one_or_all([control.end for control in used]),
            "generator": [torch.Generator("cpu").manual_seed(11 + index) for index in range(way.batch)],
            "num_inference_steps": way.steps,
            **tiny.options,
        }
        arguments = {argument: value for argument, value in arguments.items() if argument in call}
        found = pipeline(**arguments, output_type="latent", return_dict=False)[0]
        return layouts.unpack(pipeline, found, layouts.Size(*tiny.sizes[1]))
