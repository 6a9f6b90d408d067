"""What the index of a model folder says: the pipeline class, the parts with their libraries and classes, plain options.

Only what Diffusers and Transformers themselves bring is let through. Nothing here imports torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError, nearest
from nodes.diffusion.disk.parts import LIBRARIES, read_json
from nodes.diffusion.families.families import FAMILIES, SUPPORTED
from nodes.diffusion.families.family import Family, Rule
from nodes.diffusion.families.images import REFINER, SDXL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_IDENTIFIER = re.compile(r"[A-Za-z]\w*")

INDEX = "model_index.json"
"""What makes a folder a model in Diffusers' format."""

MODULAR_INDEX = "modular_model_index.json"
"""What makes it one that is run in blocks, where there is no other index."""

_OWN_BLOCKS = "modular_config.json"
"""What names blocks whose code lies in the folder."""

COMPLETE = "Is the folder complete?"


@dataclass(frozen=True, slots=True)
class Index:
    """What a model_index.json says: the pipeline class, library and class of each part, and plain options."""

    pipeline_class: str
    parts: Mapping[str, tuple[str, str]]
    options: Mapping[str, object]

    @property
    def family(self) -> Family:
        """The row of the table of families."""
        return FAMILIES[self.pipeline_class]


def index_file(root: Path) -> Path | None:
    """The index of a model folder; None for any other folder."""
    return next((root / name for name in (INDEX, MODULAR_INDEX) if (root / name).is_file()), None)


def read_plain(root: Path, at: str) -> dict[str, object]:
    """What the index in `root` says, its class a plain name and nothing in it asking for code.

    Parts stand under their names as pairs of a library and a class, in an index of either kind.
    Raises `PatchbayError` at `at`: `bad_model`, `unsupported_class`.
    """
    file = index_file(root)
    if file is None:
        what = f"{root} has no {INDEX}, so it is no model folder in Diffusers' format."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Give the folder that holds model_index.json.")
    index = read_json(file, at)
    name = class_of(root, index, at)
    if file.name == INDEX:
        return index
    _check_blocks(root, name, index, at)
    return {name: _pair(entry) for name, entry in index.items()}


def _check_blocks(root: Path, name: str, index: Mapping[str, object], at: str) -> None:
    """Refuse blocks that are not those of the pipeline class itself. Raises `unsupported_class`."""
    if (root / _OWN_BLOCKS).is_file():
        raise _asks_for_code(root, at)
    stem = name.removesuffix("ModularPipeline")
    asked = index.get("_blocks_class_name")
    if asked not in {None, "SequentialPipelineBlocks", f"{stem}Blocks", f"{stem}AutoBlocks"}:
        what = f"{root} is to be run by the blocks {asked!r}, and a {name} is run by its own here."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Save the model with the blocks of its class.")


def _pair(entry: object) -> object:
    """An entry of a modular index as in the other one: without where its part comes from, which is the folder here."""
    if not isinstance(entry, list) or len(entry) != 3 or not isinstance(entry[2], dict):  # noqa: PLR2004  # a pair and that
        return entry
    return entry[:2] if entry[0] is not None else entry[2].get("type_hint", [None, None])


def read_index(root: Path, at: str) -> Index:
    """The index of the model folder `root`. Raises `PatchbayError` at `at`: `bad_model`, `unsupported_class`."""
    index = read_plain(root, at)
    family = family_of(root, index, at)
    entries = {name: entry for name, entry in index.items() if not name.startswith("_") and name not in family.unused}
    parts = {
        name: _check_entry(root, name, entry, family, at)
        for name, entry in entries.items()
        if isinstance(entry, list) and entry != [None, None]
        if name in family.parts or name in family.denoisers or is_part(root, name, entry)
    }
    needed = {**family.parts, **dict.fromkeys(_needed(family))}
    missing = [name for name in needed if name not in parts and name not in family.made]
    if missing:
        what = f"{root}/{INDEX} names no {', no '.join(missing)}; a {index['_class_name']} needs it."
        raise PatchbayError(Code.BAD_MODEL, at, what, COMPLETE)
    options = {name: entry for name, entry in entries.items() if not is_part(root, name, entry)}
    return Index(_meant(index), parts, options)


