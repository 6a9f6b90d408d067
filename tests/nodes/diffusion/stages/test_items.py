"""Latents among those of the pictures that are read, and out of them again."""

from types import SimpleNamespace

import pytest
import torch

from nodes.diffusion.stages import items


def pipeline_of(name):
    transformer = SimpleNamespace(config=SimpleNamespace(patch_size=[1, 2, 2]))
    return type(name, (), {"transformer": transformer})()


def test_one_item_among_others_comes_out_last():
    pipeline, samples = pipeline_of("JoyImageEditPipeline"), torch.randn(2, 4, 6, 8)
    packed = items.pack(pipeline, samples)
    assert packed.shape == (2, 1, 4, 1, 6, 8)
    beside = torch.cat([torch.zeros_like(packed), packed], 1)
    assert torch.equal(items.unpack(pipeline, beside, 6, 8), samples)
    assert items.unpack(pipeline, samples, 6, 8) is samples


def test_patches_come_first_and_become_a_picture():
    pipeline, samples = pipeline_of("JoyImageEditPlusPipeline"), torch.randn(2, 4, 6, 8)
    assert items.pack(pipeline, samples).shape == (2, 4, 1, 6, 8)
    patches = samples.view(2, 4, 3, 2, 4, 2).permute(0, 2, 4, 1, 3, 5).reshape(2, 12, 4, 1, 2, 2)
    others = torch.zeros(2, 5, 4, 1, 2, 2)
    assert torch.equal(items.unpack(pipeline, torch.cat([patches, others], 1), 6, 8), samples)


@pytest.mark.parametrize("name", ["JoyImageEditPipeline", "FluxPipeline"])
def test_most_pipelines_hold_no_items(name):
    assert items.holds_items(pipeline_of(name)) is (name == "JoyImageEditPipeline")
