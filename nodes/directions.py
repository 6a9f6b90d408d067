"""What a latent space holds: directions learnt from pictures, and how much of a picture survives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from engine import Paths, Settings, node, say
from engine.context import current
from engine.digests import file_digest
from engine.files import write_numbered
from nodes.diffusion.disk.bare import check_vae
from nodes.diffusion.latents.mask_rules import only_unmasked
from nodes.images import FileName, Saved
from nodes.load import DECODER, needing
from nodes.types import VAE, Direction, Image, K, Latent, LatentDistribution


class DirectionFile:
    """An input that names a direction: beside the document, or in the input, model or output folders."""

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:  # noqa: ARG002  # the protocol's
        """The file, its header checked. Raises `PatchbayError`."""
        from nodes.diffusion.latents.directions import kind_in

        outputs = () if paths.outputs is None else (paths.outputs,)
        path = paths.find(value, (*paths.inputs, *paths.models, *outputs), at)
        kind_in(path, at)
        return path

    def digest(self, resolved: Path) -> str:
        """Identity of the file's content."""
        return file_digest(resolved)


DirectionPath = Annotated[
    Path, DirectionFile(), Field(description="A .safetensors file that SaveDirection has written.")
]
Numbers = Annotated[list[float], Field(max_length=4096, description="One for each channel; empty for no change.")]


class RoundTrip(NamedTuple):
    """A picture that has been through latent space: itself, where it changed, and how much in decibels."""

    image: Image
    error: Image
    psnr: list[float]


class Divergence(NamedTuple):
    """How far each picture's distribution is from the standard normal one, in nats."""

    kl: list[float]


def kinds_of(values: Mapping[str, object]) -> dict[str, str]:
    """The family that a direction was learnt in, from the file's header."""
    from nodes.diffusion.latents.directions import kind_in

    file = values.get("file")
    return {"K": kind_in(file, "file")} if isinstance(file, Path) else {}


@node("LearnDirection", category="latent")
def learn_direction(
    plus: list[Latent[K]],
    minus: list[Latent[K]],
    *,
    where: Annotated[
        Literal["place by place", "the same everywhere"],
        Field(description="Whether the direction keeps its places or is one shift of each channel, for any size."),
    ] = "place by place",
) -> Direction[K]:
    """The direction from the one set of pictures to the other: the difference of their means in latent space."""
    from nodes.diffusion.latents import directions

    return directions.learnt(plus, minus, everywhere=where == "the same everywhere")


@node("FollowDirection", category="latent", facts=only_unmasked)
def follow_direction(
    latent: Latent[K],
    direction: Direction[K],
    *,
    strength: Annotated[float, Field(ge=-100, le=100, description="1 is the whole way; negative goes back.")] = 1.0,
) -> Latent[K]:
    """Move latents along a direction."""
    from nodes.diffusion.latents import directions

    return directions.followed(latent, direction, strength)


@node("SaveDirection", category="latent", deterministic=False, effect=True)
def save_direction(direction: Direction[K], *, name: FileName) -> Saved:
    """Write a direction as `name-0001.safetensors`; no file is ever overwritten."""
    from nodes.diffusion.latents import directions

    stem = current().paths.output(name, "name")
    file = str(write_numbered(stem, ".safetensors", directions.to_bytes(direction)))
    say(f"Saved {file}")
    return Saved([file])


@node("LoadDirection", category="latent", kinds=kinds_of)
def load_direction(*, file: DirectionPath) -> Direction[K]:
    """Read a direction from a file."""
    from nodes.diffusion.latents import directions

    return directions.from_file(file, "file")


@node("EditChannels", category="latent", facts=only_unmasked)
def edit_channels(latent: Latent[K], *, scale: Numbers = [], offset: Numbers = []) -> Latent[K]:  # noqa: B006  # never changed
    """Multiply each channel of a latent by a number of its own, then add one."""
    from nodes.diffusion.latents import latent_report

    return latent_report.edited(latent, scale, offset)


@node("RoundTrip", category="latent", device=True, facts=needing("vae", DECODER, check_vae))
def round_trip(
    vae: VAE[K],
    image: Image,
    *,
    gain: Annotated[float, Field(gt=0, le=100, description="Makes small errors visible.")] = 4.0,
) -> RoundTrip:
    """Encode pictures and decode them again: what latent space cannot hold is the error."""
    from nodes.diffusion.latents import autoencoding, latent_report, sheets

    back = autoencoding.decode(vae, autoencoding.sample_distribution(autoencoding.encode_image(vae, image)))
    return RoundTrip(back, sheets.difference(image, back, gain), latent_report.psnr(image, back))


@node("DistributionDivergence", category="latent")
def distribution_divergence(distribution: LatentDistribution[K]) -> Divergence:
    """How far each picture's distribution is from standard normal noise: the KL divergence in nats."""
    from nodes.diffusion.latents import latent_report

    return Divergence(latent_report.divergence(distribution))


@node("DescribeLatent", category="latent")
def describe_latent(latent: Latent[K], image: Image | None = None) -> str:
    """Say the shape of a latent, its numbers, and with its `image` how much smaller it is."""
    from nodes.diffusion.latents import latent_report

    return latent_report.described(latent, image)
