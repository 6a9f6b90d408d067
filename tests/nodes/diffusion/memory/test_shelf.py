import gc
import threading
import weakref

import pytest
import torch

from engine.errors import Code, PatchbayError
from engine.settings import Settings
from nodes.diffusion.changes.patches import LoraPatch, PatchFile
from nodes.diffusion.changes.tuning import CachePatch, TunePatch
from nodes.diffusion.memory import shelf as module
from nodes.diffusion.memory.shelf import ModelShelf
from tests.nodes.diffusion.tiny import loras

CPU = torch.device("cpu")


@pytest.fixture
def shelf():
    return ModelShelf()


@pytest.fixture
def loads(monkeypatch):
    """What was loaded, in order."""
    names = []
    real = module.load_part

    def load(source, name, device, dtype):
        names.append(name)
        return real(source, name, device, dtype)

    monkeypatch.setattr(module, "load_part", load)
    return names


@pytest.fixture
def with_budget(within):
    return lambda nbytes: within(settings=Settings(model_budget=nbytes))


def test_a_part_is_loaded_once_frozen_and_in_evaluation_mode(shelf, tiny, loads):
    with shelf.use(tiny, "unet") as first, shelf.use(tiny, "unet") as second:
        assert first is second
        assert not first.training
        assert not any(parameter.requires_grad for parameter in first.parameters())
    assert loads == ["unet"]
    assert shelf.nbytes(CPU) == sum(parameter.nbytes for parameter in first.parameters())


def test_the_least_recently_used_leaves_first(shelf, tiny, loads, with_budget):
    with shelf.use(tiny, "vae"), shelf.use(tiny, "text_encoder"):
        both = shelf.nbytes(CPU)
    with shelf.use(tiny, "vae"):
        pass
    with with_budget(both + tiny.parts["unet"].numbers * 4 - 1), shelf.use(tiny, "unet"):
        pass
    with shelf.use(tiny, "vae"), shelf.use(tiny, "text_encoder"):
        pass
    assert loads == ["vae", "text_encoder", "unet", "text_encoder"]


def test_what_leaves_is_freed(shelf, tiny, with_budget):
    with shelf.use(tiny, "vae") as vae:
        gone = weakref.ref(vae)
    del vae
    with with_budget(0), shelf.use(tiny, "text_encoder"):
        pass
    gc.collect()
    assert gone() is None


def test_a_part_in_use_never_leaves(shelf, tiny, loads, with_budget):
    with with_budget(0), shelf.use(tiny, "unet") as unet:
        with shelf.use(tiny, "vae"):
            pass
        with shelf.use(tiny, "unet") as again:
            assert again is unet
    shelf.clear()
    assert shelf.nbytes(CPU) == 0
    assert loads == ["unet", "vae"]


def test_precision_makes_another_part(shelf, tiny, within):
    with within(settings=Settings(dtype="float16")), shelf.use(tiny, "unet") as half:
        assert half.dtype is torch.float16
    with shelf.use(tiny, "unet") as single:
        assert single.dtype is torch.float32


def test_threads_that_ask_together_load_once(shelf, tiny, loads):
    found = []
    barrier = threading.Barrier(4)

    def ask():
        barrier.wait()
        with shelf.use(tiny, "unet") as unet:
            found.append(unet)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1
    assert loads == ["unet"]


def test_different_parts_may_be_asked_for_together(shelf, tiny):
    found = {}

    def ask(name):
        with shelf.use(tiny, name) as part:
            found[name] = all(parameter.is_cpu for parameter in part.parameters())

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("unet", "vae", "text_encoder")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"unet": True, "vae": True, "text_encoder": True}


def test_a_part_asked_for_alone_is_had_alone(shelf, tiny):
    inside, order = threading.Event(), []

    def second():
        inside.wait()
        with shelf.use(tiny, "tokenizer", alone=True):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with shelf.use(tiny, "tokenizer", alone=True):
        inside.set()
        thread.join(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_failed_load_leaves_nothing_behind(shelf, tiny, monkeypatch):
    def fail(*_):
        raise PatchbayError(Code.BAD_MODEL, "x", "broken")

    with monkeypatch.context() as patch:
        patch.setattr(module, "load_part", fail)
        with pytest.raises(PatchbayError), shelf.use(tiny, "unet"):
            pass
    assert shelf.nbytes(CPU) == 0
    with shelf.use(tiny, "unet") as unet:
        assert unet is not None


def test_a_patched_part_costs_what_its_patch_brings_and_leaves_with_the_plain_one(shelf, tiny, loads, tmp_path):
    file = PatchFile.at(loras.save(loras.weights(tiny), tmp_path / "lora.safetensors"), "file")
    model = tiny.patched(LoraPatch(file, 1.0, 1.0))
    loads.clear()
    with shelf.use(tiny, "unet"):
        before = shelf.nbytes(CPU)
    with shelf.use(model, "unet") as first, shelf.use(model, "unet") as second:
        assert first is second
        assert shelf.nbytes(CPU) == before + file.numbers * 4
        shelf.clear()
        with shelf.use(tiny, "unet"):
            pass
    assert loads == ["unet"]
    shelf.clear()
    assert shelf.nbytes(CPU) == 0


def test_a_plain_part_that_leaves_takes_its_patched_ones_along(shelf, tiny, tmp_path, with_budget):
    file = PatchFile.at(loras.save(loras.weights(tiny), tmp_path / "lora.safetensors"), "file")
    with shelf.use(tiny.patched(LoraPatch(file, 1.0, 1.0)), "unet") as unet:
        gone = weakref.ref(unet)
    del unet
    with with_budget(0), shelf.use(tiny, "vae"):
        pass
    gc.collect()
    assert gone() is None
    assert shelf.nbytes(CPU) == tiny.parts["vae"].numbers * 4


@pytest.mark.parametrize(
    ("patch", "waits"),
    [
        (CachePatch("FirstBlock"), True),
        (TunePatch(storage="float8_e4m3fn"), True),
        (TunePatch(channels_last=True), False),
    ],
)
def test_runs_take_turns_where_a_patch_keeps_something_of_a_run(shelf, tiny, patch, waits):
    source, entered = tiny.patched(patch), threading.Event()

    def other():
        with shelf.use(source, "unet"):
            entered.set()

    thread = threading.Thread(target=other)
    with shelf.use(source, "unet"):
        thread.start()
        assert entered.wait(0.2 if waits else 60) is not waits
    thread.join()
    assert entered.is_set()
