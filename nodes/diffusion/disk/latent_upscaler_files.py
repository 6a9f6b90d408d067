"""Upscalers of latents on disk, found out about without reading a weight or importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.nets import NetSource, configuration, files_of
from nodes.diffusion.disk.parts import read_part
from nodes.diffusion.disk.source import stamp_of
from nodes.diffusion.families.family import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

LATENT_UPSCALER = "latent_upsampler"
"""What the part is called on the shelf, as the stock pipeline calls it."""

_CLASS = "LTXLatentUpsamplerModel"
_STEM = "diffusion_pytorch_model"
_RULE = Rule("diffusers.pipelines.ltx", (_CLASS,), "config.json", weights=_STEM)


def survey_latent_upscaler(path: Path, at: str) -> NetSource:
    """Find out what the upscaler of latents in the folder `path` is, or raise `PatchbayError` at `at`.

    Codes: `file_not_found`, `bad_model`, `pickled_model`, `unsupported_class`.
    """
    config = configuration(path, "upscaler of latents", "Diffusers", at)
    if not is_latent_upscaler(config):
        what = f'{path} is a "{config.get("_class_name")}", and no upscaler of latents that is supported.'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, f"Supported: {_CLASS}.")
    parts = {LATENT_UPSCALER: read_part(path, _CLASS, _RULE, at)}
    return NetSource(path, stamp_of(parts), path.name, "", parts)


def is_latent_upscaler(config: Mapping[str, object]) -> bool:
    """Whether a configuration is that of an upscaler of latents."""
    return config.get("_class_name") == _CLASS


def wanted_files(names: Iterable[str]) -> list[str]:
    """Of a repository's files, those of an upscaler of latents."""
    return files_of(names, _STEM)
