"""A patched part is a second tree of modules over the same weights."""

from contextlib import ExitStack

import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion.changes.patches import FreeUPatch, LoraPatch, PatchFile, check_denoiser, check_unet
from nodes.diffusion.memory.patching import twin
from nodes.diffusion.memory.shelf import SHELF
from tests.nodes.diffusion.tiny import exact, loras


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


@pytest.mark.parametrize("name", ["StableDiffusionPipeline", "StableDiffusionXLPipeline"])
def test_free_u_gives_the_stock_pipeline_s_bits_and_is_off_afterwards(family, name):
    source, case = family(name), exact.CASES[0]
    before = exact.own_latent(source, case)[2].samples
    ours = exact.own_latent(source.patched(FreeUPatch(0.9, 0.2, 1.5, 1.6)), case)[2].samples
    after = exact.own_latent(source, case)[2].samples
    with ExitStack() as held, torch.no_grad():
        pipeline = exact.stock_pipeline(held, source)
        pipeline.unet = twin(pipeline.unet)
        pipeline.enable_freeu(s1=0.9, s2=0.2, b1=1.5, b2=1.6)
        theirs = exact.stock_call(pipeline, case, "latent")
    assert torch.equal(ours, theirs)
    assert torch.equal(before, after)
    assert not torch.equal(ours, before)


def test_free_u_is_refused_where_it_is_not_known(family):
    with pytest.raises(PatchbayError, match="without one"):
        check_unet(family("FluxPipeline"), "model")
    with (
        pytest.raises(PatchbayError, match="not known"),
        SHELF.use(family("FluxPipeline").patched(FREE), "transformer"),
    ):
        pass


FREE = FreeUPatch(0.9, 0.2, 1.5, 1.6)


def test_a_denoiser_that_is_built_anew_cannot_be_patched(family):
    with pytest.raises(PatchbayError, match="would be lost"):
        check_denoiser(family("AnimateDiffPipeline"), "model")
