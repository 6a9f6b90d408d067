import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.cache import size_of
from engine.errors import Code, PatchbayError
from engine.paths import Paths
from nodes.diffusion.disk.source import resolve, survey
from nodes.pocket import MODEL
from nodes.types import TextEncoder
from tests.nodes.diffusion.spoiling import edit, refusal

UNET_WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def test_the_box_is_surveyed(pocket):
    assert pocket.kind == "pocket"
    assert pocket.pipeline_class == "StableDiffusionPipeline"
    assert set(pocket.parts) == {"scheduler", "text_encoder", "tokenizer", "unet", "vae"}
    assert pocket.scheduler["_class_name"] == "DDIMScheduler"
    assert pocket.scheduler["prediction_type"] == "v_prediction"
    assert 7_100_000 < pocket.parts["unet"].numbers < 7_200_000


def test_what_knows_a_model_weighs_nothing_for_it(pocket):
    assert size_of(TextEncoder(pocket)) == size_of(TextEncoder(None)) - size_of(None)


def test_surveying_imports_no_torch():
    code = (
        "import sys; from nodes.diffusion.disk import source; from nodes.diffusion.schedules import schedulers;"
        "from nodes.pocket import MODEL;"
        "source.survey(MODEL, at='x').digest;"
        "assert not {'torch', 'diffusers', 'transformers', 'huggingface_hub'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=MODEL.parents[2])  # our own code


def test_what_the_class_makes_itself_belongs_to_the_model(family):
    source = family("Flux3ModularPipeline")
    assert source.scheduler["shift"] == 6.93
    other = source.with_part(replace(source.parts["scheduler"], config={"shift": 3.0}))
    assert other.digest != source.digest


def test_what_the_folder_holds_counts_before_what_the_class_would_make(family, tmp_path):
    folder = shutil.copytree(family("Flux3ModularPipeline").path, tmp_path / "model")
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text('{"shift": 2.0}')
    edit(folder / "modular_model_index.json", scheduler=["diffusers", "FlowMatchEulerDiscreteScheduler", {}])
    assert survey(folder, at="x").scheduler["shift"] == 2.0


def test_a_copy_is_another_source_of_the_same_content(tiny, broken):
    copy = survey(broken, at="x")
    assert copy != tiny
    assert copy.digest == tiny.digest
    assert survey(tiny.path, at="x") == tiny
    assert hash(survey(tiny.path, at="x")) == hash(tiny)


@pytest.mark.parametrize(
    "file", ["unet/config.json", "scheduler/scheduler_config.json", "tokenizer/tokenizer.json", UNET_WEIGHTS]
)
def test_any_changed_byte_changes_the_digest(tiny, broken, file):
    path = broken / file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    if path.suffix == ".json":
        content = path.read_bytes() + b"\n"
    path.write_bytes(content)
    changed = survey(broken, at="x")
    assert changed.digest != tiny.digest
    assert changed != survey(tiny.path, at="x")


def test_a_folder_without_weights_can_still_lend_its_configuration(broken):
    (broken / UNET_WEIGHTS).unlink()
    assert survey(broken, weights=False, at="x").kind == "sd-32x4"
    assert refusal(broken).code is Code.BAD_MODEL


@pytest.mark.parametrize("name", ["StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline"])
def test_the_family_s_other_classes_are_containers_too(broken, name):
    edit(broken / "model_index.json", _class_name=name)
    assert survey(broken, at="x").family.pipeline_class == "StableDiffusionPipeline"


@pytest.mark.parametrize("variant", ["fp16", "bf16"])
def test_a_folder_of_one_variant_is_detected(broken, variant):
    (broken / UNET_WEIGHTS).rename(broken / f"unet/diffusion_pytorch_model.{variant}.safetensors")
    assert survey(broken, at="x").parts["unet"].variant == variant


def test_a_missing_model_is_refused(tmp_path):
    assert refusal(tmp_path / "none").code is Code.FILE_NOT_FOUND


def test_a_folder_without_an_index_is_refused(tmp_path):
    assert "model_index.json" in refusal(tmp_path).what


@pytest.mark.parametrize("file", ["model_index.json", "unet/config.json", "scheduler/scheduler_config.json"])
def test_broken_json_is_refused(broken, file):
    (broken / file).write_text("{")
    problem = refusal(broken)
    assert problem.code is Code.BAD_MODEL
    assert Path(file).name in problem.what


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
def test_a_missing_part_is_refused(broken, part):
    shutil.rmtree(broken / part)
    problem = refusal(broken)
    assert problem.code is Code.BAD_MODEL
    assert part in problem.what


@pytest.mark.parametrize("file", ["unet/config.json", "tokenizer/tokenizer.json", UNET_WEIGHTS])
def test_a_missing_file_is_refused(broken, file):
    (broken / file).unlink()
    assert refusal(broken).code is Code.BAD_MODEL


def test_a_truncated_weight_file_is_refused(broken):
    path = broken / UNET_WEIGHTS
    path.write_bytes(path.read_bytes()[:-10])
    assert "cut short" in refusal(broken).what


def test_only_pickles_are_refused_as_pickles(broken):
    (broken / UNET_WEIGHTS).rename(broken / "unet/diffusion_pytorch_model.bin")
    assert refusal(broken).code is Code.PICKLED_MODEL


def test_a_missing_shard_is_refused(broken):
    (broken / UNET_WEIGHTS).rename(broken / "unet/diffusion_pytorch_model-00001-of-00002.safetensors")
    shards = {"a": "diffusion_pytorch_model-00001-of-00002.safetensors"}
    index = broken / "unet/diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": shards}))
    assert survey(broken, at="x").parts["unet"].numbers
    index.write_text(json.dumps({"weight_map": {**shards, "b": "diffusion_pytorch_model-00002-of-00002.safetensors"}}))
    assert "00002-of-00002" in refusal(broken).what


