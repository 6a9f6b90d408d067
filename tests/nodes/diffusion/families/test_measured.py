"""What is told of families without measuring is what was measured, and speaks of every class of this Diffusers."""

import json
import subprocess
import sys

import diffusers
import pytest

from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.families.measured import FILE, STAGES, families
from tests.bench.families import PAGE, others, page

AGAIN = "python -m tests.bench.families --write"


def record():
    return json.loads(FILE.read_text())


def test_every_class_that_is_driven_was_measured():
    rows = {row["class"]: row for row in families()["driven"]}
    assert set(rows) == {family.pipeline_class for family in FAMILIES.values()}, AGAIN
    assert {row[stage] for row in rows.values() for stage in STAGES} == {"exact"}, AGAIN
    assert rows["StableDiffusionPipeline"]["kinds"] == ["sd1", "sd2", "pocket"]
    assert "StableDiffusionInpaintPipeline" in rows["StableDiffusionPipeline"]["folders"]
    assert rows["StableDiffusionXLPipeline"]["image_to_image"] == ["StableDiffusionXLImg2ImgPipeline"]
    assert "last step" in rows["LatentConsistencyModelPipeline"]["whole"]


def test_a_class_that_was_not_measured_says_so(monkeypatch):
    monkeypatch.setitem(FAMILIES, "FreshPipeline", next(iter(FAMILIES.values())).__class__("fresh", "FreshPipeline"))
    fresh = families()["driven"][-1]
    assert (fresh["class"], fresh["text"], fresh["image_to_image"]) == ("FreshPipeline", "not measured", [])


@pytest.mark.filterwarnings("ignore")  # every class of Diffusers is imported
def test_the_reasons_are_those_of_the_installed_version():
    assert (record()["diffusers"], record()["undriven"]) == (diffusers.__version__, others()), AGAIN


def test_the_page_of_the_documentation_says_the_same():
    assert PAGE.read_text() == page(record()), AGAIN


def test_telling_imports_no_torch():
    code = (
        "import sys; from nodes.diffusion.families.measured import families; families();"
        "sys.exit(', '.join({'torch', 'diffusers', 'transformers'} & set(sys.modules)) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=PAGE.parents[1]).returncode == 0
