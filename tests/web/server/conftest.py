"""A data folder with the tests' own nodes, and servers over it."""

import pytest

from tests.web.server import kit


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
