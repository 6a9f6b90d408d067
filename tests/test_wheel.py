"""What is shipped, file by file: nothing is forgotten and nothing slips in."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from web.editor_build import EDITOR

ROOT = Path(__file__).parent.parent
SNAPSHOT = Path(__file__).parent / "wheel.txt"

HASHED = re.compile(r"^(web/static/assets/).*(\.\w+)$")
"""The editor's files have digests in their names, and how many there are is Vite's choice: their kinds are listed."""


def is_editor(name):
    return name.startswith("web/static/")


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    environment = {**os.environ, "PATCHBAY_SKIP_EDITOR": "1"}  # whatever is there is packed
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=environment)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        found = {HASHED.sub(r"\1*\2", name) for name in archive.namelist() if ".dist-info/" not in name}
    return sorted(found)


def listed():
    return SNAPSHOT.read_text().splitlines()


def test_the_wheel_holds_exactly_the_listed_files(names):
    expected = [name for name in listed() if not is_editor(name)]
    found = [name for name in names if not is_editor(name)]
    assert found == expected, "if it is meant so, write the new list to tests/wheel.txt"


def test_the_wheel_holds_the_editor(names):
    if EDITOR.state() != "built":
        pytest.skip(EDITOR.advice())
    assert [name for name in names if is_editor(name)] == [name for name in listed() if is_editor(name)]
