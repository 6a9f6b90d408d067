"""The editor's own gates, in a copy of its sources: types, style and tests."""

import os
import re
import shutil
import subprocess

import pytest

from web.editor_build import EDITOR, find_npm

NO_NETWORK = re.compile(r"ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|ENETUNREACH")


class Workshop:
    """A copy of the sources with their packages."""

    def __init__(self, npm, folder):
        self.npm, self.folder = npm, folder

    def run(self, *arguments):
        path = os.pathsep.join([str(self.npm.folder), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "CI": "1", "NO_COLOR": "1"}
        command = [*self.npm.command, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, encoding="utf-8", check=False
        )


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    npm = find_npm()
    if npm is None:
        pytest.skip("there is no Node 20.19 or newer with npm")
    folder = tmp_path_factory.mktemp("workshop") / "editor"
    shutil.copytree(EDITOR.source, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    found = Workshop(npm, folder)
    done = found.run("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retry-mintimeout=500")
    output = done.stdout + done.stderr
    if done.returncode and NO_NETWORK.search(output):
        pytest.skip(f"npm reaches no registry: {output.splitlines()[0]}")
    assert done.returncode == 0, output
    return found


@pytest.mark.parametrize("script", ["types", "lint", "test"])
def test_the_editor_is_clean(workshop, script):
    done = workshop.run("run", script)
    assert done.returncode == 0, done.stdout + done.stderr
