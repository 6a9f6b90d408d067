"""What ControlNets read, made of pictures: edges, depth and poses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from engine import node
from nodes.diffusion.disk import packages
from nodes.diffusion.disk.depth_files import is_depth, survey_depth, wanted_files
from nodes.diffusion.disk.pose_files import is_detector, is_pose, survey_detector, survey_pose
from nodes.load import SingleFolder
from nodes.types import DepthModel, Image, PoseModel

DEPTH_MODELS = SingleFolder("depth model", survey_depth, is_depth, wanted_files)

DepthPath = Annotated[
    Path, DEPTH_MODELS, Field(description="A local folder in Transformers' format, or a hub id: Depth Anything, DPT.")
]
PosePath = Annotated[
    Path,
    SingleFolder("pose model", survey_pose, is_pose, wanted_files),
    Field(description="A local folder in Transformers' format, or a hub id: ViTPose."),
]
DetectorPath = Annotated[
    Path,
    SingleFolder("detector", survey_detector, is_detector, wanted_files),
    Field(description="The same of a model that finds people: RT-DETR, YOLOS. Null: the whole picture is one person."),
]
Contrast = Annotated[float, Field(ge=0, le=2000)]


class LoadedDepth(NamedTuple):
    """A depth model."""

    depth_model: DepthModel


class LoadedPose(NamedTuple):
    """A pose model."""

    pose_model: PoseModel


def check_canny(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Refuse to find edges where OpenCV is not installed."""
    packages.check_edges("image")
    return {}


@node("LoadDepthModel", category="load")
def load_depth_model(*, model: DepthPath) -> LoadedDepth:
    """Open a model that tells distances in pictures: DPT (MiDaS), Depth Anything, GLPN.

    Weights are read when something first runs on them.
    """
    return LoadedDepth(DepthModel(survey_depth(model, "model")))


@node("DepthMap", category="image", device=True)
def depth_map(depth_model: DepthModel, image: Image) -> Image:
    """How near each place of a picture is, for a ControlNet that reads depth: white is nearest, black farthest."""
    from nodes.diffusion.pictures.depth import depth_maps

    return depth_maps(depth_model, image)


@node("LoadPoseModel", category="load")
def load_pose_model(*, model: PosePath, detector: DetectorPath | None = None) -> LoadedPose:
    """Open a model that finds people's joints in pictures, and one that finds the people.

    Weights are read when something first runs on them.
    """
    people = None if detector is None else survey_detector(detector, "detector")
    return LoadedPose(PoseModel(survey_pose(model, "model"), people))


@node("PoseMap", category="image", device=True)
def pose_map(
    pose_model: PoseModel,
    image: Image,
    *,
    certainty: Annotated[float, Field(ge=0, le=1, description="How sure the model must be of a joint.")] = 0.3,
) -> Image:
    """Skeletons of the people in a picture on black, in OpenPose's colours, for a ControlNet that reads poses."""
    from nodes.diffusion.pictures.poses import pose_maps

    return pose_maps(pose_model, image, certainty)


@node("CannyEdges", category="image", facts=check_canny)
def canny_edges(
    image: Image,
    *,
    low: Annotated[Contrast, Field(description="Contrast that an edge goes on with.")] = 100.0,
    high: Annotated[Contrast, Field(description="Contrast that begins an edge.")] = 200.0,
) -> Image:
    """White edges on black, for a ControlNet that reads edges. Needs `pip install "patchbay[preprocess]"`."""
    from nodes.diffusion.pictures.edges import canny

    return canny(image, low, high)
