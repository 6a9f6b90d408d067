"""Parts of models in files of their own, a VAE or a text encoder: the weights are the file's, the rest the model's.

Such a file tells its sizes but not what else a part needs (a VAE's scale, a tokenizer's words), so it takes the place
of the same part of a model. What it holds is told from its header: no tensor, no torch.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.checkpoints import check_blocks, is_plain, recognise
from nodes.diffusion.disk.gguf_files import EMBEDDING, ENCODERS, is_gguf, read_gguf
from nodes.diffusion.disk.headers import Header, read_header
from nodes.diffusion.disk.scaled_files import unscaled
from nodes.diffusion.disk.vaes import survey_vae, swapped
from nodes.diffusion.families.family import LATENT_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nodes.diffusion.disk.parts import Part
    from nodes.diffusion.disk.source import ModelSource

_PREFIXES = ("", "first_stage_model.", "vae.")
"""What the names of a VAE's tensors start with."""

_FIRST = ("conv1", "conv_in")
_VAES: Mapping[str, tuple[str, ...]] = {
    "AutoencoderKL": ("conv_in",),
    "AutoencoderKLWan": _FIRST,
    "AutoencoderKLQwenImage": _FIRST,
}
"""Class of a VAE that is read from files -> what its first layers may be called."""

_CLIP = "text_model.embeddings.token_embedding.weight"
_T5 = ("shared.weight", "encoder.embed_tokens.weight")
_READERS: Mapping[str, tuple[str, ...]] = {
    "CLIPTextModel": (_CLIP,),
    "CLIPTextModelWithProjection": (_CLIP,),
    "T5EncoderModel": _T5,
    "UMT5EncoderModel": _T5,
}
"""Class of a text encoder -> the tensor of its words' vectors [words, width], by any of these names."""

_LANGUAGE = tuple(f"{begin}embed_tokens.weight" for begin in ("", "model.", "language_model.", "model.language_model."))
"""The same for all others, which are language models."""

_WIDTHS = ("hidden_size", "d_model")


def with_vae(source: ModelSource, path: Path, at: str) -> ModelSource:
    """The model with the VAE in the folder `path`, or with its own VAE's weights from the file there.

    Raises `PatchbayError` at `at`: `bad_model` for a file that is no VAE, `kind_mismatch` for one of other sizes,
    `unsupported_class` for a model whose VAE is not read from files, or weights that are no plain numbers.
    """
    if path.is_dir():
        return swapped(source, survey_vae(path, at), at)
    header = _read(path, at)
    name = source.family.decoder
    part = source.parts.get(name)
    if part is None or part.class_name not in _VAES:
        has = f"a {part.class_name}" if part else "no VAE"
        what = f"{source.name} has {has}, and files are read for {', '.join(_VAES)}."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use the VAE of a model folder.")
    places = product(_PREFIXES, _VAES[part.class_name])
    found = ((_vae_sizes(header, prefix, name), prefix) for prefix, name in places)
    sizes, prefix = next((each for each in found if each[0] is not None), (None, ""))
    if sizes is None:
        raise _other(path, header, "VAE", at)
    wanted = (part.first_integer(LATENT_CHANNELS), *_vae_widths(part))
    if sizes != wanted:
        what = f"{path} is a VAE of {sizes[0]} channels, {sizes[2]} to {sizes[1]} wide; {source.name} has one of "
        what += f"{wanted[0]}, {wanted[2]} to {wanted[1]} wide."
        raise PatchbayError(Code.KIND_MISMATCH, at, what, "Use a VAE of the model's own family.")
    return _replaced(source, part, path, header, prefix)


def _vae_sizes(header: Header, prefix: str, name: str) -> tuple[int, ...] | None:
    """Channels of a latent, and the widths of the deepest and the outermost layers; None for no VAE of such names."""
    inner, outer = (header.shapes.get(f"{prefix}{side}.{name}.weight", ()) for side in ("decoder", "encoder"))
    is_vae = len(inner) == len(outer) >= 4  # noqa: PLR2004  # convolutions over pictures or videos
    return (inner[1], inner[0], outer[0]) if is_vae else None


