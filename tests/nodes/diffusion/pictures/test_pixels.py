import io
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image as Pillow

from engine.errors import Code, PatchbayError
from nodes.diffusion.pictures import pixels
from nodes.types import Image, Mask


@pytest.fixture
def picture():
    torch.manual_seed(0)
    return Image(torch.rand(2, 3, 12, 20))


def save(path, picture, **options):
    picture.save(path, **options)
    return path


def gradient(mode="RGB", size=(8, 6)):
    numbers = np.arange(size[0] * size[1] * 4, dtype=np.uint8).reshape(size[1], size[0], 4)
    return Pillow.fromarray(numbers[..., :3]).convert(mode)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "gif", "tiff"])
def test_six_formats_are_read(tmp_path, suffix):
    path = save(tmp_path / f"x.{suffix}", gradient())
    shape = pixels.load_picture(path, "at").pixels.shape
    assert shape == (1, 3, 6, 8)


def test_lossless_pictures_come_back_bit_for_bit(tmp_path):
    loaded = pixels.load_picture(save(tmp_path / "x.png", gradient()), "at").pixels
    assert torch.equal((loaded[0].permute(1, 2, 0) * 255).round().byte(), torch.from_numpy(np.array(gradient())))
    assert loaded.dtype is torch.float32


def test_the_name_s_ending_does_not_matter(tmp_path):
    path = tmp_path / "x.txt"
    gradient().save(path, "PNG")
    assert pixels.load_picture(path, "at").pixels.shape == (1, 3, 6, 8)


def test_cameras_that_were_held_sideways_are_put_right(tmp_path):
    exif = Pillow.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "x.jpg", gradient(), exif=exif)
    assert pixels.load_picture(path, "at").pixels.shape == (1, 3, 8, 6)


def test_transparency_becomes_white(tmp_path):
    path = save(tmp_path / "x.png", Pillow.new("RGBA", (2, 2), (0, 0, 0, 0)))
    assert bool((pixels.load_picture(path, "at").pixels == 1).all())
    half = save(tmp_path / "y.png", Pillow.new("LA", (1, 1), (0, 128)))
    assert 0.49 < pixels.load_picture(half, "at").pixels[0, 0, 0, 0] < 0.51


def test_palettes_and_cmyk_are_read(tmp_path):
    assert pixels.load_picture(save(tmp_path / "p.png", gradient("P")), "at").pixels.shape[1] == 3
    assert pixels.load_picture(save(tmp_path / "c.jpg", gradient("CMYK")), "at").pixels.shape[1] == 3


def test_sixteen_bits_keep_their_range(tmp_path):
    grey = Pillow.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16))
    loaded = pixels.load_picture(save(tmp_path / "x.png", grey), "at").pixels[0, 0, 0]
    assert torch.allclose(loaded, torch.tensor([0.0, 0.5, 1.0]), atol=0.003)


def test_the_first_frame_of_an_animation_is_taken(tmp_path):
    frames = [Pillow.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    path = save(tmp_path / "x.gif", frames[0], save_all=True, append_images=frames[1:])
    assert pixels.load_picture(path, "at").pixels[0, :, 0, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"%PDF-1.4", b"<svg/>"])
def test_what_is_no_picture_is_refused(tmp_path, content):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(PatchbayError) as caught:
        pixels.load_picture(path, "load.file")
    assert (caught.value.code, caught.value.at) == (Code.BAD_PICTURE, "load.file")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused(tmp_path, kept):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = save(tmp_path / "x.png", Pillow.fromarray(noise))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(PatchbayError, match="no picture that can be read"):
        pixels.load_picture(path, "at")


def bomb(path, width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)))
    return path


@pytest.mark.parametrize("side", [8_500, 10_000, 60_000])
@pytest.mark.parametrize("action", ["error", "ignore"])
def test_a_decompression_bomb_is_refused(tmp_path, side, action):
    path = bomb(tmp_path / "x.png", side, side)
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        with pytest.raises(PatchbayError) as caught:
            pixels.load_picture(path, "at")
    assert caught.value.code is Code.BAD_PICTURE


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(PatchbayError) as caught:
        pixels.load_picture(tmp_path / "x.png", "at")
    assert caught.value.code is Code.FILE_NOT_FOUND


def test_a_mask_is_the_alpha_channel_or_the_brightness(tmp_path):
    see_through = save(tmp_path / "a.png", Pillow.new("RGBA", (2, 2), (255, 255, 255, 51)))
    assert pixels.load_mask(see_through, "at").coverage.flatten().tolist() == pytest.approx([0.2] * 4)
    opaque = save(tmp_path / "b.png", Pillow.new("RGBA", (2, 2), (0, 0, 0, 255)))
    assert pixels.load_mask(opaque, "at").coverage.sum() == 0
    grey = save(tmp_path / "c.png", Pillow.new("L", (3, 2), 255))
    assert pixels.load_mask(grey, "at").coverage.shape == (1, 1, 2, 3)


