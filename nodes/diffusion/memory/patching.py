"""A second tree of modules over the weights of a shared one, with its patches in place.

The weights are the very tensors of the shared module, so a patched model costs little more memory than what its patches
bring, the shared one is never touched, and both can run at the same time in two threads. Where a patch holds weights in
another way there is no shared module: the patches are put into one that was loaded for them.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes import adapters, inversion, levers, lora, weak_modules
from nodes.diffusion.changes.patches import AdapterPatch, FreeUPatch
from nodes.diffusion.changes.tuning import TilePatch, TunePatch
from nodes.diffusion.changes.weak_layers import WeakPatch

if TYPE_CHECKING:
    from torch.nn import Module

    from nodes.diffusion.disk.source import ModelSource


def patched(base: Any, source: ModelSource, name: str) -> Any:  # noqa: ANN401  # neither library types its classes
    """The part `name` with the patches of `source`, made from the shared `base`, or in it where they own the weights.

    Raises `bad_model`, and `bad_value` for what cannot work on this machine.
    """
    if not source.parts[name].trained:
        made = copy.deepcopy(base)
        inversion.add_tokens(made, source.patches)
        return made
    made = base if any(patch.owns_weights for patch in source.patches) else twin(base)
    lora.add(made, source, name, source.patches)
    inversion.add_vectors(made, source, name)
    adapters.add(made, [patch for patch in source.patches if isinstance(patch, AdapterPatch)])
    for patch in source.patches:
        if isinstance(patch, FreeUPatch):
            _free(made, patch)
        elif isinstance(patch, WeakPatch):
            weak_modules.weaken(made, source, patch)
        elif isinstance(patch, TilePatch):
            levers.tile(made, patch)
    for patch in source.patches:  # last: what compiles the blocks or stores the weights wants them finished
        if isinstance(patch, TunePatch):
            levers.tune(made, patch)
    return made


def _free(unet: Any, patch: FreeUPatch) -> None:  # noqa: ANN401
    """Turn FreeU on, as the stock pipeline's `enable_freeu` does."""
    if not hasattr(unet, "enable_freeu"):
        what = f"FreeU is not known for a {type(unet).__name__}."
        raise PatchbayError(Code.BAD_VALUE, "model", what, "Use it with Stable Diffusion 1, 2 or XL.")
    unet.enable_freeu(s1=patch.s1, s2=patch.s2, b1=patch.b1, b2=patch.b2)


def twin(module: Module) -> Any:  # noqa: ANN401
    """A copy of a module that shares its parameters and buffers."""
    return copy.deepcopy(module, {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())})
