"""Single models on disk beside a pipeline's, ControlNets above all: found out about without a weight or torch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from engine.digests import file_digest
from engine.errors import Code, PatchbayError, nearest
from nodes.diffusion.families import FLUX, SD3, SDXL, STABLE_DIFFUSION, TEXT_WIDTHS, Family
from nodes.diffusion.hub import LONE
from nodes.diffusion.parts import Part, choose_weights, read_json, read_part, rule_for
from nodes.diffusion.source import stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nodes.diffusion.patches import Patch

PART = "controlnet"
"""What the part is called on the shelf."""

_FAMILIES: Mapping[str, Family] = {
    "ControlNetModel": STABLE_DIFFUSION,
    "FluxControlNetModel": FLUX,
    "SD3ControlNetModel": SD3,
}
"""Class of a ControlNet -> the family that it steers; SDXL has the class of Stable Diffusion."""


@dataclass(frozen=True)
class NetSource:
    """A ControlNet or another single model on disk, surveyed. Two are equal when they mean the same files in one state.

    `kind` is that of the models it works with, empty where any will do.
    """

    path: Path
    stamp: tuple[tuple[str, int, int, int], ...] = field(repr=False)
    name: str = field(compare=False)
    kind: str = field(compare=False)
    parts: Mapping[str, Part] = field(compare=False, repr=False)

    @property
    def patches(self) -> tuple[Patch, ...]:
        """None: it is taken as it is."""
        return ()

    @property
    def plain(self) -> NetSource:
        """Itself."""
        return self

    def about(self, name: str) -> NetSource:  # noqa: ARG002  # it has one part
        """Itself."""
        return self

    @property
    def _part(self) -> Part:
        """The one that it has."""
        return next(iter(self.parts.values()))

    @property
    def class_name(self) -> str:
        """Its class in Diffusers or Transformers."""
        return self._part.class_name

    @cached_property
    def digest(self) -> str:
        """The sha256 over class, configuration and weights; reads the weight files on first use."""
        part = self._part
        total = hashlib.sha256(part.class_name.encode())
        for path in (*part.settings, *part.weights):
            total.update(f"\n{path.name} {file_digest(path)}".encode())
        return total.hexdigest()


def survey_net(path: Path, at: str) -> NetSource:
    """Find out what the ControlNet in the folder `path` is, or raise `PatchbayError` at `at` with what is wrong.

    Codes: `file_not_found`, `bad_model`, `pickled_model`, `unsupported_class`.
    """
    if not path.exists():
        raise PatchbayError(Code.FILE_NOT_FOUND, at, f"{path} does not exist.", "Check the name of the ControlNet.")
    if not (path / LONE).is_file():
        what = f"{path} is no folder with a {LONE}, so it is no ControlNet in Diffusers' format."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Give the folder that holds the ControlNet's config.json.")
    config = read_json(path / LONE, at)
    class_name = config.get("_class_name")
    if not isinstance(class_name, str) or class_name not in _FAMILIES:
        what = f'{path} is a "{class_name}", and no ControlNet that is supported. {nearest(str(class_name), _FAMILIES)}'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what.rstrip(), f"Supported: {', '.join(_FAMILIES)}.")
    _check_config(path, config, at)
    part = read_part(path, class_name, rule_for(path, "diffusers", class_name), at)
    parts = {PART: part}
    return NetSource(path, stamp_of(parts), path.name, _kind(part, at), parts)


def _check_config(path: Path, config: Mapping[str, object], at: str) -> None:
    if config.get("num_mode") is not None:
        what = f"{path} is a union of several ControlNets, of which each run would choose one."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use a ControlNet for one kind of picture.")
    if config.get("_class_name") == "SD3ControlNetModel" and not config.get("joint_attention_dim"):
        what = f"{path} reads no prompt and borrows layers of its model, which is not supported."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use one that reads the prompt.")


def _kind(part: Part, at: str) -> str:
    """The kind of the models that it steers: its sizes are theirs."""
    family = _FAMILIES[part.class_name]
    if family is STABLE_DIFFUSION and part.config.get("addition_embed_type") == "text_time":
        family = SDXL
    text, pooled = part.first_integer(TEXT_WIDTHS), part.first_integer(("pooled_projection_dim",))
    channels = part.integer("in_channels", at)
    if family is FLUX:  # it reads squares of four numbers as one
        channels //= 4
    return family.kind(tuple(size for size in (text, pooled, channels) if size is not None))


def wanted_files(names: Iterable[str]) -> list[str]:
    """Of a repository's files, those of a ControlNet: its configuration and one variant of its weights."""
    names = list(names)
    chosen = choose_weights(names, "diffusion_pytorch_model")
    if chosen is None:
        return [LONE]
    is_sharded = chosen[1].endswith(".json")
    return [LONE, chosen[1], *(["diffusion_pytorch_model*-of-*.safetensors"] if is_sharded else [])]
