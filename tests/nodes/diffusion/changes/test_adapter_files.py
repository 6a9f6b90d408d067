"""What an IP-Adapter's header says, and what is refused before a weight is read."""

import json
from dataclasses import replace

import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.adapter_files import AdapterShape, adapter_shape, check_adapter, check_encoder
from nodes.diffusion.disk.eyes import survey_encoder, wanted_files
from tests.nodes.diffusion.tiny import adapters

SD, FLUX = "StableDiffusionPipeline", "FluxPipeline"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return adapters.save_encoder(tmp_path_factory.mktemp("eyes") / "image_encoder")


@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [
        (SD, "plain", AdapterShape(16, hidden=False, layers=4, text=32)),
        (SD, "plus", AdapterShape(24, hidden=True, layers=4, text=32)),
        (FLUX, "plain", AdapterShape(16, hidden=False, layers=1, text=32)),
    ],
)
def test_a_header_tells_what_an_adapter_fits(family, tmp_path, name, kind, shape):
    path = adapters.save(tmp_path / "a.safetensors", adapters.weights(family(name), kind))
    assert adapter_shape(path, "file") == shape
    check_adapter(path, family(name), "file")


def test_a_full_face_adapter_reads_the_hidden_states(tmp_path):
    tensors = {f"image_proj.proj.{layer}.weight": torch.zeros(8, 24) for layer in (0, 2, 3)}
    path = adapters.save(tmp_path / "a.safetensors", {**tensors, "ip_adapter.1.to_k_ip.weight": torch.zeros(8, 32)})
    assert adapter_shape(path, "file") == AdapterShape(24, hidden=True, layers=1, text=32)


@pytest.mark.parametrize(
    ("tensors", "code", "what"),
    [
        (("image_proj.proj.weight",), Code.BAD_MODEL, "is no IP-Adapter"),
        (("ip_adapter.1.to_k_ip.weight",), Code.BAD_MODEL, "is no IP-Adapter"),
        (("image_proj.norm.weight", "image_proj.proj.0.weight"), Code.UNSUPPORTED_CLASS, "FaceID"),
        (("image_proj.perceiver_resampler.proj_in.weight",), Code.UNSUPPORTED_CLASS, "FaceID"),
        (("image_proj.other.weight",), Code.UNSUPPORTED_CLASS, "not known"),
    ],
)
def test_other_files_are_refused_in_words(tmp_path, tensors, code, what):
    names = tensors if code is Code.BAD_MODEL else (*tensors, "ip_adapter.1.to_k_ip.weight")
    path = adapters.save(tmp_path / "a.safetensors", {name: torch.zeros(2, 2) for name in names})
    with pytest.raises(PatchbayError, match=what) as caught:
        adapter_shape(path, "file")
    assert caught.value.code is code


def test_a_pickle_is_refused(tmp_path):
    torch.save({"image_proj": {}}, tmp_path / "ip-adapter.bin")
    with pytest.raises(PatchbayError, match="safetensors version") as caught:
        adapter_shape(tmp_path / "ip-adapter.bin", "file")
    assert caught.value.code is Code.PICKLED_MODEL


def test_a_model_with_other_layers_is_refused(family, tmp_path):
    tensors = adapters.weights(family(SD))
    path = adapters.save(tmp_path / "a.safetensors", {**tensors, "ip_adapter.99.to_k_ip.weight": torch.zeros(8, 32)})
    with pytest.raises(PatchbayError, match="it has 5 layers"):
        check_adapter(path, family(SD), "file")
    source = family(SD)
    bare = replace(source, parts={**source.parts, "unet": replace(source.parts["unet"], shapes={})})
    check_adapter(path, bare, "file")  # a single file's names say nothing


def test_an_encoder_says_what_it_is(encoder, family, tmp_path):
    found = survey_encoder(encoder, "x")
    assert (found.class_name, found.kind) == ("CLIPVisionModelWithProjection", "")
    path = adapters.save(tmp_path / "a.safetensors", adapters.weights(family(SD)))
    assert check_encoder(path, found, "x").width == 16
    wide = replace(found, parts={"x": replace(found.parts["image_encoder"], config={"projection_dim": 1280})})
    with pytest.raises(PatchbayError, match="reads 16 numbers of an image encoder"):
        check_encoder(path, wide, "x")


def test_what_is_no_encoder_is_refused(encoder, tmp_path):
    with pytest.raises(PatchbayError, match="is no image encoder in"):
        survey_encoder(tmp_path, "x")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "t5"}))
    with pytest.raises(PatchbayError, match='is a "t5", and no image encoder') as caught:
        survey_encoder(tmp_path, "x")
    assert caught.value.code is Code.UNSUPPORTED_CLASS


def test_of_a_repository_only_an_encoder_is_wanted():
    assert wanted_files(["config.json", "model.safetensors", "pytorch_model.bin"]) == [
        "config.json",
        "model.safetensors",
    ]
    assert wanted_files(["pytorch_model.bin"]) == ["config.json"]
    sharded = wanted_files(["model.safetensors.index.json"])
    assert sharded == ["config.json", "model.safetensors.index.json", "model-?????-of-?????.safetensors"]
