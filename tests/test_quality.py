"""The gates: types, style, and every branch of the engine."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command, **environment):
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment or None, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", ["mypy", "ruff check .", "ruff format --check ."])
def test_the_code_is_clean(command):
    done = run(*command.split())
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_engine_is_tested_branch_by_branch(tmp_path):
    data = f"--data-file={tmp_path / 'coverage'}"
    tests = run("coverage", "run", data, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/engine")
    assert tests.returncode == 0, tests.stdout
    report = run("coverage", "report", data, "--fail-under=100")
    assert report.returncode == 0, report.stdout
