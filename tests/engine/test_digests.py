from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from engine import StoreError, digests
from engine.digests import file_digest


def test_a_files_digest_is_that_of_its_content(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"one")
    assert file_digest(file) == hashlib.sha256(b"one").hexdigest()
    file.write_bytes(b"three")
    assert file_digest(file) == hashlib.sha256(b"three").hexdigest()


def test_a_file_is_read_once_while_it_is_the_same(tmp_path, monkeypatch):
    file = tmp_path / "a"
    file.write_bytes(b"one")
    first = file_digest(file)
    monkeypatch.setattr(Path, "open", None)
    assert file_digest(file) == first
    assert any(str(file.resolve()) == key[0] for key in digests._known)


def test_a_blob_of_the_hubs_cache_is_known_by_its_name(tmp_path):
    name = "0" * 64
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / name).write_bytes(b"")
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "blobs" / name)
    assert file_digest(tmp_path / "model.safetensors") == name
    (tmp_path / "blobs" / "short").write_bytes(b"")
    assert file_digest(tmp_path / "blobs" / "short") == hashlib.sha256(b"").hexdigest()


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(StoreError) as caught:
        file_digest(tmp_path / "none")
    assert (caught.value.code.value, caught.value.at) == ("file_not_found", str(tmp_path / "none"))
    assert caught.value.what == "The file cannot be read: No such file or directory."
    assert caught.value.fix == "Check that it is still there and may be read."
