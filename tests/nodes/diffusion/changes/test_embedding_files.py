"""A textual inversion is known by its header: its vectors, its encoder and its token."""

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes import embedding_files

SD, XL = "StableDiffusionPipeline", "StableDiffusionXLPipeline"


@pytest.fixture
def write(tmp_path):
    def save(shapes):
        save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, tmp_path / "word.safetensors")
        return tmp_path / "word.safetensors"

    return save


@pytest.mark.parametrize(
    ("shapes", "token", "expected", "vectors"),
    [
        ({"<cat>": (32,)}, "", "<cat>", 1),
        ({"<cat>": (4, 32)}, "mine", "mine", 4),
        ({"emb_params": (2, 32)}, "", "word", 2),
    ],
)
def test_the_token_is_the_given_one_or_the_file_s(family, write, shapes, token, expected, vectors):
    patch = embedding_files.patch(write(shapes), token, family(SD), "file")
    assert (patch.token, patch.vectors, len(patch.tokens)) == (expected, vectors, vectors)
    assert patch.keys == (("text_encoder", next(iter(shapes))),)


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ({"a": (32,), "b": (32,)}, "no textual inversion"),
        ({"a": (2, 2, 32)}, "no textual inversion"),
        ({"a": (0, 32)}, "no textual inversion"),
    ],
)
def test_other_files_are_refused(write, shapes, reason):
    with pytest.raises(PatchbayError, match=reason):
        embedding_files.shapes(write(shapes), "file")


@pytest.mark.parametrize(
    ("name", "shapes", "reason"),
    [
        (SD, {"<cat>": (768,)}, "768 numbers for the text_encoder, and .* reads 32"),
        (SD, {"clip_l": (32,), "clip_g": (32,)}, "no such CLIP text encoder"),
        (XL, {"clip_l": (2, 32), "clip_g": (3, 32)}, "different numbers"),
        ("QwenImagePipeline", {"<cat>": (32,)}, "no such CLIP text encoder"),
    ],
)
def test_another_family_s_is_refused(family, write, name, shapes, reason):
    with pytest.raises(PatchbayError, match=reason) as caught:
        embedding_files.patch(write(shapes), "", family(name), "file")
    assert caught.value.at == "file"


def test_a_token_is_one_word(family, write):
    with pytest.raises(PatchbayError, match="spaces") as caught:
        embedding_files.patch(write({"emb_params": (32,)}), "two words", family(SD), "file")
    assert caught.value.at == "token"


def test_a_pickle_is_refused(tmp_path):
    (tmp_path / "word.bin").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(PatchbayError) as caught:
        embedding_files.shapes(tmp_path / "word.bin", "file")
    assert caught.value.code is Code.PICKLED_MODEL
