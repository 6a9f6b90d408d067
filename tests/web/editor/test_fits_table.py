"""The browser refuses the links that the engine refuses: both are held to one table.

`PATCHBAY_SNAPSHOTS=write pytest tests/web/editor/test_fits_table.py` accepts a change; `npx vitest run src/graph` in
web/editor then says whether the browser agrees.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.web.editor.fits_table import as_text, table

FIXTURE = Path(__file__).parents[3] / "web" / "editor" / "src" / "graph" / "fits.fixture.json"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return table(tmp_path_factory.mktemp("home"))


def test_the_table_that_the_browser_is_tested_with_is_the_engines(found):
    text = as_text(found)
    if os.environ.get("PATCHBAY_SNAPSHOTS") == "write":
        FIXTURE.write_text(text)
    assert text == FIXTURE.read_text()


def test_the_table_has_every_form_of_type_and_every_answer(found):
    forms = {part for row in found["types"] for part in json.dumps(row["type"]).split('"') if part in FORMS}
    assert forms == FORMS
    assert set("".join(found["fits"])) == set("dwm-")
    assert "x" in "".join(found["clashes"])


def test_the_graphs_of_the_table_have_links_that_fit_in_every_way_and_links_that_do_not(found):
    assert {how for graph in found["graphs"] for how in graph["fits"].values()} == {"wrap", "map"}
    assert {problem["clash"] for graph in found["graphs"] for problem in graph["problems"].values()} == {True, False}
    assert any("[sd1]" in label for graph in found["graphs"] for label in graph["inputs"].values())
    assert {node.get("state") for graph in found["graphs"] for node in graph["nodes"].values()} == {
        None, "mute", "bypass",
    }  # fmt: skip


FORMS = {"scalar", "kind", "choice", "named", "variable", "list", "union", "anything"}
