"""Patches are part of a model's identity, in their order, and concern the parts that they change."""

import os

import pytest

from nodes.diffusion.changes.patches import LoraPatch, PatchFile
from nodes.types import Denoiser
from tests.nodes.diffusion.tiny import loras


@pytest.fixture
def file(tiny, tmp_path):
    return PatchFile.at(loras.save(loras.weights(tiny), tmp_path / "lora.safetensors"), "file")


def test_order_and_strength_are_part_of_the_identity(tiny, file):
    one, other = LoraPatch(file, 1.0, 1.0), LoraPatch(file, 0.5, 1.0)
    sources = [tiny, tiny.patched(one), tiny.patched(other), tiny.patched(one).patched(other)]
    sources.append(tiny.patched(other).patched(one))
    assert len(set(sources)) == len({source.digest for source in sources}) == 5
    assert all(source.plain == tiny for source in sources)
    assert {Denoiser(source).affinity for source in sources} == {tiny}
    assert tiny.plain is tiny


def test_a_part_is_another_only_by_what_concerns_it(tiny, file):
    source = tiny.patched(LoraPatch(file, 1.0, 0.5))
    assert source.about("vae") == source.about("tokenizer") == tiny
    assert source.about("unet") == tiny.patched(LoraPatch(file, 1.0, 0.7)).about("unet")
    assert source.about("text_encoder") != source.about("unet")
    assert tiny.patched(LoraPatch(file, 0.0, 0.0)).about("unet") == tiny
    assert tiny.about("unet") is tiny


def test_a_file_written_anew_is_another(tiny, file):
    os.utime(file.path, (1, 1))
    assert PatchFile.at(file.path, "file") != file


def test_patches_are_shown(tiny, file):
    facts = Denoiser(tiny.patched(LoraPatch(file, 1.0, 0.5))).inspect(0).facts
    assert (facts[-1].name, facts[-1].value) == ("LoRA", "lora.safetensors at 1, text 0.5")
