"""The command line in this process, with a data folder and a working directory of the test's own."""

import json

import pytest
from typer.testing import CliRunner

from tests.web.fake_npm import FakeNpm, only_path
from web.cli import app


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("PATCHBAY_HOME", str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return folder


@pytest.fixture
def patchbay(home):  # every command of a test sees the test's own folders
    def call(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def write_graph(tmp_path):
    def write(nodes, inputs=None, outputs=None, name="graph.json", **more):
        interface = {"inputs": inputs or {}, "outputs": outputs or {}}
        path = tmp_path / "work" / name
        path.write_text(json.dumps({"version": 1, "nodes": nodes, "interface": interface, **more}))
        return path

    return write


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A pretended npm, the only program that is found."""
    fake = FakeNpm(tmp_path / "bin")
    only_path(monkeypatch, fake.folder)
    return fake
