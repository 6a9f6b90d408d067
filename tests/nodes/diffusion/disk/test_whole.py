"""What a folder holds of a pipeline, whatever its class, and what is refused for safety's sake."""

import json

import pytest

from engine import Code, PatchbayError
from nodes.diffusion.disk.source import INDEX, survey
from nodes.diffusion.disk.whole import home_of, pipeline_classes, survey_whole
from tests.nodes.diffusion.tiny.wholes import build_whole


@pytest.fixture(scope="module")
def ddpm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "ddpm"
    build_whole("DDPMPipeline", folder)
    return folder


def change(folder, **entries):
    index = json.loads((folder / INDEX).read_text())
    (folder / INDEX).write_text(json.dumps({**index, **entries}))
    return folder


def test_a_class_without_a_family_is_surveyed(ddpm):
    source = survey_whole(ddpm, "x")
    assert source.pipeline_class == "DDPMPipeline"
    assert set(source.parts) == {"unet", "scheduler"}
    assert source.parts["unet"].numbers > 0
    assert survey_whole(ddpm, "x") is source
    with pytest.raises(PatchbayError, match="not supported yet"):
        survey(ddpm, at="x")


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # what two of them import
def test_every_class_that_is_named_is_one_of_diffusers():
    import inspect

    import diffusers

    known = [getattr(diffusers, name) for name in pipeline_classes()]
    assert len(known) > 250
    whole = [cls for cls in known if inspect.isclass(cls) and issubclass(cls, diffusers.DiffusionPipeline)]
    others = {cls.__name__ for cls in known} - {cls.__name__ for cls in whole}
    assert all(hasattr(getattr(diffusers, name), "_backends") for name in others), "what is no pipeline needs a package"


def test_parts_of_a_driven_model_lie_where_load_model_puts_them(tiny_folder):
    source = survey_whole(tiny_folder, "x")
    assert home_of(source, "unet") == survey(tiny_folder, at="x")


def test_a_new_weight_file_makes_another_source(broken):
    before = survey_whole(broken, "x")
    (broken / "unet" / "config.json").touch()
    assert survey_whole(broken, "x") != before
    assert survey_whole(broken, "x").digest == before.digest


@pytest.mark.parametrize(
    ("entries", "code", "reason"),
    [
        ({"_class_name": "DDPMPipelin"}, Code.UNSUPPORTED_CLASS, "does not have"),
        ({"_class_name": ["pipeline", "Own"]}, Code.UNSUPPORTED_CLASS, "code of its own"),
        ({"_class_name": "StableDiffusionXLModularPipeline"}, Code.UNSUPPORTED_CLASS, "in blocks"),
        ({"custom_pipeline": "own"}, Code.UNSUPPORTED_CLASS, "code of its own"),
        ({"unet": ["os", "system"]}, Code.UNSUPPORTED_CLASS, "library"),
        ({"unet": ["os.path", "join"]}, Code.BAD_MODEL, "plain names"),
        ({"unet": ["..", "UNet2DModel"]}, Code.BAD_MODEL, "plain names"),
        ({"vae": ["diffusers", "AutoencoderKL"]}, Code.BAD_MODEL, "no folder"),
    ],
)
def test_what_could_run_code_or_is_not_there_is_refused(ddpm, tmp_path, entries, code, reason):
    import shutil

    folder = change(shutil.copytree(ddpm, tmp_path / "changed"), **entries)
    with pytest.raises(PatchbayError, match=reason) as caught:
        survey_whole(folder, "run.model")
    assert caught.value.code == code
    assert caught.value.at == "run.model"


def test_pickles_are_refused(broken):
    weights = broken / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(PatchbayError) as caught:
        survey_whole(broken, "x")
    assert caught.value.code == Code.PICKLED_MODEL


def test_a_file_and_a_missing_folder_are_refused(tmp_path):
    (tmp_path / "alone.safetensors").touch()
    with pytest.raises(PatchbayError, match="single file"):
        survey_whole(tmp_path / "alone.safetensors", "x")
    with pytest.raises(PatchbayError, match="does not exist"):
        survey_whole(tmp_path / "none", "x")


def test_the_safety_checker_is_left_out_and_older_names_are_known(tiny_folder, tmp_path):
    import shutil

    import transformers

    folder = shutil.copytree(tiny_folder, tmp_path / "older")
    transformers.models.clip.CLIPImageProcessorPil().save_pretrained(folder / "feature_extractor")
    checker = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    change(folder, feature_extractor=["transformers", "CLIPFeatureExtractor"], safety_checker=checker)
    source = survey_whole(folder, "x")
    assert "safety_checker" not in source.parts
    assert source.parts["feature_extractor"].class_name == "CLIPImageProcessor"
    assert home_of(source, "feature_extractor") is source
    assert home_of(source, "unet") == survey(folder, at="x")
