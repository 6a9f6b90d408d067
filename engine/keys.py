"""Recipe keys: what a result was made from, as a sha256. Equal keys mean equal results.

A key covers the node type with its version and source, every value with its type (1, 1.0, True and "1" differ, 0.0 and
-0.0 differ, NaN equals itself), the keys of linked inputs and the digests of files. Keys are built Merkle style, once a
node. The same function makes content keys, where a linked input counts by its content instead of by its recipe.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def canonical(value: object) -> bytes | None:
    """A value as bytes that differ wherever values differ, or None for an object without an identity of its own.

    Lists, tuples and dicts count by their items (a dict's order does not), an object by its `digest()`, a dataclass
    without one by its fields.
    """
    match value:
        case Enum():
            return b"e" + canonical_text(_class_name(value)) + canonical_text(value.name)
        case None:
            return b"n"
        case bool():
            return b"t" if value else b"f"
        case int():
            return b"i%d;" % value
        case float():
            return b"d" + (b"nan" if value != value else struct.pack(">d", value))  # noqa: PLR0124  # the test for NaN
        case str():
            data = value.encode("utf-8", "surrogatepass")
            return b"s%d:%b" % (len(data), data)
        case bytes():
            return b"b%d:%b" % (len(value), value)
        case list() | tuple():
            return _sequence(b"l" if isinstance(value, list) else b"u", value)
        case dict():
            return _mapping(value)
        case _:
            return _object(value)


def _sequence(tag: bytes, items: Iterable[object]) -> bytes | None:
    parts = [canonical(item) for item in items]
    found = [part for part in parts if part is not None]
    return b"%b%d[%b]" % (tag, len(found), b"".join(found)) if len(found) == len(parts) else None


def _mapping(items: dict[Any, object]) -> bytes | None:
    pairs = [(canonical(key), canonical(item)) for key, item in items.items()]
    found = [key + item for key, item in pairs if key is not None and item is not None]
    return b"m%d{%b}" % (len(found), b"".join(sorted(found))) if len(found) == len(pairs) else None


def _object(value: object) -> bytes | None:
    if isinstance(value, type):
        return None
    digest = getattr(value, "digest", None)
    if callable(digest):
        return b"o" + canonical_text(_class_name(value)) + canonical_text(digest())
    if not is_dataclass(value):
        return None
    parts = _mapping({item.name: getattr(value, item.name) for item in fields(value)})
    return None if parts is None else b"a" + canonical_text(_class_name(value)) + parts


def _class_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def canonical_text(text: str) -> bytes:
    """A text with its length, so that two never run together."""
    data = text.encode("utf-8", "surrogatepass")
    return b"%d:%b" % (len(data), data)


def content_digest(value: object) -> str | None:
    """Digest of a result's content, or None when it has no identity: then nothing downstream is reused by content."""
    data = canonical(value)
    return None if data is None else hashlib.sha256(data).hexdigest()


def node_key(source: str, inputs: Iterable[tuple[str, bytes]]) -> str:
    """The key of a node from its type's source digest and each input's name and bytes, in any order."""
    parts = [source.encode()]
    for name, data in sorted(inputs):
        parts += (b"\0%b=%d:" % (name.encode(), len(data)), data)
    return hashlib.sha256(b"".join(parts)).hexdigest()


def link_bytes(key: str, port: str) -> bytes:
    """What a link contributes to a recipe key: the upstream node's key and the port."""
    return b"k" + key.encode() + b"." + port.encode()


def content_bytes(digest: str) -> bytes:
    """What a linked value contributes to a content key."""
    return b"c" + digest.encode()
