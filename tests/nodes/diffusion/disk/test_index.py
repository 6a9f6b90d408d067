import json

import pytest

from engine.errors import Code
from nodes.diffusion.disk.index import INDEX, MODULAR_INDEX, index_file, read_index, read_plain
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


FLUX3 = {
    "_class_name": "Flux3ModularPipeline",
    "_blocks_class_name": "Flux3AutoBlocks",
    "transformer": ["diffusers", "Flux3Transformer2DModel", {"pretrained_model_name_or_path": "fox/other"}],
    "vae": [None, None, {"type_hint": ["diffusers", "AutoencoderKLFlux2"]}],
    "text_encoder": [None, None, {"type_hint": [None, None]}],
    "tokenizer": [None, None, {}],
    "prompt_upsampler": ["transformers", "Qwen3_5ForConditionalGeneration", {}],
    "image_seq_len": 4096,
}
"""An index as it is saved for blocks; a part that was not loaded then has its class beside where it comes from."""


@pytest.fixture
def modular(tmp_path):
    (tmp_path / MODULAR_INDEX).write_text(json.dumps(FLUX3))
    return tmp_path


def test_an_index_of_blocks_is_read_like_the_other_one(modular):
    index = read_index(modular, "at")
    assert index.family.name == "flux3"
    assert index.parts == {
        "transformer": ("diffusers", "Flux3Transformer2DModel"),
        "vae": ("diffusers", "AutoencoderKLFlux2"),
    }
    assert index.options["image_seq_len"] == 4096


def test_of_two_indexes_the_plain_one_counts(broken):
    (broken / MODULAR_INDEX).write_text(json.dumps(FLUX3))
    assert index_file(broken) == broken / INDEX
    assert read_index(broken, "at").family.name == "sd"


@pytest.mark.parametrize("blocks", [None, ..., "SequentialPipelineBlocks", "Flux3Blocks"])
def test_blocks_of_the_class_are_run(modular, blocks):
    edit(modular / MODULAR_INDEX, _blocks_class_name=blocks)
    assert read_plain(modular, "at")["_class_name"] == "Flux3ModularPipeline"


def test_other_blocks_are_refused(modular):
    edit(modular / MODULAR_INDEX, _blocks_class_name="AnimaAutoBlocks")
    assert "AnimaAutoBlocks" in refusal(modular).what
    edit(modular / MODULAR_INDEX, _blocks_class_name="Flux3AutoBlocks")
    (modular / "modular_config.json").write_text("{}")
    assert "code of its own" in refusal(modular).what


@pytest.mark.parametrize(
    "changes",
    [{"transformer": ["my_code", "Own", {}]}, {"vae": [None, None, {"type_hint": ["os", "system"]}]}],
)
def test_an_index_of_blocks_names_no_other_libraries_either(modular, changes):
    edit(modular / MODULAR_INDEX, **changes)
    assert refusal(modular).code is Code.UNSUPPORTED_CLASS


def test_parts_come_from_the_folder_and_from_nowhere_else(modular):
    assert 'has no folder "transformer"' in refusal(modular).what
