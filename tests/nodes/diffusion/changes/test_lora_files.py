"""A LoRA of another family is known by its header."""

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes import lora_files
from tests.nodes.diffusion.tiny import loras

SD, XL, FLUX = "StableDiffusionPipeline", "StableDiffusionXLPipeline", "FluxPipeline"


@pytest.fixture
def write(tmp_path):
    def save(layers):
        """A file with these layers and how many numbers each reads."""
        path = tmp_path / "lora.safetensors"
        save_file({f"{name}.lora_down.weight": torch.zeros(2, width) for name, width in layers.items()}, path)
        return path

    return save


@pytest.mark.parametrize("kohya", [False, True])
@pytest.mark.parametrize("name", [SD, XL, FLUX])
def test_a_model_s_own_fits(family, tmp_path, name, kohya):
    if kohya and name == FLUX:
        return
    source = family(name)
    path = (loras.save_kohya if kohya else loras.save)(loras.weights(source), tmp_path / "own.safetensors")
    lora_files.check(path, source, "file")
    assert len(lora_files.layers(path, "file")) == sum(map(len, loras.weights(source).values()))


@pytest.mark.parametrize("kohya", [False, True])
@pytest.mark.parametrize(("made_for", "used_on"), [(SD, XL), (XL, SD), (SD, FLUX), (XL, FLUX)])
def test_another_family_s_is_refused(family, tmp_path, made_for, used_on, kohya):
    write = loras.save_kohya if kohya else loras.save
    path = write(loras.weights(family(made_for)), tmp_path / "other.safetensors")
    with pytest.raises(PatchbayError, match="made for") as caught:
        lora_files.check(path, family(used_on), "file")
    assert caught.value.at == "file"


def test_flux_on_stable_diffusion_is_refused(family, tmp_path):
    path = loras.save(loras.weights(family(FLUX)), tmp_path / "flux.safetensors")
    with pytest.raises(PatchbayError, match=r"made for|names no layer"):
        lora_files.check(path, family(SD), "file")


OLD_XL = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
ORIGINAL_FLUX = "lora_unet_double_blocks_0_img_attn_qkv"


@pytest.mark.parametrize(
    ("layers", "name", "reason"),
    [
        ({OLD_XL: 64}, XL, None),
        ({OLD_XL: 2048}, XL, "reads 2048 numbers"),
        ({OLD_XL: 2048}, SD, "reads 2048 numbers"),
        ({ORIGINAL_FLUX: 3072}, FLUX, None),
        ({ORIGINAL_FLUX: 3072}, SD, "made for a transformer"),
        ({OLD_XL: 64}, FLUX, "made for a UNet"),
        ({"unet.nowhere.to_q": 32}, SD, "names no layer"),
    ],
)
def test_names_that_only_loaders_translate_are_told_by_their_structure(family, write, layers, name, reason):
    path = write(layers)
    if reason is None:
        lora_files.check(path, family(name), "file")
        return
    with pytest.raises(PatchbayError, match=reason):
        lora_files.check(path, family(name), "file")


@pytest.mark.parametrize("key", ["unet.a.dora_scale", "a.lora_magnitude_vector", "a.hada_w1_a", "a.lokr_w1"])
def test_other_kinds_of_additions_are_refused(tmp_path, key):
    save_file({key: torch.zeros(2, 2), "unet.a.lora_A.weight": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(PatchbayError, match="no plain LoRA"):
        lora_files.layers(tmp_path / "other.safetensors", "file")


def test_a_file_without_layers_is_no_lora(tmp_path):
    save_file({"weight": torch.zeros(2, 2)}, tmp_path / "model.safetensors")
    with pytest.raises(PatchbayError, match="is no LoRA"):
        lora_files.layers(tmp_path / "model.safetensors", "file")


def test_a_pickle_is_refused(tmp_path):
    (tmp_path / "lora.pt").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(PatchbayError) as caught:
        lora_files.layers(tmp_path / "lora.pt", "file")
    assert caught.value.code is Code.PICKLED_MODEL
