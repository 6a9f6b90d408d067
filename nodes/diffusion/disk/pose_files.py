"""Models on disk that find people in pictures and their joints, found out about without a weight or torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.depth_files import class_of, surveyed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nodes.diffusion.disk.nets import NetSource

POSE, DETECTOR = "pose", "detector"
"""What the models are called on the shelf."""

_POSES = ("VitPoseForPoseEstimation",)
_DETECTORS = ("RTDetrForObjectDetection", "RTDetrV2ForObjectDetection", "YolosForObjectDetection")
_JOINTS = 17
"""Those of COCO, which skeletons are drawn of."""

PERSON = "person"
"""What detectors call people."""


def survey_pose(path: Path, at: str) -> NetSource:
    """Find out what the pose model in the folder `path` is, or raise `PatchbayError` at `at` with what is wrong.

    Codes: `file_not_found`, `bad_model`, `pickled_model`, `unsupported_class`.
    """
    found = surveyed(path, "pose model", POSE, _POSES, at)
    joints = len(labels(found, POSE))
    if joints != _JOINTS:
        what = f"{path} finds {joints} joints, and skeletons are drawn of the {_JOINTS} of COCO."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use a ViTPose that was trained on COCO.")
    return found


def survey_detector(path: Path, at: str) -> NetSource:
    """The same of a model that finds things in pictures, people among them."""
    found = surveyed(path, "detector", DETECTOR, _DETECTORS, at)
    if PERSON not in labels(found, DETECTOR).values():
        what = f"{path} finds no people."
        raise PatchbayError(
            Code.UNSUPPORTED_CLASS, at, what, f'Use a detector that knows a "{PERSON}", as those of COCO.'
        )
    return found


def labels(source: NetSource, part: str) -> dict[str, str]:
    """What a model calls the things it tells apart, by their numbers."""
    found = source.parts[part].config.get("id2label")
    return {str(number): str(name) for number, name in found.items()} if isinstance(found, dict) else {}


def is_pose(config: Mapping[str, object]) -> bool:
    """Whether a configuration is that of a pose model."""
    return class_of(config) in _POSES


def is_detector(config: Mapping[str, object]) -> bool:
    """Whether a configuration is that of a detector."""
    return class_of(config) in _DETECTORS
