"""What is there to choose from: models below their roots and in the hub's cache, pictures in the input folders.

Nothing here imports torch or reads a weight, and one broken folder does not hide the others: it is listed with its
problem.
"""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from engine.choices import Choice
from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.checkpoints import NEEDS_REST, recognise, whole
from nodes.diffusion.disk.gguf_files import SUFFIX, header_of
from nodes.diffusion.disk.headers import PICKLES
from nodes.diffusion.disk.hub import LONE
from nodes.diffusion.disk.index import INDEX, index_file
from nodes.diffusion.disk.parts import read_json
from nodes.diffusion.disk.roots import walk
from nodes.diffusion.disk.source import survey, survey_rest
from nodes.diffusion.disk.whole import kind_of, survey_whole
from nodes.pictures import FOLDER
from nodes.pocket import MODEL as POCKET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pydantic import JsonValue

    from engine.paths import Paths
    from nodes.diffusion.disk.nets import NetSource

MOST_MODELS = 1_000
MOST_PICTURES = 1_000

_known_files: dict[tuple[object, ...], Choice] = {}
"""What was found in single files, with their state then: a header of thousands of tensors takes a while to read."""

_REFUSED = PICKLES - {".bin"}
"""Suffixes of pickles; `.bin` is the name of anything."""

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"})


def models(paths: Paths, *, weights: bool = True) -> list[Choice]:
    """The model in the box, what lies below the model roots, and what is in the hub's local cache.

    With `weights=False` a folder is whole without them, as for `survey`. Under `lends` a folder has the kind of the
    single files whose `config` it can be, with or without weights; and under `lacks`, where it can be that of a
    transformer, the parts whose weights must come from elsewhere then.
    """

    def describe(name: str, path: Path, source: str) -> Choice:
        return _model(name, path, source, weights=weights)

    found = _listed(paths, _is_model, _hub(), describe, {"pocket": describe("pocket", POCKET, "box")})
    return [_with_configs(choice, found.values()) for choice in found.values()]


def _with_configs(choice: Choice, others: Iterable[Choice]) -> Choice:
    """A single file with the folders that fit as its `config`, under `configs`; anything else as it is."""
    if "needs" not in choice.detail:
        return choice
    is_partial = choice.detail["needs"] == NEEDS_REST
    fitting: list[JsonValue] = [
        other.name
        for other in others
        if other.detail.get("lends") == choice.kind and not (is_partial and "lacks" not in other.detail)
    ]
    return replace(choice, detail={**choice.detail, "configs": fitting})


def singles(
    paths: Paths, is_one: Callable[[Mapping[str, object]], bool], survey: Callable[[Path, str], NetSource]
) -> list[Choice]:
    """What lies below the model roots and in the hub's local cache with a configuration that `is_one`, surveyed."""

    def wanted(path: Path) -> bool:
        try:
            return is_one(read_json(path / LONE, ""))
        except PatchbayError:
            return False

    def describe(name: str, path: Path, source: str) -> Choice:
        detail: dict[str, JsonValue] = {"source": source, "bytes": _size(path)}
        try:
            return Choice(name, survey(path, name).kind, detail)
        except PatchbayError as error:
            detail["problem"] = asdict(error.problem)
            return Choice(name, "", detail)

    repositories = ((name, path) for name, path in _hub() if wanted(path))
    return list(_listed(paths, wanted, repositories, describe, {}).values())


def _listed(
    paths: Paths,
    wanted: Callable[[Path], bool],
    repositories: Iterable[tuple[str, Path]],
    describe: Callable[[str, Path, str], Choice],
    known: Mapping[str, Choice],
) -> dict[str, Choice]:
    """By name what is `known`, what is `wanted` below the model roots, and the hub's `repositories`, each described.

    Of two with one name the first counts.
    """
    found = dict(known)
    below = ((path.relative_to(root).as_posix(), path) for root in paths.models for path in walk(root, wanted))
    places = ((name, path, "folder" if path.is_dir() else "file") for name, path in below)
    for name, path, source in chain(places, ((*each, "hub") for each in repositories)):
        if name not in found and len(found) < MOST_MODELS:
            found[name] = describe(name, path, source)
    return found


def pipelines(paths: Paths) -> list[Choice]:
    """The same folders as far as they can be run as whole pipelines, whatever their class."""
    return list(_listed(paths, _is_folder, _hub(), _whole, {"pocket": _whole("pocket", POCKET, "box")}).values())


def _is_folder(path: Path) -> bool:
    return (path / INDEX).is_file()


