"""Picture files and pictures: read, write, resize, crop, lay over one another.

Resizing is `VaeImageProcessor`'s, which works
on eight bits a channel; a picture that already has the size asked for passes unchanged.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from PIL import Image as Pillow
from PIL import ImageOps, PngImagePlugin

from engine.errors import Code, PatchbayError
from nodes.diffusion.pictures.picture_files import LARGEST_PICTURE, opened
from nodes.diffusion.weights.libraries import VaeImageProcessor
from nodes.types import Image, Mask

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ResizeMode = Literal["stretch", "fill", "crop"]

_MODES = {"stretch": "default", "fill": "fill", "crop": "crop"}


def load_picture(path: Path, at: str) -> Image:
    """The picture in the file, upright (EXIF), transparency laid on white; of an animation the first frame.

    Raises `PatchbayError` at `at`: `file_not_found`, `bad_picture`.
    """
    picture = _open(path, at)
    if _has_alpha(picture):
        white = Pillow.new("RGBA", picture.size, "white")
        picture = Pillow.alpha_composite(white, picture.convert("RGBA"))
    return Image(_to_tensor(picture.convert("RGB")))


def load_mask(path: Path, at: str) -> Mask:
    """The mask in the file: its alpha channel, or its brightness when it has none or all of it is opaque.

    Raises `PatchbayError` at `at`: `file_not_found`, `bad_picture`.
    """
    picture = _open(path, at)
    if _has_alpha(picture):
        alpha = _to_tensor(picture.convert("RGBA").getchannel("A"))
        if bool((alpha < 1).any()):
            return Mask(alpha)
        picture = picture.convert("RGB")
    return Mask(_to_tensor(picture.convert("L")))


def to_png(pixels: torch.Tensor, text: Mapping[str, str] | None = None) -> bytes:
    """A PNG file of one picture [3 or 1, height, width] in [0, 1], rounded as Diffusers rounds.

    `text` is put in as uncompressed iTXt chunks, keyword -> text, so that any tool can read and search it.
    """
    chunks = PngImagePlugin.PngInfo()
    for keyword, value in (text or {}).items():
        chunks.add_itxt(keyword, value, zip=False)
    file = io.BytesIO()
    to_pillow(pixels).save(file, "PNG", pnginfo=chunks)
    return file.getvalue()


def to_pillow(pixels: torch.Tensor) -> Pillow.Image:
    """One picture [3 or 1, height, width] in [0, 1] as Pillow's, rounded as Diffusers rounds."""
    clean = torch.nan_to_num(pixels.detach().float().cpu()).clamp(0, 1)
    rounded = (clean * 255).round().to(torch.uint8)
    return Pillow.fromarray(rounded[0].numpy() if len(rounded) == 1 else rounded.permute(1, 2, 0).numpy())


def resize(image: Image, width: int, height: int, mode: ResizeMode = "stretch") -> Image:
    """Pictures of exactly `width` x `height`.

    "stretch" ignores proportions, "crop" keeps them and cuts off what sticks out, "fill" keeps them and fills the
    borders from the picture's edge. Raises `bad_value` when that would need a picture beyond reason on the way.
    """
    present_height, present_width = image.pixels.shape[-2:]
    if (present_width, present_height) == (width, height):
        return image
    _check_resizing(present_width, present_height, width, height, mode)
    processor = VaeImageProcessor(vae_scale_factor=1, do_normalize=False)
    pictures = [to_pillow(pixels) for pixels in image.pixels]
    return Image(torch.cat([_to_tensor(processor.resize(each, height, width, _MODES[mode])) for each in pictures]))


def resize_mask(mask: Mask, width: int, height: int, mode: ResizeMode = "stretch") -> Mask:
    """Masks of exactly `width` x `height`, resized as pictures are. Raises like `resize`."""
    grey = resize(Image(mask.coverage), width, height, mode)
    return Mask(grey.pixels)


