"""Tensors inside values: found, and told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def digest_of_tensors(*tensors: Tensor) -> str:
    """The sha256 of tensors' types, shapes and bytes: equal digests mean bit-equal tensors."""
    import torch

    total = hashlib.sha256()
    for tensor in tensors:
        total.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        total.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def leaves(value: Any) -> list[Tensor]:  # noqa: ANN401  # tensors in mappings and lists, however deep
    """The tensors in a value, mappings by sorted name, lists in order."""
    if isinstance(value, Mapping):
        return [tensor for name in sorted(value) for tensor in leaves(value[name])]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in leaves(item)]
    return [value] if hasattr(value, "nbytes") else []
