"""Is a family exact? The stages against the stock pipeline, on the same modules, in one process."""

import functools
import sys
import tempfile
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import diffusers
import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from engine import context
from engine.settings import Settings
from nodes.diffusion.disk.source import survey
from nodes.diffusion.families.blocks import is_modular
from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.latents import autoencoding
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures import masks, pixels
from nodes.diffusion.sampling import denoising, painting
from nodes.diffusion.schedules.scheduler_table import CLASSES
from nodes.diffusion.stages import layouts, pipelines, stock
from nodes.diffusion.text import canvases, picturing, prompts
from nodes.types import VAE, BlankLatent, Denoiser, Image, Latent, Mask, Scheduler, TextEncoder
from tests.nodes.diffusion.tiny import blocks, embedded
from tests.nodes.diffusion.tiny import heard as beside
from tests.nodes.diffusion.tiny.table import TINY, build

IMAGE_TO_IMAGE = {
    "StableDiffusionXLPipeline": ("StableDiffusionXLImg2ImgPipeline",),
    "KolorsPipeline": ("KolorsImg2ImgPipeline",),
    "StableDiffusion3Pipeline": ("StableDiffusion3Img2ImgPipeline",),
    "FluxPipeline": ("FluxImg2ImgPipeline",),
    "ChromaPipeline": ("ChromaImg2ImgPipeline",),
    "QwenImagePipeline": ("QwenImageImg2ImgPipeline",),
    "ZImagePipeline": ("ZImageImg2ImgPipeline",),
    "StableDiffusionPipeline": ("StableDiffusionImg2ImgPipeline",),
    "StableDiffusionPAGPipeline": ("StableDiffusionPAGImg2ImgPipeline",),
    "StableDiffusionXLPAGPipeline": ("StableDiffusionXLPAGImg2ImgPipeline",),
    "StableDiffusion3PAGPipeline": ("StableDiffusion3PAGImg2ImgPipeline",),
    "LatentConsistencyModelPipeline": ("LatentConsistencyModelImg2ImgPipeline",),
}
"""Image-to-image classes that the text-to-image class of their family stands for."""

INPAINT = {
    "StableDiffusionPipeline": ("StableDiffusionInpaintPipeline",),
    "StableDiffusionPAGPipeline": ("StableDiffusionPAGInpaintPipeline",),
    "StableDiffusionXLPipeline": ("StableDiffusionXLInpaintPipeline",),
    "StableDiffusionXLPAGPipeline": ("StableDiffusionXLPAGInpaintPipeline",),
    "StableDiffusion3Pipeline": ("StableDiffusion3InpaintPipeline",),
    "FluxPipeline": ("FluxInpaintPipeline",),
    "ChromaPipeline": ("ChromaInpaintPipeline",),
    "QwenImagePipeline": ("QwenImageInpaintPipeline",),
    "FluxKontextPipeline": ("FluxKontextInpaintPipeline",),
    "QwenImageEditPipeline": ("QwenImageEditInpaintPipeline",),
    "Flux2KleinPipeline": ("Flux2KleinInpaintPipeline",),
    "ZImagePipeline": ("ZImageInpaintPipeline",),
    "KandinskyV22Pipeline": ("KandinskyV22InpaintPipeline",),
    "KandinskyPipeline": ("KandinskyInpaintPipeline",),
}
"""Inpainting classes that the text-to-image class of their family stands for."""

KLEIN = {"Flux2KleinPipeline", "Flux2KleinKVPipeline"}
"""What these give for latents are those of their VAE."""

PROMPT, NEGATIVE = "a red fox in the snow", "grey"


@dataclass(frozen=True)
class Case:
    """One way of calling a pipeline."""

    guided: bool = True
    batch: int = 1
    size: int = 0
    pictures: int = 0

    def __str__(self):
        how = f"{'guided' if self.guided else 'unguided'}, batch {self.batch}, size {self.size}"
        return f"{how}, pictures {self.pictures}"


CASES = (Case(True, 1, 0), Case(True, 2, 1), Case(False, 1, 1), Case(False, 2, 0))


def words_of(name, prompt=PROMPT):
    """The prompt in the form that the class wants; nothing for classes that read pictures alone."""
    return TINY[name].words.replace("...", prompt) if stock.reads_words(name) else ""


