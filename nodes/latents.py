"""The latent space: a distribution for each picture, continuous, open to mixing and arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Generic, Literal, NamedTuple

from pydantic import Field

from engine import Code, PatchbayError, node
from nodes.diffusion.disk.bare import check_vae
from nodes.diffusion.disk.vaes import check_space
from nodes.diffusion.latents.mask_rules import no_mask, only_unmasked
from nodes.load import DECODER, needing, source_of
from nodes.types import (
    VAE,
    Batch,
    BlankLatent,
    FrameCount,
    Frames,
    Image,
    J,
    K,
    Latent,
    LatentDistribution,
    MixMethod,
    ResizeMethod,
    Seed,
    Size,
    Video,
)


class Blank(NamedTuple):
    """A latent without a picture."""

    latent: BlankLatent


class Encoded(NamedTuple, Generic[K]):
    """A picture in latent space: one latent, and the distribution that it was taken from."""

    latent: Latent[K]
    distribution: LatentDistribution[K]


class Statistics(NamedTuple):
    """What a distribution looks like: its mean and its standard deviation, a map for each channel."""

    mean: Image
    deviation: Image


class Distance(NamedTuple):
    """How far apart two latents are, picture by picture."""

    euclidean: list[float]
    cosine: list[float]


@node("EmptyLatent", category="latent", facts=no_mask)
def empty_latent(*, width: Size = 512, height: Size = 512, batch: Batch = 1, frames: FrameCount = 1) -> Blank:
    """The size of the pictures to come, in pixels; of videos also how many frames.

    All of a batch together have at most 64 megapixels.
    """
    from nodes.diffusion.pictures.picture_files import LARGEST_PICTURE

    if width * height * batch * frames > LARGEST_PICTURE:
        what = f"{batch * frames} pictures of {width} x {height} are more than {LARGEST_PICTURE >> 20} megapixels."
        raise PatchbayError(Code.BAD_VALUE, "batch", what, "Make them smaller, or fewer at once.")
    return Blank(BlankLatent(width, height, batch, frames))


@node("VAEEncode", category="latent", device=True, facts=needing("vae", DECODER, check_vae, no_mask))
def vae_encode(
    vae: VAE[K], image: Image | Video, *, take: Literal["mode", "sample"] = "mode", seed: Seed = 0
) -> Encoded[K]:
    """Bring pictures into latent space: the most likely latent or one drawn at random, and the distribution itself.

    Of a video, with a video model's VAE, comes the latent of the whole video.
    """
    from nodes.diffusion.latents import autoencoding

    found = autoencoding.encoded(vae, image)
    latent = autoencoding.sample_distribution(found, [seed] if take == "sample" else None)
    return Encoded(latent, found)


@node("SampleDistribution", category="latent")
def sample_distribution(
    distribution: LatentDistribution[K], *, seed: Seed = 0, count: Annotated[int, Field(ge=1, le=256)] = 4
) -> Latent[K]:
    """Draw several latents of one picture, with the seeds `seed`, `seed + 1` and so on, as one batch."""
    from nodes.diffusion.latents import autoencoding

    return autoencoding.sample_distribution(distribution, range(seed, seed + count))


@node("VAEDecode", category="latent", device=True, facts=needing("vae", DECODER, check_vae))
def vae_decode(vae: VAE[K], latent: Latent[K]) -> Image:
    """Turn latents back into pictures."""
    from nodes.diffusion.latents import autoencoding

    return autoencoding.decode(vae, latent)


@node("MixLatents", category="latent", facts=only_unmasked)
def mix_latents(a: Latent[K], b: Latent[K], *, method: MixMethod = "slerp", frames: Frames = 5) -> Latent[K]:
    """Walk from one latent to another in equal steps, both ends included, as one batch."""
    from nodes.diffusion.latents import latent_math

    return latent_math.frames(a, b, frames, method)


@node("LatentArithmetic", category="latent", facts=only_unmasked)
def latent_arithmetic(
    a: Latent[K],
    b: Latent[K] | None = None,
    c: Latent[K] | None = None,
    *,
    scale: Annotated[float, Field(ge=-100, le=100, description="How much of b - c is added.")] = 1.0,
    channels: Annotated[
        list[float] | None, Field(description="A factor for each channel of what is added; null for all alike.")
    ] = None,
) -> Latent[K]:
    """Compute a + scale * (b - c), channel by channel if wanted. Without b and c, scale * a."""
    from nodes.diffusion.latents import latent_math

    factors = scale if channels is None else [scale * factor for factor in channels]
    if b is None and c is None:
        return latent_math.scaled(a, factors)
    nothing = latent_math.scaled(a, 0.0)
    return latent_math.arithmetic(a, b or nothing, c or nothing, factors)


@node("ResizeLatent", category="latent")
def resize_latent(
    latent: Latent[K],
    *,
    factor: Annotated[float, Field(ge=0.1, le=16, description="How much longer the sides become.")] = 2.0,
    method: ResizeMethod = "nearest",
) -> Latent[K]:
    """Make a latent larger or smaller without a VAE: a beginning for `Sample`, which puts the details in."""
    from nodes.diffusion.latents import latent_math

    return latent_math.resized(latent, factor, method)


def check_hand_on(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Refuse models whose latents differ."""
    source, other = (source_of(given.get(port, {})) for port in ("vae", "to"))
    if source is not None and other is not None:
        check_space(source, other, "to")
    return {}


@node("HandOnLatent", category="latent", facts=check_hand_on)
def hand_on_latent(latent: Latent[K], vae: VAE[K], to: VAE[J]) -> Latent[J]:
    """Hand a latent on to a model of another kind that shares its latent space: from SDXL to its refiner, for instance.

    Nothing is decoded. What was left unfinished is so still, with its noise, its mask and its solver's memory.
    """
    check_space(vae.source, to.source, "to")
    return Latent(latent.samples, to.kind, latent.leftover, latent.mask, latent.sound)


@node("LatentDistance", category="latent")
def latent_distance(a: Latent[K], b: Latent[K]) -> Distance:
    """How far apart two latents are: Euclidean distance, and cosine similarity."""
    from nodes.diffusion.latents import latent_math

    found = latent_math.distance(a, b)
    return Distance([each.euclidean for each in found], [each.cosine for each in found])


@node("LatentMaps", category="latent")
def latent_maps(latent: Latent[K]) -> Image:
    """Show a latent: each channel as a map, blue below zero and red above."""
    from nodes.diffusion.latents import sheets

    return sheets.channel_maps(latent.samples)


@node("DistributionMaps", category="latent")
def distribution_maps(distribution: LatentDistribution[K]) -> Statistics:
    """Show a distribution: the mean and the standard deviation of each channel as maps."""
    from nodes.diffusion.latents import sheets

    deviation = (distribution.logvar / 2).exp()
    return Statistics(sheets.channel_maps(distribution.mean), sheets.channel_maps(deviation))
