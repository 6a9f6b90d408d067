"""The model's tokenizer, a CLIPTokenizer whose words are those of the drawn world, and the list of them it ships."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

from nodes.pocket import captions

if TYPE_CHECKING:
    from pathlib import Path

LENGTH = 32
"""Tokens that the text encoder reads, the first and the last mark included."""

START, END = "<|startoftext|>", "<|endoftext|>"
_LAST = "</w>"
"""Marks the last piece of a word."""


def build() -> CLIPTokenizer:
    """A tokenizer that reads each known word as one token, and any other text letter by letter or in pieces."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = _merges({word for topic in captions.known_words().values() for word in topic})
    tokens = [*letters, *(f"{letter}{_LAST}" for letter in letters), *(a + b for a, b in merges), START, END]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(
        vocab=vocabulary, merges=merges, model_max_length=LENGTH, pad_token=END, unk_token=END,
        bos_token=START, eos_token=END,
    )  # fmt: skip


def _merges(words: set[str]) -> list[Any]:
    """Byte pair encoding until every word is one piece: the commonest pair of neighbours first, ties by the alphabet.

    Written here because the tokenizers library breaks ties differently in each process, and token ids must last.
    """
    pieces = {word: [*word[:-1], word[-1] + _LAST] for word in words}
    merges: list[tuple[str, str]] = []
    while pairs := Counter(pair for parts in pieces.values() for pair in pairwise(parts)):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for word, parts in pieces.items():
            pieces[word] = _merged(parts, best)
    return merges


def _merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    """The parts with each occurrence of the pair made one."""
    found: list[str] = []
    for part in parts:
        if found and (found[-1], part) == pair:
            found[-1] += part
        else:
            found.append(part)
    return found


def write_words(folder: Path, name: str) -> None:
    """Put the list of known words beside the tokenizer, for whoever wants to tell a user."""
    topics = dict(captions.known_words())
    document = {"name": name, "also": topics.pop("others"), "topics": topics}
    (folder / "words.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
