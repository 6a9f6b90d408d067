"""Parts without weights: a model may lack those that wiring brings, and none that is used. Nothing here imports torch.

A folder beside a single file is good for configurations and words. Its text encoders and its VAE may come from files
of their own, by LoadTextEncoder and LoadVAE; until they do, what needs them is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError

if TYPE_CHECKING:
    from nodes.diffusion.disk.parts import Part
    from nodes.diffusion.disk.source import ModelSource
    from nodes.diffusion.families.family import Family


def can_come_later(family: Family, name: str) -> bool:
    """Whether wiring can bring the weights of a part: a text encoder's or the VAE's."""
    return family.is_text(name) or name == family.decoder


def check_words(source: ModelSource, at: str) -> None:
    """Refuse to encode a prompt where a text encoder has no weights. Raises `bad_model` at `at`."""
    for name, part in sorted(source.parts.items()):
        if source.family.is_text(name) and part.bare:
            raise lacking(source, part, at)


def check_vae(source: ModelSource, at: str) -> None:
    """Refuse to encode or decode pictures where the VAE has no weights. Raises `bad_model` at `at`."""
    part = source.parts.get(source.family.decoder)
    if part is not None and part.bare:
        raise lacking(source, part, at)


def check_reading(source: ModelSource, at: str) -> None:
    """Refuse to sample where pictures are always read with the model's own VAE and that has no weights."""
    shown = source.family.pictures
    if shown is not None and (shown.always or shown.least):
        check_vae(source, at)


def lacking(source: ModelSource, part: Part, at: str) -> PatchbayError:
    """That a part which is used has no weights, and what brings them."""
    what = f"{source.name} has no weights for its {part.name}: {part.folder} holds none."
    fix = "Put them into that folder."
    if part.name == source.family.decoder:
        fix = "Put them into that folder; for encoding and decoding LoadVAE can bring them from a file."
    elif source.family.is_text(part.name):
        fix = "Name a text encoder's file in LoadTextEncoder and use what that gives, or put weights into the folder."
    return PatchbayError(Code.BAD_MODEL, at, what, fix)
