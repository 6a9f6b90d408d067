"""Which model goes before which, where pictures are drawn in two parts: a prior's embedding, and a picture after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError

if TYPE_CHECKING:
    from nodes.diffusion.families.family import After, Family

EMBEDDED = "embedded"
"""The fact that a prompt carries an embedding to draw after."""


def pair(decoder: Family, prior: Family) -> After:
    """What the decoder draws after. Raises `bad_value` where it is nothing, `kind_mismatch` for another prior's."""
    if decoder.after is None:
        what = f"{decoder.pipeline_class} draws after no embedding of a picture."
        raise PatchbayError(Code.BAD_VALUE, "conditioning", what, "Take ApplyPrior away.")
    if prior.name != decoder.after.prior:
        what = f"{decoder.pipeline_class} does not draw after what a {prior.pipeline_class} draws."
        raise PatchbayError(Code.KIND_MISMATCH, "prior", what, f"Use a model of the family {decoder.after.prior}.")
    return decoder.after


def check_embedded(decoder: Family, *, embedded: bool) -> None:
    """Refuse a prompt without the embedding that a decoder draws after. Raises `bad_value`."""
    if decoder.after is not None and not embedded:
        what = f"{decoder.pipeline_class} draws after the embedding of a picture, and the prompt carries none."
        fix = f"Put ApplyPrior behind the prompt, with what a {decoder.after.prior} model drew."
        raise PatchbayError(Code.BAD_VALUE, "positive", what, fix)
