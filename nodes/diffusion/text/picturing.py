"""Pictures as conditions: what a model reads beside the words, handed to the stock call, which encodes them itself."""

from __future__ import annotations

import importlib
from types import MethodType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from engine.context import say
from engine.errors import Code, PatchbayError
from nodes.diffusion.memory.encodings import remembering
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.stages import unseen
from nodes.diffusion.stages.layouts import Size
from nodes.diffusion.weights.libraries import diffusers
from nodes.types import Image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    import torch

    from nodes.diffusion.disk.source import ModelSource
    from nodes.diffusion.families.family import Family
    from nodes.types import Conditioning

_AREA = 1024 * 1024
"""Pixels that the models draw which choose a size by a picture's proportions."""

NOTHING = "Take the link away, or use a model that reads pictures: docs/nodes.md lists them."


def single(given: Sequence[Image]) -> tuple[Image, ...]:
    """The pictures one by one: a batch is as many of them."""
    return tuple(Image(image.pixels[i : i + 1]) for image in given for i in range(len(image.pixels)))


def check_number(source: ModelSource, found: int, at: str) -> None:
    """Refuse more or fewer pictures than the model reads. Raises `bad_value` at the port `at`."""
    name, shown = source.family.pipeline_class, source.family.pictures
    if shown is None:
        if found:
            raise PatchbayError(Code.BAD_VALUE, at, f"{name} reads no pictures beside the words.", NOTHING)
        return
    if found > shown.most:
        what = f"{name} reads {shown.most} picture{'s' * (shown.most > 1)} at most, and there are {found}."
        raise PatchbayError(Code.BAD_VALUE, at, what, "Give it fewer pictures.")
    if found < shown.least:
        what = f"{name} reads {shown.least} picture{'s' * (shown.least > 1)} at least, and there are {found}."
        raise PatchbayError(Code.BAD_VALUE, at, what, "Link them to `pictures` of EncodeText.")


def check_encoding(source: ModelSource, found: int) -> None:
    """Refuse pictures that cannot be read beside a prompt. Raises `bad_value`.

    Where only the sampling reads them, a prompt may have none: the positive one must.
    """
    shown = source.family.pictures
    if found or (shown is not None and shown.with_text):
        check_number(source, found, "pictures")


def check(
    source: ModelSource, positive: Conditioning[Any], negative: Conditioning[Any] | None, *, guider: bool
) -> tuple[Image, ...]:
    """The pictures that a run reads: those of the positive prompt. Raises `bad_value` for what it cannot read."""
    found, shown = positive.pictures, source.family.pictures
    check_number(source, len(found), "positive")
    if any(not _same(entry.pictures, found) for entry in positive.prompts):
        what = "Prompts that act together carry different pictures, and the model reads those of all at once."
        raise PatchbayError(Code.BAD_VALUE, "positive", what, "Give each EncodeText the same pictures.")
    against = () if negative is None else negative.prompts
    must = shown is not None and shown.with_text
    if any((must or entry.pictures) and not _same(entry.pictures, found) for entry in against):
        what = "The negative prompt carries other pictures than the positive one."
        raise PatchbayError(Code.BAD_VALUE, "negative", what, "Give both EncodeText the same pictures.")
    if found and guider and shown is not None and shown.among_tokens:
        what = "What this model predicts is also of its pictures, so a guider cannot weigh it."
        raise PatchbayError(Code.BAD_VALUE, "guider", what, "Take the guider or the pictures away.")
    return found


def source_for(source: ModelSource, found: Sequence[Image]) -> ModelSource:
    """The model as the class runs it that reads these pictures, where its parts serve two classes."""
    task, shown = source.family.reads_as, source.family.pictures
    if not task or len(found) <= (0 if shown is None else shown.most):
        return source
    return source_for(source.run_as(task), found)


def check_size(pipeline: Any, found: Sequence[Image], size: Size) -> None:  # noqa: ANN401
    """Refuse pictures that are no video as long as the latent, and of another size than it where that counts.

    Says so where the model's pipeline stretches a picture. Raises `bad_value`.
    """
    shown = pipeline.source.family.pictures
    if shown is None or not found:
        return
    if shown.frames and len(found) != size.frames:
        what = f"There are {len(found)} pictures, and the latent stands for {size.frames} frames."
        fix = "This model reads a video as long as the one it draws: make the latent of so many frames."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, fix)
    if shown.clip and len(found) > size.frames:
        what = f"There are {len(found)} pictures, and the latent stands for {size.frames} frames, the pictures first."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Give it fewer pictures, or the latent more frames.")
    others = {image.pixels.shape[-2:] for image in found} - {(size.height, size.width)}
    if shown.stretched and others:
        height, width = min(others)
        say(f"A picture of {width} x {height} is stretched to {size.width} x {size.height}: ResizeImage can crop it.")
    if not shown.sized or (shown.sized == "listed" and len(found) > 1):
        return
    for image in found:
        wanted = _size_for(pipeline, image)
        if wanted != (size.width, size.height):
            what = f"The latent stands for {size.width} x {size.height} pixels, and for a picture of "
            what += f"{image.pixels.shape[-1]} x {image.pixels.shape[-2]} the model draws {wanted[0]} x {wanted[1]}."
            raise PatchbayError(Code.BAD_VALUE, "latent", what, "Make the latent of that size, or resize the picture.")


