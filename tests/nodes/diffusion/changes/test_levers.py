"""Levers act on a module of their own; what would do nothing or cannot work is refused."""

from dataclasses import replace

import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion.changes import levers
from nodes.diffusion.changes.patches import LoraPatch, PatchFile
from nodes.diffusion.changes.tuning import TilePatch, TunePatch
from nodes.diffusion.latents import autoencoding
from nodes.diffusion.memory.shelf import SHELF, ModelShelf
from nodes.types import VAE, Latent
from tests.nodes.diffusion.sampling.test_caching import run
from tests.nodes.diffusion.tiny import exact, loras
from tests.nodes.diffusion.tiny.table import TINY

CPU = torch.device("cpu")
OWN_SIZES = {"HiDreamImagePipeline", "JoyImageEditPipeline", "Kandinsky5T2IPipeline", "Kandinsky5I2IPipeline"}
"""They draw pictures of sizes of their own only."""

UNBOUNDED = {"LTXPipeline", "LTXImageToVideoPipeline"}
"""The shift of their tiny schedulers grows with the size until no number holds it."""

STORED = TunePatch(storage="float8_e4m3fn")


@pytest.fixture
def flux(family):
    return family("FluxPipeline")


def test_an_attention_backend_acts_on_one_model_alone(flux, monkeypatch):
    used = []
    backends = levers.attention_dispatch._AttentionBackendRegistry
    for name, function in list(backends._backends.items()):
        monkeypatch.setitem(
            backends._backends, name, lambda name=name, call=function, **how: (used.append(name), call(**how))[1]
        )
    active = backends.get_active_backend()[0]
    plain, _ = run(flux)
    assert set(used) == {active}
    used.clear()
    tuned, _ = run(flux.patched(TunePatch(attention="_native_math")))
    assert {name.value for name in used} == {"_native_math"}
    assert 0 < (tuned - plain).abs().max() < 1e-4
    assert backends.get_active_backend()[0] is active
    assert torch.equal(run(flux)[0], plain)
    assert torch.equal(run(flux.patched(TunePatch(attention="native")))[0], plain)


def test_weights_with_channels_last_are_a_model_s_own(tiny):
    case = exact.CASES[0]
    plain = exact.own_latent(tiny, case)[2].samples
    tuned = tiny.patched(TunePatch(channels_last=True))
    made = exact.own_latent(tuned, case)[2].samples
    assert torch.allclose(made, plain, atol=1e-4)
    with SHELF.use(tuned, "unet") as own, SHELF.use(tiny, "unet") as shared:
        assert own.conv_in.weight.is_contiguous(memory_format=torch.channels_last)
        assert not shared.conv_in.weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(exact.own_latent(tiny, case)[2].samples, plain)


def test_weights_of_eight_bits_are_stored_and_not_computed_with(flux):
    plain, _ = run(flux)
    shelf = ModelShelf()
    with shelf.use(flux.patched(STORED), "transformer") as stored:
        layer = stored.transformer_blocks[0].attn.to_q
        assert layer.weight.dtype is torch.float8_e4m3fn
        assert stored.dtype is torch.float32
        held = shelf.nbytes(CPU)
        assert held == flux.parts["transformer"].numbers
    first, _ = run(flux.patched(STORED))
    again, _ = run(flux.patched(STORED))
    assert torch.equal(first, again)
    assert first.isfinite().all()
    assert not torch.equal(first, plain)
    assert torch.equal(run(flux)[0], plain)


def test_stored_weights_do_not_need_the_plain_ones(flux):
    shelf = ModelShelf()
    with shelf.use(flux.patched(STORED), "transformer"):
        assert len(shelf._entries) == 1
    with shelf.use(flux, "transformer"):
        pass
    shelf._drop(next(key for key in shelf._entries if key[0] == flux))
    assert [key[0] for key in shelf._entries] == [flux.patched(STORED)]


def test_a_lora_goes_onto_stored_weights(tiny, tmp_path):
    file = PatchFile.at(loras.save(loras.weights(tiny), tmp_path / "lora.safetensors"), "file")
    case, stored = exact.CASES[0], tiny.patched(STORED)
    plain = exact.own_latent(stored, case)[2].samples
    before = exact.own_latent(tiny.patched(LoraPatch(file, 1.0, 0.0)).patched(STORED), case)[2].samples
    behind = exact.own_latent(stored.patched(LoraPatch(file, 1.0, 0.0)), case)[2].samples
    assert torch.equal(before, behind)
    assert not torch.equal(before, plain)


def test_blocks_are_compiled_in_a_module_of_their_own(flux, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda call: call)
    with (
        SHELF.use(flux.patched(TunePatch(compiled=True)), "transformer") as own,
        SHELF.use(flux, "transformer") as plain,
    ):
        assert own.transformer_blocks[0]._compiled_call_impl is not None
        assert own._compiled_call_impl is None
        assert all(module._compiled_call_impl is None for module in plain.modules())
        assert own.transformer_blocks[0].attn.to_q.weight is plain.transformer_blocks[0].attn.to_q.weight


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # PyTorch's compiler warns of its own parts
def test_compiled_blocks_give_the_same_but_for_rounding(flux):
    patch = TunePatch(compiled=True)
    levers.check_tuning(flux, patch)
    plain, _ = run(flux)
    tuned, _ = run(flux.patched(patch))
    assert torch.allclose(tuned, plain, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "patch", "at"),
    [
        ("StableDiffusionPipeline", TunePatch(attention="native"), "attention"),
        ("FluxPipeline", TunePatch(attention="flash"), "attention"),
        ("FluxPipeline", TunePatch(attention="_native_cudnn"), "attention"),
        ("FluxPipeline", TunePatch(channels_last=True), "channels_last"),
        ("StableDiffusion3Pipeline", TunePatch(channels_last=True), "channels_last"),
        ("StableDiffusion3Pipeline", TunePatch(compiled=True), "compile_blocks"),
    ],
)
def test_what_cannot_work_is_refused(family, name, patch, at):
    with pytest.raises(PatchbayError) as caught:
        levers.check_tuning(family(name), patch)
    assert caught.value.at == at


