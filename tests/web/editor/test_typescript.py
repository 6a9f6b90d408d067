"""The editor's own gates: types, style and tests."""

import pytest


@pytest.mark.parametrize("script", ["types", "lint", "test"])
def test_the_editor_is_clean(workshop, script):
    done = workshop.run("run", script)
    assert done.returncode == 0, done.stdout + done.stderr
