"""Directions in latent space: learnt from two sets of pictures, followed, and kept in files.

The difference of two means is what tells two sets apart to first order; Radford et al., "Unsupervised Representation
Learning with Deep Convolutional Generative Adversarial Networks" (2016), section 6.3, found that it carries meaning.
A file is safetensors with one tensor, `delta`, and one entry of metadata, the kind of the models: safetensors writes
several in any order, and equal directions should be equal files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.diffusion.latents.mask_rules import check_unmasked
from nodes.types import Direction, Latent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import torch

_KIND, _TENSOR = "patchbay.direction", "delta"


def learnt(plus: Sequence[Latent[Any]], minus: Sequence[Latent[Any]], *, everywhere: bool) -> Direction[Any]:
    """From the mean of the one set of pictures to the mean of the other, every picture of a batch counted alike.

    With `everywhere` the mean is taken over the places as well, which leaves a shift of each channel. Raises
    `kind_mismatch` for pictures of different families, `bad_value` for none, or for different sizes.
    """
    sets = {"plus": plus, "minus": minus}
    kinds = {latent.kind for latents in sets.values() for latent in latents}
    if len(kinds) > 1:
        what = f"These latents are of the kinds {', '.join(sorted(kinds))}."
        raise PatchbayError(Code.KIND_MISMATCH, "minus", what, "Encode all pictures with the VAE of one model.")
    means = [_mean(name, latents, everywhere=everywhere) for name, latents in sets.items()]
    if means[0].shape != means[1].shape:
        what = f"One set has latents of the shape {tuple(means[0].shape[1:])}, the other {tuple(means[1].shape[1:])}."
        raise PatchbayError(Code.BAD_VALUE, "minus", what, "Resize the pictures, or learn the same for everywhere.")
    return Direction(means[0] - means[1], kinds.pop())


def _mean(name: str, latents: Sequence[Latent[Any]], *, everywhere: bool) -> torch.Tensor:
    import torch

    if not latents:
        raise PatchbayError(Code.BAD_VALUE, name, "There is no picture to learn from.", "Link at least one latent.")
    shapes = {tuple(latent.samples.shape[1:]) for latent in latents}
    if everywhere:
        flat = [latent.samples.double().mean((-2, -1), keepdim=True) for latent in latents]
    elif len(shapes) == 1:
        flat = [latent.samples.double() for latent in latents]
    else:
        what = f"These latents differ in size: {', '.join(map(str, sorted(shapes)))}."
        raise PatchbayError(Code.BAD_VALUE, name, what, "Resize the pictures, or learn the same for everywhere.")
    return torch.cat(flat).mean(0, keepdim=True).to(latents[0].samples.dtype)


def followed(latent: Latent[Any], direction: Direction[Any], strength: float) -> Latent[Any]:
    """The latent, `strength` times along the direction. Raises `kind_mismatch`, or `bad_value` for another size."""
    check_unmasked(latent)
    if latent.kind != direction.kind:
        what = f"The latent is of kind {latent.kind}, the direction of kind {direction.kind}."
        raise PatchbayError(Code.KIND_MISMATCH, "direction", what, "Both must come from models of the same family.")
    sizes = (tuple(latent.samples.shape[1:]), tuple(direction.delta.shape[1:]))
    if sizes[0] != sizes[1] and (sizes[0][0] != sizes[1][0] or set(sizes[1][1:]) != {1}):
        what = f"The latent has the shape {sizes[0]}, the direction {sizes[1]}."
        raise PatchbayError(Code.BAD_VALUE, "direction", what, "Use one size, or learn the same for everywhere.")
    return Latent(latent.samples + strength * direction.delta, latent.kind, sound=latent.sound)


def to_bytes(direction: Direction[Any]) -> bytes:
    """The direction as the bytes of a file."""
    from safetensors.torch import save

    return save({_TENSOR: direction.delta.contiguous()}, {_KIND: direction.kind})


def kind_in(path: Path, at: str) -> str:
    """The kind of the models that the direction in a file is for, from its header. Raises `bad_value`."""
    kind = _metadata(path, at).get(_KIND)
    if not kind:
        what = f"{path} is a safetensors file, but holds no direction."
        raise PatchbayError(Code.BAD_VALUE, at, what, "Choose a file that SaveDirection has written.")
    return kind


def _metadata(path: Path, at: str) -> Mapping[str, str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        what = f"{path} cannot be read: {error}."
        raise PatchbayError(Code.BAD_VALUE, at, what, "Choose a file that SaveDirection has written.") from error


def from_file(path: Path, at: str) -> Direction[Any]:
    """The direction in a file. Raises `bad_value`."""
    from safetensors.torch import load_file

    kind = kind_in(path, at)
    delta = load_file(path).get(_TENSOR)
    if delta is None or delta.ndim != 4 or delta.shape[0] != 1:  # noqa: PLR2004  # [1, channels, height, width]
        what = f"{path} holds no direction of the shape [1, channels, height, width]."
        raise PatchbayError(Code.BAD_VALUE, at, what, "Choose a file that SaveDirection has written.")
    return Direction(delta, kind)
