"""Classes that begin from a picture or a video: ours through their family's text class, and theirs."""

from contextlib import ExitStack

import torch

from nodes.diffusion.latents import autoencoding
from nodes.diffusion.pictures import pixels
from nodes.diffusion.stages import layouts, stock
from nodes.types import VAE, Latent, Video
from tests.nodes.diffusion.tiny import embedded, exact
from tests.nodes.diffusion.tiny.table import TINY

VIDEO_TO_VIDEO = {
    "WanPipeline": ("WanVideoToVideoPipeline",),
    "CogVideoXPipeline": ("CogVideoXVideoToVideoPipeline",),
    "AnimateDiffPipeline": ("AnimateDiffVideoToVideoPipeline",),
}
"""Video-to-video classes that the text-to-video class of their family stands for."""

FROM_PICTURES = {
    "Kandinsky3Pipeline": ("Kandinsky3Img2ImgPipeline",),
    "SanaSprintPipeline": ("SanaSprintImg2ImgPipeline",),
    "IFPipeline": ("IFImg2ImgPipeline",),
    "KandinskyV22PriorPipeline": ("KandinskyV22PriorEmb2EmbPipeline",),
    "KandinskyV22Pipeline": ("KandinskyV22Img2ImgPipeline",),
}
"""Image-to-image classes that take pictures alone, with an encoder that draws nothing."""

BEGUN = {**exact.IMAGE_TO_IMAGE, **FROM_PICTURES, **VIDEO_TO_VIDEO}
"""All classes that begin from a picture or a video, by the text class of their family."""


TWO_STEPS = {"SanaSprintImg2ImgPipeline": 2}
"""What was distilled for two steps names the time between them."""


def begun(source, name, strength):
    """Latents of the class `name`: ours through its family's text class, and its own."""
    if name in VIDEO_TO_VIDEO.get(source.pipeline_class, ()):
        return video_to_video(source, name, strength)
    if name in FROM_PICTURES.get(source.pipeline_class, ()):
        return image_to_image(source, name, strength)
    return exact.image_to_image(source, name, strength)


def video_of(source):
    """A video of the family's second size, of eight bits as from a file, and its most likely latent."""
    tiny = TINY[source.family.pipeline_class]
    width, height = tiny.sizes[1]
    drawn = torch.rand(tiny.frames, 3, height, width, generator=torch.Generator().manual_seed(3))
    video = Video((drawn * 255).round() / 255, 8.0)
    return video, autoencoding.sample_distribution(autoencoding.encode_video(VAE(source), video))


@torch.no_grad()
def video_to_video(source, name, strength, *, steps=5):
    """Latents of video-to-video: ours through the text-to-video class, and those of the stock class `name`."""
    video, latent = video_of(source)
    ours = exact.own_from_latent(source, name, latent, steps=steps, denoise=strength)
    given = {"video": [pixels.to_pillow(frame) for frame in video.frames]}
    with exact.most_likely(name):
        return ours.samples, _theirs(source, name, strength, steps, 1, given)


@torch.no_grad()
def image_to_image(source, name, strength, *, batch=2):
    """The same of a picture, for several at once."""
    steps = TWO_STEPS.get(name, 5)
    picture, one = exact.picture_of(source, 1)
    latent = Latent(torch.cat([one.samples] * batch), one.kind)
    ours = exact.own_from_latent(source, name, latent, steps=steps, denoise=strength)
    given = {"image": pixels.to_pillow(picture.pixels[0])}
    if source.family.after is not None:  # these classes take either side for the other
        given |= {"width": picture.pixels.shape[-2], "height": picture.pixels.shape[-1]}
    return ours.samples, _theirs(source, name, strength, steps, batch, given)


def _theirs(source, name, strength, steps, batch, given):
    tiny = TINY[source.family.pipeline_class]
    width, height = tiny.sizes[1]
    call = stock.signature(name)
    with ExitStack() as held:
        pipeline = exact.stock_pipeline(held, source, name)
        arguments = {
            "prompt": exact.PROMPT,
            "negative_prompt": None if source.family.is_seeing else exact.NEGATIVE,
            "num_images_per_prompt": batch,
            "strength": strength,
            "width": width,
            "height": height,
            "guidance_scale": tiny.guidance,
            **exact.options_of(tiny, call, exact.Case()),
            "generator": [torch.Generator("cpu").manual_seed(11 + index) for index in range(batch)],
            "num_inference_steps": steps,
            "max_sequence_length": stock.signature(source.family.pipeline_class).defaults.get("max_sequence_length"),
            "use_resolution_binning": False,
            **embedded.arguments(source.pipeline_class, 1),
            **given,
        }
        arguments = {argument: value for argument, value in arguments.items() if argument in call}
        found = pipeline(**arguments, output_type=layouts.output(pipeline), return_dict=False)[0]
        return layouts.unpack(exact.stock_pipeline(held, source), found, layouts.Size(width, height, tiny.frames))
