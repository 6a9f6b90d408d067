"""The catalogue is part of the format: ports and values have names that saved graphs rely on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine import Catalog

SNAPSHOT = Path(__file__).parent / "snapshots" / "catalog.json"


def test_the_catalogue_is_as_it_was():
    described = json.dumps(Catalog.load().describe(), ensure_ascii=False, indent=2) + "\n"
    assert described == SNAPSHOT.read_text(), f"if it is meant so: patchbay nodes --json > {SNAPSHOT}"


def test_every_type_has_a_summary_and_a_category_and_a_short_function():
    import inspect

    for type_ in Catalog.load().types.values():
        assert type_.summary.endswith((".", ":")), type_.id
        assert type_.category, type_.id
        assert len(inspect.getsource(type_.function).splitlines()) <= 45, type_.id


def test_importing_the_nodes_imports_no_heavy_library():
    code = "import sys, nodes; assert not {'torch', 'diffusers', 'transformers', 'PIL', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("own", "policy"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_of_torch_wait_asleep_unless_the_user_says_otherwise(own, policy, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if own:
        monkeypatch.setenv("OMP_WAIT_POLICY", own)
    code = "import os, nodes; print(os.environ['OMP_WAIT_POLICY'])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == policy
