"""Poses: where the joints of the people in a picture are, by models of Transformers, drawn as skeletons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from engine.context import say, track
from nodes.diffusion.disk.depth_files import PROCESSOR
from nodes.diffusion.disk.pose_files import DETECTOR, PERSON, POSE, labels
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.pictures.skeletons import skeletons
from nodes.types import Image, PoseModel

if TYPE_CHECKING:
    from PIL import Image as Pillow

    from nodes.diffusion.disk.nets import NetSource

_SURE = 0.3
"""How sure a detector must be of a person, as Transformers' own example for ViTPose has it."""


def pose_maps(model: PoseModel, image: Image, certainty: float) -> Image:
    """The skeletons of each picture's people on black, with the joints that the model is surer of than `certainty`.

    Says so where a detector finds nobody.
    """
    found = []
    with torch.inference_mode():
        for number, pixels in enumerate(track(image.pixels), 1):
            picture = to_pillow(pixels)
            boxes = (
                [[0.0, 0.0, *map(float, picture.size)]] if model.detector is None else _people(model.detector, picture)
            )
            if not boxes:
                say(f"There is nobody in picture {number}.")
            people = _joints(model.source, picture, boxes, certainty) if boxes else []
            found.append(skeletons(people, *picture.size))
    return Image(torch.stack(found))


def _people(source: NetSource, picture: Pillow.Image) -> list[list[float]]:
    """The boxes around people: left, top, width and height in pixels, none of them smaller than one."""
    with SHELF.use(source, DETECTOR) as module, SHELF.use(source, PROCESSOR) as processor:
        said = module(**_read(module, processor(images=picture, return_tensors="pt")))
        said.logits, said.pred_boxes = said.logits.float(), said.pred_boxes.float()
        sizes = [(picture.height, picture.width)]
        found = processor.post_process_object_detection(said, threshold=_SURE, target_sizes=sizes)[0]
    names = labels(source, DETECTOR)
    each = zip(found["labels"].tolist(), found["boxes"].tolist(), strict=True)
    corners = [box for label, box in each if names.get(str(label)) == PERSON]
    boxes = [[left, top, right - left, bottom - top] for left, top, right, bottom in corners]
    return [box for box in boxes if min(box[2:]) >= 1]


def _joints(
    source: NetSource, picture: Pillow.Image, boxes: list[list[float]], certainty: float
) -> list[dict[int, tuple[float, float]]]:
    """Of each person in a box the joints that are sure enough, by COCO's numbers, in pixels."""
    with SHELF.use(source, POSE) as module, SHELF.use(source, PROCESSOR) as processor:
        read = _read(module, processor(images=picture, boxes=[boxes], return_tensors="pt"))
        if module.config.backbone_config.num_experts > 1:  # of several data sets COCO is the first
            read["dataset_index"] = torch.zeros(len(boxes), dtype=torch.long, device=module.device)
        said = module(**read)
        said.heatmaps = said.heatmaps.float()
        people = processor.post_process_pose_estimation(said, boxes=[boxes], threshold=certainty)[0]
    return [dict(zip(each["labels"].tolist(), map(tuple, each["keypoints"].tolist()), strict=True)) for each in people]


def _read(module: Any, read: Any) -> dict[str, Any]:  # noqa: ANN401  # Transformers' own mapping
    """What a processor made of a picture, where the model is and in its precision."""
    return {"pixel_values": read["pixel_values"].to(module.device, module.dtype)}
