"""The pictures in what a graph gives."""

from __future__ import annotations


def pictures_in(value: object) -> list[bytes]:
    """The files that a value, or each item of a list, says it can be saved as; none for a plain value."""
    return [data for item in (value if isinstance(value, list) else [value]) for data in _files(item)]


def _files(value: object) -> list[bytes]:
    files = getattr(value, "files", None)
    return files() if callable(files) else []
