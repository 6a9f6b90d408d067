"""Weights of eight bits with a scale beside them, as ComfyUI stores them ("fp8 scaled"), told from a file's header.

The number that is meant is the stored one times the scale:
https://github.com/Comfy-Org/ComfyUI/blob/master/QUANTIZATION.md. Newer files call the scale of `X.weight` by the name
`X.weight_scale` and say in `X.comfy_quant` how it is stored; older ones call it `X.scale_weight` and hold an empty
tensor `scaled_fp8`. Scales of what a layer reads (`input_scale`, `scale_input`) are for products in eight bits, which
are not computed here.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from nodes.diffusion.disk.headers import Header

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCALES = (".weight_scale", ".scale_weight")
_BESIDE = (".comfy_quant", ".input_scale", ".scale_input")
_MARK = "scaled_fp8"

_WORDS = frozenset({"spiece_model", "tekken_model"})
"""The bytes of a tokenizer's own file, which lie among the tensors of some text encoders."""

_EIGHT_BITS = frozenset({"F8_E4M3", "F8_E5M2"})


def scales(header: Header) -> Mapping[str, str]:
    """By the name of each scaled weight the name of its scale: one number, or one for each row.

    Nothing for a scale of another shape, or of a weight that is not of eight bits: that is another format.
    """
    found = {}
    for name, shape in header.shapes.items():
        weight = next((f"{name.removesuffix(end)}.weight" for end in _SCALES if name.endswith(end)), "")
        rows = header.shapes.get(weight, (0,))[:1]
        if header.stored.get(weight, ("", 0))[0] in _EIGHT_BITS and (prod(shape) == 1 or shape == (*rows, 1)):
            found[weight] = name
    return found


def unscaled(header: Header) -> Header:
    """The header as if every scale were multiplied in, without what belongs to scales or to words."""
    beside = {*scales(header).values(), *_WORDS}
    names = [
        name
        for name in header.shapes
        if name not in beside and not name.endswith(_BESIDE) and name.rpartition(".")[2] != _MARK
    ]
    return Header(
        {name: header.shapes[name] for name in names},
        {name: header.stored[name] for name in names if name in header.stored},
    )
