"""Single files of one sort below the model roots, listed by name and state alone: thousands cost next to nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from engine.choices import Choice
from engine.errors import PatchbayError
from nodes.diffusion.disk.gguf_files import SUFFIX, is_gguf
from nodes.diffusion.disk.headers import PICKLES, refuse_pickle
from nodes.diffusion.disk.hub import LONE
from nodes.diffusion.disk.index import index_file
from nodes.diffusion.disk.roots import walk

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import JsonValue

    from engine.paths import Paths

MOST_FILES = 20_000

_HOMES: Mapping[str, frozenset[str]] = {
    "LoRA": frozenset({"lora", "loras"}),
    "embedding": frozenset({"embeddings"}),
    "VAE": frozenset({"vae"}),
    "text encoder": frozenset({"text_encoder", "text_encoders", "clip"}),
    "model": frozenset({"checkpoints", "diffusion_models", "unet", "stable-diffusion", "diffusers"}),
    "ControlNet": frozenset({"controlnet"}),
}
"""Noun -> what programs call the folders that hold nothing else, in small letters."""


_QUANTISED = frozenset({"text encoder"})
"""What may be in a GGUF file."""


def files(paths: Paths, noun: str) -> list[Choice]:
    """What may be a `noun` below the model roots, no file opened.

    First come the files of folders that are called so, pickles among them with the reason why they cannot be used; then
    those of folders that are called like nothing known. Of two with one name the first counts.
    """
    at_home: dict[str, Choice] = {}
    others: dict[str, Choice] = {}
    for root in paths.models:
        for path in walk(root, _is_candidate):
            name = path.relative_to(root).as_posix()
            home = _home(root, path)
            if path.is_dir() or home not in {noun, ""} or name in at_home or len(at_home) >= MOST_FILES:
                continue
            if is_gguf(path) and noun not in _QUANTISED:
                continue
            if home == noun:
                at_home[name] = _choice(name, path)
            elif path.suffix.lower() not in PICKLES:
                others.setdefault(name, _choice(name, path))
    return list({**at_home, **{name: choice for name, choice in others.items() if name not in at_home}}.values())


def _is_candidate(path: Path) -> bool:
    """A file by its suffix, or a folder in Diffusers' format, which is not looked into."""
    if path.suffix.lower() in {".safetensors", SUFFIX, *PICKLES}:
        return True
    return index_file(path) is not None or (path / LONE).is_file()


def _home(root: Path, path: Path) -> str:
    """The noun that the nearest folder with such a name stands for, up to the root itself; empty where none has."""
    for name in reversed([root.name, *path.relative_to(root).parts[:-1]]):
        for noun, names in _HOMES.items():
            if name.lower() in names:
                return noun
    return ""


def _choice(name: str, path: Path) -> Choice:
    detail: dict[str, JsonValue] = {"source": "file"}
    try:
        state = path.stat()
        detail |= {"bytes": state.st_size, "modified": state.st_mtime}
        if path.suffix.lower() in PICKLES:
            refuse_pickle(path, name)
    except PatchbayError as error:
        detail["problem"] = asdict(error.problem)
    except OSError:
        pass  # gone since the folder was read, and choosing it says so
    return Choice(name, detail=detail)
