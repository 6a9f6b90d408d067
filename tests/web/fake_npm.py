"""A Node and an npm that do at once what the real ones do, and write down what they were told."""

import os
import sys
from pathlib import Path

SCRIPT = """#!{python}
import os, pathlib, sys, time

here = pathlib.Path()
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if "ci" in sys.argv:
    if pathlib.Path({offline!r}).exists():
        print("npm error code ENOTFOUND\\nnpm error network request to https://example.org failed, reason: no network")
        sys.exit(1)
    (here / "node_modules" / "vite").mkdir(parents=True)
else:
    source = (here / "src" / "main.tsx").read_text()
    if "broken" in source:
        print("vite v8\\n\\x1b[31m✗ Build failed in 1ms\\x1b[39m\\nerror during build:\\nCould not resolve './broken'")
        sys.exit(1)
    (here / "dist" / "assets").mkdir(parents=True)
    (here / "dist" / "assets" / "index-abcd1234.js").write_text(source)
    if "without a page" not in source:
        (here / "dist" / "index.html").write_text(source)
"""


class FakeNpm:
    """Programs in `folder`; `calls` are the arguments of each call of npm."""

    def __init__(self, folder, version="v22.12.0"):
        self.folder = folder
        self.log, self.offline = folder / "log", folder / "offline"
        folder.mkdir(parents=True)
        self.log.touch()
        self.script = SCRIPT.format(python=sys.executable, log=str(self.log), offline=str(self.offline))
        self.write("npm", self.script)
        self.set_version(version)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def set_version(self, version):
        self.write("node", f"#!/bin/sh\necho {version}\n")

    @property
    def calls(self):
        return self.log.read_text().splitlines()


def only_path(monkeypatch, *folders):
    """Let no other program be found."""
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))


def write_source(folder, main="console.log(1);\n"):
    """The sources of a small editor."""
    for name in ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"):
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    (folder / "src").mkdir()
    (folder / "src" / "main.tsx").write_text(main)
    (folder / "public").mkdir()
    (folder / "public" / "icon.svg").write_text("<svg/>\n")
    return folder
