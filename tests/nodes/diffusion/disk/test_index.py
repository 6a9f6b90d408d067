import pytest

from engine.errors import Code
from nodes.diffusion.disk.index import INDEX, read_index
from nodes.diffusion.disk.source import survey
from tests.nodes.diffusion.spoiling import edit, refusal


def test_parts_and_options_are_told_apart(broken):
    edit(broken / INDEX, force_zeros=True)
    index = read_index(broken, "at")
    assert index.parts["unet"] == ("diffusers", "UNet2DConditionModel")
    assert set(index.parts) == {"scheduler", "text_encoder", "tokenizer", "unet", "vae"}
    assert index.options["force_zeros"] is True
    assert index.family.name == "sd"


def test_the_safety_checker_of_stock_models_is_left_alone(broken):
    edit(broken / "model_index.json", safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"])
    assert survey(broken, at="x").kind == "sd-32x4"


@pytest.mark.parametrize("part", ["unet", "vae", "scheduler"])
def test_a_part_that_the_index_does_not_name_is_refused(broken, part):
    edit(broken / "model_index.json", **{part: ...})
    assert f"names no {part}" in refusal(broken).what
    edit(broken / "model_index.json", **{part: [None, None]})
    assert f"names no {part}" in refusal(broken).what


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"_class_name": "FluxPipeline"}, Code.BAD_MODEL),
        ({"_class_name": "OnnxStableDiffusionPipeline"}, Code.UNSUPPORTED_CLASS),
        ({"_class_name": ["pipeline", "Own"]}, Code.UNSUPPORTED_CLASS),
        ({"custom_pipeline": "x"}, Code.UNSUPPORTED_CLASS),
        ({"_class_name": "os.system"}, Code.BAD_MODEL),
        ({"_class_name": None}, Code.BAD_MODEL),
        ({"unet": ["my_code", "UNet2DConditionModel"]}, Code.UNSUPPORTED_CLASS),
        ({"unet": ["transformers", "UNet2DConditionModel"]}, Code.UNSUPPORTED_CLASS),
        ({"unet": ["diffusers", "UNet3DConditionModel"]}, Code.UNSUPPORTED_CLASS),
        ({"unet": ["diffusers", "a.b"]}, Code.BAD_MODEL),
        ({"unet": ["diffusers"]}, Code.BAD_MODEL),
        ({"unet": ["diffusers", 1]}, Code.BAD_MODEL),
        ({"extra": ["os", "system"]}, Code.UNSUPPORTED_CLASS),
    ],
)
def test_a_foreign_index_is_refused(broken, changes, code):
    edit(broken / "model_index.json", **changes)
    assert refusal(broken).code is code


def test_the_nearest_class_is_named(broken):
    edit(broken / "model_index.json", _class_name="StableDiffusionPipelin")
    assert 'Did you mean "StableDiffusionPipeline"?' in refusal(broken).what


SCORED = {"_class_name": "StableDiffusionXLImg2ImgPipeline", "requires_aesthetics_score": True}


def test_sdxl_for_image_to_image_is_a_refiner_only_with_a_score_of_beauty(broken):
    edit(broken / INDEX, **SCORED)
    assert read_index(broken, "at").family.name == "sdxl-refiner"
    edit(broken / INDEX, requires_aesthetics_score=False)
    assert read_index(broken, "at").pipeline_class == "StableDiffusionXLPipeline"


def test_what_diffusers_keeps_beside_a_pipeline_is_let_through_for_its_family_alone(broken):
    own = {"text_encoder": ["kolors", "ChatGLMModel"], "tokenizer": ["kolors", "ChatGLMTokenizer"]}
    edit(broken / INDEX, _class_name="KolorsPipeline", **own)
    assert read_index(broken, "at").parts["text_encoder"] == ("kolors", "ChatGLMModel")
    edit(broken / INDEX, _class_name="StableDiffusionXLPipeline")
    assert refusal(broken).code is Code.UNSUPPORTED_CLASS