def test_png_rounds_as_diffusers_does(picture):
    stock = VaeImageProcessor.numpy_to_pil(VaeImageProcessor.pt_to_numpy(picture.pixels))
    for ours, theirs in zip(picture.files(), stock, strict=True):
        assert np.array_equal(np.array(Pillow.open(io.BytesIO(ours))), np.array(theirs))


def test_every_half_is_rounded_as_diffusers_does():
    numbers = torch.arange(0, 256 * 2 - 1).float().div(510).view(1, 1, 1, -1).expand(1, 3, 1, -1)
    stock = VaeImageProcessor.numpy_to_pil(VaeImageProcessor.pt_to_numpy(numbers))[0]
    assert np.array_equal(np.array(pixels.to_pillow(numbers[0])), np.array(stock))


def test_text_is_kept_readable_in_the_file(picture):
    text = {"patchbay": '{"name": "Füchse 狐"}'}
    data = pixels.to_png(picture.pixels[0], text)
    assert Pillow.open(io.BytesIO(data)).text == text
    assert text["patchbay"].encode() in data
    assert b"iTXt" in data


def test_a_mask_is_written_in_grey():
    assert Pillow.open(io.BytesIO(pixels.to_png(torch.zeros(1, 4, 4)))).mode == "L"


def test_numbers_that_are_none_are_black():
    assert np.array(pixels.to_pillow(torch.full((3, 1, 1), torch.nan))).max() == 0


@pytest.mark.parametrize("mode", ["stretch", "fill", "crop"])
@pytest.mark.parametrize("size", [(7, 5), (33, 9), (9, 33), (20, 6)])
def test_resizing_gives_exactly_the_size(picture, mode, size):
    resized = pixels.resize(picture, *size, mode).pixels
    assert resized.shape == (2, 3, size[1], size[0])
    assert resized.min() >= 0
    assert resized.max() <= 1


@pytest.mark.parametrize(("mode", "stock"), [("stretch", "default"), ("fill", "fill"), ("crop", "crop")])
def test_resizing_is_that_of_the_stock_processor(tmp_path, mode, stock):
    path = save(tmp_path / "x.png", gradient(size=(24, 16)))
    processor = VaeImageProcessor(do_normalize=False)
    expected = processor.preprocess(Pillow.open(path), 40, 16, resize_mode=stock)
    assert torch.equal(pixels.resize(pixels.load_picture(path, "at"), 16, 40, mode).pixels, expected)


def test_resizing_to_the_same_size_changes_nothing(picture):
    assert pixels.resize(picture, 20, 12) is picture


def test_proportions_beyond_reason_are_refused():
    line = Image(torch.zeros(1, 3, 1, 10_000))
    for mode, size in (("crop", (8, 16_384)), ("fill", (8, 8)), ("stretch", (0, 8))):
        with pytest.raises(PatchbayError) as caught:
            pixels.resize(line, *size, mode)
        assert caught.value.code is Code.BAD_VALUE


def test_a_rectangle_is_cut_out(picture):
    assert torch.equal(pixels.crop(picture, 3, 2, 5, 4).pixels, picture.pixels[..., 2:6, 3:8])


@pytest.mark.parametrize("box", [(0, 0, 21, 1), (0, 0, 1, 13), (-1, 0, 1, 1), (20, 0, 1, 1), (0, 0, 0, 1)])
def test_a_rectangle_outside_is_refused(picture, box):
    with pytest.raises(PatchbayError, match="does not lie inside"):
        pixels.crop(picture, *box)


def test_a_mask_chooses_between_two_pictures(picture):
    other = Image(1 - picture.pixels)
    coverage = torch.zeros(1, 1, 12, 20)
    coverage[..., 10:] = 1
    laid = pixels.composite(picture, other, Mask(coverage)).pixels
    assert torch.equal(laid[..., :10], picture.pixels[..., :10])
    assert torch.equal(laid[..., 10:], other.pixels[..., 10:])


def test_pictures_of_different_sizes_or_batches_are_refused(picture):
    with pytest.raises(PatchbayError, match="sizes differ"):
        pixels.composite(picture, picture, Mask(torch.zeros(1, 1, 3, 3)))
    with pytest.raises(PatchbayError, match="batches"):
        pixels.composite(picture, picture, Mask(torch.zeros(3, 1, 12, 20)))
