r"""Weights in a prompt: what `(word:1.2)`, `((word))`, `[word]` and `\(` mean.

The notation is the one that AUTOMATIC1111's web UI made common: round brackets multiply by 1.1, or by the number behind
a colon; square ones divide by 1.1; brackets inside each other multiply; a backslash makes a bracket a mere character.
Nothing here imports torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError

if TYPE_CHECKING:
    from nodes.diffusion.disk.source import ModelSource
    from nodes.types import Weights

STEP = 1.1
"""What a pair of round brackets without a number multiplies by, and a square pair divides by."""

CLIP = frozenset({"CLIPTextModel", "CLIPTextModelWithProjection"})
"""Text encoders that read a prompt in windows, so one of any length."""

_ENCODERS = CLIP | {"T5EncoderModel", "UMT5EncoderModel", "BertModel"}
"""Text encoders that give a vector for each token of the prompt, and for nothing else."""

_TOKEN = re.compile(r"\\[()\[\]\\]|[()\[\]]|[^()\[\]\\]+|\\")
_NUMBERED = re.compile(r"(.*):\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*", re.DOTALL)
_CLOSES = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a prompt, and how much it counts."""

    text: str
    weight: float = 1.0


@dataclass(slots=True)
class _Group:
    """An open pair of brackets: the bracket, where it stands, and what it holds so far, each with its own weights."""

    bracket: str
    place: int
    held: list[tuple[str, tuple[float, ...]]]


def reads_windows(source: ModelSource) -> bool:
    """Whether every text encoder of the model is CLIP, and the model no prior, which reads a prompt as one vector."""
    return all(name in CLIP for name in _readers(source)) and not source.family.is_seeing


def check(source: ModelSource, how: Weights) -> None:
    """Refuse models and formulas that weights are not defined for. Raises `bad_value` at `weights`."""
    others = [name for name in _readers(source) if name not in _ENCODERS]
    what, fix = "", 'Set "weights" to "off" and say it in words.'
    if source.family.is_seeing or source.family.after is not None:
        what = f"{source.family.pipeline_class} reads a prompt as one vector too, in which no word has a weight."
    elif others:
        what = f"Weights are defined for CLIP and T5 only, and this model reads with {', '.join(others)}."
    elif not reads_windows(source) and source.family.joint:
        what = "This model encodes a prompt together with the one against it, so neither can have weights."
    elif not reads_windows(source) and how == "mean kept":
        what = f'"mean kept" is defined for CLIP only, and this model reads with {", ".join(_readers(source))}.'
        fix = 'Set "weights" to "towards empty".'
    if what:
        raise PatchbayError(Code.BAD_VALUE, "weights", what, fix)


def _readers(source: ModelSource) -> list[str]:
    """The classes of the model's text encoders."""
    return [part.class_name for part in source.parts.values() if source.family.is_text(part.name) and part.trained]


def parse(prompt: str) -> list[Piece]:
    """The pieces of a prompt in order, neighbours of equal weight joined; at least one, which may be empty.

    Raises `bad_value` at `text` for a bracket without its partner and for what changes a prompt during a run.
    """
    groups, plain = [_Group("", 0, [])], False
    for match in _TOKEN.finditer(prompt):
        token = match[0]
        if token in {"(", "["}:
            groups.append(_Group(token, match.start(), []))
        elif token in _CLOSES:
            group = groups.pop()
            if group.bracket != _CLOSES[token]:
                raise _unmatched(prompt, match.start())
            groups[-1].held += _closed(prompt, group, plain=plain)
        else:
            groups[-1].held.append((token[1:] if len(token) == 2 and token[0] == "\\" else token, ()))  # noqa: PLR2004
        plain = token[0] not in "()[]\\"
    if len(groups) > 1:
        raise _unmatched(prompt, groups[-1].place)
    return _joined(groups[0].held)


def _closed(prompt: str, group: _Group, *, plain: bool) -> list[tuple[str, tuple[float, ...]]]:
    """What a group holds, each with the group's weight; `plain` says that it ends with words, so maybe a number."""
    factor = STEP if group.bracket == "(" else 1 / STEP
    numbered = _NUMBERED.fullmatch(group.held[-1][0]) if plain and group.held else None
    if numbered and group.bracket == "[":
        what = f'"{prompt[group.place :][:40]}" would change the prompt during the run, which is not known here.'
        fix = r"Use SampleSteps with two prompts, or write \[ where a bracket is meant."
        raise PatchbayError(Code.BAD_VALUE, "text", what, fix)
    if numbered:
        group.held[-1] = (numbered[1], group.held[-1][1])
        factor = float(numbered[2])
    return [(text, (*weights, factor)) for text, weights in group.held]


def _joined(held: list[tuple[str, tuple[float, ...]]]) -> list[Piece]:
    pieces: list[Piece] = []
    for text, factors in held:
        weight = prod(factors, start=1.0)
        if pieces and pieces[-1].weight == weight:
            pieces[-1] = Piece(pieces[-1].text + text, weight)
        elif text:
            pieces.append(Piece(text, weight))
    return pieces or [Piece("")]


def _unmatched(prompt: str, place: int) -> PatchbayError:
    what = f'The bracket "{prompt[place]}" at character {place + 1} has no partner: "{prompt[place:][:40]}".'
    return PatchbayError(
        Code.BAD_VALUE, "text", what, f"Close it, or write \\{prompt[place]} for the character itself."
    )
