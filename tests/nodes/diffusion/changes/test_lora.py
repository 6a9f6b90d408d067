"""A LoRA gives the bits of a stock pipeline that loaded it, and the model beside it keeps its own."""

import copy
import threading
from contextlib import ExitStack

import pytest
import torch

from engine.errors import PatchbayError
from engine.events import NodeMessage
from nodes.diffusion.changes import lora
from nodes.diffusion.changes.patches import LoraPatch, PatchFile
from nodes.diffusion.memory.patching import twin
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.stages import layouts
from tests.nodes.diffusion.tiny import exact, loras

pytestmark = pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning")  # PEFT's, of a second one

NAMES = (
    "StableDiffusionPipeline",
    "StableDiffusionXLPipeline",
    "FluxPipeline",
    "StableDiffusion3Pipeline",
    "AnimaModularPipeline",
)
CASE = exact.CASES[0]


def patched(source, *given):
    """The model with these LoRAs at these strengths, of the denoiser and of the text encoders."""
    for path, strength, text in given:
        source = source.patched(LoraPatch(PatchFile.at(path, ""), strength, text))
    return source


def latent(source):
    return exact.own_latent(source, CASE)[2].samples


def stock_latent(source, given):
    """What a stock pipeline gives with these LoRAs, on modules of its own over the shelf's weights."""
    with ExitStack() as held, torch.no_grad():
        pipeline = exact.stock_pipeline(held, source)
        for name in [name for name, part in source.parts.items() if part.weights]:
            setattr(pipeline, name, twin(getattr(pipeline, name)))
        for index, (path, _, _) in enumerate(given):
            pipeline.load_lora_weights(str(path), adapter_name=f"n{index}")
        pipeline.set_adapters([f"n{index}" for index in range(len(given))], [strength for _, strength, _ in given])
        found = exact.stock_call(pipeline, CASE, "latent")
        tiny = exact.TINY[source.pipeline_class]
        return layouts.unpack(pipeline, found, layouts.Size(*tiny.sizes[0], tiny.frames))


@pytest.fixture
def files(tmp_path):
    def make(source, *, kohya=False):
        one = loras.weights(source)
        other = loras.weights(source, rank=2, seed=1, dtype=torch.float16)
        write = loras.save_kohya if kohya else loras.save
        return write(one, tmp_path / "one.safetensors"), write(other, tmp_path / "other.safetensors")

    return make


@pytest.mark.parametrize(("name", "kohya"), [*((name, False) for name in NAMES), (NAMES[0], True), (NAMES[1], True)])
def test_two_loras_give_the_stock_pipeline_s_bits(family, files, name, kohya):
    pytest.importorskip("peft")
    source = family(name)
    one, other = files(source, kohya=kohya)
    given = ((one, 0.7, 0.7), (other, -0.4, -0.4))
    before = latent(source)
    ours, theirs = latent(patched(source, *given)), stock_latent(source, given)
    assert torch.equal(ours, theirs)
    assert not torch.equal(ours, before)
    assert torch.equal(latent(source), before)


@pytest.mark.parametrize("kohya", [False, True])
@pytest.mark.parametrize("name", NAMES[:2])
def test_it_is_as_if_the_weights_had_been_added(family, files, name, kohya):
    """The formula itself, with what the scripts of kohya call alpha; no PEFT."""
    source, factor = family(name), 0.7 * (2.0 / 4 if kohya else 1)
    path, _ = files(source, kohya=kohya)
    with ExitStack() as held, torch.no_grad():
        pipeline = exact.stock_pipeline(held, source)
        for part, layers in loras.weights(source).items():
            merged = copy.deepcopy(getattr(pipeline, part))
            for layer, (down, up) in layers.items():
                weight = merged.get_submodule(layer).weight
                weight += factor * (up.flatten(1) @ down.flatten(1)).reshape(weight.shape)
            setattr(pipeline, part, merged)
        theirs = exact.stock_call(pipeline, CASE, "latent")
    ours = latent(patched(source, (path, 0.7, 0.7)))
    assert torch.allclose(ours, theirs, atol=1e-3)
    assert not torch.allclose(ours, latent(source), atol=1e-2)


