"""Reading an upscaler: spandrel finds its architecture in the names and shapes of its weights."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.packages import SPANDREL, SPANDREL_FIX, check_upscaler

if TYPE_CHECKING:
    from pathlib import Path

_COLOURS = 3


def load_upscaler(path: Path, device: torch.device, dtype: torch.dtype) -> Any:  # noqa: ANN401  # spandrel may be absent
    """The live upscaler, frozen, in half precision where it can. Raises `bad_model`, `missing_package`."""
    found = _read(path)
    if (
        type(found).__name__ != "ImageModelDescriptor"
        or (found.input_channels, found.output_channels) != (_COLOURS,) * 2
    ):
        what = f"{path} makes no picture of a picture in colour: {found.architecture.name}, {found.purpose}."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, "file", what, "Use an upscaler for pictures in colour.")
    can = {torch.float16: found.supports_half, torch.bfloat16: found.supports_bfloat16}.get(dtype, False)
    found.to(device, dtype if can else torch.float32).eval()
    found.model.requires_grad_(requires_grad=False)
    return found


def _read(path: Path) -> Any:  # noqa: ANN401
    check_upscaler("file")
    try:
        spandrel = importlib.import_module(SPANDREL)
    except (ImportError, RuntimeError) as error:  # a torchvision that was built for another PyTorch
        raise PatchbayError(Code.MISSING_PACKAGE, "file", f"spandrel cannot be used: {error}", SPANDREL_FIX) from error
    try:
        return spandrel.ModelLoader().load_from_file(path)
    except Exception as error:  # its architectures raise whatever they like about a bad file
        what = f"{path} is no upscaler that spandrel knows: {str(error) or type(error).__name__}"
        raise PatchbayError(Code.BAD_MODEL, "file", what, "Use a model that spandrel lists, such as ESRGAN.") from error
