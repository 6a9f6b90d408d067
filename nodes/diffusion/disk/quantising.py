"""Models in fewer bits: made so when they are loaded, or stored so in their folder. Nothing here imports torch at once.

What a folder stores is read by Diffusers and Transformers with the package that wrote it. Quantising at load is
torchao's own, layer by layer: the same bits as the stock `TorchAoConfig` gives.
"""

from __future__ import annotations

from ctypes.util import find_library
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.packages import check_package

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

    from nodes.diffusion.disk.source import ModelSource

Quantisation = Literal["none", "int8", "float8"]

NONE: Quantisation = "none"

_CONFIGS: Mapping[Quantisation, str] = {"int8": "Int8WeightOnlyConfig", "float8": "Float8WeightOnlyConfig"}
"""What torchao calls them."""

_METHODS = ("torchao", "quanto", "bitsandbytes")
"""What configurations call the packages that can be read; each is an extra of the same name."""

CUDA_ONLY = "bitsandbytes"


def method_of(config: Mapping[str, object]) -> str:
    """With which package a part's weights were quantised, as its configuration says; empty where they are plain."""
    found = config.get("quantization_config")
    if not isinstance(found, dict):
        return ""
    is_older = found.get("load_in_4bit") or found.get("load_in_8bit")
    return str(found.get("quant_method", "bitsandbytes" if is_older else "an unnamed method"))


def check_stored(folder: Path, config: Mapping[str, object], at: str) -> None:
    """Refuse a part stored in a way that cannot be read here.

    Raises `PatchbayError` at `at`: `unsupported_class` for another package's, `missing_package`.
    """
    method = method_of(config)
    if not method:
        return
    if method not in _METHODS:
        what = f"{folder} holds weights that were quantised with {method}, which is not read here."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, f"Read are: {', '.join(_METHODS)}, and GGUF files.")
    check_package(method, f"{folder} holds weights that were quantised with {method}", at)


def check_device(source: ModelSource, device: str, at: str) -> None:
    """Refuse a model with parts that do not run on `device`, as settings name it. Raises `bad_value`."""
    only = next((part for part in source.parts.values() if method_of(part.config) == CUDA_ONLY), None)
    if only is None or device == "cuda" or (device == "auto" and has_cuda()):
        return
    what = f"{only.folder} was quantised with {CUDA_ONLY}, which needs CUDA, "
    what += "and this machine has none." if device == "auto" else f'and the device is set to "{device}".'
    raise PatchbayError(Code.BAD_VALUE, at, what, "Use a GGUF file, or one quantised with torchao or quanto.")


@cache
def has_cuda() -> bool:
    """Whether the driver of NVIDIA's cards is there, found out without PyTorch."""
    return any(find_library(name) is not None for name in ("cuda", "nvcuda"))


def quantisation(name: str) -> Quantisation:
    """The quantisation of this name; none where it has no such."""
    return next((each for each in _CONFIGS if each == name), NONE)


def check_storage(source: ModelSource, at: str) -> None:
    """Refuse to hold weights in another way where they are quantised already. Raises `bad_value`."""
    if _stored_denoiser(source) is not None or source.quantize != NONE:
        what = f"{source.name} holds its weights in fewer bits already."
        raise PatchbayError(Code.BAD_VALUE, at, what, "Use it as it is, or load it unquantised.")


def check_wanted(source: ModelSource, quantize: str, at: str) -> None:
    """Refuse to quantise what is quantised already, or without the package. Raises `bad_value`, `missing_package`."""
    if quantize == NONE:
        return
    stored = _stored_denoiser(source)
    if stored is not None:
        what = f"The {stored} of {source.name} is quantised already."
        raise PatchbayError(Code.BAD_VALUE, at, what, f'Set it to "{NONE}".')
    check_package("torchao", f'"{quantize}" quantises a model while it is loaded', at)


def _stored_denoiser(source: ModelSource) -> str | None:
    """The first denoiser whose weights stay quantised while they are used; None where there is none."""
    names = (name for name in source.family.denoisers if name in source.parts)
    return next((name for name in names if source.parts[name].stored), None)


def told(source: ModelSource) -> str:
    """What quantising means for whom runs it."""
    names = " and the ".join(name for name in source.family.denoisers if name in source.parts)
    return f"The {names} will be quantised to {source.quantize}: a little other pictures, in less memory."


def quantised(module: torch.nn.Module, quantize: Quantisation, device: torch.device) -> torch.nn.Module:
    """The module with the weights of its linear layers in fewer bits, each brought to `device` for that."""
    import torchao.quantization as torchao

    config: Any = getattr(torchao, _CONFIGS[quantize])()
    torchao.quantize_(module, config, device=device)
    return module
