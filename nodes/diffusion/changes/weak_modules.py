"""Weakened layers, put into a tree of modules of its own: perturbed or smoothed attention, skipped blocks."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from nodes.diffusion.changes import weak_layers
from nodes.diffusion.weights.libraries import TransformerBlockRegistry, attention_processor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch.nn import Module

    from nodes.diffusion.changes.weak_layers import WeakPatch
    from nodes.diffusion.disk.source import ModelSource

_PLAIN = ("PAGCFGIdentitySelfAttnProcessor2_0", "PAGIdentitySelfAttnProcessor2_0")
_PROCESSORS: Mapping[str, tuple[str, str]] = {
    "StableDiffusion3Pipeline": ("PAGCFGJointAttnProcessor2_0", "PAGJointAttnProcessor2_0"),
    "SanaPipeline": ("PAGCFGSanaLinearAttnProcessor2_0", "PAGIdentitySanaLinearAttnProcessor2_0"),
    "HunyuanDiTPipeline": ("PAGCFGHunyuanAttnProcessor2_0", "PAGHunyuanAttnProcessor2_0"),
}
"""What perturbs the last of three batches (against the prompt, for it, for it again), and the last of two."""


def weaken(module: Module, source: ModelSource, patch: WeakPatch) -> None:
    """Weaken layers of a module of its own. Raises `bad_value` for layers that it does not have."""
    if patch.way == "blocks":
        known = {name: block for name, block in module.named_modules() if name.count(".") == 1 and _is_block(block)}
        for name in weak_layers.chosen(patch.layers, known, "guider"):
            known[name].forward = _passing(known[name])
        return
    known = {name: layer for name, layer in module.named_modules() if _is_self_attention(layer)}
    if patch.way == "queries":
        for name in weak_layers.chosen(patch.layers, known, "guider"):
            known[name].to_q.forward = _even(known[name].to_q)
        return
    both, one = _PROCESSORS.get(source.family.pipeline_class, _PLAIN)
    processor = getattr(attention_processor, both if patch.against else one)()
    for name in weak_layers.chosen(patch.layers, known, "guider"):
        known[name].processor = processor


def _even(queries: Module) -> Callable[..., Any]:
    """What makes the queries of a layer [batch, places, features], with those of all places the mean of them."""
    forward = queries.forward

    def evened(*args: Any) -> Any:  # noqa: ANN401
        made = forward(*args)
        return made.mean(1, keepdim=True).expand_as(made)

    return evened


def _is_self_attention(layer: Any) -> bool:  # noqa: ANN401
    return isinstance(layer, attention_processor.Attention) and not layer.is_cross_attention


def _is_block(layer: Module) -> bool:
    """Whether Diffusers says in which order a block gives its results."""
    try:
        TransformerBlockRegistry.get(type(layer))
    except ValueError:
        return False
    return True


def _passing(block: Module) -> Callable[..., Any]:
    """What a block does that changes nothing: it gives what it is given, in the block's own order."""
    known, signature = TransformerBlockRegistry.get(type(block)), inspect.signature(block.forward)

    def forward(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        given = signature.bind(*args, **kwargs).arguments
        if known.return_encoder_hidden_states_index is None:
            return given["hidden_states"]
        both = {
            known.return_hidden_states_index: given["hidden_states"],
            known.return_encoder_hidden_states_index: given["encoder_hidden_states"],
        }
        return both[0], both[1]

    return forward
