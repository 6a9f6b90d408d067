"""What a LoRA's file says of the model that it was made for: names and shapes from its header, no tensor, no torch.

A layer of the file is looked for in the model under the name that it has there, in the spellings of Diffusers, PEFT and
kohya's scripts. Files whose names only Diffusers' loaders can translate are told by the structure that they name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.headers import Header, read_header

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nodes.diffusion.disk.source import ModelSource

_DOWN = re.compile(r"(?:\.lora_A|\.lora_down|[._]lora\.down|\.lora_linear_layer\.down|_lora\.down)(?:\.\w+)?\.weight")
_OTHER = ("dora_scale", "lora_magnitude_vector", "hada_", "lokr_", "oft_")
_PREFIX = re.compile(
    r"(?P<part>lora_unet_|lora_te[12]?_|lora_transformer_|unet\.|transformer\.|text_encoder(?:_\d)?\.)"
)
_OF_UNETS = re.compile(r"(?:down|up|input|output)_blocks?|mid(?:dle)?_block")
_OF_TRANSFORMERS = re.compile(r"(?:double|single|joint|single_transformer)_blocks")
_CROSS = re.compile(r"attn2_(?:processor_)?to_k$")
_FIX = "Use a LoRA of the model's own family."


def layers(path: Path, at: str) -> dict[str, int]:
    """The layers that a file adds to, by their names there, and how many numbers each reads.

    Raises `pickled_model` or `bad_model` for a file that is damaged or no LoRA.
    """
    header = read_header(path, at)
    found = {name: shape for name, shape in header.shapes.items() if len(shape) > 1}
    _refuse_others(path, header, at)
    named = {_DOWN.sub("", name): shape[1] for name, shape in found.items() if _DOWN.search(name)}
    if not named:
        raise PatchbayError(Code.BAD_MODEL, at, f"{path} is no LoRA: it holds no low-rank layers.", "Name a LoRA file.")
    return named


def _refuse_others(path: Path, header: Header, at: str) -> None:
    other = next((name for name in header.shapes if any(mark in name for mark in _OTHER)), None)
    if other is not None:
        what = f"{path} is no plain LoRA but of a kind that is not read here (DoRA, LoKr, LoHa, OFT): {other}."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Use a plain LoRA.")


def check(path: Path, source: ModelSource, at: str) -> None:
    """Refuse a LoRA that was made for another model than `source`. Raises `bad_model` at `at`."""
    named = {_plain(name): width for name, width in layers(path, at).items()}
    _check_structure(path, named, source, at)
    own = _widths(source)
    for name, width in named.items():
        wanted = own.get(name)
        if wanted is not None and wanted != width:
            raise _misfit(path, name, width, wanted, source, at)
    prefixed = any(_PREFIX.match(name) for name in layers(path, at))
    sgm = any("input_blocks" in name or "output_blocks" in name or "middle_block" in name for name in named)
    if own and prefixed and not sgm and not any(name in own for name in named) and not _is_foreign(named):
        what = f"{path} names no layer of {source.name}, for instance not {next(iter(named))}."
        raise PatchbayError(Code.BAD_MODEL, at, what, _FIX)
    _check_cross(path, named, source, at)


def _is_foreign(named: Mapping[str, int]) -> bool:
    """Whether names are those of a transformer's original code, which Diffusers' loaders translate."""
    return any(re.match(r"(?:double|single|joint)_blocks|blocks_", name) for name in named)


def _plain(name: str) -> str:
    """A layer's name without what differs between spellings: the part it starts with, dots, the processor."""
    bare = _PREFIX.sub("", name, count=1).replace(".processor.", ".")
    bare = bare.removeprefix("diffusion_model.").replace(".", "_").removeprefix("text_model_")
    return f"{bare}_0" if bare.endswith("to_out") else bare


def _widths(source: ModelSource) -> dict[str, int]:
    """How many numbers each layer of the model reads, by its plain name; nothing where no header tells that."""
    concerned = (
        part for name, part in source.parts.items() if name in source.family.denoisers or _is_encoder(source, name)
    )
    parts = [part for part in concerned if not part.stored]  # the tensors of quantised layers have other names
    return {
        _plain(name.removesuffix(".weight")): shape[1]
        for part in reversed(parts)
        for name, shape in part.shapes.items()
        if name.endswith(".weight") and len(shape) > 1
    }


def _is_encoder(source: ModelSource, name: str) -> bool:
    return source.family.is_text(name) and source.parts[name].trained


def _check_structure(path: Path, named: Mapping[str, int], source: ModelSource, at: str) -> None:
    is_unet = "unet" in source.family.denoisers
    foreign = _OF_TRANSFORMERS if is_unet else _OF_UNETS
    other = next((name for name in named if foreign.match(name)), None)
    if other is not None:
        kinds = ("a transformer", "a UNet") if is_unet else ("a UNet", "a transformer")
        what = f"{path} was made for {kinds[0]} ({other}), and {source.name} is {kinds[1]}."
        raise PatchbayError(Code.BAD_MODEL, at, what, _FIX)


def _check_cross(path: Path, named: Mapping[str, int], source: ModelSource, at: str) -> None:
    """Compare what a UNet's cross attention reads, which tells Stable Diffusion 1, 2 and XL apart."""
    if "unet" not in source.family.denoisers:
        return
    wanted = source.parts["unet"].first_integer(("cross_attention_dim",))
    for name, width in named.items():
        if wanted is not None and _CROSS.search(name) and width != wanted:
            raise _misfit(path, name, width, wanted, source, at)


def _misfit(path: Path, name: str, width: int, wanted: int, source: ModelSource, at: str) -> PatchbayError:
    what = f"{path} was made for another model: its {name} reads {width} numbers, that of {source.name} {wanted}."
    return PatchbayError(Code.BAD_MODEL, at, what, _FIX)
