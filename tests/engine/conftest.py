from __future__ import annotations

import pytest

from tests.engine.kit import Lab


@pytest.fixture
def lab():
    """Make labs whose threads end with the test."""
    made = []

    def make(*types, **more):
        made.append(Lab(*types, **more))
        return made[-1]

    yield make
    for one in made:
        one.executor.close()
