"""Signatures read from source, compared with the real ones."""

import subprocess
import sys

import diffusers
import pytest
from pydantic import TypeAdapter

from nodes.diffusion.disk.whole import pipeline_classes
from nodes.diffusion.stages.arguments import call_of
from nodes.diffusion.stages.signatures import call_named


def meaning(annotation):
    return TypeAdapter(annotation).json_schema()


def same(name):
    """Whether what was read of a class is what the class itself says, and how many types were read."""
    real, read = call_of(getattr(diffusers, name)), call_named(name)
    assert list(read.arguments) == list(real.arguments), name
    plain = [each for each in read.arguments.values() if "Any" not in str(each.annotation)]
    for each in read.arguments.values():
        assert each.needed == real.arguments[each.name].needed, (name, each.name)
    for each in plain:
        assert meaning(each.annotation) == meaning(real.arguments[each.name].annotation), (name, each.name)
    return len(plain)


@pytest.mark.parametrize(
    "name", ["StableDiffusionUpscalePipeline", "FluxPipeline", "DDPMPipeline", "StableDiffusionPix2PixZeroPipeline"]
)
def test_a_call_is_read_as_it_is(name):
    assert same(name) > 2


def test_reading_imports_nothing_of_diffusers():
    code = "import sys; from nodes.diffusion.stages.signatures import call_named; assert call_named('FluxPipeline');"
    code += "assert not {'torch', 'diffusers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_class_that_is_not_there_has_none():
    assert call_named("NoPipeline") is None


@pytest.mark.slow
def test_every_class_is_read_as_it_is():
    read = [name for name in sorted(pipeline_classes()) if call_named(name) is not None]
    assert len(read) > 0.95 * len(pipeline_classes())
    for name in read:
        try:
            getattr(diffusers, name).__call__.__code__  # noqa: B018  # not there where a package is missing
        except (AttributeError, RuntimeError, ImportError):
            continue
        same(name)
