"""Looking below a root for files and folders, never out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.paths import contains

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEEPEST = 5
"""So many folders deep below a root is looked."""


def walk(root: Path, wanted: Callable[[Path], bool], depth: int = 0, folder: Path | None = None) -> Iterator[Path]:
    """What is wanted below a root, in order of names; hidden things, and links that lead out of it, are passed over."""
    try:
        inside = sorted(path for path in (folder or root).iterdir() if not path.name.startswith("."))
    except OSError:
        return
    for path in inside:
        try:
            if path.is_symlink() and not contains(root, path):
                continue
            hit, descend = wanted(path), depth < DEEPEST and path.is_dir()
        except (OSError, RuntimeError):  # a circle of links, a folder that may not be looked into
            continue
        if hit:
            yield path
        elif descend:
            yield from walk(root, wanted, depth + 1, path)
