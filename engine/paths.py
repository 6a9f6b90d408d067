"""Where files may be: declared roots, and the one helper that keeps a path inside them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import Code, PatchbayError


@dataclass(frozen=True, slots=True)
class Paths:
    """The roots that a run may read from and the one folder it may write to.

    `document` is the folder of the graph file: relative names in a graph are looked for there first, then in `inputs`
    (pictures) or `models` (model folders and single files). `granted` are files or folders that the user named on the
    command line or in Python, outside any document. `outputs` of None means that nothing may be written.
    """

    document: Path | None = None
    inputs: tuple[Path, ...] = ()
    models: tuple[Path, ...] = ()
    graphs: tuple[Path, ...] = ()
    outputs: Path | None = None
    granted: tuple[Path, ...] = ()

    def granting(self, *paths: Path) -> Paths:
        """The same roots, and these files as well: what the user names in person may be read."""
        return replace(self, granted=(*self.granted, *(path.resolve() for path in paths)))

    def find(self, name: str, roots: tuple[Path, ...], at: str = "") -> Path:
        """The existing file or folder that `name` means, inside the document's folder, `roots` or a granted path.

        Raises `PatchbayError` (`outside_roots`, `file_not_found`) with the roots that were searched.
        """
        allowed = tuple(root for root in (self.document, *roots, *self.granted) if root is not None)
        if not name or "\0" in name:
            raise PatchbayError(Code.FILE_NOT_FOUND, at, f"{name!r} names no file.", "Give a file name.")
        candidates = [Path(name)] if Path(name).is_absolute() else [root / name for root in allowed if root.is_dir()]
        try:
            found = [path.resolve() for path in candidates if os.path.lexists(path)]
        except (OSError, RuntimeError) as error:
            what = f'"{name}" cannot be read: {error}.'
            raise PatchbayError(Code.FILE_NOT_FOUND, at, what, "Check its links and permissions.") from error
        inside = [path for path in found if any(contains(root, path) for root in allowed)]
        if inside and inside[0].exists():
            return inside[0]
        searched = ", ".join(str(root) for root in allowed) or "no folder at all"
        if found and not inside:
            fix = f"Move it into one of these folders or name it on the command line: {searched}."
            raise PatchbayError(Code.OUTSIDE_ROOTS, at, f'"{name}" lies outside the folders a graph may read.', fix)
        raise PatchbayError(Code.FILE_NOT_FOUND, at, f'"{name}" was not found.', f"Searched: {searched}.")

    def output(self, name: str, at: str = "") -> Path:
        """The path below `outputs` that `name` means; its folder need not exist yet."""
        if self.outputs is None:
            fix = "Give an output folder (-o DIR, or outputs= in Python)."
            raise PatchbayError(Code.NOT_WRITTEN, at, "This run has no folder to write to.", fix)
        path = (self.outputs / name.replace("\0", "")).resolve()
        if "\0" in name or not contains(self.outputs, path) or path == self.outputs.resolve():
            fix = f"Use a relative name that stays below {self.outputs}."
            raise PatchbayError(Code.OUTSIDE_ROOTS, at, f'"{name}" would leave the output folder.', fix)
        return path


def contains(root: Path, path: Path) -> bool:
    """Whether `path` is `root` or below it, symbolic links followed on both sides."""
    return path.resolve().is_relative_to(root.resolve())
