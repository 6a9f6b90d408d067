"""Pictures from outside: told by their content, stored once, and nothing that is no picture."""

import errno
import hashlib
import io
import os
import pickle
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image

from engine import PatchbayError, StoreError
from nodes.diffusion.pictures import picture_files
from web.server.uploads import MEDIA_TYPES, MOST_PIXELS, SUFFIXES, Uploads


def picture(kind="PNG", size=(20, 10)):
    found = io.BytesIO()
    Image.new("RGB", size, "red").save(found, kind)
    return found.getvalue()


def bomb(width, height):
    """A PNG of a few bytes that says it has these sizes."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


@pytest.fixture
def uploads(tmp_path):
    return Uploads(tmp_path / "inputs")


def refusal(uploads, data):
    with pytest.raises(PatchbayError) as caught:
        uploads.store(data)
    assert caught.value.fix
    return caught.value.code.value


@pytest.mark.parametrize("kind", SUFFIXES)
def test_a_picture_is_stored_by_its_content(uploads, tmp_path, kind):
    data = picture(kind)
    found = uploads.store(data)
    assert found.name == f"uploads/{hashlib.sha256(data).hexdigest()}.{SUFFIXES[kind]}"
    assert (found.width, found.height) == (20, 10)
    assert found.media_type == f"image/{kind.lower()}"
    assert found.media_type in MEDIA_TYPES
    assert (tmp_path / "inputs" / found.name).read_bytes() == data


def test_what_may_be_uploaded_may_be_opened_by_a_graph():
    assert tuple(SUFFIXES) == picture_files.FORMATS
    assert MOST_PIXELS == picture_files.LARGEST_PICTURE


def test_the_same_picture_is_stored_once_and_mended_when_it_was_damaged(uploads, tmp_path):
    data = picture()
    path = tmp_path / "inputs" / uploads.store(data).name
    before = path.stat()
    assert uploads.store(data).name.endswith(path.name)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    path.write_bytes(b"flipped")
    uploads.store(data)
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><script>1</script>",
        pickle.dumps([1]),
        b"PK\x03\x04" + b"\0" * 100,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        picture()[:40],
        picture()[:-20],
        picture().replace(b"IDAT", b"IDAX"),
        picture("PPM"),
        picture("ICO"),
    ],
    ids=range(12),
)
def test_what_is_no_picture_is_refused(uploads, tmp_path, data):
    assert refusal(uploads, data) == "bad_picture"
    assert not (tmp_path / "inputs").exists()


@pytest.mark.parametrize("size", [(10_000, 10_000), (30_000, 30_000), (2**31 - 1, 2**31 - 1), (8193, 8192)])
def test_a_bomb_is_refused_by_its_header(uploads, size):
    assert refusal(uploads, bomb(*size)) == "bad_picture"


def test_no_link_leads_out_of_the_folder(uploads, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "uploads").symlink_to(tmp_path / "outside")
    assert refusal(uploads, picture()) == "outside_roots"
    assert not list((tmp_path / "outside").iterdir())


def test_a_full_disk_is_said(uploads, monkeypatch):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError) as caught:
        uploads.store(picture())
    assert caught.value.code.value == "not_written"


def test_an_idle_server_has_no_pillow_loaded():
    code = "import sys, web.server.uploads, web.server.files; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