def _size_for(pipeline: Any, image: Image) -> tuple[int, int]:  # noqa: ANN401
    """Width and height of what the model draws from a picture."""
    height, width = image.pixels.shape[-2:]
    family: Family = pipeline.source.family
    if family.pictures is not None and family.pictures.sized == "own":
        return width * family.pictures.times, height * family.pictures.times
    if hasattr(pipeline, "target_size"):
        near = pipeline.video_processor.calculate_default_height_width(height, width, pipeline.target_size)
        return int(near[1]), int(near[0])
    if family.pictures is not None and family.pictures.sized == "listed":
        return _listed_size(pipeline, width, height)
    calculated = _module(family).calculate_dimensions(_AREA, width / height)
    return calculated[0], calculated[1]


def _listed_size(pipeline: Any, width: int, height: int) -> tuple[int, int]:  # noqa: ANN401
    """The size for a picture among those that a pipeline lists."""
    if hasattr(pipeline, "vae_image_processor"):
        listed = pipeline.vae_image_processor.get_default_height_width(None, height, width)
        return listed[1], listed[0]
    area = (pipeline.default_sample_size * pipeline.vae_scale_factor) ** 2
    found: tuple[int, int] = pipeline.image_processor.get_image_size(width / height, area=area)
    return found


def _module(family: Family) -> Any:  # noqa: ANN401
    """Where the family's pipeline class is defined, with functions that go with it."""
    return importlib.import_module(getattr(diffusers, family.pipeline_class).__module__)


def _same(one: Sequence[Image], other: Sequence[Image]) -> bool:
    return one is other or [each.digest() for each in one] == [each.digest() for each in other]


def arguments(family: Family, found: Sequence[Image], size: Size, batch: int = 1) -> dict[str, Any]:
    """The arguments of the stock call for these pictures, as Pillow's: eight bits a channel, as files have them.

    `size` is that of what is drawn, and `batch` how many pictures or videos that is. A class that takes a video with a
    mask over what is to be drawn makes both from its first picture and its last.
    """
    shown = family.pictures
    if shown is None or not found:
        return {}
    names, each = shown.arguments, [to_pillow(image.pixels[0]) for image in found]
    masked = getattr(_module(family), "get_image_to_video_latent", None)
    if masked is not None:
        made = masked(each[:1], each[1] if len(each) > 1 else None, size.frames, (size.height, size.width))
        return dict(zip(names, made, strict=True))
    if shown.placed:
        place = getattr(_module(family), shown.placed)
        ends = zip(each, (0, -1), strict=False)
        return {names[0]: [place(each)] if shown.frames else [place(*end) for end in ends]}
    if shown.frames or (shown.clip and len(each) > 1):
        return {shown.clip or names[0]: [each] * batch if batch > 1 else each}
    if shown.for_each:
        return {names[0]: each * batch if shown.most == 1 or shown.clip else [each] * batch}
    if shown.most > len(names):  # all by one name
        return {names[0]: each[0] if len(each) == 1 else each}
    return dict(zip(names, each, strict=False))


def beside_words(family: Family, found: Sequence[Image]) -> dict[str, Any]:
    """The same for a stage that encodes words, or blank pictures where there are none and the stock call wants some."""
    given = arguments(family, found, Size(256, 256))
    if given and family.pictures is not None and family.pictures.sized == "listed":
        given |= {"height": None, "width": None}  # it sees them at the size that is drawn
    return given or unseen.blank(family)


def readers(held: ExitStack, source: ModelSource, found: Sequence[Image]) -> dict[str, Any]:
    """The parts that read pictures while sampling, from the shelf; none where there is nothing to read."""
    shown = source.family.pictures
    if shown is None or not (found or shown.always):
        return {}
    decoder = source.family.decoder
    parts = {
        name: held.enter_context(SHELF.use(source, name, alone=not source.parts[name].weights))
        for name in (decoder, *shown.parts)
        if name in source.parts
    }
    if decoder in parts:
        parts[decoder] = remembering(parts[decoder], source, decoder)
    return parts


def steady(pipeline: Any, *, painting: bool) -> None:  # noqa: ANN401
    """Let a pipeline read what the classes of its family would read, without drawing anything for that.

    While a part of a picture is painted, the pictures that it reads have the bits of the family's painting class.
    """
    family: Family = pipeline.source.family
    painter = family.paints_as if painting else ""
    if painter or (family.pictures is not None and family.pictures.likely):
        pipeline.vae = Likely(pipeline.vae)
    if painter:
        pipeline._encode_vae_image = MethodType(getattr(diffusers, painter)._encode_vae_image, pipeline)  # noqa: SLF001


class Likely:
    """A VAE that gives the most likely latents of a picture where a class would draw some."""

    def __init__(self, vae: Any) -> None:  # noqa: ANN401  # diffusers does not type its models
        self._vae = vae

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._vae, name)

    def encode(self, pixels: torch.Tensor) -> SimpleNamespace:
        """What a VAE gives of pictures in whatever precision, with a distribution that has one outcome."""
        likely = self._vae.encode(pixels.to(self._vae.dtype)).latent_dist.mode()
        return SimpleNamespace(latent_dist=SimpleNamespace(sample=lambda *_: likely, mode=lambda: likely))
