"""Weighted and long prompts: as many of the text encoder's windows as the words need, joined.

A window is what the stock pipeline reads at once, 77 tokens in Stable Diffusion: a start, 75 tokens, an end. Each is
encoded by the stock pipeline itself, whose tokenizer is replaced by one that gives the window's tokens. A word is not
cut in two unless it is longer than a window. The pooled prompt is that of the first window.

Weights then act on the vectors of the tokens, z, in one of two ways:

- "towards empty", ComfyUI's (comfy/sd1_clip.py, `ClipTokenWeightEncoder`): e + weight * (z - e), where e is the vector
  at the same place of the empty prompt. Weight 0 is as if the window said nothing there.
- "mean kept", AUTOMATIC1111's (modules/sd_hijack_clip.py and sd_emphasis.py, "Original"): weight * z, then the whole
  window times a number that gives it back the mean it had, for each text encoder on its own.

Both leave a weight of 1 bit for bit as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.text.weighting import Piece, reads_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nodes.types import Conditioning, Weights

    Encode = Callable[[], dict[str, Any]]

EMBEDS = "prompt_embeds"


@dataclass(frozen=True, slots=True)
class Window:
    """The tokens of one window, start, end and padding included, and the weight of each."""

    ids: tuple[int, ...]
    weights: tuple[float, ...]
    used: int


class WindowTokenizer:
    """Poses as a tokenizer and gives the tokens of one window, whatever the text."""

    added_tokens_encoder: Mapping[str, int] = {}

    def __init__(self, window: Window) -> None:
        self.model_max_length = len(window.ids)
        self._window = window

    def tokenize(self, text: str) -> list[str]:  # noqa: ARG002  # the window's tokens are known
        """No token that would have to be replaced by several."""
        return []

    def __call__(self, text: str | list[str], **settings: object) -> Any:  # noqa: ANN401, ARG002  # as above
        """What a tokenizer gives for a text or a list of one text, as tensors."""
        from transformers import BatchEncoding

        ids = torch.tensor([self._window.ids])
        mask = (torch.arange(len(self._window.ids)) < self._window.used).long()[None]
        return BatchEncoding({"input_ids": ids, "attention_mask": mask})


def encoded(
    pipeline: Any,  # noqa: ANN401
    pieces: Sequence[Piece],
    how: Weights,
    encode: Encode,
) -> dict[str, Any]:
    """What `encode` gives for all windows of the prompt, joined and weighted.

    `encode` runs the pipeline's own encoder, with the tokenizers that the pipeline has then.
    """
    own = {name: getattr(pipeline, name) for name in pipeline.source.parts if name.startswith("tokenizer")}
    split = {name: windows(pipeline, tokenizer, pieces) for name, tokenizer in own.items()}
    blank = {name: windows(pipeline, tokenizer, [Piece("")])[0] for name, tokenizer in own.items()}
    is_weighted = any(piece.weight != 1 for piece in pieces)
    empty = _through(pipeline, blank, encode)[EMBEDS] if is_weighted and how == "towards empty" else None
    found: dict[str, Any] = {}
    for index in range(max(len(each) for each in split.values())):
        chosen = {name: each[index] if index < len(each) else blank[name] for name, each in split.items()}
        result = _through(pipeline, chosen, encode)
        result[EMBEDS] = _weighted(result[EMBEDS], empty, _weights(pipeline, chosen))
        found = {**result, EMBEDS: torch.cat([found[EMBEDS], result[EMBEDS]], 1), **_pooled(found)} if found else result
    return found


def _pooled(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != EMBEDS}


def _through(pipeline: Any, chosen: Mapping[str, Window], encode: Encode) -> dict[str, Any]:  # noqa: ANN401
    for name, window in chosen.items():
        setattr(pipeline, name, WindowTokenizer(window))
    return encode()


def windows(pipeline: Any, tokenizer: Any, pieces: Iterable[Piece]) -> list[Window]:  # noqa: ANN401
    """The windows that hold the pieces, at least one; `pipeline` knows which tokens stand for several."""
    length = tokenizer.model_max_length
    frame = tokenizer("", padding="max_length", max_length=length, truncation=True).input_ids
    filled: list[list[tuple[int, float]]] = [[]]
    room = length - 2
    for word, weight in _words(pipeline, tokenizer, pieces):
        if len(filled[-1]) + len(word) > room and (len(word) <= room or len(filled[-1]) == room):
            filled.append([])
        for token in word:
            if len(filled[-1]) == room:
                filled.append([])
            filled[-1].append((token, weight))
    return [_window(frame, tokens) for tokens in filled]


def _window(frame: Sequence[int], tokens: Sequence[tuple[int, float]]) -> Window:
    rest = len(frame) - len(tokens) - 2
    ids = (frame[0], *(token for token, _ in tokens), frame[1], *[frame[-1]] * rest)
    return Window(ids, (1.0, *(weight for _, weight in tokens), 1.0, *[1.0] * rest), len(tokens) + 2)


def _words(pipeline: Any, tokenizer: Any, pieces: Iterable[Piece]) -> list[tuple[list[int], float]]:  # noqa: ANN401
    """The tokens of each word with its weight. CLIP marks the last token of a word."""
    found: list[tuple[list[int], float]] = []
    convert = getattr(pipeline, "maybe_convert_prompt", lambda text, _: text)
    for piece in pieces:
        ids = tokenizer(convert(piece.text, tokenizer), add_special_tokens=False, verbose=False).input_ids
        begun: list[int] = []
        for number, name in zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True):
            begun.append(number)
            if name.endswith("</w>") or name in tokenizer.added_tokens_encoder:
                found.append((begun, piece.weight))
                begun = []
        found += [(begun, piece.weight)] if begun else []
    return found


def _weights(pipeline: Any, chosen: Mapping[str, Window]) -> list[tuple[int, torch.Tensor]]:  # noqa: ANN401
    """For each text encoder, how wide its vectors are and the weight of each token, [tokens, 1]."""
    parts = pipeline.source.parts
    return [
        (
            parts[name.replace("tokenizer", "text_encoder")].integer("hidden_size", "weights"),
            torch.tensor(window.weights)[:, None],
        )
        for name, window in sorted(chosen.items())
    ]


def _weighted(
    embeds: torch.Tensor, empty: torch.Tensor | None, weights: Sequence[tuple[int, torch.Tensor]]
) -> torch.Tensor:
    """The vectors of a window [1, tokens, features] weighted, those of each text encoder on their own."""
    made, first = [], 0
    for width, each in weights:
        own = embeds[..., first : first + width]
        weight = each.to(own.device)
        if not bool((weight != 1).any()):
            made.append(own)
        elif empty is not None:
            made.append(towards(own, empty[..., first : first + width], weight))
        else:
            scaled = own.float() * weight
            made.append((scaled * (own.float().mean() / scaled.mean())).to(own.dtype))
        first += width
    return torch.cat(made, -1)


def towards(own: torch.Tensor, empty: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Vectors [batch, tokens, features] away from those of the empty prompt, or towards them; 1 leaves them alone."""
    base = empty.float()
    return torch.where(weight == 1, own, (base + weight * (own.float() - base)).to(own.dtype))


