import json

import pytest

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.parts import choose_weights, read_json, weight_files

STEM = "diffusion_pytorch_model"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([f"{STEM}.safetensors", f"{STEM}.fp16.safetensors"], (None, f"{STEM}.safetensors")),
        ([f"{STEM}.fp16.safetensors", f"{STEM}.bf16.safetensors"], ("fp16", f"{STEM}.fp16.safetensors")),
        ([f"{STEM}.non_ema.safetensors"], ("non_ema", f"{STEM}.non_ema.safetensors")),
        ([f"{STEM}.safetensors.index.json"], (None, f"{STEM}.safetensors.index.json")),
        ([f"{STEM}.safetensors.index.fp16.json"], ("fp16", f"{STEM}.safetensors.index.fp16.json")),
        ([f"{STEM}.safetensors", f"{STEM}.safetensors.index.json"], (None, f"{STEM}.safetensors")),
        ([f"{STEM}.bin", "config.json", f"{STEM}-00001-of-00002.safetensors"], None),
    ],
)
def test_one_set_of_weights_is_chosen(names, chosen):
    assert choose_weights(names, STEM) == chosen


@pytest.mark.parametrize("text", ["{", "[]", "1", '"x"', "[" * 100_000])
def test_what_is_no_json_object_is_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(PatchbayError) as caught:
        read_json(tmp_path / "config.json", "at")
    assert caught.value.code is Code.BAD_MODEL


@pytest.mark.parametrize("shard", ["../up.safetensors", "x.bin", "a/b.safetensors", ""])
def test_a_shard_index_names_files_beside_it_only(tmp_path, shard):
    (tmp_path / f"{STEM}.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard}}))
    with pytest.raises(PatchbayError, match="no safetensors file beside it"):
        weight_files(tmp_path, STEM, "at")


@pytest.mark.parametrize("index", [{}, {"weight_map": {}}, {"weight_map": 1}])
def test_a_shard_index_needs_a_weight_map(tmp_path, index):
    (tmp_path / f"{STEM}.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(PatchbayError, match="weight_map"):
        weight_files(tmp_path, STEM, "at")
