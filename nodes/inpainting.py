"""Painting a part of a picture, or beyond its edges: where, from what, and back into the whole."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from engine import node
from nodes.diffusion.disk.bare import check_vae
from nodes.diffusion.latents.mask_rules import masked_alone, masked_with_picture
from nodes.images import Pixels
from nodes.load import DECODER, needing
from nodes.types import VAE, Image, K, Latent, Mask, Placement, Seed

Border = Annotated[int, Field(ge=0, le=4096, description="Pixels to add on this side.")]


class Cut(NamedTuple):
    """A piece of a picture, the same piece of its mask, and where it was."""

    image: Image
    mask: Mask
    placement: Placement


class Padded(NamedTuple):
    """A larger picture, and a mask of what is new in it."""

    image: Image
    mask: Mask


@node("MaskLatent", category="latent", facts=masked_alone)
def mask_latent(latent: Latent[K], mask: Mask) -> Latent[K]:
    """Say where a latent is to be painted: where the mask, of the picture's size, reaches one half.

    Sample and SampleSteps keep all else. The edge follows the latent's numbers, each of which stands for a square of
    pixels and is painted where the mask holds at its upper left pixel. What is sampled to its end has no mask any more.
    """
    from nodes.diffusion.sampling import painting

    return painting.masked(latent, mask)


@node("VAEEncodeMasked", category="latent", device=True, facts=needing("vae", DECODER, check_vae, masked_with_picture))
def vae_encode_masked(
    vae: VAE[K], image: Image, mask: Mask, *, take: Literal["mode", "sample"] = "mode", seed: Seed = 0
) -> Latent[K]:
    """Bring pictures into latent space together with where they are to be painted, for any model.

    Does what VAEEncode and MaskLatent do. A model that was made for inpainting also reads the picture around the mask,
    which is encoded here with the rest hidden.
    """
    from nodes.diffusion.sampling import painting

    return painting.encoded(vae, image, mask, [seed] if take == "sample" else None)


@node("ResizeMask", category="image")
def resize_mask(
    mask: Mask, *, width: Pixels = 512, height: Pixels = 512, fit: Literal["stretch", "fill", "crop"] = "crop"
) -> Mask:
    """Bring masks to a size as ResizeImage does it with pictures."""
    from nodes.diffusion.pictures import pixels

    return pixels.resize_mask(mask, width, height, fit)


@node("CropToMask", category="image")
def crop_to_mask(
    image: Image,
    mask: Mask,
    *,
    width: Pixels = 512,
    height: Pixels = 512,
    padding: Annotated[int, Field(ge=0, le=4096, description="Pixels of surroundings on each side.")] = 32,
) -> Cut:
    """Cut out what a mask covers, with surroundings, at the size a model works best at; PasteBack puts it back.

    The piece has the proportions of `width` and `height` and is at least as large, so nothing is enlarged unless the
    picture is too small. All pictures of a batch are cut alike.
    """
    from nodes.diffusion.pictures import pieces

    return Cut(*pieces.cut(image, mask, width, height, padding))


@node("PasteBack", category="image")
def paste_back(
    image: Image,
    piece: Image,
    mask: Mask,
    placement: Placement,
    *,
    edge: Annotated[int, Field(ge=0, le=512, description="Pixels over which the piece fades out around the mask.")] = 8,
) -> Image:
    """Put a piece back into the whole picture where the mask of the whole picture is.

    Outside the mask and its soft edge every pixel stays as it is.
    """
    from nodes.diffusion.pictures import pieces

    return pieces.pasted(image, piece, mask, placement, edge)


@node("PadImage", category="image")
def pad_image(
    image: Image,
    *,
    left: Border = 0,
    top: Border = 0,
    right: Border = 0,
    bottom: Border = 0,
    overlap: Annotated[int, Field(ge=0, le=512, description="Pixels of the old picture that may be painted too.")] = 8,
    fill: Annotated[
        Literal["edge", "grey"], Field(description="What the border holds: the picture's edge repeated, or grey.")
    ] = "edge",
) -> Padded:
    """Make pictures larger, to be painted beyond their edges."""
    from nodes.diffusion.pictures import pieces

    return Padded(*pieces.padded(image, (left, top, right, bottom), overlap, fill))
