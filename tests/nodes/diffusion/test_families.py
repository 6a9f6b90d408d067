import importlib

import diffusers

from nodes.diffusion.families import FAMILIES, STABLE_DIFFUSION


def test_kinds_follow_from_sizes():
    assert STABLE_DIFFUSION.kind((768, 4)) == "sd1"
    assert STABLE_DIFFUSION.kind((1024, 4)) == "sd2"
    assert STABLE_DIFFUSION.kind((128, 4)) == "pocket"
    assert STABLE_DIFFUSION.kind((32, 4)) == "sd-32x4"
    assert STABLE_DIFFUSION.kind((768, 16)) == "sd-768x16"


def test_every_class_of_the_table_exists():
    for name, family in FAMILIES.items():
        assert hasattr(diffusers, name)
        assert hasattr(diffusers, family.pipeline_class)
        for rule in family.parts.values():
            for class_name in rule.classes:
                assert hasattr(importlib.import_module(rule.library), class_name)
