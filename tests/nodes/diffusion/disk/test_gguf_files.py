"""GGUF files: their headers, and models made of them."""

import struct

import gguf
import pytest
import torch
from safetensors.torch import save_file

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.patches import LoraPatch, PatchFile
from nodes.diffusion.disk import packages
from nodes.diffusion.disk.gguf_files import BLOCKS, READABLE, header_of, read_gguf
from nodes.diffusion.disk.model_report import report
from nodes.diffusion.disk.source import survey
from nodes.diffusion.sampling import denoising
from nodes.diffusion.text import prompts
from nodes.diffusion.weights.loading import load_part
from nodes.types import BlankLatent, Denoiser, TextEncoder
from tests.nodes.diffusion.tiny import ggufs, loras, originals
from tests.nodes.diffusion.tiny.table import build

CPU = torch.device("cpu")


def test_types_have_the_sizes_of_the_format():
    theirs = {kind.value: (kind.name, *sizes) for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    assert {kind: theirs[kind] for kind in BLOCKS} == dict(BLOCKS)


def test_what_is_read_is_what_diffusers_reads():
    from diffusers.quantizers.gguf.utils import SUPPORTED_GGUF_QUANT_TYPES

    assert {kind.name for kind in SUPPORTED_GGUF_QUANT_TYPES} == READABLE | {"BF16"}


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.gguf"
    ggufs.write(path, {"a.weight": torch.ones(4, 64), "b": torch.ones(3, 5, 1, 2)}, "Q4_0")
    return path


def test_a_header_tells_names_shapes_precisions_and_bytes(small):
    header = header_of(small, "load.model")
    assert header.shapes == {"a.weight": (4, 64), "b": (3, 5, 1, 2)}
    assert header.stored == {"a.weight": ("Q4_0", 8 * 18), "b": ("F32", 120)}


def refused(path):
    with pytest.raises(PatchbayError) as caught:
        read_gguf(path, "load.model")
    assert (caught.value.code, caught.value.at) == (Code.BAD_MODEL, "load.model")
    return caught.value.what


def test_a_file_cut_short_is_refused(small):
    whole = small.read_bytes()
    small.write_bytes(whole[:-64])
    assert "cut short" in refused(small)
    small.write_bytes(whole[:90])
    assert "does not end" in refused(small)


def test_a_file_that_is_none_or_a_newer_one_is_refused(small):
    whole = small.read_bytes()
    small.write_bytes(b"<!doctype html>" + whole)
    assert "does not begin as one" in refused(small)
    small.write_bytes(whole[:4] + struct.pack("<I", 9) + whole[8:])
    assert "version 9" in refused(small)
    assert "cannot be read" in refused(small.parent / "none.gguf")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (struct.pack("<QQ", 0, 1) + struct.pack("<Q", 1) + b"k" + struct.pack("<I", 77), "unknown type 77"),
        (struct.pack("<QQ", 1, 0) + struct.pack("<Q", 1) + b"t" + struct.pack("<I", 1 << 30), "axes"),
        (struct.pack("<QQ", 1, 0) + struct.pack("<Q", 1) + b"t" + struct.pack("<IQIQ", 1, 4, 99, 0), "unknown type 99"),
        (struct.pack("<QQ", 1, 0) + struct.pack("<Q", 1 << 60), "does not end"),
        (struct.pack("<QQ", 0, 1) + struct.pack("<Q", 1) + b"k" + struct.pack("<III", 9, 9, 9) * 9, "unknown type 9"),
    ],
)
def test_a_damaged_header_is_refused(tmp_path, body, what):
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<I", 3) + body + bytes(300))
    assert what in refused(path)


@pytest.fixture(scope="session")
def sd3(tmp_path_factory):
    """A tiny SD 3 model as a folder, and its transformer under its original names beside it."""
    folder = tmp_path_factory.mktemp("gguf") / "model"
    build("StableDiffusion3Pipeline", folder)
    for kind in ("Q8_0", "Q4_0"):
        ggufs.write(folder.parent / f"{kind}.gguf", originals.sd3(folder), kind)
    return folder


def latent(source):
    positive = prompts.encode_text(TextEncoder(source), "a red fox")
    blank = BlankLatent(32, 32, 1)
    return denoising.sample(
        Denoiser(source), positive, None, blank, scheduler="FlowMatchEuler", steps=2, guidance=1, seed=3
    ).samples


