"""Every command and every snippet of the README does what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()
INSTALL, TESTS, *BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
SERVE, CLIENTS = BLOCKS[-2:]
BLOCKS = BLOCKS[:-2]
COMMANDS = [INSTALL.partition("&& ")[2].strip(), *(line for block in BLOCKS for line in block.splitlines())]
SNIPPETS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def clone(tmp_path):
    shutil.copytree(ROOT / "graphs", tmp_path / "graphs")
    return tmp_path


def test_the_two_first_blocks_are_what_ci_runs():
    assert INSTALL.startswith("pip install -e . && patchbay run")
    assert TESTS == 'pip install -e ".[test]" && pytest\n'


def environment_of(clone):
    scripts = Path(sys.executable).parent
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATCHBAY_HOME": str(clone / "home"), "PATH": path}


def shell(command, clone):
    return subprocess.run(
        command, shell=True, cwd=clone, env=environment_of(clone), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_works(command, clone):
    done = shell(command, clone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    if " run " in command and "--help" not in command:
        assert len(list((clone / "out").glob("*.png"))) == 1


def test_the_server_does_what_the_readme_says(clone):
    command = f"exec {SERVE.strip()} --port 0"
    with subprocess.Popen(
        command, shell=True, cwd=clone, env=environment_of(clone), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert "?token=" in server.stdout.readline()
            for line in CLIENTS.splitlines():
                done = shell(line, clone)
                assert done.returncode == 0, done.stdout + done.stderr
            assert re.search(r"done\s+text_to_image", done.stdout)
        finally:
            server.terminate()
            assert server.wait(30) == 0
    assert len(list((clone / "home" / "outputs").rglob("*.png"))) == 2
    assert len(list((clone / "out").glob("*.png"))) == 1


def test_the_python_snippet_runs_a_graph(clone, monkeypatch, capsys):
    monkeypatch.chdir(clone)
    exec(SNIPPETS[0], {})  # noqa: S102  # our own README
    assert capsys.readouterr().out == "torch.Size([1, 3, 256, 256])\n"


def test_the_node_of_ones_own_works(clone, monkeypatch):
    home = clone / "home"
    (home / "nodes").mkdir(parents=True)
    (home / "nodes" / "sepia.py").write_text(SNIPPETS[1])
    monkeypatch.setenv("PATCHBAY_HOME", str(home))
    import torch

    from engine import Catalog
    from nodes.types import Image

    catalog = Catalog.load(home / "nodes")
    assert not catalog.problems
    tinted = catalog.types["Sepia"](Image(torch.rand(1, 3, 8, 8)), strength=1.0)
    assert (tinted.pixels[:, 0] >= tinted.pixels[:, 2]).all()


def test_the_graph_in_the_readme_is_one(clone):
    from engine import Catalog, Graph, Paths, Settings, plan

    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    graph = Graph.parse(block, folder=clone)
    catalog = Catalog.load()
    assert graph.dumps(catalog.inputs_in_order) == block
    assert list(plan(graph, catalog, Paths(), Settings()).outputs) == ["conditioning"]
