"""The picture nodes as people call them."""

import pytest
import torch
from PIL import Image as Pillow

from engine import Code, PatchbayError, Paths, Settings
from engine.context import NodeContext, call_within
from nodes import (
    composite_images,
    crop_image,
    edit_mask,
    image_difference,
    image_grid,
    load_image,
    load_mask,
    mask_from_image,
    resize_image,
    save_image,
)
from nodes.images import NewFile, PictureFile
from nodes.types import Image


@pytest.fixture
def half():
    """Black on the left, white on the right."""
    pixels = torch.zeros(1, 3, 16, 16)
    pixels[..., 8:] = 1
    return Image(pixels)


def test_a_saved_picture_is_loaded_as_it_was(half, tmp_path):
    context = NodeContext("save", paths=Paths(outputs=tmp_path))
    saved = call_within(context, save_image, {"image": half, "name": "sub/half"})
    assert saved.files == [str(tmp_path / "sub" / "half-0001.png")]
    assert torch.equal(load_image(file=tmp_path / "sub" / "half-0001.png").pixels, half.pixels)
    assert call_within(context, save_image, {"image": half, "name": "sub/half"}).files[0].endswith("0002.png")


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", ".", "a\0b"])
def test_a_name_that_leaves_the_output_folder_is_refused(name, tmp_path):
    with pytest.raises(PatchbayError) as caught:
        NewFile().resolve(name, Paths(outputs=tmp_path / "out"), Settings(), "save.name")
    assert caught.value.code == Code.OUTSIDE_ROOTS
    assert caught.value.fix


def test_without_a_folder_nothing_is_saved(half):
    with pytest.raises(PatchbayError, match="no folder to write to"):
        save_image(half, name="x")


def test_a_picture_comes_from_the_document_the_inputs_or_the_box(tmp_path):
    Pillow.new("RGB", (4, 4)).save(tmp_path / "mine.png")
    paths = Paths(inputs=(tmp_path,))
    assert PictureFile().resolve("mine.png", paths, Settings(), "x") == (tmp_path / "mine.png").resolve()
    assert PictureFile().resolve("sailboat.png", paths, Settings(), "x").name == "sailboat.png"
    with pytest.raises(PatchbayError) as caught:
        PictureFile().resolve("none.png", paths, Settings(), "load.file")
    assert caught.value.code == Code.FILE_NOT_FOUND
    assert str(tmp_path) in caught.value.fix


def test_masks_select_grow_blur_and_turn(half):
    mask = mask_from_image(half)
    assert torch.equal(mask.coverage[:, 0], half.pixels[:, 0])
    assert edit_mask(mask, grow=2).coverage.sum() == mask.coverage.sum() + 2 * 16
    assert torch.equal(edit_mask(mask, invert=True).coverage, 1 - mask.coverage)
    soft = edit_mask(mask, blur=2.0).coverage
    assert 0 < soft[0, 0, 8, 7] < 1
    red = Image(torch.tensor((1.0, 0, 0)).view(1, 3, 1, 1).expand(1, 3, 16, 16))
    laid = composite_images(half, red, mask).pixels
    assert torch.equal(laid[..., 8:], red.pixels[..., 8:])
    assert torch.equal(laid[..., :8], half.pixels[..., :8])


def test_a_mask_file_is_its_transparency(tmp_path):
    picture = Pillow.new("RGBA", (4, 4), (255, 255, 255, 0))
    picture.putpixel((1, 2), (0, 0, 0, 255))
    picture.save(tmp_path / "mask.png")
    assert load_mask(file=tmp_path / "mask.png").coverage.sum() == 1


def test_sizes_are_what_was_asked_for(half):
    for fit in ("stretch", "fill", "crop"):
        assert resize_image(half, width=20, height=12, fit=fit).pixels.shape == (1, 3, 12, 20)
    assert torch.equal(crop_image(half, left=8, width=8, height=16).pixels, torch.ones(1, 3, 16, 8))
    with pytest.raises(PatchbayError, match="inside"):
        crop_image(half, left=10, width=8, height=16)


def test_equal_pictures_differ_in_nothing(half):
    assert image_difference(half, half).pixels.max() == image_difference(half, half, gain=100.0).pixels.max()


def test_a_grid_holds_every_picture_and_as_many_labels(half):
    sheet = image_grid([half, half, half], columns=3, labels=["a", "b", "c"])
    assert sheet.pixels.shape[-1] > 3 * 16
    with pytest.raises(PatchbayError, match="label"):
        image_grid([half], labels=["a", "b"])
