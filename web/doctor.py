"""What is installed and where things are, and what is known to go wrong.

Torch is looked at from another process: a broken installation of it must not break the doctor.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from web.config import FILE, SHIPPED_GRAPHS
from web.editor_build import EDITOR

if TYPE_CHECKING:
    from web.config import Config

HOUSE = ("engine", "nodes", "graphs", "web")
LIBRARIES = ("torch", "diffusers", "transformers", "safetensors", "pydantic", "networkx", "pillow")

PROBE = """
import json, torch
found = {"cpu": f"{torch.get_num_threads()} threads"}
if torch.cuda.is_available():
    for i in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(i)
        found[f"cuda:{i}"] = f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB"
if torch.backends.mps.is_available():
    found["mps"] = "available"
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination."""

    ok: bool
    name: str
    text: str


def examine(config: Config) -> list[Finding]:
    """Look at everything."""
    return [*_versions(), _house(), _torchvision(), _editor(), *_devices(), *_folders(config)]


def _versions() -> list[Finding]:
    found = [Finding(True, "python", f"{sys.version.split()[0]} at {sys.executable}")]  # noqa: FBT003  # reads as it is
    for name in ("patchbay", *LIBRARIES):
        text = _version(name)
        found.append(Finding(text is not None, name, text or f"not installed: pip install {name}"))
    return found


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _house() -> Finding:
    """The four packages keep plain names, so another `web` or `nodes` on the path could take their place."""
    parents = {name: _parent(name) for name in HOUSE}
    if len(set(parents.values())) == 1:
        return Finding(True, "packages", f"engine, nodes, graphs and web lie in {parents['engine']}")  # noqa: FBT003
    shown = ", ".join(f"{name} in {parent}" for name, parent in parents.items())
    return Finding(False, "packages", f"not all of one installation: {shown}")  # noqa: FBT003


def _parent(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).resolve().parent.parent if spec is not None and spec.origin else None


def _torchvision() -> Finding:
    torch, vision = _version("torch"), _version("torchvision")
    if vision is None:
        return Finding(True, "torchvision", "not installed, and not needed")  # noqa: FBT003
    build, other = (text.partition("+")[2] for text in (torch or "", vision))
    ok = build == other
    text = f"{vision} beside torch {torch}" + ("" if ok else ": different builds; pip uninstall torchvision")
    return Finding(ok, "torchvision", text)


def _editor() -> Finding:
    """Everything but the page in the browser works without it."""
    return Finding(True, "editor", EDITOR.advice() or f"built, in {EDITOR.static}")  # noqa: FBT003


def _devices() -> list[Finding]:
    done = subprocess.run(  # noqa: S603  # our own interpreter and our own text
        [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return [Finding(False, "devices", f"torch does not start: {last}")]  # noqa: FBT003
    return [Finding(True, name, str(text)) for name, text in json.loads(done.stdout).items()]  # noqa: FBT003


def _folders(config: Config) -> list[Finding]:
    paths = config.paths()
    folders = {
        "home": [config.home],
        "config": [config.home / FILE],
        "models": list(paths.models),
        "inputs": list(paths.inputs),
        "outputs": [paths.outputs] if paths.outputs else [],
        "custom nodes": [config.node_folder],
        "shipped graphs": [SHIPPED_GRAPHS],
    }
    return [
        Finding(_usable(path), name, str(path) + ("" if path.exists() else " (not there yet)"))
        for name, found in folders.items()
        for path in found
    ]


def _usable(path: Path) -> bool:
    present = next((folder for folder in (path, *path.parents) if folder.exists()), path)
    return os.access(present, os.R_OK)
