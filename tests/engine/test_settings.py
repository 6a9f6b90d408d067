from __future__ import annotations

from engine import Settings


def test_only_what_changes_bits_is_numerics():
    assert Settings(device="cpu", dtype="float32", model_budget=1, previews=True).numerics == "cpu/float32"
