"""Depth models on disk, found out about without reading a weight or importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError, nearest
from nodes.diffusion.disk.nets import NetSource, configuration, files_of
from nodes.diffusion.disk.parts import read_part, rule_for
from nodes.diffusion.disk.source import stamp_of
from nodes.diffusion.families.family import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

DEPTH, PROCESSOR = "depth", "processor"
"""What the parts are called on the shelf: the model, and what makes pictures its inputs."""

SETTINGS = "preprocessor_config.json"
"""Configures a processor."""

CLASSES: Mapping[str, bool] = {
    "DPTForDepthEstimation": False,
    "DepthAnythingForDepthEstimation": False,
    "GLPNForDepthEstimation": True,
}
"""Classes of Transformers, and whether they give distances; else what is near has the greater number."""


def survey_depth(path: Path, at: str) -> NetSource:
    """Find out what the depth model in the folder `path` is, or raise `PatchbayError` at `at` with what is wrong.

    Codes: `file_not_found`, `bad_model`, `pickled_model`, `unsupported_class`.
    """
    return surveyed(path, "depth model", DEPTH, CLASSES, at)


def surveyed(path: Path, noun: str, part: str, classes: Iterable[str], at: str) -> NetSource:
    """The model of Transformers in the folder `path` with its processor, to be a `noun` of one of the classes.

    Raises like `survey_depth`.
    """
    name = class_of(configuration(path, noun, "Transformers", at))
    if name not in classes:
        what = f'{path} is a "{name}", and no {noun} that is supported. {nearest(name, classes)}'.rstrip()
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, f"Supported: {', '.join(classes)}.")
    parts = {
        part: read_part(path, name, rule_for(path, "transformers", name), at),
        PROCESSOR: read_part(path, "AutoImageProcessor", Rule("transformers", (), SETTINGS), at),
    }
    return NetSource(path, stamp_of(parts), path.name, "", parts)


def class_of(config: Mapping[str, object]) -> str:
    """The class that a configuration of Transformers names; empty where it names none."""
    classes = config.get("architectures")
    return str(classes[0]) if isinstance(classes, list) and classes else ""


def is_depth(config: Mapping[str, object]) -> bool:
    """Whether a configuration is that of a depth model."""
    return class_of(config) in CLASSES


def gives_distances(source: NetSource) -> bool:
    """Whether what is far has the greater number."""
    config = source.parts[DEPTH].config
    return CLASSES[source.class_name] or config.get("depth_estimation_type") == "metric"


def wanted_files(names: Iterable[str]) -> list[str]:
    """Of a repository's files, those of a model with a processor."""
    return [*files_of(names, "model"), SETTINGS]
