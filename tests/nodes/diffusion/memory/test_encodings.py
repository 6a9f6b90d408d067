"""A picture beside a prompt is encoded once for all runs, and no run can tell."""

from contextlib import ExitStack, contextmanager
from unittest import mock

import pytest
import torch

from nodes.diffusion.memory.encodings import ENCODINGS, Encodings, remembering
from nodes.diffusion.memory.shelf import SHELF
from tests.nodes.diffusion.tiny import controlled, exact

# Diffusers' own
pytestmark = pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning")

KONTEXT = "FluxKontextPipeline"


@pytest.fixture(autouse=True)
def nothing_known():
    ENCODINGS.clear()


@contextmanager
def counted(source):
    """Count what the model's VAE encodes."""
    name = source.family.decoder
    with ExitStack() as held:
        vae = held.enter_context(SHELF.use(source, name))
        yield held.enter_context(mock.patch.object(vae, "encode", wraps=vae.encode))


def test_the_second_run_encodes_nothing_and_is_the_stock_pipeline_s_too(family):
    source, case = family(KONTEXT), exact.Case(pictures=1)
    with counted(source) as encode:
        first = exact.own_latent(source, case)[2].samples
        assert encode.call_count == 1
        again = exact.own_latent(source, case)[2].samples
        assert encode.call_count == 1
    assert torch.equal(first, again)
    assert exact.compare(source, case)["latent"]


def test_what_is_drawn_from_an_encoding_is_drawn_anew(family, tmp_path):
    """A ControlNet of FLUX reads latents that the run's own generator draws."""
    source, way = family("FluxPipeline"), controlled.Way()
    net = controlled.build_net(source, tmp_path / "net")
    with counted(source) as encode:
        before = controlled.ours(source, [net], way)
        assert encode.call_count == 1
        assert torch.equal(before, controlled.ours(source, [net], way))
        assert encode.call_count == 1
    assert torch.equal(before, controlled.theirs(source, [net], way))


def test_another_picture_or_layout_is_another_encoding(family):
    source = family(KONTEXT)
    with counted(source) as encode, SHELF.use(source, "vae") as vae, torch.inference_mode():
        own = remembering(vae, source, "vae")
        pictures = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
        given = [pictures, pictures * 0.5, pictures.contiguous(memory_format=torch.channels_last)]
        for number, each in enumerate(given, 1):
            first, second = (own.encode(each).latent_dist for _ in range(2))
            assert encode.call_count == number
            assert torch.equal(first.parameters, second.parameters)
            assert first.parameters.stride() == second.parameters.stride()
        own.encode(pictures, return_dict=False)
        assert encode.call_count == len(given) + 1


def test_what_was_not_asked_for_longest_leaves_first():
    kept = Encodings(most=24)
    for name in "abc":
        kept.put(name, torch.zeros(2))
    assert kept.get("a") is not None
    kept.put("d", torch.zeros(2))
    assert [name for name in "abcd" if kept.get(name) is not None] == ["a", "c", "d"]
    kept.put("large", torch.zeros(7))
    assert all(kept.get(name) is None for name in "abcd")
