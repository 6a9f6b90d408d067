"""A copy of the editor's sources with all of their packages, for the gates and for axe."""

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


def equip(folder):
    """The workshop in this folder; skips the test where npm or its registry cannot be had."""
    npm = find_npm()
    if npm is None:
        pytest.skip("there is no Node 20.19 or newer with npm")
    shutil.copytree(EDITOR.source, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    found = Workshop(npm, folder)
    done = found.run("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retry-mintimeout=500")
    output = done.stdout + done.stderr
    if done.returncode and NO_NETWORK.search(output):
        pytest.skip(f"npm reaches no registry: {output.splitlines()[0]}")
    assert done.returncode == 0, output
    return found
