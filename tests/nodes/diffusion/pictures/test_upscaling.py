"""Upscalers at the edge to spandrel, which is no part of the tests: it needs torchvision."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from engine.errors import Code, PatchbayError
from engine.events import NodeProgress
from nodes.diffusion.disk import packages, upscaler_files
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.upscaling import upscaled
from nodes.types import Image


class ImageModelDescriptor:
    """What spandrel gives of an upscaler, as far as it is used."""

    def __init__(self, weights, scale=2, channels=3):
        self.scale, self.input_channels, self.output_channels = scale, channels, channels
        self.supports_half = self.supports_bfloat16 = False
        self.architecture, self.purpose = SimpleNamespace(name="Fake"), "SR"
        self.model = torch.nn.Conv2d(3, 3 * scale**2, 3, padding=1, bias=False)
        self.model.weight.data = weights["kernel"]
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.sizes = []

    def to(self, device, dtype):
        self.device, self.dtype = device, dtype
        return self

    def eval(self):
        self.model.eval()
        return self

    def __call__(self, pixels):
        assert pixels.shape[:2] == (1, 3)
        self.sizes.append(tuple(pixels.shape[-2:]))
        return functional.pixel_shuffle(self.model(pixels), self.scale).clamp_(0, 1)


@pytest.fixture
def spandrel(monkeypatch):
    """A module in its place, and its last model."""
    fake, made = ModuleType("spandrel"), []

    class ModelLoader:
        def load_from_file(self, path):
            weights = load_file(path)
            if "kernel" not in weights:
                message = "unsupported architecture"
                raise ValueError(message)
            made.append(ImageModelDescriptor(weights, channels=int(weights.get("channels", torch.tensor(3)))))
            return made[-1]

    fake.ModelLoader, fake.made = ModelLoader, made
    monkeypatch.setitem(sys.modules, "spandrel", fake)
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: fake)
    yield fake
    SHELF.clear()


@pytest.fixture
def file(tmp_path):
    kernel = torch.rand(12, 3, 3, 3, generator=torch.Generator().manual_seed(0)) / 27
    save_file({"kernel": kernel}, tmp_path / "up.safetensors")
    return tmp_path / "up.safetensors"


def pictures(count=1, height=40, width=72):
    return Image(torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(2)))


def test_pictures_become_as_large_as_the_model_makes_them(spandrel, file):
    image = pictures(2)
    whole, found = upscaled(image, file, 512, 64), upscaled(image, file, 32, 8)
    assert found.pixels.shape == (2, 3, 80, 144)
    (model,) = spandrel.made  # read once
    assert model.sizes[:2] == [(40, 72)] * 2
    assert set(model.sizes[2:]) == {(32, 32)}
    assert (found.pixels - whole.pixels).abs().max() < 1e-6
    assert not any(parameter.requires_grad for parameter in model.model.parameters())


def test_tiles_are_told_as_progress_and_can_be_stopped(spandrel, file, within):
    seen = []
    with within(emit=seen.append):
        upscaled(pictures(2, 32, 56), file, 32, 8)
    told = [event for event in seen if isinstance(event, NodeProgress)]
    assert (told[-1].done, told[-1].total) == (4, 4)


def test_what_cannot_be_is_refused(spandrel, file, tmp_path):
    with pytest.raises(PatchbayError, match="cannot overlap by 16"):
        upscaled(pictures(), file, 32, 16)
    with pytest.raises(PatchbayError, match="megapixels in all"):
        upscaled(Image(torch.zeros(1, 3, 1, 1).expand(1, 3, 9000, 9000)), file, 512, 64)
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(PatchbayError, match="no upscaler that spandrel knows: unsupported") as caught:
        upscaled(pictures(), tmp_path / "other.safetensors", 512, 64)
    assert caught.value.code is Code.BAD_MODEL
    save_file({**load_file(file), "channels": torch.tensor(1)}, tmp_path / "grey.safetensors")
    with pytest.raises(PatchbayError, match="no picture of a picture in colour"):
        upscaled(pictures(), tmp_path / "grey.safetensors", 512, 64)


def test_files_are_checked_before_they_are_read(tmp_path):
    torch.save({}, tmp_path / "up.pth")
    with pytest.raises(PatchbayError) as caught:
        upscaler_files.survey_upscaler(tmp_path / "up.pth", "file")
    assert caught.value.code is Code.PICKLED_MODEL
    save_file({}, tmp_path / "empty.safetensors")
    with pytest.raises(PatchbayError, match="holds no tensors"):
        upscaler_files.survey_upscaler(tmp_path / "empty.safetensors", "file")


def test_without_spandrel_the_way_to_it_is_said(file, monkeypatch):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(PatchbayError, match=r'pip install "patchbay\[upscale\]"') as caught:
        upscaled(pictures(), file, 512, 64)
    assert caught.value.code is Code.MISSING_PACKAGE


def test_a_torchvision_of_another_build_is_said(file, monkeypatch):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setitem(sys.modules, "spandrel", None)  # the import fails
    with pytest.raises(PatchbayError, match="spandrel cannot be used") as caught:
        upscaled(pictures(), file, 512, 64)
    assert caught.value.code is Code.MISSING_PACKAGE
