"""Weights of eight bits with scales: the numbers that they mean, bit for bit."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from nodes import load_model, load_text_encoder
from nodes.diffusion.disk.model_report import report
from nodes.diffusion.disk.source import survey
from nodes.diffusion.weights.loading import load_part
from tests.nodes.diffusion.tiny import originals
from tests.nodes.diffusion.tiny.scaling import NEW, OLD, ROWS, scaled
from tests.nodes.diffusion.tiny.table import build

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def sd3(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scaled") / "model"
    build("StableDiffusion3Pipeline", folder)
    return folder


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("form", "prefix"),
    [(OLD, ""), (NEW, ""), (ROWS, ""), (OLD, "model.diffusion_model."), (NEW, "model.diffusion_model.")],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_scaled_transformer_is_the_one_whose_numbers_are_multiplied(sd3, tmp_path, form, prefix, dtype):
    tensors = {f"{prefix}{name}": tensor for name, tensor in originals.sd3(sd3).items()}
    stored, meant = scaled(tensors, form, prefix)
    others = {"first_stage_model.x": torch.zeros(3), "text_encoders.t5xxl.x.scale_weight": torch.ones(2)}
    save_file({**stored, **(others if prefix else {})}, tmp_path / "small.safetensors")
    save_file(meant, tmp_path / "plain.safetensors")
    small, plain = (survey(tmp_path / f"{name}.safetensors", config=sd3, at="x") for name in ("small", "plain"))
    assert small.kind == plain.kind
    assert small.parts["transformer"].nbytes(4) == plain.parts["transformer"].nbytes(4)
    ours, theirs = (load_part(each, "transformer", CPU, dtype).state_dict() for each in (small, plain))
    assert same(ours, theirs)
    own = load_part(survey(sd3, at="x"), "transformer", CPU, dtype).state_dict()
    assert not same(ours, own)
    assert all(torch.allclose(ours[name], own[name], rtol=0.08, atol=0.01) for name in ours)


@pytest.mark.parametrize("form", [OLD, NEW])
def test_a_scaled_text_encoder_is_the_one_whose_numbers_are_multiplied(sd3, tmp_path, form):
    stored, meant = scaled(load_file(sd3 / "text_encoder_3" / "model.safetensors"), form)
    stored["spiece_model"] = torch.zeros(9, dtype=torch.uint8)
    whole = load_model(model=sd3).text_encoder
    states = []
    for name, tensors in (("small", stored), ("plain", meant)):
        save_file(tensors, tmp_path / f"{name}.safetensors")
        encoder = load_text_encoder(whole, file=tmp_path / f"{name}.safetensors")
        states.append(load_part(encoder.source, "text_encoder_3", CPU, torch.float32).state_dict())
    assert same(*states)


def test_what_is_in_a_scaled_file_is_told(sd3, tmp_path):
    stored, _ = scaled(originals.sd3(sd3), NEW)
    save_file(stored, tmp_path / "a.safetensors")
    told = report(tmp_path / "a.safetensors", "a", "x", digests=False)
    assert "problem" not in told
    assert "F8_E4M3" in told["components"][0]["dtypes"]
