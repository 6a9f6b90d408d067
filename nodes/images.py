"""Pictures in and out, and what can be done to them without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from engine import Paths, Settings, node, say
from engine.choices import Choice
from engine.context import current
from engine.digests import file_digest
from engine.files import write_numbered
from engine.picture import embed
from nodes.pictures import FOLDER
from nodes.types import Image, Mask

Pixels = Annotated[int, Field(ge=1, le=16384, description="Pixels.")]
Offset = Annotated[int, Field(ge=0, le=16384, description="Pixels from the left or the top.")]


class PictureFile:
    """An input that names a picture: beside the document, in the input folder, or in the box."""

    noun = "picture"

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:  # noqa: ARG002  # the protocol's
        """The file. Raises `PatchbayError` when there is none that a graph may read, or when it is no picture."""
        from nodes.diffusion.pictures.picture_files import opened

        path = paths.find(value, (*paths.inputs, FOLDER), at)
        with opened(path, at):
            return path

    def digest(self, resolved: Path) -> str:
        """Identity of the file's content."""
        return file_digest(resolved)

    def choices(self, paths: Paths, settings: Settings) -> list[Choice]:  # noqa: ARG002  # the protocol's
        """The pictures in the input folders, newest first, and those in the box."""
        from nodes.diffusion.disk.listing import pictures

        return pictures(paths)


class NewFile:
    """An input that names a file to be written; two nodes may not write to one name."""

    noun = "new file"
    writes = True

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> str:  # noqa: ARG002  # the protocol's
        """The name itself, when it stays inside the output folder. Raises `PatchbayError`."""
        if paths.outputs is not None:
            paths.output(value, at)
        return value

    def digest(self, resolved: str) -> str:
        """The name is all there is before it is written."""
        return resolved


PicturePath = Annotated[Path, PictureFile(), Field(description="PNG, JPEG, WebP, BMP, GIF or TIFF.")]
FileName = Annotated[
    str, NewFile(), Field(min_length=1, max_length=200, description="Without number and ending, which are added.")
]


class Saved(NamedTuple):
    """The files that were written, as paths."""

    files: list[str]


@node("LoadImage", category="image")
def load_image(*, file: PicturePath) -> Image:
    """Read a picture from a file; what is transparent becomes white."""
    from nodes.diffusion.pictures import pixels

    return pixels.load_picture(file, "file")


@node("LoadMask", category="image")
def load_mask(*, file: PicturePath) -> Mask:
    """Read a mask from a picture: its transparency where it has any, else its brightness."""
    from nodes.diffusion.pictures import pixels

    return pixels.load_mask(file, "file")


@node("SaveImage", category="image", deterministic=False, effect=True)
def save_image(image: Image, *, name: FileName) -> Saved:
    """Write pictures as PNG files `name-0001.png`, `name-0002.png` ...; no file is ever overwritten.

    Each carries the graph of its run, so that `patchbay run name-0001.png` makes it again.
    """
    context = current()
    stem = context.paths.output(name, "name")
    text = context.graph.dumps() if context.graph is not None else None
    pictures = (data if text is None else embed(data, text) for data in image.files())
    files = [str(write_numbered(stem, ".png", data)) for data in pictures]
    say(f"Saved {', '.join(files)}")
    return Saved(files)


@node("ResizeImage", category="image")
def resize_image(
    image: Image, *, width: Pixels = 512, height: Pixels = 512, fit: Literal["stretch", "fill", "crop"] = "crop"
) -> Image:
    """Bring pictures to a size: stretched, padded by repeating their edges, or cropped at the centre."""
    from nodes.diffusion.pictures import pixels

    return pixels.resize(image, width, height, fit)


@node("CropImage", category="image")
def crop_image(image: Image, *, left: Offset = 0, top: Offset = 0, width: Pixels = 512, height: Pixels = 512) -> Image:
    """Cut a rectangle out of pictures. It must lie inside them."""
    from nodes.diffusion.pictures import pixels

    return pixels.crop(image, left, top, width, height)


@node("EditMask", category="image")
def edit_mask(
    mask: Mask,
    *,
    grow: Annotated[int, Field(ge=-512, le=512, description="Pixels; negative shrinks.")] = 0,
    blur: Annotated[float, Field(ge=0, le=512, description="Radius of the soft edge in pixels.")] = 0.0,
    invert: bool = False,
) -> Mask:
    """Grow or shrink a mask, soften its edge, turn it inside out; in this order."""
    from nodes.diffusion.pictures import masks

    edited = masks.blur(masks.grow(mask, grow), blur)
    return masks.invert(edited) if invert else edited


@node("MaskFromImage", category="image")
def mask_from_image(
    image: Image, *, threshold: Annotated[float, Field(ge=0, le=1, description="Brighter than this is inside.")] = 0.5
) -> Mask:
    """A mask of what is bright in pictures."""
    from nodes.diffusion.pictures import masks

    return masks.binarize(masks.brightness(image), threshold)


@node("CompositeImages", category="image")
def composite_images(below: Image, above: Image, mask: Mask) -> Image:
    """Lay one picture over another where the mask says so."""
    from nodes.diffusion.pictures import pixels

    return pixels.composite(below, above, mask)


@node("ImageDifference", category="image")
def image_difference(
    a: Image, b: Image, *, gain: Annotated[float, Field(gt=0, le=100, description="Makes small errors visible.")] = 4.0
) -> Image:
    """How two pictures differ: black where they are equal."""
    from nodes.diffusion.latents import sheets

    return sheets.difference(a, b, gain)


@node("ImageGrid", category="image")
def image_grid(
    images: list[Image],
    *,
    columns: Annotated[int, Field(ge=0, le=64, description="0 makes the sheet about square.")] = 0,
    labels: Annotated[list[str], Field(max_length=4096, description="A line below each picture.")] = [],  # noqa: B006  # never changed
) -> Image:
    """Put pictures side by side, with a line of text below each where wanted."""
    from nodes.diffusion.latents import sheets

    return sheets.grid(images, columns, labels)
