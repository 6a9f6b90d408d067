"""How old documents become new ones. Append-only: a format that was ever saved can be read for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import Code, GraphError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MIGRATIONS: Sequence[Callable[[dict[str, Any]], dict[str, Any]]] = ()
"""`MIGRATIONS[i]` takes version i + 1 to version i + 2."""

VERSION = len(MIGRATIONS) + 1
"""The version that is written."""


def migrate(
    document: dict[str, Any], migrations: Sequence[Callable[[dict[str, Any]], dict[str, Any]]] = MIGRATIONS
) -> dict[str, Any]:
    """The document in today's version. Raises `GraphError` for a version that does not exist yet or never did."""
    newest = len(migrations) + 1
    version = document.get("version")
    if type(version) is not int or version < 1:
        found = "no version" if version is None else f"version {version!r}"
        raise GraphError([_problem(f"The document has {found}.", f'Write "version": {newest} at its top.')])
    if version > newest:
        what = f"Version {version} is newer than this Patchbay, which reads up to {newest}."
        raise GraphError([_problem(what, "Upgrade Patchbay.")])
    for step in migrations[version - 1 :]:
        document = step(document)
    return document


def _problem(what: str, fix: str) -> Problem:
    return Problem(Code.UNKNOWN_VERSION, "version", what, fix)
