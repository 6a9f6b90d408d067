"""Packages that only some nodes need: whether they are installed, found out without importing them."""

from __future__ import annotations

import importlib.util

from engine.errors import Code, PatchbayError


def check_installed(package: str, what_for: str, fix: str, at: str) -> None:
    """Refuse what needs a package that is not there. Raises `missing_package` at `at`."""
    if importlib.util.find_spec(package) is None:
        raise PatchbayError(Code.MISSING_PACKAGE, at, f"{what_for} by {package}, which is not installed.", fix)


def check_upscaler(at: str) -> None:
    """Refuse to upscale without spandrel. Raises `missing_package`."""
    check_installed(SPANDREL, "Upscalers are run", SPANDREL_FIX, at)


def check_edges(at: str) -> None:
    """Refuse to find edges without OpenCV. Raises `missing_package`."""
    check_installed("cv2", "Edges are found", 'pip install "patchbay[preprocess]"', at)


SPANDREL = "spandrel"
"""The library that tells an upscaler's architecture by its weights, and runs it."""

SPANDREL_FIX = (
    'pip install "patchbay[upscale]". It brings torchvision, which must be built as PyTorch is: '
    "beside PyTorch for CPUs install torchvision from PyTorch's index for CPUs first."
)
