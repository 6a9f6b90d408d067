"""Upscalers of latents on disk, found out about without reading a weight or importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.errors import Code, PatchbayError, nearest
from nodes.diffusion.disk.nets import NetSource, configuration
from nodes.diffusion.disk.parts import read_part
from nodes.diffusion.disk.source import stamp_of
from nodes.diffusion.families.family import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LATENT_UPSCALER = "latent_upsampler"
"""What the part is called on the shelf."""


class Known(NamedTuple):
    """An upscaler: where Diffusers keeps its class, the pipeline that runs it, and the VAE that makes the latents."""

    library: str
    pipeline: str
    vae: str


KNOWN: Mapping[str, Known] = {
    "LTXLatentUpsamplerModel": Known("diffusers.pipelines.ltx", "LTXLatentUpsamplePipeline", "AutoencoderKLLTXVideo"),
    "LTX2LatentUpsamplerModel": Known(
        "diffusers.pipelines.ltx2", "LTX2LatentUpsamplePipeline", "AutoencoderKLLTX2Video"
    ),
}
"""The upscalers by their classes."""


def survey_latent_upscaler(path: Path, at: str) -> NetSource:
    """Find out what the upscaler in the folder `path` is, or raise `PatchbayError` at `at` with what is wrong.

    Codes: `file_not_found`, `bad_model`, `pickled_model`, `unsupported_class`.
    """
    name = str(configuration(path, "latent upscaler", "Diffusers", at).get("_class_name"))
    if name not in KNOWN:
        what = f'{path} is a "{name}", and no upscaler of latents that is supported. {nearest(name, KNOWN)}'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what.rstrip(), f"Supported: {', '.join(KNOWN)}.")
    rule = Rule(KNOWN[name].library, (), "config.json", weights="diffusion_pytorch_model")
    parts = {LATENT_UPSCALER: read_part(path, name, rule, at)}
    return NetSource(path, stamp_of(parts), path.name, "", parts)


def is_latent_upscaler(config: Mapping[str, object]) -> bool:
    """Whether a configuration is that of an upscaler of latents."""
    return config.get("_class_name") in KNOWN


def check_fits(upscaler: NetSource, vae: str, channels: int) -> None:
    """Refuse an upscaler for latents of another VAE class or of another number of channels. Raises `bad_value`."""
    own = upscaler.parts[LATENT_UPSCALER].first_integer(("in_channels",)) or channels
    maker = KNOWN[upscaler.class_name].vae
    if (maker, own) != (vae, channels):
        what = f"{upscaler.name} enlarges latents of {own} channels, as {maker} makes them; "
        what += f"these have {channels}, and are of {vae}."
        raise PatchbayError(Code.BAD_VALUE, "model", what, "Use the upscaler of the model's family.")
