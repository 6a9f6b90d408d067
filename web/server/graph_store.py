"""The graphs of a person by name: saved whole, never over somebody else's change, and earlier versions kept.

A graph is a file `<name>.json` in a folder; those that come with Patchbay are read from a second folder and copied
when they are changed. What a save replaces or a deletion removes lies in `.versions/<name>/<UTC time>-<digest>.json`,
until `thinning.py` lets it go.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine import Code, Graph, GraphError, PatchbayError, Problem, ServerError, StoreError
from engine.files import sync_folder, write_whole
from engine.paths import contains
from web.server.thinning import staying

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_VERSION = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{12}")
_TIME = "%Y%m%dT%H%M%S.%fZ"

VERSIONS = ".versions"

SCHEMA = "schema"
"""The one JSON file among the shipped graphs that is none."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A graph as it is stored. `etag` is the sha256 of `text`; a shipped one has no copy of the user's own."""

    name: str
    graph: Graph
    text: str
    etag: str
    shipped: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list; `modified` is in Unix seconds.

    A file that cannot be read as a graph is listed with its problem.
    """

    name: str
    title: str
    description: str
    etag: str
    shipped: bool
    modified: float
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """An earlier state of a graph."""

    id: str
    time: datetime
    bytes: int


class GraphStore:
    """Graphs by name in `folder`, and those that are `shipped`. May be used from several threads.

    `order` gives a node type's inputs in signature order, for the canonical text. Every method raises `ServerError`
    (`not_found`) for what is not there or cannot be a name, and `PatchbayError` (`outside_roots`) for a file that
    leads out of its folder.
    """

    def __init__(self, folder: Path, shipped: Path, order: Callable[[str], tuple[str, ...]] = lambda _type: ()) -> None:
        self._folder = folder
        self._shipped = shipped
        self._order = order
        self._lock = threading.Lock()

    def list(self) -> list[Listed]:
        """All graphs in order of their names."""
        shipped = {path.stem for path in self._shipped.glob("*.json")} - {SCHEMA}
        own = {path.stem for path in self._folder.glob("*.json")}
        return [self._listed(name) for name in sorted(own | shipped) if _NAME.fullmatch(name)]

    def _listed(self, name: str) -> Listed:
        try:
            found = self.read(name)
        except PatchbayError as error:
            return Listed(name, "", "", "", shipped=False, modified=0.0, problem=error.problem)
        document = found.graph.document
        file = (self._shipped if found.shipped else self._folder) / f"{name}.json"
        return Listed(name, document.name, document.description, found.etag, found.shipped, _modified(file))

    def read(self, name: str) -> Saved:
        """The graph, the user's own before a shipped one. Raises `GraphError` when its file is no graph any more."""
        found = self._find(name)
        if found is None:
            raise _unknown(name)
        return found

    def save(
        self, name: str, given: bytes | str | Graph, if_match: str | None = None, if_none_match: str | None = None
    ) -> Saved:
        """Store a graph in its canonical text, and what it replaces as a version.

        `if_match` and `if_none_match` are the headers' values. A graph that exists is replaced only when `if_match`
        has its etag; saving what is stored already changes nothing and always succeeds. Raises `GraphError` for what
        is no graph, `ServerError` (`version_needed`, `changed_meanwhile`) and `StoreError` (`not_written`).
        """
        graph = given if isinstance(given, Graph) else Graph.parse(given, folder=self._folder)
        data = graph.dumps(self._order).encode()
        with self._lock:
            path, current = self._path(name), self._current(name)
            if current is not None and if_none_match is None and current[1] == data:
                return self._saved(name, *current)
            _check(name, current, if_match, if_none_match)
            if current is not None and current[0] == path:
                write_whole(self._new_version(name, current[1]), current[1])
            write_whole(path, data)
            self._thin(name)
        return self._saved(name, path, data)

    def delete(self, name: str, if_match: str | None = None) -> None:
        """Move a graph to its versions; a shipped one of that name is seen again.

        Raises `ServerError` (`conflict` for a shipped one, `version_needed`, `changed_meanwhile`), `StoreError`.
        """
        with self._lock:
            current = self._current(name)
            if current is None:
                raise _unknown(name)
            path, data = current
            if path != self._path(name):
                what = f'"{name}" comes with Patchbay and cannot be deleted.'
                raise ServerError(Code.CONFLICT, name, what, "Save your own under another name.")
            _check(name, current, if_match, None)
            self._move(path, self._new_version(name, data))

    def versions(self, name: str) -> tuple[Version, ...]:
        """What a graph was before, newest first; also of one that is deleted."""
        self._path(name)
        files = self._contained(self._folder / VERSIONS / name).glob("*.json")
        found = sorted((path for path in files if _VERSION.fullmatch(path.stem)), reverse=True)
        return tuple(Version(path.stem, _time_of(path.stem), path.stat().st_size) for path in found)

    def read_version(self, name: str, version: str) -> Saved:
        """The graph as it was."""
        self._path(name)
        path = (
            self._contained(self._folder / VERSIONS / name / f"{version}.json") if _VERSION.fullmatch(version) else None
        )
        if path is None or not path.is_file():
            what = f'There is no version "{version}" of "{name}".'
            raise ServerError(Code.NOT_FOUND, name, what, f"GET /api/graphs/{name}/versions lists them.")
        return self._saved(name, path, _read(path))

    def _find(self, name: str) -> Saved | None:
        current = self._current(name)
        return None if current is None else self._saved(name, *current)

    def _current(self, name: str) -> tuple[Path, bytes] | None:
        """The file that the name means now, and its content."""
        own, shipped = self._path(name), self._shipped / f"{name}.json"
        if own.is_file():
            return own, _read(own)
        return (shipped, _read(shipped)) if shipped.is_file() and name != SCHEMA else None

    def _saved(self, name: str, path: Path, data: bytes) -> Saved:
        graph = Graph.parse(data, origin=name, folder=self._folder if path.parent != self._shipped else self._shipped)
        return Saved(name, graph, data.decode("utf-8-sig"), _etag(data), shipped=path.parent == self._shipped)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            what = f"{name[:100]!r} cannot be a graph's name."
            raise ServerError(Code.NOT_FOUND, "", what, "Use up to 100 letters, digits, _ and -.")
        return self._contained(self._folder / f"{name}.json")

    def _contained(self, path: Path) -> Path:
        try:
            inside = contains(self._folder, path)
        except (OSError, RuntimeError):  # a circle of links
            inside = False
        if not inside:
            what = f"{path} leads out of the folder of the graphs."
            raise PatchbayError(Code.OUTSIDE_ROOTS, path.stem, what, "Replace the link by the file itself.")
        return path

    def _new_version(self, name: str, data: bytes) -> Path:
        time = datetime.now(UTC).strftime(_TIME)
        return self._contained(self._folder / VERSIONS / name / f"{time}-{_etag(data)[:12]}.json")

    def _thin(self, name: str) -> None:
        """Forget the versions that need not stay; one that cannot be removed stays."""
        versions = self.versions(name)
        kept = set(staying([version.time for version in versions], datetime.now(UTC)))
        for place, version in enumerate(versions):
            if place not in kept:
                with contextlib.suppress(OSError):
                    (self._folder / VERSIONS / name / f"{version.id}.json").unlink()

    def _move(self, path: Path, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            sync_folder(target.parent)
            sync_folder(path.parent)
        except OSError as error:
            what = f"The graph was not deleted: {error.strerror}."
            raise StoreError(Code.NOT_WRITTEN, str(path), what, "Check the folder's permissions.") from error


def _check(name: str, current: tuple[Path, bytes] | None, if_match: str | None, if_none_match: str | None) -> None:
    """Refuse a change of a state that its author has not seen."""
    etag = None if current is None else _etag(current[1])
    if if_none_match is not None and _names(if_none_match, etag):
        what = f'There is a graph "{name}" already.'
        raise ServerError(Code.CHANGED_MEANWHILE, name, what, "Read it first, or choose another name.")
    if if_match is not None and not _names(if_match, etag):
        what = f'"{name}" was changed or deleted since you read it.'
        raise ServerError(Code.CHANGED_MEANWHILE, name, what, "Read it again and repeat your change.")
    if etag is not None and if_match is None:
        what = f'"{name}" exists, and is replaced only when you say which version of it you know.'
        raise ServerError(Code.VERSION_NEEDED, name, what, "Send If-Match with the ETag of what you read.")


def _names(header: str, etag: str | None) -> bool:
    """Whether a header of conditions names this etag; `*` is any that exists."""
    named = {part.strip().strip('"') for part in header.split(",")}
    return etag is not None and (etag in named or "*" in named)


def _unknown(name: str) -> ServerError:
    return ServerError(Code.NOT_FOUND, name, f'There is no graph "{name}".', "GET /api/graphs lists them.")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        problem = Problem(Code.FILE_NOT_FOUND, path.stem, f"The graph cannot be read: {error.strerror}.", "Try again.")
        raise GraphError([problem]) from error


def _modified(path: Path) -> float:
    """When the file was last written; 0 where it has just gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _time_of(version: str) -> datetime:
    return datetime.strptime(version.partition("-")[0], _TIME).replace(tzinfo=UTC)
