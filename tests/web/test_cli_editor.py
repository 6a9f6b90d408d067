"""`patchbay editor build`, and what `patchbay serve` says of an editor that is not built."""

import pytest

from tests.web.fake_npm import write_source
from web import cli_editor, cli_server
from web.editor_build import Editor
from web.server import app as server_app


@pytest.fixture
def editor(tmp_path, monkeypatch):
    found = Editor(write_source(tmp_path / "web" / "editor"), tmp_path / "web" / "static")
    for module in (cli_editor, cli_server):
        monkeypatch.setattr(module, "EDITOR", found)
    return found


def test_build_builds_and_then_has_nothing_to_do(patchbay, editor, npm):
    done = patchbay("editor", "build")
    assert (done.exit_code, done.stdout) == (0, f"editor: npm ci\neditor: vite build\nbuilt: {editor.static}\n")
    assert patchbay("editor", "build").stdout == f"up to date: {editor.static}\n"


def test_a_failed_build_shows_what_was_said_and_ends_with_a_sentence(patchbay, editor, npm):
    (editor.source / "src" / "main.tsx").write_text("broken")
    failed = patchbay("editor", "build")
    assert failed.exit_code == 1
    assert "error during build:" in failed.stderr
    assert failed.stderr.splitlines()[-1].startswith("error The editor was not built, `vite build` failed:")


def test_editor_alone_lists_its_commands(patchbay):
    assert "build" in patchbay("editor").output


@pytest.fixture
def served(monkeypatch):
    async def serve(_config, *, say, **_):
        say("http://127.0.0.1:8188/")

    monkeypatch.setattr(server_app, "serve", serve)


def test_serve_says_that_the_editor_is_not_built_and_serves(patchbay, editor, served):
    done = patchbay("serve")
    assert done.stdout == "http://127.0.0.1:8188/\n"
    assert done.stderr == f"warning {editor.advice()}\n"


def test_serve_is_silent_about_an_editor_that_is_built(patchbay, editor, npm, served):
    patchbay("editor", "build")
    assert patchbay("serve").stderr == ""