def evened(
    positive: Conditioning[Any],
    negative: Conditioning[Any] | None,
    blank: Callable[[Conditioning[Any]], Conditioning[Any]],
) -> tuple[Conditioning[Any], Conditioning[Any] | None]:
    """Both with as many windows as the longer one; `blank` gives the window that says nothing beside a prompt."""
    if negative is None or EMBEDS not in negative.tensors or not reads_windows(positive.encoder.source):
        return positive, negative
    most = max(_length(positive), _length(negative))
    return _lengthened(positive, most, blank), _lengthened(negative, most, blank)


def _length(conditioning: Conditioning[Any]) -> int:
    return int(conditioning.tensors[EMBEDS].shape[1])


def _lengthened(
    conditioning: Conditioning[Any], length: int, blank: Callable[[Conditioning[Any]], Conditioning[Any]]
) -> Conditioning[Any]:
    if _length(conditioning) == length:
        return conditioning
    more = blank(conditioning).tensors[EMBEDS]
    times, rest = divmod(length - _length(conditioning), more.shape[1])
    if rest:
        what = f"Prompts of {_length(conditioning)} and {length} tokens cannot be brought to one length."
        raise PatchbayError(Code.BAD_VALUE, "negative", what, "Encode both with text encoders of one model.")
    tensors = {**conditioning.tensors, EMBEDS: torch.cat([conditioning.tensors[EMBEDS], *[more] * times], 1)}
    return replace(conditioning, tensors=tensors)
