"""A patched part is a second tree of modules over the same weights."""

import torch

from nodes.diffusion.patches import LoraPatch, PatchFile
from nodes.diffusion.patching import twin
from nodes.diffusion.shelf import SHELF
from tests.nodes.diffusion.tiny import loras


def test_a_twin_shares_every_tensor_and_no_module(tiny):
    with SHELF.use(tiny, "unet") as unet:
        other = twin(unet)
        tensors = dict([*unet.named_parameters(), *unet.named_buffers()])
        assert {id(tensor) for tensor in (*other.parameters(), *other.buffers())} == {*map(id, tensors.values())}
        assert not {id(module) for module in unet.modules()} & {id(module) for module in other.modules()}
        assert other.config == unet.config


def test_the_shared_part_has_no_trace_of_a_patch(tiny, tmp_path):
    file = PatchFile.at(loras.save(loras.weights(tiny), tmp_path / "lora.safetensors"), "file")
    with SHELF.use(tiny, "unet") as plain, SHELF.use(tiny.patched(LoraPatch(file, 1.0, 1.0)), "unet") as patched:
        assert plain is not patched
        assert not any(module._forward_hooks for module in plain.modules())
        assert any(module._forward_hooks for module in patched.modules())
        assert all(torch.equal(*pair) for pair in zip(plain.parameters(), patched.parameters(), strict=True))
