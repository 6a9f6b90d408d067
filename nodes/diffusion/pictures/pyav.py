"""PyAV, which reads and writes files of videos and sounds and is an extra."""

from __future__ import annotations

from typing import Any

from engine.errors import Code, PatchbayError


def pyav(at: str) -> Any:  # noqa: ANN401  # an extra, so it may not be there
    """The package. Raises `missing_package` at `at` where it is not installed."""
    try:
        import av
    except ImportError as error:
        what = "Files of videos and sounds need the package av (PyAV), which is not installed."
        raise PatchbayError(Code.MISSING_PACKAGE, at, what, "pip install av") from error
    return av
