from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import PngImagePlugin

from engine import Code, StoreError
from engine.picture import KEYWORD, MAX_CHUNKS, MAX_TEXT, SIGNATURE, embed, extract


def drawn(**more):
    picture = Pillow.new("RGB", (9, 5))
    picture.putdata([(x * 5 % 256, x * 3 % 256, 200) for x in range(45)])
    file = io.BytesIO()
    picture.save(file, "PNG", **more)
    return file.getvalue()


PLAIN = drawn()


def chunk(type_, data=b""):
    return struct.pack(">I", len(data)) + type_ + data + struct.pack(">I", zlib.crc32(type_ + data))


def texts_of(pairs, *, compressed=False):
    info = PngImagePlugin.PngInfo()
    for keyword, text in pairs:
        info.add_itxt(keyword, text, zip=compressed)
    return drawn(pnginfo=info)


def refused(png, what, code=Code.DAMAGED, function=extract):
    with pytest.raises(StoreError) as caught:
        function(png)
    assert caught.value.code == code
    assert caught.value.what == what
    assert caught.value.fix


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_comes_back_as_it_was_put_in(text):
    assert extract(embed(PLAIN, text)) == text


def test_other_programs_see_the_same_pixels_and_the_text():
    png = embed(PLAIN, '{"text": "ein Füchslein, 狐, 🦊"}')
    with Pillow.open(io.BytesIO(png), formats=["PNG"]) as picture, Pillow.open(io.BytesIO(PLAIN)) as before:
        assert picture.text == {"patchbay": '{"text": "ein Füchslein, 狐, 🦊"}'}
        assert picture.tobytes() == before.tobytes()


def test_pillow_opens_a_picture_with_a_text_of_more_than_its_limit_for_compressed_ones():
    text = "x" * (PngImagePlugin.MAX_TEXT_CHUNK * 2)
    with Pillow.open(io.BytesIO(embed(PLAIN, text))) as picture:
        picture.load()
        assert picture.text["patchbay"] == text


def test_the_text_stands_before_the_pixels_and_nothing_else_changes():
    png = embed(PLAIN, "graph")
    start = png.index(b"iTXt") - 4
    assert start < png.index(b"IDAT")
    assert png[:start] + png[start + len(chunk(b"iTXt", b"patchbay\0\0\0\0\0graph")) :] == PLAIN


def test_a_new_text_replaces_ours_and_leaves_those_of_others():
    png = texts_of([("Comment", "mine"), ("patchbay", "old"), ("patchbay2", "other")])
    png = embed(embed(png, "first"), "second")
    assert extract(png) == "second"
    assert png.count(KEYWORD + b"\0") == 1
    with Pillow.open(io.BytesIO(png)) as picture:
        assert picture.text == {"Comment": "mine", "patchbay2": "other", "patchbay": "second"}


def test_a_picture_without_a_graph_has_none():
    assert extract(PLAIN) is None
    assert extract(texts_of([("Comment", "patchbay")])) is None


def test_a_text_that_another_program_put_in_again_is_read():
    info = PngImagePlugin.PngInfo()
    info.add_itxt("patchbay", "kept", lang="de", tkey="Graph")
    assert extract(drawn(pnginfo=info)) == "kept"


def test_a_picture_cut_off_anywhere_is_refused():
    png = embed(PLAIN, "graph")
    for length in range(len(SIGNATURE), len(png)):
        refused(png[:length], "The picture ends too early.")


def test_a_flipped_bit_anywhere_is_refused():
    png = embed(PLAIN, "graph")
    for place in range(len(png)):
        for bit in (1, 128):
            broken = bytearray(png)
            broken[place] ^= bit
            with pytest.raises(StoreError):
                extract(bytes(broken))


def test_what_follows_the_end_of_the_picture_is_not_looked_at():
    assert extract(embed(PLAIN, "graph") + b"more") == "graph"


@pytest.mark.parametrize("data", [b"", b"GIF89a", SIGNATURE[:-1], b'{"version": 1}'])
def test_what_is_no_png_is_refused(data):
    refused(data, "This is no PNG file.", Code.BAD_PICTURE)


def test_a_picture_of_other_parts_is_refused():
    header = PLAIN[8:33]
    refused(SIGNATURE + chunk(b"IEND"), "The picture does not begin with one header.")
    refused(SIGNATURE + header + header, "The picture does not begin with one header.")
    bare = SIGNATURE + header + chunk(b"IEND")
    refused(bare, "The picture has no pixels.", function=lambda png: embed(png, "graph"))


@pytest.mark.parametrize("data", [b"patchbay\0", b"patchbay\0\0\0", b"patchbay\0\0\0en", b"patchbay\0\1\0\0\0xx"])
def test_a_text_of_ours_in_another_form_is_refused(data):
    png = PLAIN[:33] + chunk(b"iTXt", data) + PLAIN[33:]
    refused(png, "The picture has a text that Patchbay did not write.")


def test_a_compressed_text_is_never_unpacked():
    refused(
        texts_of([("patchbay", "x" * 2000)], compressed=True), "The picture has a text that Patchbay did not write."
    )


def test_a_text_that_is_not_utf8_is_refused():
    png = PLAIN[:33] + chunk(b"iTXt", b"patchbay\0\0\0\0\0\xff") + PLAIN[33:]
    refused(png, "The picture has a text that is not UTF-8.")


def test_a_text_beyond_the_limit_is_refused_both_ways():
    text = "x" * MAX_TEXT
    with pytest.raises(StoreError, match="larger than 64 MiB") as caught:
        embed(PLAIN, text)
    assert caught.value.code == Code.BAD_PICTURE
    png = PLAIN[:33] + chunk(b"iTXt", b"patchbay\0\0\0\0\0" + text.encode()) + PLAIN[33:]
    refused(png, "The picture has a text of more than 64 MiB.", Code.BAD_PICTURE)


def test_a_picture_of_endless_parts_is_given_up():
    png = PLAIN[:33] + chunk(b"tEXt", b"a\0b") * (MAX_CHUNKS + 1) + PLAIN[33:]
    refused(png, f"The picture has more than {MAX_CHUNKS:,} parts.")
