"""What a model is made of, read from its configurations and headers: no weight is loaded, no torch imported."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING

from engine.digests import file_digest
from engine.errors import PatchbayError
from nodes.diffusion.disk.checkpoints import recognise, whole
from nodes.diffusion.disk.gguf_files import header_of
from nodes.diffusion.disk.headers import read_header
from nodes.diffusion.disk.source import survey

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import JsonValue

    from nodes.diffusion.disk.checkpoints import Checkpoint
    from nodes.diffusion.disk.headers import Header
    from nodes.diffusion.disk.parts import Part

    Report = dict[str, JsonValue]

_CLASSES = {
    "text_encoder": "CLIPTextModel",
    "text_encoder_2": "CLIPTextModelWithProjection",
    "unet": "UNet2DConditionModel",
    "vae": "AutoencoderKL",
}
"""The classes of the parts in a single file of a whole model."""


def report(path: Path, name: str, at: str, *, digests: bool = True) -> Report:
    """Kind, class and digest of the model at `path`, and the class, size, precisions and digest of each component.

    For `digests` every byte is read once. What a single file holds is told even if it cannot be loaded: `problem` says
    why then. Raises `PatchbayError` at `at` for a folder that cannot be loaded, a pickle and a damaged file.
    """
    found = _folder(path, at, digests=digests) if path.is_dir() else _file(path, at, digests=digests)
    return {"name": name, "path": str(path), **found}


def _folder(path: Path, at: str, *, digests: bool) -> Report:
    source = survey(path, at=at)
    components: list[JsonValue] = [_component(part, at, digests=digests) for part in source.parts.values()]
    files = {file for part in source.parts.values() for file in part.files}
    return {
        "kind": source.kind,
        "pipeline_class": source.pipeline_class,
        "bytes": sum(file.stat().st_size for file in files),
        "digest": source.digest if digests else None,
        "components": components,
    }


def _component(part: Part, at: str, *, digests: bool) -> Report:
    precisions: dict[str, int] = {}
    for file in part.weights:
        for precision, size in read_header(file, at).precisions().items():
            precisions[precision] = precisions.get(precision, 0) + size
    return {
        "name": part.name,
        "class": part.class_name,
        "library": part.library,
        "numbers": part.numbers,
        "bytes": sum(file.stat().st_size for file in part.files),
        "dtypes": [*precisions],
        "variant": part.variant,
        "digest": _digest(part) if digests else None,
        "files": [_named(file, part, digests=digests) for file in part.files],
    }


def _named(file: Path, part: Part, *, digests: bool) -> Report:
    return {"name": f"{part.name}/{file.name}", "sha256": file_digest(file) if digests else None}


def _digest(part: Part) -> str:
    """The sha256 over class, configurations and weights: equal digests mean equal components."""
    total = hashlib.sha256(part.class_name.encode())
    for file in part.files:
        total.update(f"\n{file.name} {file_digest(file)}".encode())
    return total.hexdigest()


def _file(path: Path, at: str, *, digests: bool) -> Report:
    header = header_of(path, at)
    found = recognise(header)
    told: Report = {
        "kind": found.kind if found else "",
        "pipeline_class": found.pipeline_class if found else "",
        "holds": found.holds if found else "tensors of names that are not known here",
        "bytes": path.stat().st_size,
        "digest": file_digest(path) if digests else None,
        "components": _stored(header, found),
    }
    try:
        checkpoint = whole(found, path, header, at)
    except PatchbayError as error:
        return {**told, "problem": asdict(error.problem)}
    return {**told, "needs": checkpoint.needs}


def _class_of(checkpoint: Checkpoint | None, part: str) -> str:
    """The class of a part in a single file, where the file tells."""
    if checkpoint is None or not checkpoint.partial:
        return _CLASSES.get(part, "")
    return checkpoint.denoiser if part == "transformer" else ""


def _stored(header: Header, checkpoint: Checkpoint | None) -> list[JsonValue]:
    """What the file holds of each part; all in one where the parts are not known."""
    found: list[JsonValue] = []
    parts = checkpoint.parts if checkpoint else {}
    for part, prefix in (parts or {"": ""}).items():
        precisions = header.precisions(prefix)
        found.append(
            {
                "name": part,
                "class": _class_of(checkpoint, part),
                "numbers": header.numbers(prefix),
                "bytes": sum(precisions.values()),
                "dtypes": [*precisions],
            }
        )
    return found
