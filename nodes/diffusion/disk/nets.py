"""Single models on disk beside a pipeline's, ControlNets above all: found out about without a weight or torch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from engine.digests import file_digest
from engine.errors import Code, PatchbayError, nearest
from nodes.diffusion.disk.hub import LONE, weight_patterns
from nodes.diffusion.disk.parts import Part, read_json, read_part, rule_for
from nodes.diffusion.disk.source import stamp_of
from nodes.diffusion.families.family import TEXT_WIDTHS, Family
from nodes.diffusion.families.images import FLUX, HUNYUAN_DIT, QWEN_IMAGE, SANA, SD3, SDXL, STABLE_DIFFUSION, Z_IMAGE
from nodes.diffusion.families.videos import ANIMATEDIFF

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nodes.diffusion.changes.patches import Patch
    from nodes.diffusion.disk.source import ModelSource

PART = "controlnet"
"""What the part is called on the shelf."""

ADAPTER = "T2IAdapter"
"""The class that says what it makes of a picture once, without looking at the latents."""

BORROWER = "ZImageControlNetModel"
"""The class that works with layers of the model that it steers."""

SPARSE = "SparseControlNetModel"
"""The class that is shown some frames of a video."""

_FAMILIES: Mapping[str, Family] = {
    "ControlNetModel": STABLE_DIFFUSION,
    "ControlNetUnionModel": STABLE_DIFFUSION,
    ADAPTER: STABLE_DIFFUSION,
    SPARSE: ANIMATEDIFF,
    "FluxControlNetModel": FLUX,
    "SD3ControlNetModel": SD3,
    "QwenImageControlNetModel": QWEN_IMAGE,
    "HunyuanDiT2DControlNetModel": HUNYUAN_DIT,
    "SanaControlNetModel": SANA,
    BORROWER: Z_IMAGE,
}
"""Class of a ControlNet -> the family that it steers; SDXL has the classes of Stable Diffusion."""

_SQUARES = ("flux", "qwen-image")
"""Names of families that read squares of four numbers as one."""

_ADAPTED = {"full_adapter": "sd1", "light_adapter": "sd1", "full_adapter_xl": "sdxl"}
"""Type of an adapter of the usual size -> the kind of the models that it was made for."""

_USUAL = [320, 640, 1280, 1280]
_Z_IMAGE = 3840


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
    def nbytes(self) -> int:
        """Memory held by each of those who know it, in bytes: none, as of a model."""
        return 0

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
        """The first, which is the model itself."""
        return next(iter(self.parts.values()))

    @property
    def class_name(self) -> str:
        """Its class in Diffusers or Transformers."""
        return self._part.class_name

    @property
    def modes(self) -> int | None:
        """How many kinds of pictures a union of several ControlNets reads; None for one that is no union."""
        return self.parts[PART].first_integer(("num_mode", "num_control_type"))

    def misfit(self, model: ModelSource) -> str:
        """Which sizes of a model it does not fit, where its kind does not tell; empty where it fits."""
        own, other = self.parts[PART].config, model.parts[model.family.denoisers[0]].config
        name, theirs = ("channels", "block_out_channels") if self.class_name == ADAPTER else ("dim", "dim")
        mine, its = (
            list(each) if isinstance(each, (list, tuple)) else [each] for each in (own.get(name), other.get(theirs))
        )
        return "" if mine[: len(its)] == its else f"it has {name} {mine}, the model {theirs} {its}"

    @property
    def reads_mask(self) -> bool:
        """Whether it must know where is to be painted, beside the picture."""
        return bool(self.parts[PART].first_integer(("extra_conditioning_channels", "extra_condition_channels")))

    @property
    def reads_around(self) -> bool:
        """Whether it can be shown a mask and the picture around it: it has room for that many latents, and a mask."""
        return self.class_name == BORROWER and bool((self.parts[PART].first_integer(("control_in_dim",)) or 0) % 2)

    @cached_property
    def digest(self) -> str:
        """The sha256 over class, configuration and weights; reads the weight files on first use."""
        total = hashlib.sha256(self.class_name.encode())
        for path in {path: None for part in self.parts.values() for path in (*part.settings, *part.weights)}:
            total.update(f"\n{path.name} {file_digest(path)}".encode())
        return total.hexdigest()


def is_net(config: Mapping[str, object]) -> bool:
    """Whether a configuration is that of a ControlNet or an adapter."""
    name = str(config.get("_class_name"))
    return "ControlNet" in name or name == ADAPTER


def survey_net(path: Path, at: str) -> NetSource:
    """Find out what the ControlNet in the folder `path` is, or raise `PatchbayError` at `at` with what is wrong.

    Codes: `file_not_found`, `bad_model`, `pickled_model`, `unsupported_class`.
    """
    config = configuration(path, "ControlNet", "Diffusers", at)
    class_name = config.get("_class_name")
    if not isinstance(class_name, str) or class_name not in _FAMILIES:
        what = f'{path} is a "{class_name}", and no ControlNet that is supported. {nearest(str(class_name), _FAMILIES)}'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what.rstrip(), f"Supported: {', '.join(_FAMILIES)}.")
    _check_config(path, config, at)
    part = read_part(path, class_name, rule_for(path, "diffusers", class_name), at)
    parts = {PART: part}
    return NetSource(path, stamp_of(parts), path.name, _kind(part, at), parts)


def _check_config(path: Path, config: Mapping[str, object], at: str) -> None:
    if config.get("_class_name") == "SD3ControlNetModel" and not config.get("joint_attention_dim"):
        what = f"{path} reads no prompt and borrows layers of its model, which is not supported."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use one that reads the prompt.")


def _kind(part: Part, at: str) -> str:
    """The kind of the models that it steers, by the sizes they share; empty where its own tell too little."""
    if part.class_name == ADAPTER:
        return _ADAPTED.get(str(part.config.get("adapter_type")), "") if part.config.get("channels") == _USUAL else ""
    if part.class_name == BORROWER:
        return "z-image" if part.config.get("dim") == _Z_IMAGE else ""
    family = _FAMILIES[part.class_name]
    if family is STABLE_DIFFUSION and part.config.get("addition_embed_type") == "text_time":
        family = SDXL
    text, pooled = part.first_integer(TEXT_WIDTHS), part.first_integer(("pooled_projection_dim",))
    channels = part.integer("in_channels", at) // (4 if family.name in _SQUARES else 1)
    return family.kind(tuple(size for size in (text, pooled, channels) if size is not None))


def configuration(path: Path, noun: str, library: str, at: str) -> dict[str, object]:
    """The configuration of the model in the folder `path`, which is to be a `noun` in the format of a library.

    Raises `PatchbayError` at `at`: `file_not_found`, or `bad_model` for a folder without one.
    """
    if not path.exists():
        raise PatchbayError(Code.FILE_NOT_FOUND, at, f"{path} does not exist.", f"Check the name of the {noun}.")
    if not (path / LONE).is_file():
        what = f"{path} is no folder with a {LONE}, so it is no {noun} in {library}' format."
        raise PatchbayError(Code.BAD_MODEL, at, what, f"Give the folder that holds the {noun}'s config.json.")
    return read_json(path / LONE, at)


def wanted_files(names: Iterable[str]) -> list[str]:
    """Of a repository's files, those of a ControlNet: its configuration and one variant of its weights."""
    return files_of(names, "diffusion_pytorch_model")


def files_of(names: Iterable[str], stem: str) -> list[str]:
    """Of a repository's files its configuration and one variant of its weights, whose names start with `stem`."""
    return [LONE, *weight_patterns(names, stem)]