def test_code_of_a_part_s_own_is_refused(broken):
    edit(broken / "text_encoder/config.json", auto_map={"AutoModel": "x.Y"})
    assert refusal(broken).code is Code.UNSUPPORTED_CLASS


def test_a_unet_that_reads_neither_latents_alone_nor_a_mask_beside_them_is_refused(broken):
    edit(broken / "unet/config.json", in_channels=8)
    assert refusal(broken).code is Code.UNSUPPORTED_CLASS


def test_a_model_that_reads_a_mask_is_known_by_its_unet(broken):
    assert not survey(broken, at="test").reads_mask
    edit(broken / "unet/config.json", in_channels=9)
    assert survey(broken, weights=False, at="test").reads_mask


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("unet/config.json", {"cross_attention_dim": "x"}),
        ("unet/config.json", {"cross_attention_dim": 64}),
        ("unet/config.json", {"cross_attention_dim": [32, 64]}),
        ("text_encoder/config.json", {"hidden_size": 64}),
    ],
)
def test_parts_that_do_not_fit_are_refused(broken, file, changes):
    edit(broken / file, **changes)
    assert refusal(broken).code is Code.BAD_MODEL


def test_a_class_that_the_part_s_own_configuration_names_is_checked(broken):
    edit(broken / "unet/config.json", _class_name="UNet3DConditionModel")
    assert refusal(broken).code is Code.UNSUPPORTED_CLASS


def test_a_single_file_needs_a_configuration(tiny, tmp_path):
    assert refusal(tiny.path / UNET_WEIGHTS).code is Code.UNSUPPORTED_CLASS
    (tmp_path / "model.ckpt").write_bytes(b"x")
    assert refusal(tmp_path / "model.ckpt").code is Code.PICKLED_MODEL
    (tmp_path / "model.txt").write_bytes(b"x")
    assert refusal(tmp_path / "model.txt").code is Code.BAD_MODEL


def test_names_resolve_to_the_box_and_to_local_files_first(tiny):
    paths = Paths(models=(tiny.path.parent,))
    assert resolve("pocket", paths, downloads=False, at="x") == MODEL
    assert resolve("model", paths, downloads=False, at="x") == tiny.path
    assert resolve(f"model/{UNET_WEIGHTS}", paths, downloads=False, at="x") == tiny.path / UNET_WEIGHTS


@pytest.mark.parametrize("name", ["none", "a/b/c", "../x", "owner/none.safetensors", "", "/none"])
def test_what_is_nowhere_is_refused(tmp_path, name):
    with pytest.raises(PatchbayError) as caught:
        resolve(name, Paths(models=(tmp_path,)), downloads=False, at="load.model")
    assert caught.value.code is Code.FILE_NOT_FOUND


def test_a_hub_id_is_not_fetched_unless_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(PatchbayError) as caught:
        resolve("owner/model", Paths(models=(tmp_path,)), downloads=False, at="load.model")
    assert caught.value.code is Code.FILE_NOT_FOUND
    assert "--download" in caught.value.fix
