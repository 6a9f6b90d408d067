from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine import PatchbayError, Paths
from engine.paths import contains


@pytest.fixture
def roots(tmp_path):
    for folder in ("document", "inputs", "outside", "out"):
        (tmp_path / folder).mkdir()
    (tmp_path / "document" / "a.png").touch()
    (tmp_path / "inputs" / "a.png").touch()
    (tmp_path / "inputs" / "b.png").touch()
    (tmp_path / "outside" / "secret").touch()
    return tmp_path


def paths(root, **more):
    return Paths(document=root / "document", inputs=(root / "inputs", root / "missing"), outputs=root / "out", **more)


def refusal(call, *arguments):
    with pytest.raises(PatchbayError) as caught:
        call(*arguments)
    error = caught.value
    assert error.at == "n.file"
    assert error.fix
    return error.code.value, error.what


def test_the_documents_folder_comes_first_and_the_roots_after(roots):
    found = paths(roots)
    assert found.find("a.png", found.inputs) == roots / "document" / "a.png"
    assert found.find("b.png", found.inputs) == roots / "inputs" / "b.png"
    assert found.find(str(roots / "inputs" / "b.png"), found.inputs) == roots / "inputs" / "b.png"
    assert found.find(".", ()) == roots / "document"


def test_nothing_outside_the_roots_is_read(roots):
    found = paths(roots)
    (roots / "document" / "link").symlink_to(roots / "outside" / "secret")
    (roots / "document" / "folder").symlink_to(roots / "outside")
    escapes = (
        "../outside/secret",
        str(roots / "outside" / "secret"),
        "link",
        "folder/secret",
        "a.png/../../outside/secret",
    )
    for name in escapes[:4]:
        code, what = refusal(found.find, name, found.inputs, "n.file")
        assert (code, what) == ("outside_roots", f'"{name}" lies outside the folders a graph may read.')
    assert refusal(found.find, escapes[4], found.inputs, "n.file")[0] in ("outside_roots", "file_not_found")


def test_what_the_user_names_in_person_may_be_read(roots):
    secret = roots / "outside" / "secret"
    assert paths(roots).granting(secret).find(str(secret), ()) == secret


@pytest.mark.parametrize("name", ["", "a\0b", "none.png", "../document/none", "x" * 5000])
def test_what_is_not_there_is_said(roots, name):
    assert refusal(paths(roots).find, name, (), "n.file")[0] == "file_not_found"


def test_a_circle_of_symbolic_links_is_said(roots):
    (roots / "document" / "x").symlink_to("y")
    (roots / "document" / "y").symlink_to("x")
    assert refusal(paths(roots).find, "x", (), "n.file")[0] == "file_not_found"


def test_a_dangling_link_is_said(roots):
    (roots / "document" / "x").symlink_to("nothing")
    assert refusal(paths(roots).find, "x", (), "n.file")[0] == "file_not_found"


def test_without_any_root_nothing_is_found():
    assert refusal(Paths().find, "a.png", (), "n.file") == ("file_not_found", '"a.png" was not found.')


def test_a_folder_that_may_not_be_looked_into_is_said(roots, monkeypatch):
    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os.path, "lexists", refuse)
    assert refusal(paths(roots).find, "a.png", (), "n.file")[0] == "file_not_found"


def test_outputs_stay_below_their_folder(roots):
    found = paths(roots)
    assert found.output("new/fox") == roots / "out" / "new" / "fox"
    (roots / "out" / "link").symlink_to(roots / "outside")
    for name in ("../fox", "/etc/fox", "link/fox", "", ".", "new/../../fox", "a\0b"):
        code, what = refusal(found.output, name, "n.file")
        assert code == "outside_roots"
        assert what == f'"{name}" would leave the output folder.'


def test_without_an_output_folder_nothing_is_written():
    assert refusal(Paths().output, "fox", "n.file") == ("not_written", "This run has no folder to write to.")


def test_containment_follows_links_on_both_sides(roots):
    (roots / "alias").symlink_to(roots / "inputs")
    assert contains(roots / "alias", roots / "inputs" / "b.png")
    assert contains(roots / "inputs", roots / "alias")
    assert not contains(roots / "inputs", Path(f"{roots}/inputs2"))
