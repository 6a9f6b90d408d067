"""The model's tokenizer, a CLIPTokenizer whose words are those of the drawn world, and the list of them it ships."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from nodes.pocket import captions

if TYPE_CHECKING:
    from pathlib import Path

LENGTH = 32
"""Tokens that the text encoder reads, the first and the last mark included."""

START, END = "<|startoftext|>", "<|endoftext|>"
_ENOUGH = 5000
"""More tokens than there can be: every word is merged into one."""


def build() -> CLIPTokenizer:
    """A tokenizer that reads each known word as one token, and any other text letter by letter or in pieces."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = sorted({word for topic in captions.known_words().values() for word in topic})
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trainer = trainers.BpeTrainer(
        vocab_size=_ENOUGH, min_frequency=0, initial_alphabet=letters, end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator(words, trainer)
    merges: list[Any] = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *(a + b for a, b in merges), START, END]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(
        vocab=vocabulary, merges=merges, model_max_length=LENGTH, pad_token=END, unk_token=END,
        bos_token=START, eos_token=END,
    )  # fmt: skip


def write_words(folder: Path, name: str) -> None:
    """Put the list of known words beside the tokenizer, for whoever wants to tell a user."""
    topics = dict(captions.known_words())
    document = {"name": name, "also": topics.pop("others"), "topics": topics}
    (folder / "words.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
