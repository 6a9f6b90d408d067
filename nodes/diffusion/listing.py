"""What is there to choose from: models below their roots and in the hub's cache, pictures in the input folders.

Nothing here imports torch or reads a weight, and one broken folder does not hide the others: it is listed with its
problem.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.choices import Choice
from engine.errors import Code, PatchbayError
from engine.paths import contains
from nodes.diffusion.families import kind_of, single_file_sizes
from nodes.diffusion.headers import read_header
from nodes.diffusion.parts import read_json
from nodes.diffusion.source import INDEX, resolve, survey
from nodes.diffusion.whole import survey_whole
from nodes.pictures import FOLDER
from nodes.pocket import MODEL as POCKET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic import JsonValue

    from engine.paths import Paths

DEEPEST = 5
"""So many folders deep below a root is looked."""

MOST_MODELS = 1_000
MOST_PICTURES = 1_000

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"})


def models(paths: Paths, *, weights: bool = True) -> list[Choice]:
    """The model in the box, what lies below the model roots, and what is in the hub's local cache.

    With `weights=False` a folder is whole without them, as for `survey`.
    """
    found = {"pocket": _model("pocket", POCKET, "box", weights=weights)}
    for root in paths.models:
        for path in _walk(root, _is_model):
            name = path.relative_to(root).as_posix()
            if name not in found and len(found) < MOST_MODELS:
                found[name] = _model(name, path, "folder" if path.is_dir() else "file", weights=weights)
    for name, path in _hub():
        if name not in found and len(found) < MOST_MODELS:
            found[name] = _model(name, path, "hub", weights=weights)
    return list(found.values())


def pipelines(paths: Paths) -> list[Choice]:
    """The same folders as far as they can be run as whole pipelines, whatever their class."""
    return [_whole(choice, paths) for choice in models(paths) if choice.detail["source"] != "file"]


def _whole(choice: Choice, paths: Paths) -> Choice:
    """A model folder, and what is wrong with running it as a whole."""
    detail = {name: value for name, value in choice.detail.items() if name != "problem"}
    try:
        survey_whole(resolve(choice.name, paths, downloads=False, at=choice.name), choice.name)
    except PatchbayError as error:
        detail["problem"] = {"code": error.code, "at": error.at, "what": error.what, "fix": error.fix}
    return Choice(choice.name, choice.kind, detail)


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
    for path in _walk(root, lambda path: path.suffix.lower() in _PICTURES and path.is_file()):
        try:
            found[path.relative_to(root).as_posix()] = path.stat()
        except OSError:
            continue  # gone since the folder was read
    return found


def _walk(root: Path, wanted: Callable[[Path], bool], depth: int = 0, folder: Path | None = None) -> Iterator[Path]:
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
            yield from _walk(root, wanted, depth + 1, path)


def _is_model(path: Path) -> bool:
    return (path / INDEX).is_file() if path.is_dir() else path.suffix.lower() == ".safetensors"


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
    """What is known of a model without its weights, or what is wrong with it."""
    detail: dict[str, JsonValue] = {"source": source, "bytes": _size(path)}
    kind = ""
    try:
        if path.is_file():
            kind = _kind_of_file(path)
        else:
            if (path / INDEX).is_file():
                detail["pipeline_class"] = str(read_json(path / INDEX, name).get("_class_name"))
            kind = survey(path, weights=weights, at=name).kind
    except PatchbayError as error:
        detail["problem"] = {"code": error.code, "at": error.at, "what": error.what, "fix": error.fix}
    except OSError as error:
        what = f"It cannot be read: {error.strerror}."
        detail["problem"] = {"code": Code.BAD_MODEL, "at": name, "what": what, "fix": "Check its permissions."}
    return Choice(name, kind, detail)


def _kind_of_file(path: Path) -> str:
    sizes = single_file_sizes(read_header(path, path.name))
    if sizes is None:
        what = f"{path.name} is no Stable Diffusion 1.x or 2.x checkpoint: its tensors have other names."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, path.name, what, "It may be a part of a model, or a LoRA.")
    return kind_of(*sizes)


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