def cases(name):
    """Those that the class can be called in."""
    tiny = TINY[name]
    able = [case for case in CASES if case.guided or tiny.unguided]
    able = [case if tiny.batches else replace(case, batch=1) for case in able]
    return [replace(case, pictures=number) for number in tiny.pictures for case in able]


def pictures_of(name, count, size=0):
    """So many pictures of eight bits, each of another size; the first one as the case's size wants it."""
    width, height = TINY[name].sizes[size]
    shown = FAMILIES[name].pictures
    width, height = (width // shown.times, height // shown.times) if shown else (width, height)
    own = [torch.Generator().manual_seed(number) for number in range(count)]
    drawn = [torch.rand(1, 3, height, width * (1 + number), generator=own[number]) for number in range(count)]
    return [Image((each * 255).round() / 255) for each in drawn]


def stock_pipeline(held, source, name=None, **beside):
    """A stock pipeline as its documentation says, from the modules on the shelf and what comes `beside` them."""
    cls = getattr(diffusers, name or source.pipeline_class)
    parts = {part: held.enter_context(SHELF.use(source, part)) for part in source.parts if part != "scheduler"}
    if is_modular(cls.__name__):
        return blocks.whole(cls.__name__, parts, source.path / "scheduler")
    own = getattr(diffusers, source.parts["scheduler"].class_name).from_pretrained(source.path / "scheduler")
    arguments = stock.made_with(cls.__name__)
    given = {"scheduler": own, **parts, **beside, **{k: v for k, v in source.options.items() if v is not None}}
    if FAMILIES.get(cls.__name__, source.family).checks_safety:
        given["safety_checker"] = pipelines.Trusting()
    extra = {"add_watermarker": False, "requires_safety_checker": False}
    pipeline = cls(
        **{argument: given.get(argument, extra.get(argument, default)) for argument, default in arguments.items()}
    )
    if FAMILIES.get(cls.__name__, source.family).tiles:
        pipeline.vae.enable_tiling()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def guide(pipeline, guidance):
    """Where a pipeline has guiders in place of a number, give it new ones with this number."""
    for name in ("guider", "ocr_guider"):
        own = getattr(pipeline, name, None)
        if own is not None:
            setattr(pipeline, name, own.new(guidance_scale=guidance))


def guidance_of(name, case):
    """The number that the class is called with: the least one where it is not guided."""
    if case.guided:
        return TINY[name].guidance
    return FAMILIES[name].least_guidance if stock.signature(name).guidance == "guidance_scale" else 1.0


def options_of(tiny, call, case):
    """Arguments beyond those that every call is given. Distilled models are guided by an option."""
    is_distilled = call.negative_is_optional and call.guidance != "true_cfg_scale"
    silent = {} if case.guided or "audio_guidance_scale" not in call else {"audio_guidance_scale": 1.0}
    return {**tiny.options, **({"true_cfg_scale": tiny.guidance} if is_distilled and case.guided else silent)}


def begun(case, tiny):
    """What a class for image-to-image begins with: numbers in place of an encoded picture."""
    width, height = tiny.sizes[case.size]
    drawn = torch.randn(case.batch, 4, height // 2, width // 2, generator=torch.Generator().manual_seed(5))
    return Latent(drawn, "")


def beginning(source, case, shown=()):
    """The latent that a run begins with: a blank one, or a picture's where one is drawn over."""
    tiny = TINY[source.pipeline_class]
    if stock.draws_over(source.pipeline_class):
        found = autoencoding.encode_image(VAE(source), Image(shown[0].pixels.repeat(case.batch, 1, 1, 1)))
        return autoencoding.sample_distribution(found)
    if tiny.strength < 1:
        return replace(begun(case, tiny), kind=source.kind)
    return BlankLatent(*tiny.sizes[case.size], case.batch, tiny.frames)


def stock_call(pipeline, case, output, *, encoded=None, heard=None):
    """The stock call; what its encoder gave is appended to `encoded`, and the sound it gives to `heard`."""
    name = type(pipeline).__name__
    tiny = TINY[name]
    call = stock.signature(name)
    guide(pipeline, guidance_of(name, case))
    width, height = tiny.sizes[case.size]
    size = layouts.Size(width, height, tiny.frames)
    names = ("num_images_per_prompt", "num_videos_per_prompt") if tiny.several else ()
    several = next((each for each in names if each in call), None)
    arguments = {
        "prompt": words_of(name) if several else [words_of(name)] * case.batch,
        "negative_prompt": (NEGATIVE if several else [NEGATIVE] * case.batch)
        if case.guided and not FAMILIES[name].is_seeing  # it would draw that too
        else call.defaults.get("negative_prompt"),
        "width": width,
        "height": height,
        "num_frames": tiny.frames,
        "frames": tiny.frames,
        "video_length": tiny.frames,
        "strength": tiny.strength,
        **({"image": begun(case, tiny).samples} if tiny.strength < 1 else {}),
        call.guidance: guidance_of(name, case),
        "generator": [torch.Generator("cpu").manual_seed(7 + index) for index in range(case.batch)],
        "num_inference_steps": tiny.steps,
        "use_resolution_binning": False,
        "max_area": width * height,
        **picturing.arguments(FAMILIES[name], pictures_of(name, case.pictures, case.size), size, case.batch),
        "guidance_schedule": None,
        **embedded.arguments(name, case.batch, case.size, guided=case.guided, alike=tiny.several),
        **options_of(tiny, call, case),
        **tiny.text,
    }
    if several:
        arguments.setdefault(several, case.batch)
    arguments = {argument: value for argument, value in arguments.items() if argument in call}
    for method in stock.encoders(type(pipeline)) if encoded is not None else ():
        _listen(pipeline, method, encoded)
    if FAMILIES[name].alone:
        arguments["generator"] = arguments["generator"][0]
    last = []
    if output == "latent" and FAMILIES[name].ends_early and "callback" in call:  # it gives pictures alone
        arguments["callback"] = lambda *told: last.append(told[-1])
    if output == "latent":
        output = "pt" if "callback" in arguments else layouts.output(pipeline)
    found = pipeline(**arguments, output_type=output, return_dict=False)
    if last:
        return last[-1]
    if FAMILIES[name].sound and heard is not None:
        heard.append(found[1])
    found = found if isinstance(found, torch.Tensor) else found[0]
    shown = FAMILIES[name].pictures
    return found[:, :, case.pictures :] if output == "latent" and shown is not None and shown.leading else found


def _listen(pipeline, method, encoded):
    """Append what `method` of the pipeline gives to `encoded`."""
    encode = getattr(pipeline, method)

    def spy(*args, **kwargs):
        result = encode(*args, **kwargs)
        encoded.append(result)
        return result

    setattr(pipeline, method, spy)


def stock_pictures(pipeline, case, heard=None):
    """What the stock call draws; the sound it makes is appended to `heard`."""
    name = type(pipeline).__name__
    if not name.endswith("PixelPipeline") and not name.startswith("IF") and FAMILIES[name].decoder != "movq":
        return stock_call(pipeline, case, "pt", heard=heard)
    drawn = stock_call(pipeline, case, "np")  # as tensors it gives what its last step or its VAE gave
    return torch.from_numpy(drawn).permute(0, 3, 1, 2)


def own_latent(source, case, *, negative=NEGATIVE, prompt=PROMPT, scheduler=None, pictures=None):
    """The same through the stages."""
    with small_area(source.pipeline_class):
        return _own_latent(source, case, negative, prompt, scheduler, pictures)


def _own_latent(source, case, negative, prompt, scheduler, pictures):
    tiny = TINY[source.pipeline_class]
    call = stock.signature(source.pipeline_class)
    encoder = TextEncoder(source)
    shown = pictures_of(source.pipeline_class, case.pictures, case.size) if pictures is None else pictures
    words = words_of(source.pipeline_class, prompt)
    positive = prompts.encode_text(encoder, words, options=tiny.text, pictures=shown)
    against = None
    positive = embedded.carried(positive, case.batch, case.size, alike=tiny.several)
    if case.guided and "negative_prompt" in call and not source.family.is_seeing:
        against = prompts.encode_text(encoder, negative, role="negative", options=tiny.text, pictures=shown)
    own = Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler)
    return (
        positive,
        against,
        denoising.sample(
            Denoiser(source),
            positive,
            against,
            beginning(source, case, shown),
            scheduler=scheduler or own,
            denoise=tiny.strength,
            steps=tiny.steps,
            guidance=guidance_of(source.pipeline_class, case),
            seed=7,
            options=options_of(tiny, call, case),
        ),
    )


def small_area(name):
    """Let a class that works on pictures of a million pixels work on as many as the tiny models have."""
    module, (width, height) = sys.modules[getattr(diffusers, name).__module__], TINY[name].sizes[0]
    if hasattr(module, "JoyImageEditImageProcessor"):
        listed = {1024: [size[::-1] for size in TINY[name].sizes]}
        return mock.patch.dict(sys.modules[module.JoyImageEditImageProcessor.__module__].BUCKETS, listed)
    if hasattr(module, "BriaFibo2ImageProcessor"):
        size_for = module.BriaFibo2ImageProcessor.get_image_size
        small = functools.partialmethod(_listed, size_for, width * height)
        return mock.patch.object(module.BriaFibo2ImageProcessor, "get_image_size", small)
    own = getattr(module, "calculate_dimensions", None)
    if own is None:
        return nullcontext()
    return mock.patch.object(module, "calculate_dimensions", functools.partial(_calculated, own, width * height))


def _listed(processor, own, small, ratio, area):
    return own(processor, ratio, area=small)


def _calculated(own, area, _, ratio):
    return own(area, ratio)


def own_size(name):
    """Let a class that works on pictures of a million pixels work on a picture of the second size as it is."""
    module, size = sys.modules[getattr(diffusers, name).__module__], TINY[FAMILIES[name].pipeline_class].sizes[1]
    if not hasattr(module, "calculate_dimensions"):
        return nullcontext()
    return mock.patch.object(module, "calculate_dimensions", return_value=(*size, None))


def flat(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in flat(item)]
    return []


def same_text(encoded, positive, negative, batch):
    """Each tensor of ours is among those that the stock call's encoder gave."""
    positive, negative = embedded.bare(positive), negative and embedded.bare(negative)
    if not stock.reads_words(positive.encoder.source.pipeline_class):
        return not positive.tensors
    theirs = [tensor for result in encoded for tensor in flat(result)]
    if negative and negative.encoder.source.family.joint:
        negative = prompts._own_negative(positive, negative)
    positive, negative = prompts.evened(positive, negative)
    ours = flat(list(positive.tensors.values())) + flat(list(negative.tensors.values()) if negative else [])

    def found(tensor):
        return any(
            other.shape[1:] == tensor.shape[1:] and any(torch.equal(each, tensor) for each in other.split(len(tensor)))
            if other.ndim and len(tensor)
            else other.shape == tensor.shape and torch.equal(other, tensor)
            for other in theirs
        )

    return bool(ours) and all(found(tensor) for tensor in ours)


def as_stock(pipeline, samples):
    """What a pipeline of the Flux 2 Klein family makes of its last latents before it gives them."""
    mean = pipeline.vae.bn.running_mean.view(1, -1, 1, 1)
    std = torch.sqrt(pipeline.vae.bn.running_var.view(1, -1, 1, 1) + pipeline.vae.config.batch_norm_eps)
    return pipeline._unpatchify_latents(samples * std + mean)


@contextmanager
def precise(source):
    """The precision that a class is compared in."""
    chosen = Settings(dtype=TINY[source.pipeline_class].precision)
    token = context._current.set(replace(context.current(), settings=chosen))
    try:
        yield
    finally:
        context._current.reset(token)


def compare(source, case):
    """Which are equal: the encoded prompt, the sampled latent, the decoded picture, and sound with it."""
    with precise(source), torch.no_grad():
        return _compare(source, case)


def _compare(source, case):
    with ExitStack() as held:
        held.enter_context(small_area(source.pipeline_class))
        if stock.draws_over(source.pipeline_class):
            held.enter_context(most_likely(source.pipeline_class))
        if source.family.pictures is not None and source.family.pictures.likely:
            held.enter_context(
                mock.patch.object(DiagonalGaussianDistribution, "sample", lambda own, _=None: own.mode())
            )
        encoded, heard = [], []
        latents = stock_call(stock_pipeline(held, source), case, "latent", encoded=encoded, heard=heard)
        pictures = stock_pictures(stock_pipeline(held, source), case, heard)
        pipeline = stock_pipeline(held, source)
        tiny = TINY[source.pipeline_class]
        theirs = layouts.unpack(pipeline, latents, layouts.Size(*tiny.sizes[case.size], tiny.frames))
    positive, negative, ours = own_latent(source, case)
    positive = canvases.fitted(pipeline, positive, layouts.Size(*tiny.sizes[case.size]))
    found = as_stock(pipeline, ours.samples) if source.pipeline_class in KLEIN else ours.samples
    found = beside.video_as_stock(pipeline, ours) if source.family.sound else found
    same_sound, same_wave = beside.equal(source, pipeline, ours, heard)
    if source.family.is_prior:
        decoded, pictures = embedded.seen(source) if source.family.is_seeing else (found, theirs)
    else:
        with small_area(source.pipeline_class):
            decoded = autoencoding.decode(VAE(source), ours).pixels
    return {
        "text": same_text(encoded, positive, negative, case.batch),
        "latent": torch.equal(found, theirs) and bool(torch.isfinite(theirs).all()) and same_sound,
        "picture": torch.equal(decoded, autoencoding.on_white(pictures)) and same_wave,
    }


def picture_of(source, batch):
    """A picture of the family's second size, of eight bits as from a file, and its most likely latent."""
    width, height = TINY[source.family.pipeline_class].sizes[1]
    noise = torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(3))
    picture = Image((noise * 255).round() / 255)
    return picture, autoencoding.sample_distribution(autoencoding.encode_image(VAE(source), picture))


