"""Poses on tiny random models: the joints that Transformers finds, in the boxes of people, drawn as skeletons."""

import pytest
import torch
import transformers

from engine.errors import Code, PatchbayError
from engine.events import NodeMessage
from nodes.diffusion.disk.pose_files import survey_detector, survey_pose
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.pictures.poses import pose_maps
from nodes.diffusion.pictures.skeletons import skeletons
from nodes.types import Image, PoseModel

JOINTS = {number: str(number) for number in range(17)}


def save_vitpose(folder, joints=JOINTS, **backbone):
    torch.manual_seed(0)
    sizes = {"image_size": [64, 48], "patch_size": [16, 16], "hidden_size": 16, "num_hidden_layers": 2}
    backbone = transformers.VitPoseBackboneConfig(**sizes, num_attention_heads=2, out_indices=[2], **backbone)
    model = transformers.VitPoseForPoseEstimation(transformers.VitPoseConfig(backbone_config=backbone, id2label=joints))
    for parameter in model.parameters():
        parameter.data += torch.randn(parameter.shape) * 0.1  # else it says the same of every place
    model.save_pretrained(folder)
    size = {"height": 64, "width": 48}
    transformers.models.vitpose.VitPoseImageProcessorPil(size=size).save_pretrained(folder)


def save_yolos(folder, names=("fox", "person")):
    torch.manual_seed(6)  # it finds people and a fox
    sizes = {"image_size": [32, 32], "patch_size": 16, "hidden_size": 16, "num_hidden_layers": 2}
    names = dict(enumerate(names))
    config = transformers.YolosConfig(
        **sizes, num_attention_heads=2, intermediate_size=16, num_detection_tokens=6, id2label=names
    )
    model = transformers.YolosForObjectDetection(config)
    for parameter in model.parameters():
        parameter.data += torch.randn(parameter.shape)
    model.save_pretrained(folder)
    size = {"height": 32, "width": 32}
    transformers.models.yolos.YolosImageProcessorPil(size=size).save_pretrained(folder)


@pytest.fixture
def pose(tmp_path):
    save_vitpose(tmp_path / "pose")
    yield survey_pose(tmp_path / "pose", "x")
    SHELF.clear()


@pytest.fixture
def detector(tmp_path):
    save_yolos(tmp_path / "people")
    return survey_detector(tmp_path / "people", "x")


def pictures(count=1):
    return Image((torch.rand(count, 3, 96, 80, generator=torch.Generator().manual_seed(0)) * 255).round() / 255)


def theirs(source, picture, boxes, certainty):
    """The joints as Transformers' documentation finds them."""
    model = transformers.VitPoseForPoseEstimation.from_pretrained(source.path)
    processor = transformers.AutoImageProcessor.from_pretrained(source.path)
    read = processor(picture, boxes=[boxes], return_tensors="pt")
    with torch.no_grad():
        said = model(**read)
    found = processor.post_process_pose_estimation(said, boxes=[boxes], threshold=certainty)[0]
    return [dict(zip(one["labels"].tolist(), one["keypoints"].tolist(), strict=True)) for one in found]


@pytest.mark.parametrize("certainty", [0.0, 0.2])
def test_without_a_detector_the_picture_is_one_person(pose, certainty):
    image = pictures(2)
    found = pose_maps(PoseModel(pose), image, certainty).pixels
    for pixels, drawn in zip(image.pixels, found, strict=True):
        people = theirs(pose, to_pillow(pixels), [[0.0, 0.0, 80.0, 96.0]], certainty)
        assert len(people[0]) > 1
        assert torch.equal(drawn, skeletons(people, 80, 96))


def test_a_detector_s_people_have_skeletons_each(pose, detector):
    image = pictures()
    picture = to_pillow(image.pixels[0])
    processor = transformers.AutoImageProcessor.from_pretrained(detector.path)
    with torch.no_grad():
        model = transformers.YolosForObjectDetection.from_pretrained(detector.path)
        said = model(**processor(picture, return_tensors="pt"))
    found = processor.post_process_object_detection(said, threshold=0.3, target_sizes=[(96, 80)])[0]
    corners = [box for label, box in zip(found["labels"], found["boxes"].tolist(), strict=True) if label == 1]
    boxes = [[left, top, right - left, bottom - top] for left, top, right, bottom in corners]
    assert min(box[2] for box in boxes) < 1  # what is smaller than a pixel is nobody
    boxes = [box for box in boxes if box[2] >= 1]
    drawn = pose_maps(PoseModel(pose, detector), image, 0.0).pixels[0]
    assert torch.equal(drawn, skeletons(theirs(pose, picture, boxes, 0.0), 80, 96))


def test_where_nobody_is_found_it_is_said(pose, tmp_path, within):
    save_yolos(tmp_path / "foxes", ("fox", "person", "hen"))
    detector = survey_detector(tmp_path / "foxes", "x")
    with SHELF.use(detector, "detector") as live:
        live.class_labels_classifier.layers[-1].bias.data = torch.tensor([99.0, 0.0, 0.0, 0.0])
    seen = []
    with within(emit=seen.append):
        assert not pose_maps(PoseModel(pose, detector), pictures(), 0.0).pixels.any()
    assert [event.text for event in seen if isinstance(event, NodeMessage)] == ["There is nobody in picture 1."]


def test_a_model_of_several_data_sets_is_asked_for_coco_s(tmp_path):
    save_vitpose(tmp_path / "plus", num_experts=2, part_features=4)
    assert pose_maps(PoseModel(survey_pose(tmp_path / "plus", "x")), pictures(), 0.0).pixels.any()
    SHELF.clear()


def test_what_finds_other_joints_or_no_people_is_refused(tmp_path):
    save_vitpose(tmp_path / "hands", {number: str(number) for number in range(21)})
    save_yolos(tmp_path / "foxes", ("fox",))
    for survey, name, why in ((survey_pose, "hands", "21 joints"), (survey_detector, "foxes", "no people")):
        with pytest.raises(PatchbayError, match=why) as caught:
            survey(tmp_path / name, "x")
        assert caught.value.code is Code.UNSUPPORTED_CLASS
    with pytest.raises(PatchbayError, match="no pose model that is supported"):
        survey_pose(tmp_path / "foxes", "x")
