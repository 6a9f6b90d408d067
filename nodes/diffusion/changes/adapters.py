"""IP-Adapters: pictures shown to a denoiser beside its prompt, by layers beside those that read the prompt.

Ye et al., "IP-Adapter: Text Compatible Image Prompt Adapter" (2023). Weights are read and turned into layers by
Diffusers' own loaders, on a second tree of modules over the shared weights, so the bits are those of a stock pipeline
after `load_ip_adapter` and `set_ip_adapter_scale`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.adapter_files import PREFIXES
from nodes.diffusion.weights.libraries import MultiIPAdapterImageProjection
from nodes.diffusion.weights.loading import ONE_AT_A_TIME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nodes.diffusion.changes.patches import AdapterPatch

_SPELLINGS = {
    "ip_adapter_double_stream_k_proj": "to_k_ip",
    "ip_adapter_double_stream_v_proj": "to_v_ip",
    "processor.": "",
}
"""How the layers for FLUX are called in files, and by Diffusers."""


def add(module: Any, patches: Sequence[AdapterPatch]) -> None:  # noqa: ANN401  # neither library types its classes
    """Let a denoiser of its own see pictures through adapters, in order. Raises `bad_model`."""
    if not patches:
        return
    states = [_read(patch.file.path) for patch in patches]
    like: torch.Tensor = next(module.parameters())
    try:
        with ONE_AT_A_TIME:
            processors = module._convert_ip_adapter_attn_to_diffusers(states)  # noqa: SLF001  # of `load_ip_adapter`
            layers = [module._convert_ip_adapter_image_proj_to_diffusers(state["image_proj"]) for state in states]  # noqa: SLF001
            _check(layers)
    except (LookupError, ValueError, RuntimeError) as error:
        files = ", ".join(patch.file.path.name for patch in patches)
        what = f"{files} cannot be read as an IP-Adapter of a {type(module).__name__}: {error}"
        raise PatchbayError(Code.BAD_MODEL, "file", what, "Use one of the model's own family.") from error
    for processor in processors.values():
        if hasattr(processor, "to_k_ip"):
            processor.scale = [patch.strength for patch in patches]
            processor.to(like.device, like.dtype).requires_grad_(requires_grad=False)
    module.set_attn_processor(processors)
    eyes = MultiIPAdapterImageProjection(layers).to(like.device, like.dtype)
    module.encoder_hid_proj = eyes.eval().requires_grad_(requires_grad=False)
    module.config.encoder_hid_dim_type = "ip_image_proj"


def _check(layers: Sequence[torch.nn.Module]) -> None:
    """Refuse layers that found no weights. Raises ValueError."""
    empty = [name for layer in layers for name, parameter in layer.named_parameters() if parameter.is_meta]
    if empty:
        message = f"it has no weights for {empty[0]}"
        raise ValueError(message)


def _read(path: Path) -> dict[str, dict[str, torch.Tensor]]:
    """The two halves of a file's weights, in Diffusers' names."""
    state: dict[str, dict[str, torch.Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    with safe_open(path, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118  # it is no mapping
            for prefix, half in PREFIXES.items():
                if name.startswith(prefix):
                    state[half][_spelled(name.removeprefix(prefix))] = file.get_tensor(name)
    return state


def _spelled(name: str) -> str:
    for theirs, ours in _SPELLINGS.items():
        name = name.replace(theirs, ours)
    return name
