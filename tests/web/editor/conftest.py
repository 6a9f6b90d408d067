"""The browser that the end-to-end tests drive, the server it looks at, and the editor that both show."""

import os
import shutil

import pytest
from playwright.sync_api import expect

from tests.web.editor.desk import PATIENCE, Desk, Site, Watch, furnish
from tests.web.editor.workshop import equip
from web.editor_build import EDITOR, NODE, find_npm


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Tests in a browser come last: Playwright's event loop stays in the main thread, where no other can run then."""
    items.sort(key=lambda item: "playwright" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Debian's Chromium; a browser that Playwright would download is never used."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # root has none
    return {**browser_type_launch_args, "executable_path": chromium, "args": sandbox}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    """A desk of a fixed size on which nothing glides."""
    return {
        **browser_context_args,
        "viewport": {"width": 1440, "height": 900},
        "locale": "en-US",
        "color_scheme": "dark",
        "reduced_motion": "reduce",
        "permissions": ["clipboard-read", "clipboard-write"],
    }


@pytest.fixture(scope="session")
def editor():
    """The editor, built from the sources as they are."""
    if EDITOR.state() != "built":
        if find_npm() is None:
            pytest.skip(f"the editor is not built, and there is no Node to build it with: pip install '{NODE}'")
        EDITOR.build([].append)
    return EDITOR


@pytest.fixture(scope="module")
def site(editor, tmp_path_factory):
    """A server with a data folder of its own, shared by the tests of a file."""
    found = Site.start(furnish(tmp_path_factory.mktemp("site") / "home"))
    yield found
    found.server.stop()


@pytest.fixture
def fresh_site(editor, tmp_path):
    """A server of the test's own, which it may kill and start again."""
    found = Site.start(furnish(tmp_path / "home"), 0, "--no-token")  # it is the same to the page when it comes again
    yield found
    found.server.stop()


@pytest.fixture
def watch(context):
    """Fails the test for whatever a browser complains of in any of its pages."""
    expect.set_options(timeout=PATIENCE)
    context.set_default_timeout(PATIENCE)
    context.set_default_navigation_timeout(PATIENCE)
    found = Watch(context)
    yield found
    assert found.complaints == []


@pytest.fixture
def page(watch, page):
    """A page that is watched."""
    return page


@pytest.fixture
def desk(page, site, watch):
    """A person at the editor."""
    return Desk(page, site, watch)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    return equip(tmp_path_factory.mktemp("workshop") / "editor")
