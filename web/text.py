"""Text that goes out: JSON, fast and exact for whole numbers of any size, and names that may stand in a path."""

from __future__ import annotations

import json
import re

import orjson

LONGEST_STEM = 60, 120
"""Characters and bytes; a number and an ending follow, and file systems take 255 bytes."""


def stem_of(name: str) -> str:
    """A name from a document or a client as it may stand in a file's: no path, not empty, not too long."""
    characters, size = LONGEST_STEM
    plain = re.sub(r"[^\w-]+", "_", name).strip("_")[:characters]
    return plain.encode()[:size].decode(errors="ignore") or "graph"


def dumps(value: object) -> bytes:
    """A value as JSON in UTF-8. Raises `TypeError` for what JSON cannot hold."""
    try:
        return orjson.dumps(value)
    except TypeError:  # orjson's integers end at 64 bits
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
