"""Pictures and latents made larger by models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from engine import node
from nodes.diffusion.disk import packages
from nodes.diffusion.disk.latent_upscaler_files import is_latent_upscaler, survey_latent_upscaler
from nodes.diffusion.disk.nets import wanted_files
from nodes.diffusion.disk.upscaler_files import survey_upscaler
from nodes.diffusion.latents.mask_rules import only_unmasked
from nodes.load import SingleFolder
from nodes.patches import PatchInput
from nodes.types import VAE, Image, K, Latent

UpscalerPath = Annotated[
    Path,
    PatchInput("upscaler", survey_upscaler),
    Field(description="A .safetensors file in the model folders, of any architecture that spandrel knows."),
]
LatentUpscalerPath = Annotated[
    Path,
    SingleFolder("latent upscaler", survey_latent_upscaler, is_latent_upscaler, wanted_files),
    Field(description="A local folder in Diffusers' format, or a hub id: the `latent_upsampler` of LTX or LTX 2."),
]
Share = Annotated[float, Field(ge=0, le=1)]
Tile = Annotated[int, Field(ge=32, le=8192, description="Pixels of a side run at once; less needs less memory.")]
Overlap = Annotated[int, Field(ge=0, le=1024, description="Pixels that neighbouring tiles share at least.")]


def check_upscaler(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Refuse to upscale where the library for it is not installed."""
    packages.check_upscaler("file")
    return {}


@node("UpscaleModel", category="image", device=True, facts=check_upscaler)
def upscale_model(image: Image, *, file: UpscalerPath, tile: Tile = 512, overlap: Overlap = 64) -> Image:
    """Make pictures larger, or restore them, by a model such as ESRGAN; how much larger is the model's own.

    Large pictures are run in tiles that fade into each other. Needs `pip install "patchbay[upscale]"`.
    """
    from nodes.diffusion.pictures.upscaling import upscaled

    return upscaled(image, file, tile, overlap)


@node("UpscaleLatent", category="latent", device=True, facts=only_unmasked)
def upscale_latent(
    vae: VAE[K],
    latent: Latent[K],
    *,
    model: LatentUpscalerPath,
    adain: Annotated[Share, Field(description="How far means and spreads are brought back to those before.")] = 0.0,
    tone_mapping: Annotated[Share, Field(description="How far large numbers are drawn in.")] = 0.0,
) -> Latent[K]:
    """Make the latent of a video larger by the upscaler of its family: LTX, LTX 2. A `Sample` may follow."""
    from nodes.diffusion.latents import upsampling

    return upsampling.upsampled(vae, latent, model, adain=adain, tone_mapping=tone_mapping)
