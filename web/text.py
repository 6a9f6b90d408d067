"""JSON out: fast, and exact for whole numbers of any size."""

from __future__ import annotations

import json

import orjson


def dumps(value: object) -> bytes:
    """A value as JSON in UTF-8. Raises `TypeError` for what JSON cannot hold."""
    try:
        return orjson.dumps(value)
    except TypeError:  # orjson's integers end at 64 bits
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
