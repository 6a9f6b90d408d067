"""A data folder with the tests' own nodes, and servers over it."""

import pytest

from tests.web.server import kit
from tests.web.server.site import Site
from web.editor_build import STAMP, Editor


@pytest.fixture
def home(tmp_path):
    return kit.make_home(tmp_path / "home")


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """A built editor, as an installed Patchbay has it."""
    static = tmp_path / "installed" / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text('<!doctype html><script type="module" src="/static/assets/index-abcd1234.js">')
    (static / "icon.svg").write_text("<svg/>")
    (static / "assets" / "index-abcd1234.js").write_text("1;")
    (static / "assets" / "index-abcd1234.css").write_text("p {}")
    (static / STAMP).write_text("0" * 64)
    found = Editor(tmp_path / "installed" / "editor", static)
    monkeypatch.setattr("web.server.app.EDITOR", found)
    return found


@pytest.fixture
def config(home, editor, monkeypatch):
    return kit.config_of(home, monkeypatch)


@pytest.fixture
def start(home):
    """Start servers on the test's data folder; they end with the test."""
    started = []

    def start(**more):
        started.append(kit.ServerProcess(more.pop("home", home), **more))
        return started[-1].wait_ready()

    yield start
    for server in started:
        server.stop()


@pytest.fixture
async def open_site(config):
    """Open the application on the test's data folder, again after it was closed; what is open ends with the test."""
    opened = []

    async def open_site():
        opened.append(await Site.open(config))
        return opened[-1]

    yield open_site
    for site in opened:
        if not site.client.server.closed:
            await site.close()


@pytest.fixture
async def site(open_site):
    return await open_site()