def _whole(name: str, path: Path, source: str) -> Choice:
    """A model folder, its kind where its family has one, and what is wrong with running it as a whole."""
    detail: dict[str, JsonValue] = {"source": source, "bytes": _size(path)}
    kind = ""
    try:
        found = survey_whole(path, name)
        detail["pipeline_class"] = found.pipeline_class
        kind = kind_of(found, name)
    except PatchbayError as error:
        detail["problem"] = asdict(error.problem)
    except OSError as error:
        detail["problem"] = _unreadable(name, error)
    return Choice(name, kind, detail)


def pictures(paths: Paths) -> list[Choice]:
    """The newest pictures in the input folders, newest first; those in the box last."""
    found: dict[str, os.stat_result] = {}
    for root in paths.inputs:
        found = {**_states(root), **found}
    newest = sorted(found.items(), key=lambda item: (-item[1].st_mtime_ns, item[0]))[:MOST_PICTURES]
    boxed = [item for item in sorted(_states(FOLDER).items()) if item[0] not in found]
    return [_picture(*item) for item in (*newest, *boxed)][:MOST_PICTURES]


def _picture(name: str, state: os.stat_result) -> Choice:
    return Choice(name, detail={"bytes": state.st_size, "modified": state.st_mtime})


def _states(root: Path) -> dict[str, os.stat_result]:
    found: dict[str, os.stat_result] = {}
    for path in walk(root, lambda path: path.suffix.lower() in _PICTURES and path.is_file()):
        try:
            found[path.relative_to(root).as_posix()] = path.stat()
        except OSError:
            continue  # gone since the folder was read
    return found


def _is_model(path: Path) -> bool:
    """Whether to list it: pickles that are named like models are, so that it is said why they cannot be used."""
    return index_file(path) is not None if path.is_dir() else path.suffix.lower() in {".safetensors", SUFFIX, *_REFUSED}


def _hub() -> Iterator[tuple[str, Path]]:
    """Repositories in the hub's cache by id, and the folder of the revision that the id alone means."""
    from huggingface_hub.constants import HF_HUB_CACHE

    for folder in sorted(Path(HF_HUB_CACHE).glob("models--*--*")):
        try:
            revision = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            revision = "main"
        yield folder.name.removeprefix("models--").replace("--", "/", 1), folder / "snapshots" / Path(revision).name


def _model(name: str, path: Path, source: str, *, weights: bool) -> Choice:
    """What is known of a model without its weights, or what is wrong with it; a file that did not change is known."""
    try:
        state = path.stat() if path.is_file() else None
    except OSError:
        state = None
    if state is None:
        return _found(name, path, source, weights=weights)
    key = (name, path, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
    if key not in _known_files:
        _known_files[key] = _found(name, path, source, weights=weights)
    return _known_files[key]


def _found(name: str, path: Path, source: str, *, weights: bool) -> Choice:
    detail: dict[str, JsonValue] = {"source": source, "bytes": _size(path)}
    kind = ""
    try:
        if path.is_file():
            kind = _look_into(path, name, detail)
        else:
            if index := index_file(path):
                detail["pipeline_class"] = str(read_json(index, name).get("_class_name"))
            detail["lends"] = survey(path, weights=False, at=name).kind
            detail.update(_lacks(path, name))
            kind = survey(path, weights=weights, at=name).kind
    except PatchbayError as error:
        detail["problem"] = asdict(error.problem)
    except OSError as error:
        detail["problem"] = _unreadable(name, error)
    return Choice(name, kind, detail)


def _lacks(path: Path, name: str) -> dict[str, JsonValue]:
    """Which parts a folder has no weights for, if it is good beside a file with a transformer."""
    try:
        rest = survey_rest(path, {"transformer"}, name)
    except PatchbayError:
        return {}
    return {"lacks": [part.name for part in rest.parts.values() if part.bare and part.name != "transformer"]}


def _unreadable(name: str, error: OSError) -> JsonValue:
    what = f"It cannot be read: {error.strerror}."
    return {"code": Code.BAD_MODEL, "at": name, "what": what, "fix": "Check its permissions."}


def _look_into(path: Path, name: str, detail: dict[str, JsonValue]) -> str:
    """The kind of the model in a single file; what the file holds goes into `detail`."""
    header = header_of(path, name)
    found = recognise(header)
    if found is not None:
        detail["holds"] = found.holds
    checkpoint = whole(found, path, header, name)
    detail["pipeline_class"] = checkpoint.pipeline_class
    detail["needs"] = checkpoint.needs
    return checkpoint.kind


def _size(path: Path) -> int:
    """Bytes on disk, as far as they can be counted."""
    files: Iterable[str] = [str(path)] if path.is_file() else _files(path)
    return sum(_bytes(file) for file in files)


def _files(folder: Path) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        yield from (os.path.join(where, name) for name in names)  # noqa: PTH118  # os.walk's own strings


def _bytes(file: str) -> int:
    try:
        return Path(file).stat().st_size
    except OSError:
        return 0
