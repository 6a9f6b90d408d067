"""A data folder with the tests' own nodes, and servers over it."""

import pytest

from tests.web.server import kit
from tests.web.server.site import Site


@pytest.fixture
def home(tmp_path):
    return kit.make_home(tmp_path / "home")


@pytest.fixture
def config(home, monkeypatch):
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
