"""People as pose ControlNets read them: OpenPose's skeletons of joints and limbs, each in a colour of its own.

Joints, limbs, colours and sizes are those of the ControlNet authors' annotator (lllyasviel/ControlNet,
annotator/openpose/util.py, `draw_bodypose`): at 512 pixels a joint is a disc with a radius of 4, a limb an ellipse as
wide, at three fifths of its colour. COCO's joints have no neck: it lies between the shoulders.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image as Pillow
from PIL import ImageDraw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Place = tuple[float, float]

_NECK, _RIGHT_SHOULDER, _LEFT_SHOULDER = 1, 2, 5
_FROM_COCO = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
"""OpenPose's 18 joints as COCO counts them: nose, neck, right arm, left arm, right leg, left leg, eyes, ears."""

_LIMBS = (
    *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
    *((1, 0), (0, 14), (14, 16), (0, 15), (15, 17)),
)
_COLOURS = (
    *((255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0)),
    *((0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255)),
    *((170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85)),
)
"""Of limbs and of joints, each by number."""

_DIM = 0.6
_RADIUS, _SIDE = 4, 512


def skeletons(people: Sequence[Mapping[int, Place]], width: int, height: int) -> torch.Tensor:
    """A picture [3, height, width] of people on black.

    Of each the joints that were seen, by COCO's numbers, and their places in pixels from the left and from the top.
    """
    picture = Pillow.new("RGB", (width, height))
    pen = ImageDraw.Draw(picture)
    radius = max(1.0, _RADIUS * min(width, height) / _SIDE)
    bodies = [_joints(person) for person in people]
    for body in bodies:
        for (start, end), colour in zip(_LIMBS, _COLOURS, strict=False):
            if start in body and end in body:
                pen.polygon(_ellipse(body[start], body[end], radius), tuple(int(part * _DIM) for part in colour))
    for body in bodies:
        for joint, (x, y) in body.items():
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), _COLOURS[joint])
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def _joints(person: Mapping[int, Place]) -> dict[int, Place]:
    """The joints by OpenPose's numbers; a neck where both shoulders were seen."""
    body = {joint: person[coco] for joint, coco in enumerate(_FROM_COCO) if coco is not None and coco in person}
    if _RIGHT_SHOULDER in body and _LEFT_SHOULDER in body:
        (x, y), (other_x, other_y) = body[_RIGHT_SHOULDER], body[_LEFT_SHOULDER]
        body[_NECK] = ((x + other_x) / 2, (y + other_y) / 2)
    return body


def _ellipse(start: Place, end: Place, radius: float) -> list[Place]:
    """The outline of an ellipse from one place to another."""
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    half, angle = math.dist(start, end) / 2, math.atan2(end[1] - start[1], end[0] - start[0])
    turns = [math.radians(degree) for degree in range(0, 360, 5)]
    along = [(half * math.cos(turn), radius * math.sin(turn)) for turn in turns]
    cosine, sine = math.cos(angle), math.sin(angle)
    return [(x + a * cosine - b * sine, y + a * sine + b * cosine) for a, b in along]
