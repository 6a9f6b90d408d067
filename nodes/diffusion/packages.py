"""Packages that only some models need, and which extra of Patchbay brings each."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from engine.errors import Code, PatchbayError

_MODULES = {"gguf": "gguf", "torchao": "torchao", "quanto": "optimum.quanto", "bitsandbytes": "bitsandbytes"}
"""Extra -> the module that it brings."""


def check_package(extra: str, reason: str, at: str) -> None:
    """Refuse what needs the package of an extra that is not installed. Raises `missing_package` at `at`."""
    if not is_there(_MODULES[extra]):
        what = f"{reason}, and the package {extra} that reads it is not installed."
        raise PatchbayError(Code.MISSING_PACKAGE, at, what, f"pip install 'patchbay[{extra}]'")


@cache
def is_there(module: str) -> bool:
    """Whether a module can be imported, found out without importing it."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it would lie in
        return False
