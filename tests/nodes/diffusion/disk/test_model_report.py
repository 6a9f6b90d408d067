"""What is told of a model: equal to what is in its files, and no weight is loaded for it."""

import hashlib
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.model_report import report
from nodes.diffusion.disk.source import survey
from nodes.pocket import MODEL
from tests.nodes.diffusion.tiny import originals
from tests.nodes.diffusion.tiny.table import build


def by_name(found):
    return {part["name"]: part for part in found["components"]}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_folder_is_told_part_by_part(pocket):
    found = report(MODEL, "pocket", "at")
    assert (found["name"], found["path"]) == ("pocket", str(MODEL))
    assert (found["kind"], found["pipeline_class"]) == ("pocket", "StableDiffusionPipeline")
    assert found["digest"] == pocket.digest
    parts = by_name(found)
    assert set(parts) == set(pocket.parts)
    weights = MODEL / "unet/diffusion_pytorch_model.safetensors"
    assert parts["unet"]["class"] == "UNet2DConditionModel"
    assert parts["unet"]["numbers"] == sum(tensor.numel() for tensor in load_file(weights).values())
    assert parts["unet"]["dtypes"] == ["F16"]
    assert parts["unet"]["bytes"] == sum(path.stat().st_size for path in (MODEL / "unet").iterdir())
    assert {"name": f"unet/{weights.name}", "sha256": digest(weights)} in parts["unet"]["files"]
    assert (parts["tokenizer"]["numbers"], parts["tokenizer"]["dtypes"]) == (0, [])
    assert found["bytes"] == sum(part["bytes"] for part in parts.values())


def test_equal_components_have_equal_digests(tiny_folder, broken):
    path = broken / "vae/diffusion_pytorch_model.safetensors"
    save_file({name: tensor + 1 for name, tensor in load_file(path).items()}, path)
    one, other = (by_name(report(folder, "x", "at")) for folder in (tiny_folder, broken))
    assert {name for name in one if one[name]["digest"] != other[name]["digest"]} == {"vae"}


def test_the_precisions_of_a_component_are_those_of_its_tensors(broken):
    path = broken / "unet/diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    first = next(name for name in tensors if tensors[name].ndim == 1)
    mixed = {name: tensor.to(torch.float32 if name == first else torch.bfloat16) for name, tensor in tensors.items()}
    save_file(mixed, path)
    assert by_name(report(broken, "x", "at"))["unet"]["dtypes"] == ["BF16", "F32"]


def test_digests_may_be_left_out(tiny_folder):
    found = report(tiny_folder, "x", "at", digests=False)
    assert found["digest"] is None
    assert {part["digest"] for part in found["components"]} == {None}
    assert {file["sha256"] for part in found["components"] for file in part["files"]} == {None}


def test_a_single_file_is_told_by_its_tensors(tiny_folder, tiny, tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_file(originals.sd(tiny_folder), path)
    found = report(path, "tiny.safetensors", "at")
    assert (found["kind"], found["holds"]) == (tiny.kind, "a Stable Diffusion checkpoint")
    assert found["digest"] == digest(path)
    assert "`config`" in found["needs"]
    parts = by_name(found)
    assert {name: part["numbers"] for name, part in parts.items()} == {
        name: part.numbers for name, part in tiny.parts.items() if part.weights
    }
    assert {name: part["class"] for name, part in parts.items()} == {
        name: part.class_name for name, part in tiny.parts.items() if part.weights
    }
    assert parts["vae"]["bytes"] == 4 * parts["vae"]["numbers"]
    assert parts["vae"]["dtypes"] == ["F32"]


def test_the_classes_of_a_file_of_sdxl_are_those_of_its_folder(tmp_path):
    originals.build_sdxl(tmp_path / "model")
    save_file(originals.sdxl(tmp_path / "model"), tmp_path / "xl.safetensors")
    folder = survey(tmp_path / "model", at="x").parts
    parts = by_name(report(tmp_path / "xl.safetensors", "x", "at", digests=False))
    assert {name: part["class"] for name, part in parts.items()} == {
        name: part.class_name for name, part in folder.items() if part.weights
    }


def test_a_transformer_is_told_with_what_it_needs(tmp_path):
    build("StableDiffusion3Pipeline", tmp_path / "model")
    save_file(originals.sd3(tmp_path / "model"), tmp_path / "sd3.safetensors")
    found = report(tmp_path / "sd3.safetensors", "x", "at", digests=False)
    (part,) = found["components"]
    source = survey(tmp_path / "model", at="x")
    assert (found["kind"], part["name"], part["class"]) == (source.kind, "transformer", "SD3Transformer2DModel")
    assert part["numbers"] == source.parts["transformer"].numbers
    assert "with the weights that LoadTextEncoder and LoadVAE do not bring" in found["needs"]


def test_a_file_that_cannot_be_loaded_is_told_with_its_problem(tmp_path):
    save_file({"a.lora_up.weight": torch.zeros(2, 3), "b": torch.zeros(4)}, tmp_path / "style.safetensors")
    save_file({"b": torch.zeros(4)}, tmp_path / "b.safetensors")
    found = report(tmp_path / "style.safetensors", "style", "at")
    assert (found["kind"], found["holds"], found["problem"]["code"]) == ("", "a LoRA", "unsupported_class")
    (whole,) = found["components"]
    assert (whole["numbers"], whole["bytes"]) == (10, 40)
    assert "not known" in report(tmp_path / "b.safetensors", "b", "at")["holds"]


def test_what_is_broken_is_refused(broken, tmp_path):
    (broken / "unet" / "config.json").unlink()
    (tmp_path / "old.ckpt").write_bytes(b"x")
    for path, code in ((broken, Code.BAD_MODEL), (tmp_path / "old.ckpt", Code.PICKLED_MODEL)):
        with pytest.raises(PatchbayError) as caught:
            report(path, "x", "at")
        assert (caught.value.code, caught.value.at) == (code, "at")


def test_looking_into_a_model_imports_no_torch():
    code = (
        "import sys; from nodes.diffusion.disk.model_report import report; from nodes.pocket import MODEL;"
        "report(MODEL, 'x', 'x'); sys.exit(', '.join({'torch', 'diffusers', 'transformers'} & set(sys.modules)) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=MODEL.parents[2]).returncode == 0
