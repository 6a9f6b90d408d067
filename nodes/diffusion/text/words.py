"""Which words of a prompt a model does not know, for models that say what they know.

Such a model ships `tokenizer/words.json`: {"name": ..., "topics": {topic: [word, ...]}, "also": [word, ...]}, all in
lower case. What is under `topics` is worth naming to a user; `also` holds the small words that are known as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.parts import read_json

if TYPE_CHECKING:
    from nodes.diffusion.disk.source import ModelSource

_SHOWN = 10
"""How many unknown words are named."""


class KnownWords(BaseModel):
    """The list of words that a model ships."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    topics: dict[str, list[str]]
    also: list[str] = []

    def unknown(self, text: str) -> list[str]:
        """The words of the text that are not in the list, each once, in order, in lower case."""
        known = {word for words in (*self.topics.values(), self.also) for word in words}
        return list(dict.fromkeys(word for word in re.findall(r"[^\W\d_]+", text.lower()) if word not in known))


def known_words(source: ModelSource) -> KnownWords | None:
    """The list that the model ships, or nothing. Raises `bad_model` for a list that cannot be read."""
    path = source.config / "tokenizer" / "words.json"
    if not path.exists():
        return None
    try:
        return KnownWords.model_validate(read_json(path, "model"))
    except ValidationError as error:
        raise PatchbayError(Code.BAD_MODEL, "model", f"{path} is no list of words: {error}.") from error


def remark(source: ModelSource, text: str) -> str:
    """What to tell a user about words that the model does not know, and which it knows; nothing if it knows all."""
    known = known_words(source)
    unknown = known.unknown(text) if known else []
    if known is None or not unknown:
        return ""
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    topics = "; ".join(f"{topic}: {', '.join(words)}" for topic, words in known.topics.items())
    return f"Not known here: {', '.join(unknown[:_SHOWN])}{more}. {known.name} knows: {topics}."
