"""Which layers of a denoiser can be weakened, and by which names: from a model's headers alone, without torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

from engine.errors import Code, PatchbayError, nearest
from nodes.diffusion.changes.patch import SettingsPatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nodes.diffusion.disk.source import ModelSource
    from nodes.types import Weakening

PERTURBED: Mapping[str, str] = {
    "StableDiffusionPipeline": "mid_block",
    "StableDiffusionXLPipeline": "mid_block",
    "StableDiffusion3Pipeline": "transformer_blocks.1",
    "PixArtSigmaPipeline": "transformer_blocks.1",
    "SanaPipeline": "transformer_blocks.0",
    "HunyuanDiTPipeline": "blocks.1",
}
"""Families whose attention Diffusers can perturb, and the layers that its classes for it take by themselves."""

SMOOTHED = ("StableDiffusionPipeline", "StableDiffusionXLPipeline", "PixArtSigmaPipeline")
"""Those of them whose self-attention is of places alone, in one step, without words."""

_WITHOUT_NORMS = frozenset({"StableDiffusion3Pipeline", "SanaPipeline"})
"""Families whose perturbed attention leaves out the norms of queries and keys, also where nothing is perturbed."""

_SELF_ATTENTION = re.compile(r"(.+\.attn1?)\.to_q\.weight")
_BLOCK = re.compile(r"(\w+\.\d+)\..+")


@dataclass(frozen=True, slots=True)
class WeakPatch(SettingsPatch):
    """A model's weakened layers. With `against` its calls hold a batch against the prompt before the other two."""

    way: str
    layers: tuple[str, ...]
    against: bool = False

    noun: ClassVar = "weakened"

    def __str__(self) -> str:
        """What it is, in a line."""
        return f"{self.way} of {', '.join(self.layers)}"


def usual(source: ModelSource, weakening: Weakening) -> tuple[str, ...]:
    """The patterns that are given, or those that the family's own class for it takes."""
    if weakening.layers or weakening.way == "blocks":
        return weakening.layers
    return (PERTURBED[source.family.pipeline_class],)


def check_weakening(source: ModelSource, weakening: Weakening) -> None:
    """Refuse what the model does not have, as far as its headers tell, and a weaker model of another kind.

    Raises `bad_value`, `kind_mismatch`.
    """
    name = source.family.pipeline_class
    if weakening.model is not None:
        if weakening.model.kind != source.kind:
            what = f"The weaker model is of kind {weakening.model.kind}, and {source.name} is of kind {source.kind}."
            raise PatchbayError(Code.KIND_MISMATCH, "guider", what, f"Use a weaker model of kind {source.kind}.")
        return
    if weakening.way == "queries" and name not in SMOOTHED:
        what = f"SmoothAttention is not known for a {name}."
        raise PatchbayError(Code.BAD_VALUE, "guider", what, f"Use it with one of: {', '.join(SMOOTHED)}.")
    if weakening.way == "attention" and name not in PERTURBED:
        what = f"Diffusers perturbs no attention of a {name}."
        fix = f"Use SkipBlocks, or one of: {', '.join(PERTURBED)}."
        raise PatchbayError(Code.BAD_VALUE, "guider", what, fix)
    if weakening.way == "attention" and name in _WITHOUT_NORMS and source.parts["transformer"].config.get("qk_norm"):
        what = (
            f"The queries and keys of {source.name} are normed, which Diffusers' perturbed attention of a {name} omits."
        )
        raise PatchbayError(Code.BAD_VALUE, "guider", what, "It would change the whole prediction: use SkipBlocks.")
    if weakening.way == "blocks" and "transformer" not in source.family.denoisers:
        what = f"SkipBlocks leaves out blocks of a transformer, and a {name} has none."
        raise PatchbayError(Code.BAD_VALUE, "guider", what, "Use PerturbAttention.")
    pattern = _BLOCK if weakening.way == "blocks" else _SELF_ATTENTION
    for denoiser in source.family.denoisers:
        found = (
            pattern.fullmatch(each) for each in (source.parts[denoiser].shapes if denoiser in source.parts else ())
        )
        known = list(dict.fromkeys(match[1] for match in found if match))
        if known:
            chosen(usual(source, weakening), known, "guider")


def chosen(patterns: Sequence[str], known: Iterable[str], at: str) -> list[str]:
    """Of the `known` layers those that the patterns mean, in the model's order.

    A pattern means the layers whose names hold its parts, between dots, one after another; a star in a part stands for
    any letters: "mid_block", "down_blocks.1", "transformer_blocks.1*". Raises `bad_value` for one that means nothing.
    """
    known = list(known)
    if not patterns:
        raise PatchbayError(Code.BAD_VALUE, at, "No layers are named.", f"The model has {_some(known)}.")
    meant = {pattern: [name for name in known if _means(pattern.split("."), name.split("."))] for pattern in patterns}
    for pattern, names in meant.items():
        if not names:
            what = f'The model has no layer "{pattern}" that could be weakened. {nearest(pattern, _holders(known))}'
            raise PatchbayError(Code.BAD_VALUE, at, what.rstrip(), f"It has {_some(known)}.")
    return [name for name in known if any(name in names for names in meant.values())]


def _means(pattern: Sequence[str], name: Sequence[str]) -> bool:
    starts = range(len(name) - len(pattern) + 1)
    return any(all(map(fnmatchcase, name[start : start + len(pattern)], pattern)) for start in starts)


def _holders(names: Iterable[str]) -> list[str]:
    """The layers, and what holds them."""
    parts = [name.split(".") for name in names]
    return list(dict.fromkeys(".".join(each[:length]) for each in parts for length in range(1, len(each) + 1)))


def _some(names: Sequence[str]) -> str:
    """The names, or the first and the last of many."""
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:3])} ... {names[-1]} ({len(names)} in all)"  # noqa: PLR2004
