"""Textual inversion: tokens of its own for a copy of the tokenizer, vectors for a twin of the text encoder.

The vectors stand beside the encoder's table, which stays the shared one; the numbers of the tokens are those that the
stock `load_textual_inversion` would give them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.patches import EmbeddingPatch
from nodes.diffusion.weights.libraries import diffusers, loaders
from nodes.diffusion.weights.loading import load_part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodes.diffusion.changes.patches import Patch
    from nodes.diffusion.disk.source import ModelSource


class ExtendedEmbedding(torch.nn.Embedding):
    """An embedding that shares the table of another and knows more tokens: `numbers` [n], their `rows` [n, width]."""

    def __init__(self, base: torch.nn.Embedding, numbers: list[int], rows: torch.Tensor) -> None:
        super().__init__(base.num_embeddings, base.embedding_dim, base.padding_idx, _weight=base.weight)
        self.weight = base.weight
        self._numbers = torch.tensor(numbers, device=rows.device)
        self._rows = rows

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """The vector of each token."""
        own = tokens[..., None] == self._numbers
        is_own = own.any(-1)
        usual = super().forward(tokens.masked_fill(is_own, 0))
        return torch.where(is_own[..., None], self._rows[own.int().argmax(-1)], usual)


def _embeddings(patches: Iterable[Patch]) -> list[EmbeddingPatch]:
    return [patch for patch in patches if isinstance(patch, EmbeddingPatch)]


def add_tokens(tokenizer: Any, patches: Iterable[Patch]) -> None:  # noqa: ANN401
    """Teach a tokenizer of its own the tokens. Raises `bad_value` at `token` for one that it knows already."""
    for patch in _embeddings(patches):
        known = set(patch.tokens) & set(tokenizer.get_vocab())
        if known:
            what = f'The model knows the token "{min(known)}" already.'
            raise PatchbayError(Code.BAD_VALUE, "token", what, "Choose another token.")
        for token in patch.tokens:
            tokenizer.add_tokens(token)


def add_vectors(encoder: Any, source: ModelSource, name: str) -> None:  # noqa: ANN401
    """Give a text encoder of its own, part `name` of a model, the vectors of the tokens."""
    patches = _embeddings(source.patches)
    if not patches:
        return
    if not issubclass(getattr(diffusers, source.family.pipeline_class), loaders.TextualInversionLoaderMixin):
        what = f"Diffusers knows no textual inversion for a {source.family.pipeline_class}."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, "file", what, "Use the model without it.")
    tokenizer = load_part(source.plain, name.replace("text_encoder", "tokenizer"), torch.device("cpu"), torch.float32)
    add_tokens(tokenizer, patches)
    tokens = [token for patch in patches for token in patch.tokens]
    table = encoder.get_input_embeddings()
    rows = torch.cat([_vectors(patch, name) for patch in patches]).to(table.weight.device, table.weight.dtype)
    encoder.set_input_embeddings(ExtendedEmbedding(table, tokenizer.convert_tokens_to_ids(tokens), rows))


def _vectors(patch: EmbeddingPatch, name: str) -> torch.Tensor:
    """The vectors of a patch for one text encoder, [vectors, width]."""
    return load_file(patch.file.path)[dict(patch.keys)[name]].reshape(patch.vectors, -1)