def apart(one, other):
    return float((one - other).abs().max() / other.abs().max())


@pytest.mark.parametrize(("kind", "bound"), [("Q8_0", 0.02), ("Q4_0", 0.3)])
def test_a_quantised_transformer_samples_near_the_plain_one(sd3, kind, bound):
    source = survey(sd3.parent / f"{kind}.gguf", config=sd3, at="x")
    whole = survey(sd3, at="x")
    assert source.kind == whole.kind
    assert 0 < apart(latent(source), latent(whole)) < bound


def test_a_quantised_part_counts_the_bytes_that_it_is_stored_in(sd3):
    part = survey(sd3.parent / "Q8_0.gguf", config=sd3, at="x").parts["transformer"]
    assert part.numbers == survey(sd3, at="x").parts["transformer"].numbers
    assert part.numbers < part.nbytes(4) < part.numbers * 4


def test_a_lora_acts_on_quantised_layers(sd3, tmp_path):
    source, whole = survey(sd3.parent / "Q8_0.gguf", config=sd3, at="x"), survey(sd3, at="x")
    file = loras.save(loras.weights(whole, text=False), tmp_path / "a.safetensors")
    patch = LoraPatch(PatchFile.at(file, "x"), 20.0, 0.0)
    plain = latent(whole.patched(patch))
    assert apart(latent(source.patched(patch)), plain) < apart(plain, latent(whole)) / 4


def test_what_is_in_a_file_is_told(sd3):
    told = report(sd3.parent / "Q4_0.gguf", "Q4_0.gguf", "x", digests=False)
    assert told["kind"] == survey(sd3, at="x").kind
    (part,) = told["components"]
    assert part["class"] == "SD3Transformer2DModel"
    assert set(part["dtypes"]) == {"Q4_0", "F32"}
    assert "problem" not in told


def test_a_missing_package_is_named_before_anything_runs(sd3, monkeypatch):
    monkeypatch.setattr(packages, "is_there", lambda _: False)
    with pytest.raises(PatchbayError) as caught:
        survey(sd3.parent / "Q8_0.gguf", config=sd3, weights=False, at="load.model")
    assert (caught.value.code, caught.value.fix) == (Code.MISSING_PACKAGE, "pip install 'patchbay[gguf]'")


def test_a_whole_checkpoint_and_a_type_that_is_not_read_are_refused(tmp_path, tiny_folder, sd3):
    ggufs.write(tmp_path / "sd.gguf", originals.sd(tiny_folder))
    with pytest.raises(PatchbayError, match="only transformers and text encoders are read"):
        survey(tmp_path / "sd.gguf", at="x")
    stored = (sd3.parent / "Q8_0.gguf").read_bytes()
    named = stored.index(b"context_embedder.weight") + len("context_embedder.weight") + 4 + 16
    (tmp_path / "odd.gguf").write_bytes(stored[:named] + struct.pack("<I", 26) + stored[named + 4 :])
    assert "I32" in report(tmp_path / "odd.gguf", "odd", "x", digests=False)["components"][0]["dtypes"]
    (tmp_path / "odd.gguf").write_bytes(stored[:named] + struct.pack("<I", 24) + stored[named + 4 :])
    with pytest.raises(PatchbayError, match="as I8, which"):
        survey(tmp_path / "odd.gguf", at="x")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("QwenImagePipeline", originals.as_they_are),
        ("ZImagePipeline", originals.z_image),
        ("WanPipeline", originals.wan),
        ("LTXPipeline", originals.ltx),
    ],
)
@pytest.mark.parametrize("form", ["gguf", "safetensors"])
def test_the_transformer_of_every_family_with_a_row_comes_from_its_file(tmp_path, name, original, form):
    build(name, tmp_path / "model")
    whole = survey(tmp_path / "model", at="x")
    tensors = original(tmp_path / "model")
    path = tmp_path / f"a.{form}"
    if form == "gguf":
        ggufs.write(path, tensors, "F32")
    else:
        save_file(tensors, path)
    source = survey(path, config=tmp_path / "model", at="x")
    assert source.kind == whole.kind
    ours, theirs = (load_part(each, "transformer", CPU, torch.float32).state_dict() for each in (source, whole))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
