"""The tensors of a text encoder in a GGUF file, made numbers of again, by the names that Transformers has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from nodes.diffusion.disk.gguf_files import ENCODERS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read_encoder(path: Path, class_name: str, layers: int, names: Iterable[str], dtype: torch.dtype) -> dict[str, Any]:
    """Those of the parameters `names` of an encoder with so many `layers` that the file has, in `dtype`.

    The names that stand for them in the file are the package's own; numbers are made of blocks by its reference.
    """
    import gguf

    known = gguf.get_tensor_name_map(gguf.MODEL_ARCH[ENCODERS[class_name]], layers)
    stored = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    found = {}
    for name in names:
        layer, _, kind = name.rpartition(".")
        tensor = stored.get(f"{known.get_name(layer)}.{kind}")
        if tensor is not None:
            found[name] = torch.tensor(gguf.quants.dequantize(tensor.data, tensor.tensor_type)).to(dtype)
    return found
