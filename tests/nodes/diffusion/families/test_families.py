import importlib

import diffusers

from nodes.diffusion.families.families import FAMILIES


def test_every_class_of_the_table_exists():
    for name, family in FAMILIES.items():
        assert hasattr(diffusers, name)
        assert hasattr(diffusers, family.pipeline_class)
        for rule in family.parts.values():
            for class_name in rule.classes:
                assert hasattr(importlib.import_module(rule.library), class_name)
