import pytest
import torch

from engine.errors import Code, PatchbayError
from engine.settings import Settings
from nodes.diffusion.weights.device import pick_budget, pick_device, pick_dtype

CPU = torch.device("cpu")


def test_a_cpu_is_always_there():
    assert pick_device(Settings(device="cpu")) == CPU
    assert pick_device(Settings()).type in {"cpu", "cuda", "mps"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_an_absent_device_is_refused():
    with pytest.raises(PatchbayError) as caught:
        pick_device(Settings(device="cuda"))
    assert caught.value.code is Code.BAD_VALUE
    assert "cpu" in caught.value.fix


def test_precision_follows_the_device_unless_asked_for():
    assert pick_dtype(Settings(), CPU) is torch.float32
    assert pick_dtype(Settings(), torch.device("cuda")) is torch.float16
    assert pick_dtype(Settings(), torch.device("mps")) is torch.float16
    assert pick_dtype(Settings(dtype="bfloat16"), torch.device("cuda")) is torch.bfloat16
    assert pick_dtype(Settings(dtype="float32"), torch.device("cuda")) is torch.float32


def test_the_budget_is_as_set_or_a_share_of_memory():
    assert pick_budget(Settings(model_budget=5), CPU) == 5
    assert pick_budget(Settings(), CPU) > 100 << 20