def _needed(family: Family) -> tuple[str, ...]:
    """The parts without which there is nothing to run: the scheduler and the first denoiser."""
    return ("scheduler", family.denoisers[0])


def is_part(root: Path, name: str, entry: object) -> bool:
    """Whether an entry of the index names a part: a pair of a library and a class, or nothing in both places."""
    if not isinstance(entry, list) or len(entry) != 2:  # noqa: PLR2004  # a pair
        return (root / name).is_dir()
    return entry == [None, None] or all(isinstance(item, str) for item in entry)


def class_of(root: Path | str, index: Mapping[str, object], at: str) -> str:
    """The name of the pipeline class that the `index` of `root` names.

    Raises `PatchbayError` at `at`: `unsupported_class` for code of its own, `bad_model` for no name.
    """
    name = index.get("_class_name")
    if isinstance(name, list) or "custom_pipeline" in index or "auto_map" in index:
        raise _asks_for_code(root, at)
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise PatchbayError(Code.BAD_MODEL, at, f"{root}/{INDEX} names no pipeline class but {name!r}.")
    return name


def _asks_for_code(root: Path | str, at: str) -> PatchbayError:
    what = f"{root} asks for code of its own to be run, and a model folder may hold data only."
    return PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use a model made of Diffusers' own classes.")


def family_of(root: Path | str, index: Mapping[str, object], at: str) -> Family:
    """The family of the pipeline class that the `index` of `root` names.

    Raises `PatchbayError` at `at`: `unsupported_class` for a class that is not driven or that is code of its own.
    """
    name = class_of(root, index, at)
    if name not in FAMILIES:
        what = f'{root} is a "{name}", a pipeline class that is not supported yet. {nearest(name, FAMILIES)}'.rstrip()
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, SUPPORTED)
    return FAMILIES[_meant(index)]


def _meant(index: Mapping[str, object]) -> str:
    """The class that an index names; SDXL's for image-to-image means a refiner only where a score of beauty is read."""
    name = str(index["_class_name"])
    is_whole = name == REFINER.pipeline_class and not index.get("requires_aesthetics_score")
    return SDXL.pipeline_class if is_whole else name


def plain_pair(root: Path, name: str, entry: Sequence[object], at: str) -> tuple[str, str]:
    """Library and class of a part, both plain names. Raises `bad_model`."""
    pair = [item for item in entry if isinstance(item, str) and _IDENTIFIER.fullmatch(item)]
    if len(pair) != 2 or len(entry) != 2:  # noqa: PLR2004  # library and class
        raise PatchbayError(Code.BAD_MODEL, at, f'{root}/{INDEX}: "{name}" is no pair of plain names but {entry!r}.')
    return pair[0], pair[1]


def _check_entry(root: Path, name: str, entry: Sequence[object], family: Family, at: str) -> tuple[str, str]:
    """Library and class of a part. Refuses one that would not come from where its family allows."""
    rule = family.parts.get(name)
    library, class_name = plain_pair(root, name, entry, at)
    if not _is_allowed(library, rule):
        what = f'{root}/{INDEX}: "{name}" would come from the library "{library}".'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Parts come from diffusers and transformers only.")
    if rule and rule.classes and class_name not in rule.classes:
        what = f'{root}/{INDEX}: "{name}" is a "{class_name}", which is not supported here.'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, f"Supported: {', '.join(rule.classes)}.")
    return library, class_name


def _is_allowed(library: str, rule: Rule | None) -> bool:
    """Whether a part may come from a library: one of the two, or what Diffusers keeps beside the family's pipeline.

    What it keeps beside a deprecated one, it saves as its own.
    """
    if rule is None:
        return library in LIBRARIES
    deprecated = "diffusers.pipelines.deprecated"
    if library == "diffusers" and rule.library.startswith(deprecated):
        return True
    return rule.library in {LIBRARIES.get(library), f"diffusers.pipelines.{library}", f"{deprecated}.{library}"}