def test_the_base_model_keeps_its_bits_in_a_thread_beside(family, files):
    source = family(NAMES[0])
    path, _ = files(source)
    model = patched(source, (path, 1.0, 1.0))
    expected = {"base": latent(source), "patched": latent(model)}
    found = {"base": [], "patched": []}

    def work(key, given):
        torch.set_num_threads(1)
        found[key] += [latent(given) for _ in range(4)]

    threads = [threading.Thread(target=work, args=pair) for pair in (("base", source), ("patched", model))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key, results in found.items():
        assert len(results) == 4
        assert all(torch.equal(each, expected[key]) for each in results)


def test_each_strength_acts_on_its_own_part(family, files):
    source = family(NAMES[0])
    path, _ = files(source)
    plain = exact.own_latent(source, CASE)
    text = exact.own_latent(patched(source, (path, 0.0, 1.0)), CASE)
    denoiser = exact.own_latent(patched(source, (path, 1.0, 0.0)), CASE)
    none = exact.own_latent(patched(source, (path, 0.0, 0.0)), CASE)
    embeds = [each[0].tensors["prompt_embeds"] for each in (plain, text, denoiser, none)]
    assert not torch.equal(embeds[0], embeds[1])
    assert torch.equal(embeds[0], embeds[2])
    assert not torch.equal(plain[2].samples, denoiser[2].samples)
    assert torch.equal(plain[2].samples, none[2].samples)


def test_layers_that_the_model_does_not_have_are_told(family, tmp_path, within):
    source = family(NAMES[0])
    found = loras.weights(source, text=False)
    found["unet"]["down_blocks.7.attn.to_q"] = (torch.ones(4, 8), torch.ones(8, 4))
    model = patched(source, (loras.save(found, tmp_path / "more.safetensors"), 1.0, 1.0))
    seen = []
    with within(emit=seen.append), SHELF.use(model, "unet"):
        pass
    (told,) = [event.text for event in seen if isinstance(event, NodeMessage)]
    assert "1 layers that the unet does not have, for instance down_blocks.7.attn.to_q" in told


def bad(found):
    layer = next(name for name in found["unet"] if name.endswith("to_q"))
    return found["unet"], layer


def narrow(found):
    layers, name = bad(found)
    layers[name] = (layers[name][0][:, 1:].contiguous(), layers[name][1])


def on_a_norm(found):
    found["unet"]["conv_norm_out"] = (torch.ones(4, 8), torch.ones(8, 4))


@pytest.mark.parametrize(("spoil", "reason"), [(narrow, "does not fit"), (on_a_norm, "is a GroupNorm")])
def test_what_cannot_be_added_is_refused(family, tmp_path, spoil, reason):
    source = family(NAMES[0])
    found = loras.weights(source, text=False)
    spoil(found)
    model = patched(source, (loras.save(found, tmp_path / "bad.safetensors"), 1.0, 1.0))
    with pytest.raises(PatchbayError, match=reason), SHELF.use(model, "unet"):
        pass


def test_a_layer_with_only_half_of_an_addition_is_refused(family, tmp_path):
    source = family(NAMES[0])
    found = {f"unet.{name}.lora_A.weight": down for name, (down, _) in loras.weights(source)["unet"].items()}
    key = next(iter(found)).replace("lora_A", "lora_B")
    found[key] = torch.ones(1, 4)
    from safetensors.torch import save_file

    save_file(found, tmp_path / "half.safetensors")
    model = patched(source, (tmp_path / "half.safetensors", 1.0, 1.0))
    with pytest.raises(PatchbayError, match="does not fit"), SHELF.use(model, "unet"):
        pass


def test_a_family_without_a_loader_says_so(family, files):
    from types import SimpleNamespace

    source = family(NAMES[0])
    path, _ = files(source)
    other = SimpleNamespace(family=SimpleNamespace(pipeline_class="LuminaPipeline"))
    with pytest.raises(PatchbayError, match="reads no LoRA"):
        lora._converted(other, LoraPatch(PatchFile.at(path, ""), 1.0, 1.0))


def test_rank_stabilised_scales_divide_by_the_root():
    scaling = lora._Scaling(4, 8, {"^a": 16}, {"^a": 32}, by_root=True)
    assert scaling.scale("b", 0.5) == 0.5 * 8 / 2
    assert scaling.scale("a", 1.0) == 8
