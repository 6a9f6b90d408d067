"""Packages that only some nodes and models need: whether they are there, found out without importing them."""

from __future__ import annotations

import importlib.util

from engine.errors import Code, PatchbayError

_MODULES = {"gguf": "gguf", "torchao": "torchao", "quanto": "optimum.quanto", "bitsandbytes": "bitsandbytes"}
"""Extra -> the module that it brings, which reads weights."""

SPANDREL = "spandrel"
"""The library that tells an upscaler's architecture by its weights, and runs it."""

SPANDREL_FIX = (
    'pip install "patchbay[upscale]". It brings torchvision, which must be built as PyTorch is: '
    "beside PyTorch for CPUs install torchvision from PyTorch's index for CPUs first."
)


def check_package(extra: str, reason: str, at: str) -> None:
    """Refuse weights that only the package of an extra reads, where it is not there. Raises `missing_package`."""
    if not is_there(_MODULES[extra]):
        what = f"{reason}, and the package {extra} that reads it is not installed."
        raise PatchbayError(Code.MISSING_PACKAGE, at, what, f"pip install 'patchbay[{extra}]'")


def check_upscaler(at: str) -> None:
    """Refuse to upscale without spandrel. Raises `missing_package`."""
    _check(SPANDREL, "Upscalers are run", SPANDREL_FIX, at)


def check_edges(at: str) -> None:
    """Refuse to find edges without OpenCV. Raises `missing_package`."""
    _check("cv2", "Edges are found", 'pip install "patchbay[preprocess]"', at)


def _check(module: str, what_for: str, fix: str, at: str) -> None:
    if not is_there(module):
        raise PatchbayError(Code.MISSING_PACKAGE, at, f"{what_for} by {module}, which is not installed.", fix)


def is_there(module: str) -> bool:
    """Whether a module can be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it would lie in
        return False
