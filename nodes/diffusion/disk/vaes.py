"""VAEs in folders of their own, for latents of a model that brings another one. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.nets import configuration
from nodes.diffusion.disk.parts import read_part, rule_for
from nodes.diffusion.families.family import LATENT_CHANNELS

if TYPE_CHECKING:
    from pathlib import Path

    from nodes.diffusion.disk.parts import Part
    from nodes.diffusion.disk.source import ModelSource

TINY = "AutoencoderTiny"
"""A small VAE that is trained to say what a large one says."""

_PLAIN = "AutoencoderKL"
"""The class of those that a small one stands for."""

_AGAIN = "Decode with the VAE of the one and encode with the other's."

_SCALES = {"scaling_factor": 0.18215, "shift_factor": 0.0}
"""What latents of the plain class are scaled by where its configuration does not say."""


def survey_vae(path: Path, at: str) -> Part:
    """The VAE in the folder `path`, or `PatchbayError` at `at` with what is wrong.

    Codes: `file_not_found`, `bad_model`, `pickled_model`, `unsupported_class`.
    """
    class_name = str(configuration(path, "VAE", "Diffusers", at).get("_class_name"))
    if not class_name.startswith(("Autoencoder", "AsymmetricAutoencoder")):
        what = f'{path} is a "{class_name}", and no VAE that is supported.'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Give the folder of a VAE.")
    return read_part(path, class_name, rule_for(path, "diffusers", class_name), at)


def own_vae(source: ModelSource) -> Part:
    """The model's own VAE. Raises `bad_value` for a model that works on pixels."""
    own = source.parts.get(source.family.decoder)
    if own is None:
        raise PatchbayError(Code.BAD_VALUE, "vae", f"{source.name} has no VAE: it works on pixels.", "Use it without.")
    return own


def swapped(source: ModelSource, part: Part, at: str) -> ModelSource:
    """The model with another VAE for the same latents. Raises `kind_mismatch` for one that reads others.

    How a small VAE's latents are scaled is not written in it, so of these only sizes can be told apart.
    """
    own = own_vae(source)
    if part.class_name != own.class_name and (part.class_name, own.class_name) != (TINY, _PLAIN):
        what = (
            f"{part.folder} is a {part.class_name}, and the latents of {source.name} are those of a {own.class_name}."
        )
        raise PatchbayError(Code.KIND_MISMATCH, at, what, "Use a VAE of the model's family.")
    for what, ours, theirs in _facts(own, part):
        if ours != theirs:
            said = f"{part.folder} has {what} {theirs}, and the VAE of {source.name} has {ours}."
            raise PatchbayError(Code.KIND_MISMATCH, at, said, "Use a VAE of the model's family.")
    return source.with_part(replace(part, name=own.name))


def check_space(source: ModelSource, other: ModelSource, at: str) -> None:
    """Refuse two models whose latents do not mean the same pictures. Raises `kind_mismatch` at `at`.

    Known are those of the plain class alone, which models scale and do no more with.
    """
    one, two = own_vae(source), own_vae(other)
    for model, part in ((source, one), (other, two)):
        if part.class_name != _PLAIN:
            what = (
                f"The latents of {model.name} are those of a {part.class_name}, which no other model is known to share."
            )
            raise PatchbayError(Code.KIND_MISMATCH, at, what, _AGAIN)
    for what, ours, theirs in _facts(one, two):
        if ours != theirs:
            said = f"The VAE of {other.name} has {what} {theirs}, and that of {source.name} has {ours}."
            raise PatchbayError(Code.KIND_MISMATCH, at, said, _AGAIN)


def _facts(own: Part, other: Part) -> list[tuple[str, object, object]]:
    """What must be alike in two VAEs for the same latents: in words, of the one, of the other."""
    facts: list[tuple[str, object, object]] = [
        ("latent channels", own.first_integer(LATENT_CHANNELS), other.first_integer(LATENT_CHANNELS)),
        ("levels", _levels(own), _levels(other)),
    ]
    if other.class_name == own.class_name:
        facts += [(name, _scale(own, name), _scale(other, name)) for name in _SCALES]
        facts += [(name, own.config.get(name), other.config.get(name)) for name in ("latents_mean", "latents_std")]
    return facts


def _scale(part: Part, name: str) -> object:
    value = part.config.get(name)
    return _SCALES[name] if value is None else value


def _levels(part: Part) -> int | None:
    """How many times its decoder doubles the sides, and one."""
    name = "decoder_block_out_channels" if part.class_name == TINY else "block_out_channels"
    value = part.config.get(name)
    return len(value) if isinstance(value, (list, tuple)) else None
