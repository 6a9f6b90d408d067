"""Models in fewer bits: refused where they cannot be read, near the plain ones where they can."""

import json

import diffusers
import pytest
import torch

from engine.errors import Code, PatchbayError
from engine.settings import Settings
from nodes.diffusion.disk import packages, quantising
from nodes.diffusion.disk.source import survey
from nodes.diffusion.memory.shelf import ModelShelf
from nodes.diffusion.weights.loading import load_part
from nodes.load import ModelFile, load_model

CPU = torch.device("cpu")
TORCHAO = pytest.mark.skipif(not packages.is_there("torchao"), reason="needs torchao")
QUANTO = pytest.mark.skipif(not packages.is_there("optimum.quanto"), reason="needs optimum-quanto")


def stored_with(folder, **config):
    path = folder / "unet" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "quantization_config": config}))
    return folder


def refusal(act):
    with pytest.raises(PatchbayError) as caught:
        act()
    return caught.value


@pytest.mark.parametrize("extra", ["torchao", "quanto", "bitsandbytes"])
def test_a_folder_that_needs_a_package_names_its_extra(broken, monkeypatch, extra):
    folder = stored_with(broken, quant_method=extra)
    monkeypatch.setattr(packages, "is_there", lambda _: False)
    error = refusal(lambda: survey(folder, at="load.model"))
    assert (error.code, error.at) == (Code.MISSING_PACKAGE, "load.model")
    assert (extra in error.what, error.fix) == (True, f"pip install 'patchbay[{extra}]'")
    assert survey(folder, weights=False, at="x").kind


def test_a_method_that_is_not_known_is_refused(broken):
    error = refusal(lambda: survey(stored_with(broken, quant_method="awq"), at="x"))
    assert error.code is Code.UNSUPPORTED_CLASS
    assert "awq" in error.what


@pytest.mark.parametrize(
    ("device", "card", "fine"),
    [("cpu", True, False), ("auto", False, False), ("auto", True, True), ("cuda", False, True)],
)
def test_bitsandbytes_is_refused_in_the_plan_where_there_is_no_cuda(broken, tmp_path, monkeypatch, device, card, fine):
    from engine.paths import Paths

    folder = stored_with(broken, load_in_8bit=True)
    monkeypatch.setattr(packages, "is_there", lambda _: True)
    monkeypatch.setattr(quantising, "has_cuda", lambda: card)

    def resolve():
        paths = Paths(models=(folder.parent,))
        return ModelFile().resolve(folder.name, paths, Settings(device=device), "load.model")

    if fine:
        assert resolve() == folder.resolve()
        return
    error = refusal(resolve)
    assert (error.code, error.at) == (Code.BAD_VALUE, "load.model")
    assert "needs CUDA" in error.what
    assert "needs CUDA" in refusal(lambda: load_part(survey(folder, at="x"), "unet", CPU, torch.float32)).what


def test_quantising_needs_a_package(tiny_folder, monkeypatch):
    monkeypatch.setattr(packages, "is_there", lambda _: False)
    values = {"model": tiny_folder, "config": None, "quantize": "int8"}
    error = refusal(lambda: load_model.facts(values, {}))
    assert (error.code, error.at, error.fix) == (Code.MISSING_PACKAGE, "quantize", "pip install 'patchbay[torchao]'")


def test_what_is_quantised_already_is_not_quantised_again(broken, monkeypatch):
    folder = stored_with(broken, quant_method="quanto")
    monkeypatch.setattr(packages, "is_there", lambda _: True)
    error = refusal(lambda: load_model.facts({"model": folder, "config": None, "quantize": "int8"}, {}))
    assert (error.code, "already" in error.what) == (Code.BAD_VALUE, True)


@pytest.fixture
def quantised(tiny_folder, within):
    def load(quantize):
        with within():
            return load_model(model=tiny_folder, quantize=quantize)

    return load


@TORCHAO
def test_quantising_makes_another_model_of_the_denoiser_alone(quantised):
    plain, other = quantised("none"), quantised("int8")
    assert plain.model.digest() != other.model.digest()
    assert plain.model.source.about("unet") != other.model.source.about("unet")
    assert plain.vae.source.about("vae") == other.vae.source.about("vae")


def prediction(unet, width):
    torch.manual_seed(0)
    given = torch.randn(1, 4, 8, 8), torch.tensor([500]), torch.randn(1, 5, width)
    with torch.inference_mode():
        return unet(*given, return_dict=False)[0]


@TORCHAO
@pytest.mark.parametrize(("quantize", "bound"), [("int8", 0.02), ("float8", 0.1)])
def test_a_quantised_model_is_near_the_plain_one_and_has_the_bits_of_the_stock_loader(tiny, quantised, quantize, bound):
    import torchao.quantization as torchao

    source = quantised(quantize).model.source
    ours, plain = (load_part(each, "unet", CPU, torch.float32) for each in (source, tiny))
    config = diffusers.TorchAoConfig(getattr(torchao, f"{quantize.capitalize()}WeightOnlyConfig")())
    stock = diffusers.UNet2DConditionModel.from_pretrained(
        tiny.path / "unet", quantization_config=config, dtype=torch.float32
    )
    width = plain.config.cross_attention_dim
    found, exact = prediction(ours, width), prediction(plain, width)
    assert 0 < float((found - exact).abs().max() / exact.abs().max()) < bound
    assert torch.equal(found, prediction(stock, width))


@TORCHAO
def test_the_shelf_counts_a_quantised_part_as_smaller(tiny, quantised, within):
    shelf = ModelShelf()
    with within(), shelf.use(quantised("int8").model.source, "unet"):
        assert shelf.nbytes(CPU) == tiny.parts["unet"].numbers


def stored(config, broken, tiny):
    module = diffusers.UNet2DConditionModel.from_pretrained(
        tiny.path / "unet", quantization_config=config, dtype=torch.float32
    )
    module.save_pretrained(broken / "unet")
    return module


def loaded_again(broken, module):
    source = survey(broken, at="x")
    assert source.parts["unet"].nbytes(4) < source.parts["unet"].numbers * 4
    again = load_part(source, "unet", CPU, torch.float32)
    width = module.config.cross_attention_dim
    return torch.equal(prediction(again, width), prediction(module, width))


@TORCHAO
def test_a_folder_stored_with_torchao_is_read(broken, tiny):
    from torchao.quantization import Int8WeightOnlyConfig

    assert loaded_again(broken, stored(diffusers.TorchAoConfig(Int8WeightOnlyConfig()), broken, tiny))


@QUANTO
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_folder_stored_with_quanto_is_read(broken, tiny):
    assert loaded_again(broken, stored(diffusers.QuantoConfig(weights_dtype="int8"), broken, tiny))


@TORCHAO
def test_quantised_weights_are_not_stored_in_another_way(quantised, tiny_folder):
    from nodes import tune_model

    error = refusal(lambda: tune_model(quantised("int8").model, storage="float8_e4m3fn"))
    assert (error.code, error.at) == (Code.BAD_VALUE, "storage")
    known = {"model": str(tiny_folder), "config": "", "quantize": "int8"}
    assert refusal(lambda: tune_model.facts({"storage": "float8_e4m3fn"}, {"model": known})).at == "storage"
    assert tune_model.facts({"storage": "as loaded"}, {"model": known})
