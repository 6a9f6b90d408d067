"""Weighted words for text encoders that read a prompt in one piece: T5 in FLUX, SD 3, PixArt, Wan and others.

The stock pipeline encodes the prompt without its brackets. Its tokenizers tell on the way which token is of which
words, and its text encoders give e + weight * (z - e) for a token, where z is its vector and e the one at the same
place of the empty prompt: ComfyUI's formula (comfy/sd1_clip.py, `ClipTokenWeightEncoder`), there for T5 as for CLIP.
Where a pipeline blanks what lies behind the empty prompt's end, e is nothing there, as in ComfyUI. CLIP encoders beside
a T5 do the same, and a pooled prompt is left as it is. A weight of 1 changes no bit.
"""

from __future__ import annotations

import inspect
from copy import copy
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.text import chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nodes.diffusion.text.weighting import Piece


def encoded(pipeline: Any, pieces: Sequence[Piece], encode: Callable[[str], dict[str, Any]]) -> dict[str, Any]:  # noqa: ANN401
    """What `encode`, which runs the pipeline's own encoders on a text, gives for the pieces with their weights.

    Raises `bad_value` where the pipeline rewrites the text, so that no token is known to be of a piece.
    """
    text = "".join(piece.text for piece in pieces)
    if all(piece.weight == 1 for piece in pieces):
        return encode(text)
    blanked = (encode("")[chunks.EMBEDS] == 0).all(-1)[0].nonzero().flatten().tolist()
    marking: list[Marking] = []
    for name in [each for each in pipeline.source.parts if each.startswith("tokenizer")]:
        tokenizer = Marking(getattr(pipeline, name), pieces)
        encoder = name.replace("tokenizer", "text_encoder")
        setattr(pipeline, name, tokenizer)
        setattr(pipeline, encoder, _weighing(getattr(pipeline, encoder), tokenizer, blanked))
        marking.append(tokenizer)
    found = encode(text)
    if any(each.is_lost for each in marking):
        what = "The model's pipeline rewrites this prompt before it is read, so the weights of its words are lost."
        fix = "Write it in plain characters, and leave out what the pipeline would take away."
        raise PatchbayError(Code.BAD_VALUE, "text", what, fix)
    return found


class Marking:
    """Poses as a tokenizer and remembers how much each token of the weighted text counts."""

    def __init__(self, tokenizer: Any, pieces: Sequence[Piece]) -> None:  # noqa: ANN401
        self._tokenizer = tokenizer
        self._letters = [(letter, piece.weight) for piece in pieces for letter in _letters(piece.text)]
        self._known: dict[tuple[int, ...], list[float]] = {}
        self._was_asked = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._tokenizer, name)

    @property
    def is_lost(self) -> bool:
        """Whether there were texts, and the weighted one was not among them."""
        return self._was_asked and not self._known

    def __call__(self, text: str | list[str], **how: Any) -> Any:  # noqa: ANN401
        """What the tokenizer gives."""
        self._was_asked = True
        texts = [text] if isinstance(text, str) else text
        marked = self._tokenizer(texts, **{**how, "return_tensors": None, "return_offsets_mapping": True})
        for each, ids, spans in zip(texts, marked["input_ids"], marked["offset_mapping"], strict=True):
            if _letters(each) == [letter for letter, _ in self._letters]:
                self._known[tuple(ids)] = self._weights(each, spans)
        return self._tokenizer(text, **how)

    def _weights(self, text: str, spans: Sequence[tuple[int, int]]) -> list[float]:
        """The weight of each token by its span in the text: that of its last letter, 1 where it has none."""
        weights: list[float] = []
        for start, end in spans:
            upto = len(_letters(text[:end]))
            weights.append(self._letters[upto - 1][1] if _letters(text[start:end]) else 1.0)
        return weights

    def weights(self, ids: torch.Tensor) -> torch.Tensor:
        """How much tokens [batch, tokens] count, [batch, tokens, 1]."""
        found = [self._known.get(tuple(row), [1.0] * len(row)) for row in ids.tolist()]
        return torch.tensor(found, device=ids.device).unsqueeze(-1)

    def empty(self, ids: torch.Tensor) -> Any:  # noqa: ANN401  # transformers' own mapping
        """The tokens of as many empty prompts of this length."""
        length = {"padding": "max_length", "max_length": ids.shape[1], "truncation": True}
        return self._tokenizer([""] * len(ids), **length, return_tensors="pt").to(ids.device)


def _letters(text: str) -> list[str]:
    """What a text is made of but for spaces and capitals, which pipelines may change."""
    return [letter.lower() for letter in text if not letter.isspace()]


def _weighing(encoder: Any, tokenizer: Marking, blanked: Sequence[int]) -> Any:  # noqa: ANN401  # transformers' models
    """A text encoder that weighs the tokens of this tokenizer; others use the same weights.

    `blanked` are the places where the pipeline leaves nothing of the empty prompt.
    """
    own, forward = copy(encoder), encoder.forward
    signature = inspect.signature(forward)

    def weighed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        said, asked = forward(*args, **kwargs), signature.bind(*args, **kwargs)
        ids = asked.arguments["input_ids"]
        weights = tokenizer.weights(ids)
        if not bool((weights != 1).any()):
            return said
        empty = tokenizer.empty(ids)
        asked.arguments["input_ids"] = empty.input_ids
        if asked.arguments.get("attention_mask") is not None:
            asked.arguments["attention_mask"] = empty.attention_mask.to(asked.arguments["attention_mask"])
        nothing = forward(*asked.args, **asked.kwargs)
        nothing["last_hidden_state"][:, [place for place in blanked if place < ids.shape[1]]] = 0
        said["last_hidden_state"] = chunks.towards(said["last_hidden_state"], nothing["last_hidden_state"], weights)
        if said.get("hidden_states") is not None:
            both = zip(said["hidden_states"], nothing["hidden_states"], strict=True)
            said["hidden_states"] = tuple(chunks.towards(own, other, weights) for own, other in both)
        return said

    own.forward = weighed
    return own
