"""A second tree of modules over the weights of a shared one, with its patches in place.

The weights are the very tensors of the shared module, so a patched model costs little more memory than what its patches
bring, the shared one is never touched, and both can run at the same time in two threads.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from nodes.diffusion import lora

if TYPE_CHECKING:
    from torch.nn import Module

    from nodes.diffusion.source import ModelSource


def patched(base: Any, source: ModelSource, name: str) -> Any:  # noqa: ANN401  # neither library types its classes
    """The part `name` with the patches of `source`, made from the shared `base`. Raises `bad_model`."""
    made = twin(base)
    lora.add(made, source, name, source.patches)
    return made


def twin(module: Module) -> Any:  # noqa: ANN401
    """A copy of a module that shares its parameters and buffers."""
    return copy.deepcopy(module, {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())})