def crop(image: Image, left: int, top: int, width: int, height: int) -> Image:
    """The rectangle with this corner and size. Raises `bad_value` when it is empty or leaves the picture."""
    present_height, present_width = image.pixels.shape[-2:]
    inside = 0 <= left < left + width <= present_width and 0 <= top < top + height <= present_height
    if not inside:
        what = f"{width} x {height} at ({left}, {top}) does not lie inside {present_width} x {present_height} pixels."
        raise PatchbayError(Code.BAD_VALUE, "crop", what, "Choose a rectangle inside the picture.")
    return Image(image.pixels[..., top : top + height, left : left + width].clone())


def composite(below: Image, above: Image, mask: Mask) -> Image:
    """`above` where the mask is 1, `below` where it is 0, a blend between. A batch of one serves every picture.

    Raises `bad_value` for different sizes or batches.
    """
    check_same_size("mask", below.pixels, above.pixels, mask.coverage)
    return Image(torch.lerp(below.pixels, above.pixels, mask.coverage))


def check_same_size(at: str, *tensors: torch.Tensor) -> None:
    """Raise `bad_value` unless heights, widths and batches agree; a batch of one agrees with any."""
    sizes = {tuple(tensor.shape[-2:]) for tensor in tensors}
    batches = {len(tensor) for tensor in tensors} - {1}
    if len(sizes) > 1:
        shown = ", ".join(f"{tensor.shape[-1]} x {tensor.shape[-2]}" for tensor in tensors)
        raise PatchbayError(Code.BAD_VALUE, at, f"These sizes differ: {shown}.", "Resize or crop first.")
    if len(batches) > 1:
        shown = ", ".join(str(len(tensor)) for tensor in tensors)
        raise PatchbayError(Code.BAD_VALUE, at, f"These batches hold different numbers of pictures: {shown}.")


def _open(path: Path, at: str) -> Pillow.Image:
    """The first frame of a picture file, decoded and upright."""
    with opened(path, at) as picture:
        picture.load()
        return _eight_bits(ImageOps.exif_transpose(picture), path, at)


def _eight_bits(picture: Pillow.Image, path: Path, at: str) -> Pillow.Image:
    """Deeper grey pictures scaled to eight bits; Pillow's own conversion would cut them off at white."""
    if picture.mode.startswith("I;16"):
        return Pillow.fromarray((np.asarray(picture).astype(np.float32) / 257).round().astype(np.uint8))
    if picture.mode in {"I", "F"}:
        what = f"{path.name} holds {picture.mode} numbers, and nothing says which of them is white."
        raise PatchbayError(Code.BAD_PICTURE, at, what, "Save it with 8 or 16 bits a channel.")
    return picture


def _has_alpha(picture: Pillow.Image) -> bool:
    return "A" in picture.getbands() or "transparency" in picture.info


def _to_tensor(picture: Pillow.Image) -> torch.Tensor:
    """[1, channels, height, width], as VaeImageProcessor makes it."""
    tensor: torch.Tensor = VaeImageProcessor.numpy_to_pt(VaeImageProcessor.pil_to_numpy(picture))
    return tensor.contiguous()


def _check_resizing(width: int, height: int, to_width: int, to_height: int, mode: ResizeMode) -> None:
    """Refuse sizes that are no sizes, and proportions that would blow one side up or make it vanish."""
    scales = (to_width / width, to_height / height)
    scale = max(scales) if mode == "crop" else min(scales)
    between = (to_width, to_height) if mode == "stretch" else (int(width * scale), int(height * scale))
    if min(*between, to_width, to_height) < 1 or between[0] * between[1] > LARGEST_PICTURE:
        what = f"{width} x {height} cannot be resized to {to_width} x {to_height} with {mode}."
        raise PatchbayError(Code.BAD_VALUE, "resize", what, "Choose proportions nearer to the picture's.")
