"""Levers are part of a model's identity and concern the parts that they change."""

import pytest

from engine.errors import PatchbayError
from nodes.diffusion.changes.tuning import CachePatch, TilePatch, TunePatch, check_once
from nodes.types import VAE, Denoiser

LEVERS = [
    TunePatch(attention="_native_math"),
    TunePatch(channels_last=True),
    TunePatch(compiled=True),
    TunePatch(storage="float8_e4m3fn"),
    CachePatch("FirstBlock"),
    CachePatch("FirstBlock", (("threshold", 0.1),)),
    CachePatch("MagCache", ratios=(1.0,)),
    TilePatch(64, 0.25, singly=False),
    TilePatch(None, 0.25, singly=True),
]


def test_each_lever_makes_another_model(tiny):
    assert len({tiny.patched(lever).digest for lever in LEVERS} | {tiny.digest}) == len(LEVERS) + 1


def test_a_lever_concerns_its_own_part(tiny):
    for lever in LEVERS:
        own, other = ("vae", "unet") if isinstance(lever, TilePatch) else ("unet", "vae")
        assert tiny.patched(lever).about(own).patches == (lever,)
        assert tiny.patched(lever).about(other) == tiny.patched(lever).about("text_encoder") == tiny


def test_levers_are_shown(tiny):
    shown = [Denoiser(tiny.patched(lever)).inspect(0).facts[-1] for lever in LEVERS[:-1]]
    shown.append(VAE(tiny.patched(LEVERS[-1])).inspect(0).facts[-1])
    assert [(fact.name, fact.value) for fact in shown] == [
        ("tuning", "attention _native_math"),
        ("tuning", "channels last"),
        ("tuning", "blocks compiled"),
        ("tuning", "stored as float8_e4m3fn"),
        ("cache", "FirstBlock"),
        ("cache", "FirstBlock, threshold 0.1"),
        ("cache", "MagCache"),
        ("tiles", "64 pixels, overlap 0.25"),
        ("tiles", "picture by picture"),
    ]


def test_a_second_lever_of_a_kind_is_refused():
    with pytest.raises(PatchbayError, match="its tuning already: channels last"):
        check_once([TunePatch(channels_last=True)], TunePatch(storage="float8_e5m2"), "model")
    check_once([TunePatch(channels_last=True), TilePatch(64, 0.25, singly=False)], CachePatch("FirstBlock"), "model")


@pytest.mark.parametrize("turned", [False, True])
def test_a_cache_and_compiled_blocks_exclude_each_other(turned):
    pair = [TunePatch(compiled=True), CachePatch("FirstBlock")]
    first, second = pair[::-1] if turned else pair
    with pytest.raises(PatchbayError, match="compile the blocks again"):
        check_once([first], second, "model")