def most_likely(name):
    """Let a stock class take the most likely latent of a picture in place of a random one."""
    module = sys.modules[getattr(diffusers, name).__module__]
    taken = functools.partial(module.retrieve_latents, sample_mode="argmax")
    return mock.patch.object(module, "retrieve_latents", taken)


def from_latent(source, name, latent, strength, *, steps, scheduler=None, **extra):
    """Latents of the stock class `name` that starts from `latent`, with `extra` arguments."""
    tiny = TINY[source.family.pipeline_class]
    width, height = tiny.sizes[1]
    call, batch = stock.signature(name), len(latent.samples)
    with ExitStack() as held:
        pipeline = stock_pipeline(held, source, name)
        guide(pipeline, tiny.guidance)
        if name == "ChromaInpaintPipeline":  # it asks for a setting that no Chroma transformer has
            pipeline.transformer.register_to_config(guidance_embeds=False)
        if scheduler:
            pipeline.scheduler = getattr(diffusers, CLASSES[scheduler]).from_config(pipeline.scheduler.config)
        arguments = {
            "prompt": PROMPT,
            "negative_prompt": NEGATIVE,
            "num_images_per_prompt": batch,
            "image": latent.samples,
            "strength": strength,
            "width": width,
            "height": height,
            call.guidance: tiny.guidance,
            **options_of(tiny, call, Case()),
            "generator": [torch.Generator("cpu").manual_seed(11 + index) for index in range(batch)],
            "num_inference_steps": steps,
            "max_sequence_length": stock.signature(source.family.pipeline_class).defaults.get("max_sequence_length"),
            **extra,
        }
        arguments = {argument: value for argument, value in arguments.items() if argument in call}
        output = "pt" if "callback" in extra else "latent"
        theirs = pipeline(**arguments, output_type=output, return_dict=False)[0]
        return layouts.unpack(pipeline, theirs, layouts.Size(width, height))


