"""The browser that the end-to-end tests drive."""

import os
import shutil

import pytest


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
