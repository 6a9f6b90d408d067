"""Weights that come to the device block by block, tried without a GPU.

What leaves goes to the disk here, and no number is left of it in memory: a block that computed without its weights
would give none.
"""

from functools import partialmethod
from types import SimpleNamespace

import pytest
import torch
from diffusers import ModelMixin
from diffusers.hooks import group_offloading
from safetensors.torch import load_file

from engine.errors import PatchbayError
from nodes.diffusion.changes import levers
from nodes.diffusion.changes.patches import LoraPatch, PatchFile
from nodes.diffusion.changes.tuning import CachePatch, TunePatch
from nodes.diffusion.memory.shelf import SHELF, ModelShelf
from tests.nodes.diffusion.sampling.test_caching import run
from tests.nodes.diffusion.tiny import exact, loras

CPU = torch.device("cpu")
BLOCKS, LAYERS = TunePatch(offload="blocks"), TunePatch(offload="layers")


class Nowhere:
    """PyTorch, but memory that nothing was written to holds no numbers."""

    def __getattr__(self, name):
        return getattr(torch, name)

    def empty_like(self, tensor, **how):
        return torch.full_like(tensor, torch.nan, **how)


@pytest.fixture(autouse=True)
def disk(tmp_path, monkeypatch):
    """Let what leaves the device go to the disk, and come back to where memory is aligned as it was."""
    monkeypatch.setattr(group_offloading, "torch", Nowhere())
    cloned = SimpleNamespace(
        torch=SimpleNamespace(
            load_file=lambda path, device: {name: tensor.clone() for name, tensor in load_file(path, device).items()},
            save_file=group_offloading.safetensors.torch.save_file,
        )
    )
    monkeypatch.setattr(group_offloading, "safetensors", cloned)
    plain = ModelMixin.enable_group_offload
    monkeypatch.setattr(ModelMixin, "enable_group_offload", partialmethod(plain, offload_to_disk_path=str(tmp_path)))
    yield
    SHELF.clear()


@pytest.fixture
def flux(family, disk):
    """A FLUX whose whole transformer lies aligned in memory as well: the last bits depend on that."""
    source = family("FluxPipeline")
    with SHELF.use(source, "transformer") as module:
        for parameter in module.parameters():
            parameter.data = parameter.data.clone()
    return source


def there(module):
    """Whether the weights of a module are in memory."""
    return all(parameter.isfinite().all() for parameter in module.parameters())


@pytest.mark.parametrize("patch", [BLOCKS, LAYERS])
def test_the_bits_are_those_of_the_whole_model_and_weights_are_there_only_while_they_are_used(flux, patch):
    plain, _ = run(flux)
    seen = []
    with SHELF.use(flux.patched(patch), "transformer") as module:
        rows = [*module.transformer_blocks, *module.single_transformer_blocks]
        for number, block in enumerate(rows):
            block.attn.register_forward_hook(lambda *_, number=number: seen.append((number, [*map(there, rows)])))
        assert not any(map(there, rows))
        made, _ = run(flux.patched(patch))
        assert not any(map(there, rows))
    assert torch.equal(made, plain)
    assert {number for number, _ in seen} == set(range(len(rows)))
    for number, found in seen:
        others = [is_there for other, is_there in enumerate(found) if other != number]
        assert not any(others)
        assert found[number] is (patch == BLOCKS)  # of layers even the block's others are gone
    assert torch.equal(run(flux)[0], plain)


def test_a_unet_with_a_lora_comes_block_by_block(tiny, tmp_path):
    file = PatchFile.at(loras.save(loras.weights(tiny), tmp_path / "lora.safetensors"), "file")
    case, styled = exact.CASES[0], tiny.patched(LoraPatch(file, 1.0, 0.0))
    plain = exact.own_latent(styled, case)[2].samples
    assert torch.equal(exact.own_latent(styled.patched(BLOCKS), case)[2].samples, plain)


def test_caches_work_on_blocks_that_come_and_go(flux):
    cache = CachePatch("TaylorSeer")
    plain, _ = run(flux.patched(cache))
    assert torch.equal(run(flux.patched(BLOCKS).patched(cache))[0], plain)


def test_what_is_held_on_the_device_is_the_largest_block_and_what_is_in_none(flux):
    part, held = flux.parts["transformer"], {}
    for patch in (BLOCKS, LAYERS):
        shelf = ModelShelf()
        with shelf.use(flux.patched(patch), "transformer"):
            held[patch] = shelf.nbytes(CPU)
    assert 0 < held[LAYERS] < held[BLOCKS] < part.nbytes(4)
    with SHELF.use(flux, "transformer") as module:
        blocks = [*module.transformer_blocks, *module.single_transformer_blocks]
        rest = numbers(module) - sum(map(numbers, blocks))
        assert held[BLOCKS] == 4 * (rest + max(map(numbers, blocks)))


def numbers(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_it_is_refused_where_it_saves_nothing_or_cannot_work(flux, monkeypatch):
    with pytest.raises(PatchbayError, match="memory is the machine's own") as caught:
        levers.check_tuning(flux, BLOCKS)
    assert caught.value.at == "offload"
    monkeypatch.setattr(levers, "pick_device", lambda _: torch.device("cuda"))
    levers.check_tuning(flux, BLOCKS)
    for patch in (TunePatch(storage="float8_e4m3fn", offload="blocks"), TunePatch(compiled=True, offload="layers")):
        with pytest.raises(PatchbayError, match="neither packed in eight bits nor compiled"):
            levers.check_tuning(flux, patch)
    monkeypatch.setattr(levers, "_is_row", lambda _: False)
    with pytest.raises(PatchbayError, match="no blocks in a row"):
        levers.check_tuning(flux, BLOCKS)
    levers.check_tuning(flux, LAYERS)