def _vae_widths(part: Part) -> tuple[int, int]:
    """The same widths as the configuration has them."""
    widths = _numbers(part, "block_out_channels")
    if widths:
        return widths[-1], widths[0]
    outer = part.first_integer(("base_dim",)) or 0
    deepest = (part.first_integer(("decoder_base_dim",)) or outer) * (_numbers(part, "dim_mult") or (0,))[-1]
    return deepest, outer


def _numbers(part: Part, key: str) -> tuple[int, ...]:
    value = part.config.get(key)
    return tuple(value) if isinstance(value, (list, tuple)) else ()


def with_text_encoder(source: ModelSource, path: Path, at: str) -> ModelSource:
    """The model with one of its text encoders' weights from the file at `path`: the one whose sizes the file has.

    Of several such first one that has no weights, then one that is not from a file already.
    Raises `PatchbayError` at `at`: `bad_model` for a file that is no text encoder, `kind_mismatch` for one that fits
    none of the model's, `unsupported_class` for weights that are no plain numbers.
    """
    header = _read(path, at)
    every = {EMBEDDING, *_LANGUAGE, *(name for names in _READERS.values() for name in names)}
    found = {header.shapes[name] for name in sorted(every) if name in header.shapes}
    if not found:
        raise _other(path, header, "text encoder", at)
    readers = {name: part for name, part in source.parts.items() if source.family.is_text(name) and part.trained}
    for part in sorted(readers.values(), key=lambda part: (not part.bare, part.alone)):
        if any(header.shapes.get(name) == _words(part) for name in _names(part, path)):
            return _replaced(source, part, path, header)
    own = ", ".join(f"{name} {_written(_words(part))}" for name, part in sorted(readers.items()))
    what = f"{path} is a text encoder of {_written(found.pop())}, and {source.name} has none such: {own}."
    raise PatchbayError(Code.KIND_MISMATCH, at, what, "Use a text encoder of the model's own family.")


def _names(part: Part, path: Path) -> tuple[str, ...]:
    """What the tensor of a text encoder's words may be called in the file at `path`; nothing where it is not read."""
    if is_gguf(path):
        return (EMBEDDING,) if part.class_name in ENCODERS else ()
    return _READERS.get(part.class_name, _LANGUAGE)


def _words(part: Part) -> tuple[int | None, int | None]:
    """How many words a text encoder's list has, and how many numbers stand for each."""
    inner = part.config.get("text_config")
    text = replace(part, config=inner) if isinstance(inner, dict) else part
    return text.first_integer(("vocab_size",)), text.first_integer(_WIDTHS)


def _written(sizes: tuple[int | None, ...]) -> str:
    return " words of ".join(map(str, sizes))


def _read(path: Path, at: str) -> Header:
    if is_gguf(path):
        header = read_gguf(path, at)
        check_blocks(path, header, at)
        return header
    header = unscaled(read_header(path, at))
    if not is_plain(header):
        what = f"{path} holds quantised weights, which cannot be read without what they were made smaller by."
        fix = "Use a file of float16, bfloat16 or float8 weights."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, fix)
    return header


def _other(path: Path, header: Header, noun: str, at: str) -> PatchbayError:
    found = recognise(header)
    holds = found.holds if found else "tensors of names that are not known here"
    return PatchbayError(Code.BAD_MODEL, at, f"{path} holds {holds}, not a {noun} by itself.", f"Name a {noun}'s file.")


def _replaced(source: ModelSource, part: Part, path: Path, header: Header, prefix: str = "") -> ModelSource:
    """The model with the weights of one part from the tensors of a file that start so, which makes it another one."""
    new = replace(
        part,
        weights=(path,),
        numbers=header.numbers(prefix),
        variant=None,
        shapes=header.shapes,
        alone=True,
        prefix=prefix,
        stored=0,
    )
    return source.with_part(new)