def own_from_latent(source, name, latent, *, steps, scheduler=None, pictures=None, **how):
    """The same through the stages, with what `name` can be told; `how` is a share to denoise or a window."""
    tiny = TINY[source.family.pipeline_class]
    call, encoder = stock.signature(name), TextEncoder(source)
    own_call = stock.signature(source.family.pipeline_class)
    options = {option: value for option, value in options_of(tiny, call, Case()).items() if option in own_call}
    own = Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler)
    beside = {"pictures": pictures_of(source.family.pipeline_class, max(tiny.pictures), 1)}
    if pictures is not None:
        beside = {"pictures": pictures, "options": tiny.text}
    return denoising.sample(
        Denoiser(source),
        embedded.carried(prompts.encode_text(encoder, words_of(source.family.pipeline_class), **beside), 1),
        prompts.encode_text(encoder, NEGATIVE, role="negative", **beside)
        if "negative_prompt" in call and not source.family.is_seeing
        else None,
        latent,
        scheduler=scheduler or own,
        steps=steps,
        guidance=tiny.guidance,
        seed=11,
        options=options,
        **how,
    )


@torch.no_grad()
def image_to_image(source, name, strength, *, steps=5, batch=2):
    """Latents of image-to-image: ours through the text-to-image class, and those of the stock class `name`."""
    picture, latent = picture_of(source, batch)
    ours = own_from_latent(source, name, latent, steps=steps, denoise=strength)
    if name != "StableDiffusion3PAGImg2ImgPipeline":
        return ours.samples, from_latent(source, name, latent, strength, steps=steps)
    given = {"image": [pixels.to_pillow(each) for each in picture.pixels]}  # it takes latents of 16 channels for pixels
    with most_likely(name):
        return ours.samples, from_latent(source, name, latent, strength, steps=steps, **given)


