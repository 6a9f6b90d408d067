"""Where models run, in which precision, and what is kept of their results."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.settings import Settings

_PRESENT: Mapping[str, Callable[[], bool]] = {
    "cpu": lambda: True,
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
}

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}

_SHARE_OF_DEVICE = 0.8
_SHARE_OF_HOST = 0.25


def pick_device(settings: Settings) -> torch.device:
    """The device that `settings` ask for; for "auto" the best one present.

    Raises `bad_value` when the device asked for is not there.
    """
    present = [name for name, is_present in _PRESENT.items() if is_present()]
    if settings.device == "auto":
        return torch.device(present[-1])
    if settings.device not in present:
        what = f'This machine has no device "{settings.device}" that PyTorch can use.'
        raise PatchbayError(Code.BAD_VALUE, "device", what, f"Present: {', '.join(present)}, or say auto.")
    return torch.device(settings.device)


def pick_dtype(settings: Settings, device: torch.device) -> torch.dtype:
    """The precision that `settings` ask for; for "auto" half precision on devices made for it, single on a CPU."""
    if settings.dtype != "auto":
        return _DTYPES[settings.dtype]
    return torch.float32 if device.type == "cpu" else torch.float16


def pick_budget(settings: Settings, device: torch.device) -> int:
    """How many bytes of models may stay on `device`: as set, or a share of its memory."""
    if settings.model_budget is not None:
        return settings.model_budget
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory * _SHARE_OF_DEVICE)
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _SHARE_OF_HOST)


def kept(tensor: torch.Tensor) -> torch.Tensor:
    """A copy on the CPU that may be used outside inference mode."""
    with torch.inference_mode(mode=False):
        return tensor.detach().to("cpu", copy=True)


def kept_all(value: Any) -> Any:  # noqa: ANN401  # tensors in mappings and lists, however deep
    """The same value with every tensor in it kept."""
    if isinstance(value, dict):
        return {name: kept_all(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(kept_all(item) for item in value)
    return kept(value) if isinstance(value, torch.Tensor) else value
