"""What the plan knows of latents with a mask and of models that read one, and what it refuses. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.types import Latent

    Given = Mapping[str, Mapping[str, str]]

MASK = "mask"
"""The fact about a latent: what of a mask it brings."""

NONE, ALONE, WITH_PICTURE = "none", "alone", "with the picture"
"""No mask, a mask, or a mask and the picture around it."""

READS = "reads"
"""The fact about a model that was made for inpainting: that it reads a mask."""


def check_readable(brought: str) -> None:
    """Refuse a latent for a model that reads a mask and the picture around it, unless it brings both.

    Raises `bad_value`.
    """
    if brought == WITH_PICTURE:
        return
    lacks = "a mask without the picture around it" if brought == ALONE else "neither"
    what = f"This model was made for inpainting: it reads a mask and the picture around it. The latent brings {lacks}."
    raise PatchbayError(Code.BAD_VALUE, "latent", what, "Encode the picture with VAEEncodeMasked.")


def check_model(given: Given) -> None:
    """Refuse a latent that is known to lack what the model is known to read. Raises `bad_value`."""
    brought = given.get("latent", {}).get(MASK)
    if brought and given.get("model", {}).get(READS) == MASK:
        check_readable(brought)


def refuse_masked(port: str) -> None:
    """Refuse the masked latent at `port`, of which something else would be made. Raises `bad_value`."""
    what = "This latent has a mask, and what becomes of it where latents are changed is not said."
    raise PatchbayError(Code.BAD_VALUE, port, what, "Change the latent first, then mask the result.")


def check_unmasked(*latents: Latent[Any]) -> None:
    """Refuse latents with a mask, of which something else would be made. Raises `bad_value`."""
    if any(latent.mask is not None for latent in latents):
        refuse_masked("latent")


def no_mask(values: Mapping[str, object], given: Given) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """What comes out has no mask."""
    return {MASK: NONE}


def only_unmasked(values: Mapping[str, object], given: Given) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Refuse latents with a mask, for nodes that make another latent of them. Raises `bad_value`."""
    for port, facts in given.items():
        if facts.get(MASK, NONE) != NONE:
            refuse_masked(port)
    return {MASK: NONE}


def masked_alone(values: Mapping[str, object], given: Given) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """What comes out has a mask."""
    return {MASK: ALONE}


def masked_with_picture(values: Mapping[str, object], given: Given) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """What comes out has a mask and the picture around it."""
    return {MASK: WITH_PICTURE}
