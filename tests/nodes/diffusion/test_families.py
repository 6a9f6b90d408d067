import diffusers
import transformers

from nodes.diffusion.families import FAMILIES, kind_of, single_file_sizes
from nodes.diffusion.headers import Header

TO_K = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
FIRST = "model.diffusion_model.input_blocks.0.0.weight"


def test_kinds_follow_from_sizes():
    assert kind_of(768, 4) == "sd1"
    assert kind_of(1024, 4) == "sd2"
    assert kind_of(128, 4) == "pocket"
    assert kind_of(32, 4) == "sd-32x4"
    assert kind_of(768, 16) == "sd-768x16"


def test_a_checkpoint_tells_its_sizes():
    shapes = {TO_K: (320, 768), FIRST: (320, 4, 3, 3)}
    assert single_file_sizes(Header(shapes)) == (768, 4)


def test_other_checkpoints_tell_nothing():
    assert single_file_sizes(Header({})) is None
    assert single_file_sizes(Header({FIRST: (320, 4, 3, 3)})) is None
    assert single_file_sizes(Header({TO_K: (320, 768)})) is None
    sdxl = {TO_K: (640, 2048), FIRST: (320, 4, 3, 3), "conditioner.embedders.0.x": (1,)}
    assert single_file_sizes(Header(sdxl)) is None


def test_every_class_of_the_table_exists():
    libraries = {"diffusers": diffusers, "transformers": transformers}
    for name, family in FAMILIES.items():
        assert hasattr(diffusers, name)
        assert hasattr(diffusers, family.pipeline_class)
        for rule in family.parts.values():
            for class_name in rule.classes:
                assert hasattr(libraries[rule.library], class_name)
