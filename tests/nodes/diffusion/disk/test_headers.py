import json
import pickle
import struct

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.headers import read_header


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"a.b": torch.zeros(2, 3), "c": torch.zeros(4, dtype=torch.float16)}, path, {"format": "pt"})
    return path


def refusal(path):
    with pytest.raises(PatchbayError) as caught:
        read_header(path, "load.model")
    assert caught.value.at == "load.model"
    return caught.value


def raw(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_names_and_shapes_are_read(weights):
    header = read_header(weights, "at")
    assert header.shapes == {"a.b": (2, 3), "c": (4,)}
    assert header.numbers() == 10
    assert header.numbers("a.") == 6


def test_precisions_are_told_with_their_bytes(weights):
    header = read_header(weights, "at")
    assert list(header.precisions().items()) == [("F32", 24), ("F16", 8)]
    assert header.precisions("c") == {"F16": 8}
    assert header.precisions("none") == {}


@pytest.mark.parametrize("kept", [0, 5, 8, 40, -1])
def test_a_truncated_file_is_refused(weights, kept):
    weights.write_bytes(weights.read_bytes()[:kept])
    assert refusal(weights).code is Code.BAD_MODEL


def test_bytes_after_the_tensors_are_refused(weights):
    weights.write_bytes(weights.read_bytes() + b"more")
    assert "too long" in refusal(weights).what


@pytest.mark.parametrize(
    "header",
    [
        b"not json",
        b"[1]",
        b"\xff\xfe",
        {"a": 1},
        {"a": {"dtype": "F32", "shape": [1]}},
        {"a": {"shape": [0], "data_offsets": [0, 0]}},
        {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 0]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}},
        {"a": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 0]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}},
    ],
)
def test_a_broken_header_is_refused(tmp_path, header):
    assert refusal(raw(tmp_path / "x.safetensors", header)).code is Code.BAD_MODEL


@pytest.mark.parametrize("name", ["model.bin", "model.ckpt", "model.pt", "model.PTH", "model.pkl"])
def test_a_pickle_is_refused_by_its_name(tmp_path, name):
    (tmp_path / name).write_bytes(b"anything")
    assert refusal(tmp_path / name).code is Code.PICKLED_MODEL


def test_a_pickle_is_refused_whatever_its_name(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "zip.safetensors")
    (tmp_path / "plain.safetensors").write_bytes(pickle.dumps({"a": list(range(100))}))
    assert refusal(tmp_path / "zip.safetensors").code is Code.PICKLED_MODEL
    assert refusal(tmp_path / "plain.safetensors").code is Code.PICKLED_MODEL


def test_a_header_length_that_looks_like_a_pickle_is_read(tmp_path):
    entry = {"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}
    text = json.dumps(entry).encode().ljust(0x280)
    assert raw(tmp_path / "x.safetensors", text).read_bytes()[:2] == b"\x80\x02"
    assert read_header(tmp_path / "x.safetensors", "at").shapes == {"a": (0,)}


def test_a_git_lfs_pointer_is_named(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    assert "Git LFS pointer" in refusal(tmp_path / "x.safetensors").what


def test_a_missing_file_is_refused(tmp_path):
    assert refusal(tmp_path / "none.safetensors").code is Code.BAD_MODEL
