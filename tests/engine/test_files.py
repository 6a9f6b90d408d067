from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

import pytest

from engine import StoreError
from engine.files import sync_folder, write_numbered, write_whole


def full(*_arguments, **_more):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_is_written_with_its_folder_and_the_usual_permissions(tmp_path):
    target = tmp_path / "new" / "a.txt"
    mask = os.umask(0o027)
    try:
        write_whole(target, b"x")
    finally:
        os.umask(mask)
    assert target.read_bytes() == b"x"
    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(("module", "name"), [(os, "fsync"), (tempfile, "mkstemp")])
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, module, name):
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")
    monkeypatch.setattr(module, name, full)
    with pytest.raises(StoreError) as caught:
        write_whole(target, b"new")
    assert (caught.value.code.value, caught.value.at) == ("not_written", str(target))
    assert caught.value.what == "The file was not written: No space left on device."
    assert caught.value.fix == "Free some space or choose another folder."
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_numbered_files_never_overwrite(tmp_path):
    stem = tmp_path / "out" / "fox"
    names = [write_numbered(stem, ".png", bytes([number])).name for number in range(3)]
    assert names == ["fox-0001.png", "fox-0002.png", "fox-0003.png"]
    (tmp_path / "out" / "fox-0041.png").touch()
    (tmp_path / "out" / "fox-12x.png").touch()
    (tmp_path / "out" / "foxes-0099.png").touch()
    assert write_numbered(stem, ".png", b"").name == "fox-0042.png"
    assert (tmp_path / "out" / "fox-0002.png").read_bytes() == b"\1"


def test_a_number_that_another_run_takes_meanwhile_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "fox-0001.png").write_bytes(b"theirs")
    monkeypatch.setattr(Path, "glob", lambda *_: [])
    assert write_numbered(tmp_path / "fox", ".png", b"mine").name == "fox-0002.png"
    assert (tmp_path / "fox-0001.png").read_bytes() == b"theirs"


def test_a_numbered_file_that_could_not_be_written_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError):
        write_numbered(tmp_path / "fox", ".png", b"x")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as caught:
        write_numbered(tmp_path / "file" / "fox", ".png", b"x")
    assert caught.value.code.value == "not_written"


def test_the_folder_is_synced_after_the_name_is_there(tmp_path, monkeypatch):
    synced = []

    def sync(descriptor):
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), sorted(path.name for path in tmp_path.iterdir())))

    monkeypatch.setattr(os, "fsync", sync)
    write_whole(tmp_path / "a.txt", b"x")
    assert [is_folder for is_folder, _ in synced] == [False, True]
    assert synced[1][1] == ["a.txt"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF])
def test_a_file_system_that_cannot_sync_folders_is_let_be(tmp_path, monkeypatch, number):
    def refuse(_descriptor):
        raise OSError(number, os.strerror(number))

    sync_folder(tmp_path / "nowhere")
    monkeypatch.setattr(os, "fsync", refuse)
    sync_folder(tmp_path)


def test_a_folder_that_fails_to_sync_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        sync_folder(tmp_path)