def mask_of(source, batch=1):
    """A mask for `picture_of`, soft at its edge: about a quarter is to be painted."""
    width, height = TINY[source.family.pipeline_class].sizes[1]
    coverage = torch.zeros(batch, 1, height, width)
    coverage[..., height // 4 : -height // 4, width // 4 : -width // 4] = 1
    return masks.blur(Mask(coverage), 1.0)


@torch.no_grad()
def inpainting(source, name, strength, *, steps=5, batch=2, scheduler=None):
    """Latents of inpainting: ours through the text-to-image class, and those of the stock class `name`."""
    if source.family.after is not None:
        return _inpainting_after(name, steps, batch)
    if source.family.pictures is not None:
        return _inpainting_beside(source, name, strength, steps)
    picture, latent = picture_of(source, batch)
    mask = mask_of(source)
    around = autoencoding.sample_distribution(autoencoding.encode_image(VAE(source), painting.hidden(picture, mask)))
    masked = painting.masked(latent, mask, around)
    ours = own_from_latent(source, name, masked, steps=steps, denoise=strength, scheduler=scheduler)
    given = {"image": [pixels.to_pillow(each) for each in picture.pixels], "mask_image": mask.coverage}
    with most_likely(name):
        return ours.samples, from_latent(source, name, latent, strength, steps=steps, scheduler=scheduler, **given)


PAINTED = {"QwenImageEditInpaintPipeline", "Flux2KleinInpaintPipeline"}
"""Classes that read the picture which they paint a part of."""


def _inpainting_after(name, steps, batch):
    """The same of one picture after an embedding, by a model made for that; these classes take no strength."""
    with tempfile.TemporaryDirectory() as folder:
        build(name, Path(folder) / "model")
        source = survey(Path(folder) / "model", at=name)
        picture, _ = picture_of(source, 1)
        mask = mask_of(source)
        masked = painting.encoded(VAE(source), Image(picture.pixels.repeat(batch, 1, 1, 1)), mask)
        ours = own_from_latent(source, source.family.pipeline_class, masked, steps=steps)
        given = {"image": pixels.to_pillow(picture.pixels[0]), "mask_image": mask.coverage[0, 0].numpy()}
        given |= embedded.arguments(source.family.pipeline_class, 1)
        last = []
        if source.family.ends_early:
            given |= {"callback": lambda *told: last.append(told[-1])}
        theirs = from_latent(source, name, masked, 1.0, steps=steps, **given)
        return ours.samples, last[-1] if last else theirs


def _inpainting_beside(source, name, strength, steps):
    """The same for one picture, while others are read: itself, another one, or both."""
    picture, latent = picture_of(source, 1)
    mask, beside = mask_of(source), pictures_of(source.pipeline_class, 1)
    image, reference = (pixels.to_pillow(each.pixels[0]) for each in (picture, *beside))
    given = {"image": image, "mask_image": mask.coverage, "image_reference": reference}
    read = [picture] if name in PAINTED else []
    if "image_reference" in stock.signature(name):
        read += beside
    with ExitStack() as held:
        for each in (source.pipeline_class, name):
            held.enter_context(own_size(each))
        masked = painting.masked(latent, mask)
        ours = own_from_latent(source, name, masked, steps=steps, denoise=strength, pictures=read).samples
        held.enter_context(most_likely(name))
        theirs = from_latent(source, name, latent, strength, steps=steps, **given, **TINY[source.pipeline_class].text)
        pipeline = stock_pipeline(held, source)
    return as_stock(pipeline, ours) if source.family.ends_early else ours, theirs
