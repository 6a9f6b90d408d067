"""Guidance away from a weaker model: nodes that give a guider its third prediction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from engine import node
from engine.errors import Code, PatchbayError
from nodes.load import PLACE, source_of
from nodes.types import Denoiser, Guider, K, ShareEnd, ShareStart, Weakening

Away = Annotated[float, Field(ge=0, le=100, description="How strongly it leads away from the weaker prediction.")]
Layers = Annotated[
    list[str],
    Field(
        max_length=64,
        description="Names of layers or of what holds them, a star for any letters: mid_block, down_blocks.1. "
        "Empty for those that the family's PAG class takes.",
    ),
]
Blocks = Annotated[
    list[str],
    Field(min_length=1, max_length=64, description="Names of blocks, a star for any letters: transformer_blocks.7."),
]

WEAKENING = "weakening"
"""The fact that tells of a guider's weakened prediction."""


def check_perturbed(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse a second weakened prediction, and tell of this one."""
    return _told("attention", values, given)


def check_skipped(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The same for blocks."""
    return _told("blocks", values, given)


def check_smoothed(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The same for queries."""
    return _told("queries", values, given)


def check_weaker(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The same for another model, as far as that is known."""
    own = given.get("model", {})
    return _told("model", {"layers": [], **values}, given, {name: own[name] for name in PLACE if name in own})


def _told(
    way: str,
    values: Mapping[str, object],
    given: Mapping[str, Mapping[str, str]],
    place: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The fact of a weaker prediction; `place` are the facts of the model that gives it, if another one does."""
    if WEAKENING in given.get("guider", {}):
        raise _twice()
    layers, start, end = values.get("layers"), values.get("start", 0.0), values.get("end", 1.0)
    if not (isinstance(layers, list) and isinstance(start, (int, float)) and isinstance(end, (int, float))):
        return {}
    from nodes.diffusion.stages.checks import check_share

    check_share(start, end)
    told = {"way": way, "layers": layers, "strength": 1.0, "start": start, "end": end, "model": place}
    return {WEAKENING: json.dumps(told)}


def weakening_of(facts: Mapping[str, str]) -> Weakening | None:
    """The weaker prediction that the facts of a linked guider tell of; None where they tell of none, or not which."""
    if WEAKENING not in facts:
        return None
    found = json.loads(facts[WEAKENING])
    other = source_of(found["model"] or {})
    if found["way"] == "model" and other is None:
        return None
    return Weakening(**{**found, "layers": tuple(found["layers"]), "model": other and Denoiser(other)})


def _twice() -> PatchbayError:
    what = "This guider leads away from a weaker prediction already."
    return PatchbayError(
        Code.BAD_VALUE, "guider", what, "Use one of PerturbAttention, SmoothAttention, SkipBlocks and AutoGuidance."
    )


def _with(guider: Guider | None, weakening: Weakening) -> Guider:
    from nodes.diffusion.stages.checks import check_share

    check_share(weakening.start, weakening.end)
    if guider is None:
        return Guider("CFG", weakening=weakening)
    if guider.weakening is not None:
        raise _twice()
    return replace(guider, weakening=weakening)


@node("PerturbAttention", category="sampling", facts=check_perturbed)
def perturb_attention(
    guider: Guider | None = None,
    *,
    scale: Away = 3.0,
    layers: Layers = [],  # noqa: B006  # never changed: a value of the graph
    start: ShareStart = 0.0,
    end: ShareEnd = 1.0,
) -> Guider:
    """Guide away from what the model says when its self-attention sees nothing around (PAG).

    Sharpens structure, with and without a negative prompt, and costs a third prediction a step. Stable Diffusion, SDXL,
    SD 3, PixArt Sigma, Sana and HunyuanDiT, bit for bit as Diffusers' PAG classes. Ahn et al. (2024).
    """
    return _with(guider, Weakening("attention", tuple(layers), scale, start, end))


@node("SmoothAttention", category="sampling", facts=check_smoothed)
def smooth_attention(
    guider: Guider | None = None,
    *,
    scale: Away = 3.0,
    layers: Layers = [],  # noqa: B006  # never changed: a value of the graph
    start: ShareStart = 0.0,
    end: ShareEnd = 1.0,
) -> Guider:
    """Guide away from what the model says when its self-attention asks for the same everywhere (SEG).

    Gentler than PerturbAttention: each place still sees all others. With and without a negative prompt, for a
    prediction more a step. Stable Diffusion, SDXL, PixArt Sigma. Hong (2024), with its infinite blur.
    """
    return _with(guider, Weakening("queries", tuple(layers), scale, start, end))


@node("SkipBlocks", category="sampling", facts=check_skipped)
def skip_blocks(
    guider: Guider | None = None,
    *,
    scale: Away = 2.8,
    layers: Blocks = ["transformer_blocks.7", "transformer_blocks.8", "transformer_blocks.9"],  # noqa: B006  # as above
    start: ShareStart = 0.01,
    end: ShareEnd = 0.2,
) -> Guider:
    """Guide away from what a transformer says when some of its blocks are left out (SLG).

    Helps structure and hands, and costs a prediction more in its share of the steps. The defaults are those for Stable
    Diffusion 3.5 medium. As in Diffusers it acts between the two shares, so never in the very first step.
    """
    return _with(guider, Weakening("blocks", tuple(layers), scale, start, end))


@node("AutoGuidance", category="sampling", facts=check_weaker)
def auto_guidance(
    model: Denoiser[K],
    guider: Guider | None = None,
    *,
    scale: Away = 1.0,
    start: ShareStart = 0.0,
    end: ShareEnd = 1.0,
) -> Guider:
    """Guide away from what a weaker model of the same kind says of the prompt: smaller, or less trained.

    Corrects what both do wrong and leaves variety, with and without a negative prompt, for a prediction of the weaker
    model a step. Their own scale is this one and 1 more. Karras et al. (2024).
    """
    return _with(guider, Weakening("model", (), scale, start, end, model))