def test_weights_in_fewer_bits_are_not_packed_again(flux):
    for patch in (STORED, TunePatch(channels_last=True)):
        with pytest.raises(PatchbayError, match="in fewer bits already"):
            levers.check_tuning(replace(flux, quantize="int8"), patch)


def test_a_machine_without_a_compiler_is_told(flux, monkeypatch):
    def fail(_function):
        said = "No working C++ compiler found in c++\nand more"
        raise RuntimeError(said)

    levers._try_compiler.cache_clear()
    monkeypatch.setattr(levers.torch, "compile", fail)
    with pytest.raises(
        PatchbayError, match=r"cannot compile for cpu here: No working C\+\+ compiler found in c\+\+ Install"
    ):
        levers.check_tuning(flux, TunePatch(compiled=True))


class Largest:
    """The largest tensor that a part of a decoder gives."""

    def __init__(self, module):
        self.numbers = 0
        self.batches = set()
        for each in module.modules():
            each.register_forward_hook(self._look)

    def _look(self, _module, _inputs, output):
        if isinstance(output, torch.Tensor):
            self.numbers = max(self.numbers, output.numel())
            self.batches.add(len(output))


def decoded(source, latent):
    """A picture, and the largest tensor on the way inside the decoder's layers."""
    with SHELF.use(source, source.family.decoder) as vae:
        deep = Largest(vae.decoder)
        return autoencoding.decode(VAE(source), latent).pixels, deep


def test_a_large_picture_takes_the_memory_of_a_tile(tiny):
    latent = Latent(torch.randn(1, 4, 40, 40, generator=torch.Generator().manual_seed(0)), tiny.kind)
    SHELF.clear()
    whole, all_at_once = decoded(tiny, latent)
    tiled, by_tile = decoded(tiny.patched(TilePatch(64, 0.25, singly=False)), latent)
    SHELF.clear()
    assert by_tile.numbers * 4 < all_at_once.numbers
    assert tiled.shape == whole.shape
    assert not torch.equal(tiled, whole)
    assert (tiled - whole).abs().mean() < 0.1


def test_a_picture_no_larger_than_a_tile_keeps_its_bits(tiny):
    latent = Latent(torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0)), tiny.kind)
    whole = autoencoding.decode(VAE(tiny), latent).pixels
    assert torch.equal(autoencoding.decode(VAE(tiny.patched(TilePatch(64, 0.25, singly=False))), latent).pixels, whole)


def test_pictures_are_decoded_one_by_one(tiny):
    latent = Latent(torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0)), tiny.kind)
    SHELF.clear()
    whole, together = decoded(tiny, latent)
    singly, apart = decoded(tiny.patched(TilePatch(None, 0.25, singly=True)), latent)
    SHELF.clear()
    assert together.batches == {3}
    assert apart.batches == {1}
    assert torch.allclose(singly, whole, atol=1e-5)


def test_a_vae_that_knows_no_tiles_is_refused(family):
    for patch in (TilePatch(64, 0.25, singly=False), TilePatch(None, 0.25, singly=True)):
        with pytest.raises(PatchbayError, match="VQModel"):
            levers.check_tiles(family("Kandinsky3Pipeline"), patch)


def test_a_vae_that_takes_the_size_of_tiles_and_cuts_none_is_refused(family):
    with pytest.raises(PatchbayError, match="AutoencoderKLCosmos"):
        levers.check_tiles(family("CosmosTextToWorldPipeline"), TilePatch(64, 0.25, singly=False))


def test_a_vae_whose_tiles_make_a_smaller_picture_is_refused(family):
    with pytest.raises(PatchbayError, match="HunyuanImageRefiner"):
        levers.check_tiles(family("HunyuanImageRefinerPipeline"), TilePatch(64, 0.25, singly=False))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what Diffusers and PyTorch warn of is not what is asked here
@pytest.mark.parametrize("name", [name for name in TINY if name not in OWN_SIZES | UNBOUNDED])
def test_every_vae_works_in_tiles_or_refuses(family, name):
    source, patch = family(name), TilePatch(64, 0.25, singly=False)
    try:
        levers.check_tiles(source, patch)
    except PatchbayError:
        return
    samples = exact.own_latent(source, exact.cases(name)[0])[2].samples
    grown = Latent(samples.repeat_interleave(12, -1).repeat_interleave(12, -2), source.kind)
    whole = autoencoding.decode(VAE(source), grown).pixels
    tiled = autoencoding.decode(VAE(source.patched(patch)), grown).pixels
    assert tiled.shape == whole.shape
    assert tiled.isfinite().all()
    assert not torch.equal(tiled, whole)
