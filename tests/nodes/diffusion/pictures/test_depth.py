"""Depth maps on tiny random models: what Transformers says of a picture, from black to white."""

import json

import pytest
import torch
import transformers

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.depth_files import gives_distances, survey_depth, wanted_files
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.depth import depth_maps
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.types import DepthModel, Image
from tests.nodes.diffusion.tiny import seeing


def save_dpt(folder):
    seeing.dpt(is_hybrid=False).save_pretrained(folder)
    transformers.models.dpt.DPTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)


def save_depth_anything(folder, **options):
    backbone = transformers.Dinov2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
    )
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=16,
        patch_size=14,
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
        head_hidden_size=4,
        **options,
    )
    model = transformers.DepthAnythingForDepthEstimation(config)
    for parameter in model.parameters():
        parameter.data += torch.randn(parameter.shape) * 0.1  # else it says the same of every place
    torch.nn.init.constant_(model.head.conv3.bias, 0.0 if options else 5.0)  # where its last layer tells most
    model.save_pretrained(folder)
    size = {"height": 28, "width": 28}
    processor = transformers.models.dpt.DPTImageProcessorPil(size=size, keep_aspect_ratio=True, ensure_multiple_of=14)
    processor.save_pretrained(folder)


def save_metric(folder):
    save_depth_anything(folder, depth_estimation_type="metric", max_depth=20)


def save_glpn(folder):
    sizes = {"hidden_sizes": [8] * 4, "decoder_hidden_size": 8, "depths": [1] * 4, "num_attention_heads": [1] * 4}
    transformers.GLPNForDepthEstimation(transformers.GLPNConfig(**sizes)).save_pretrained(folder)
    transformers.models.glpn.GLPNImageProcessorPil().save_pretrained(folder)


@pytest.fixture(params=[save_glpn, save_dpt, save_depth_anything, save_metric])
def model(request, tmp_path):
    torch.manual_seed(0)
    request.param(tmp_path / "depth")
    yield DepthModel(survey_depth(tmp_path / "depth", "x"))
    SHELF.clear()


def pictures():
    return Image((torch.rand(2, 3, 40, 56, generator=torch.Generator().manual_seed(0)) * 255).round() / 255)


def test_a_map_is_what_transformers_says_from_farthest_to_nearest(model):
    image = pictures()
    found = depth_maps(model, image).pixels
    assert found.shape == image.pixels.shape
    with SHELF.use(model.source, "depth") as live:
        folder = str(model.source.path)
        theirs = transformers.pipeline(
            "depth-estimation",
            model=live,
            image_processor=transformers.AutoImageProcessor.from_pretrained(folder),
        )
        said = [theirs(to_pillow(pixels))["predicted_depth"] for pixels in image.pixels]
    for picture, depth in zip(found, said, strict=True):
        assert (picture.min(), picture.max()) == (0, 1)
        assert torch.equal(picture[0], picture[2])
        near = 1 / depth if gives_distances(model.source) else depth
        assert torch.allclose(picture[0], (near - near.min()) / (near.max() - near.min()), atol=1e-5)


def test_of_one_distance_nothing_is_near(model):
    with SHELF.use(model.source, "depth") as live:
        for parameter in live.parameters():
            parameter.data.zero_()
    assert not depth_maps(model, pictures()).pixels.any()


@pytest.fixture
def folder(tmp_path):
    save_dpt(tmp_path / "dpt")
    return tmp_path / "dpt"


def test_a_depth_model_is_told_by_its_configuration(folder, tmp_path):
    found = survey_depth(folder, "x")
    assert (found.class_name, gives_distances(found)) == ("DPTForDepthEstimation", False)
    before = found.digest
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_processor_type": "DPTImageProcessor"}))
    assert survey_depth(folder, "x").digest != before
    with pytest.raises(PatchbayError, match="is no depth model in"):
        survey_depth(tmp_path, "x")


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"architectures": ["DPTForSemanticSegmentation"]}, Code.UNSUPPORTED_CLASS),
        ({}, Code.UNSUPPORTED_CLASS),
        ({"architectures": ["DPTForDepthEstimation"], "auto_map": {}}, Code.UNSUPPORTED_CLASS),
    ],
)
def test_what_is_no_depth_model_is_refused(folder, config, code):
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(PatchbayError) as caught:
        survey_depth(folder, "x")
    assert caught.value.code is code


def test_pickles_are_refused_and_a_processor_must_be_there(folder):
    (folder / "preprocessor_config.json").rename(folder / "away")
    with pytest.raises(PatchbayError, match=r"preprocessor_config\.json is missing"):
        survey_depth(folder, "x")
    (folder / "away").rename(folder / "preprocessor_config.json")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(PatchbayError) as caught:
        survey_depth(folder, "x")
    assert caught.value.code is Code.PICKLED_MODEL


def test_of_a_repository_only_what_it_needs_is_wanted():
    names = ["config.json", "model.safetensors", "pytorch_model.bin", "preprocessor_config.json"]
    assert wanted_files(names) == ["config.json", "model.safetensors", "preprocessor_config.json"]
