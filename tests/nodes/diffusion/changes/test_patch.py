from nodes.diffusion.changes.patches import FreeUPatch
from nodes.diffusion.changes.tuning import CachePatch, TilePatch, TunePatch
from nodes.diffusion.changes.weak_layers import WeakPatch

FREE, WEAK = FreeUPatch(1, 1, 1, 1), WeakPatch("blocks", ("x",))


def test_settings_change_denoisers_and_tiles_the_vae(tiny):
    for patch in (FREE, WEAK, TunePatch("native"), CachePatch("FirstBlock")):
        assert patch.about(tiny, "unet") is patch
        assert patch.about(tiny, "vae") is None
    tiles = TilePatch(64, 0.25, singly=False)
    assert tiles.about(tiny, "vae") is tiles
    assert tiles.about(tiny, "unet") is None


def test_settings_add_no_numbers_and_are_told_apart_by_what_they_say():
    assert FREE.numbers == 0
    assert FREE.digest() != FreeUPatch(1, 1, 1, 2).digest()
    assert TunePatch("native").digest() != CachePatch("native").digest()


def test_only_what_keeps_something_of_a_run_or_holds_weights_otherwise_says_so():
    assert CachePatch("FirstBlock").alone
    assert TunePatch(storage="float8_e4m3fn").alone
    assert TunePatch(storage="float8_e4m3fn").owns_weights
    assert not any(patch.alone or patch.owns_weights for patch in (FREE, WEAK, TunePatch("native")))
