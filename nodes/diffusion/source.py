"""Where a model is and what it is made of, found out without reading a weight or importing torch.

`resolve` turns the name in a graph into a path, `survey` turns the path into a `ModelSource` or says what is wrong
with it. huggingface_hub is imported only when a name means a repository of the hub.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.digests import file_digest
from engine.errors import Code, PatchbayError, nearest
from nodes.diffusion.families import (
    FAMILIES,
    LATENT_CHANNELS,
    STABLE_DIFFUSION,
    SUPPORTED,
    TEXT_WIDTHS,
    UNUSED,
    Family,
    single_file_sizes,
)
from nodes.diffusion.headers import PICKLES, Header, read_header
from nodes.diffusion.parts import LIBRARIES, Part, choose_weights, read_json, read_part, rule_for
from nodes.pocket import MODEL as POCKET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.paths import Paths

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_IDENTIFIER = re.compile(r"[A-Za-z]\w*")

INDEX = "model_index.json"
"""What makes a folder a model in Diffusers' format."""

_surveyed: dict[tuple[Path, Path | None, bool], tuple[object, ModelSource]] = {}
"""What was found before, with the state of its files and folders then; a graph asks about one model several times."""

_COMPLETE = "Is the folder complete?"


@dataclass(frozen=True)
class ModelSource:
    """A model on disk, surveyed: which parts it has, of which classes, from which files.

    Two sources are equal when they mean the same files in the same state (path, size, time and inode of each), so a
    file written anew makes another source. `scheduler` is the configuration the model was trained with. `config` is
    the folder that the configurations come from: the model's own, or another one's for a model in a single file.
    `options` are what the pipeline itself is made with, besides its parts.
    """

    path: Path
    pipeline_class: str
    stamp: tuple[tuple[str, int, int, int], ...] = field(repr=False)
    name: str = field(compare=False)
    kind: str = field(compare=False)
    parts: Mapping[str, Part] = field(compare=False, repr=False)
    config: Path = field(compare=False)
    options: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    single_file: bool = field(default=False, compare=False)

    @property
    def scheduler(self) -> Mapping[str, object]:
        """The configuration of the model's own scheduler, its class under `_class_name`."""
        part = self.parts["scheduler"]
        return {**part.config, "_class_name": part.class_name}

    @property
    def family(self) -> Family:
        """The row of the table of families that this model belongs to."""
        return FAMILIES[self.pipeline_class]

    @cached_property
    def digest(self) -> str:
        """The sha256 over classes, configurations and weights: equal digests mean equal models.

        Reads the weight files on first use.
        """
        total = hashlib.sha256(self.pipeline_class.encode())
        total.update(json.dumps(self.options, sort_keys=True).encode())
        for name, part in sorted(self.parts.items()):
            total.update(f"\n{name} {part.class_name}".encode())
            for path in (*part.settings, *part.weights):
                total.update(f"\n{path.name} {file_digest(path)}".encode())
        return total.hexdigest()


def resolve(name: str, paths: Paths, *, downloads: bool, at: str, unused: frozenset[str] = UNUSED) -> Path:
    """The folder or file that `name` means: "pocket", a local folder or .safetensors file, or a hub id.

    What is on disk goes first. A hub id ("owner/name") is looked up in the hub's local cache and fetched only when
    `downloads` allows it, without its `unused` parts. Raises `PatchbayError`: `file_not_found`, `outside_roots`.
    """
    if name == "pocket":
        return POCKET
    try:
        return paths.find(name, paths.models, at)
    except PatchbayError as problem:
        if problem.code is not Code.FILE_NOT_FOUND or not _HUB_ID.fullmatch(name) or name.endswith(".safetensors"):
            raise
    return _from_hub(name, downloads=downloads, at=at, unused=unused)


def _from_hub(name: str, *, downloads: bool, at: str, unused: frozenset[str]) -> Path:
    from huggingface_hub import hf_hub_download, list_repo_files, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        if not downloads:
            return Path(snapshot_download(name, local_files_only=True))
        index = read_json(Path(hf_hub_download(name, INDEX)), at)
        return Path(snapshot_download(name, allow_patterns=wanted_files(list_repo_files(name), index, unused)))
    except LocalEntryNotFoundError as error:
        what = f'"{name}" is neither a file here nor in the local cache of the Hugging Face hub.'
        fix = "Check the connection." if downloads else "If it is a repository on the hub, run with --download."
        raise PatchbayError(Code.FILE_NOT_FOUND, at, what, fix) from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        what = f'"{name}" could not be fetched from the Hugging Face hub: {error}.'
        raise PatchbayError(Code.FILE_NOT_FOUND, at, what, "Check the name and the connection.") from error


def wanted_files(names: Iterable[str], index: Mapping[str, object], unused: frozenset[str] = UNUSED) -> list[str]:
    """Of a repository's files, those that a survey needs: configurations, words, one variant of the weights.

    `index` is what its model_index.json says; nothing of the `unused` parts is wanted.
    """
    names = list(names)
    wanted = [name for name in names if name == INDEX]
    for part in sorted(name for name, entry in index.items() if isinstance(entry, list) and name not in unused):
        inside = [name.removeprefix(f"{part}/") for name in names if name.startswith(f"{part}/")]
        wanted += [f"{part}/{name}" for name in inside if Path(name).suffix in {".json", ".txt", ".model"}]
        for stem in ("diffusion_pytorch_model", "model"):
            chosen = choose_weights(inside, stem)
            if chosen is not None:
                file = chosen[1].removesuffix(".json").removesuffix(".safetensors")
                sharded = f"{part}/{stem}*-of-*.safetensors"
                wanted.append(sharded if chosen[1].endswith(".json") else f"{part}/{file}.safetensors")
    return wanted


def survey(path: Path, *, config: Path | None = None, weights: bool = True, at: str) -> ModelSource:
    """Find out what the model at `path` is, or raise `PatchbayError` at `at` with what is wrong and how to mend it.

    `path` is a Diffusers folder or a .safetensors file; `config` is a Diffusers folder of the same family that gives
    a single file its configurations and its tokenizer. With `weights=False` a folder need not hold weights: enough to
    be such a `config`. Codes: `file_not_found`, `bad_model`, `pickled_model`, `unsupported_class`.
    """
    if not path.exists():
        raise PatchbayError(Code.FILE_NOT_FOUND, at, f"{path} does not exist.", "Check the name of the model.")
    known = _surveyed.get((path, config, weights))
    if known is not None and known[0] is not None and known[0] == state_of(known[1]):
        return known[1]
    found = _survey_folder(path, at, weights=weights) if path.is_dir() else _survey_file(path, config, at)
    _surveyed[path, config, weights] = (state_of(found), found)
    return found


def _survey_folder(root: Path, at: str, *, weights: bool = True) -> ModelSource:
    index = _read_index(root, at)
    own = index.family.parts
    parts = {}
    for name, (library, class_name) in index.parts.items():
        rule = own[name] if name in own else rule_for(root / name, library, class_name)
        parts[name] = read_part(root / name, class_name, rule, at, weights=weights)
    kind = _kind(root, index.family, parts, at)
    return ModelSource(root, index.pipeline_class, stamp_of(parts), root.name, kind, parts, root, index.options)


def _survey_file(path: Path, config: Path | None, at: str) -> ModelSource:
    if path.suffix.lower() not in {".safetensors", *PICKLES}:
        fix = "Give a folder in Diffusers' format or a .safetensors file."
        raise PatchbayError(Code.BAD_MODEL, at, f"{path} is neither a model folder nor a .safetensors file.", fix)
    header = read_header(path, at)
    sizes = single_file_sizes(header)
    if sizes is None:
        what = f"{path} is no Stable Diffusion 1.x or 2.x checkpoint: its tensors have other names."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Give a folder in Diffusers' format instead.")
    if config is None:
        what = f"{path} holds weights only; configurations and the tokenizer's words must come from elsewhere."
        fix = "Set `config` to a folder in Diffusers' format of the same family; its weights are not read."
        raise PatchbayError(Code.BAD_MODEL, at, what, fix)
    base = _survey_folder(config, at, weights=False)
    if base.family is not STABLE_DIFFUSION:
        what = f"{path} is a Stable Diffusion checkpoint, but {config} is a {base.pipeline_class}."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Set `config` to a folder of the same family.")
    parts = {name: _part_of_file(path, part, base.family, header, at) for name, part in base.parts.items()}
    _check_stable_diffusion(path, parts, at, sizes)
    name, options = path.stem, base.options
    stamp = stamp_of(parts)
    return ModelSource(path, base.pipeline_class, stamp, name, base.kind, parts, config, options, single_file=True)


def _part_of_file(path: Path, part: Part, family: Family, header: Header, at: str) -> Part:
    """A part whose configuration is in a folder and whose weights, where it has any, are in the single file."""
    prefix = family.parts[part.name].prefix if part.name in family.parts else ""
    if not prefix:
        return part
    numbers = header.numbers(prefix)
    if not numbers:
        raise PatchbayError(Code.BAD_MODEL, at, f"{path} holds no weights for the {part.name} ({prefix}...).")
    return replace(part, weights=(path,), numbers=numbers)


@dataclass(frozen=True, slots=True)
class _Index:
    """What a model_index.json says: the pipeline class, library and class of each part, and plain options."""

    pipeline_class: str
    parts: Mapping[str, tuple[str, str]]
    options: Mapping[str, object]

    @property
    def family(self) -> Family:
        return FAMILIES[self.pipeline_class]


def read_index(root: Path, at: str) -> dict[str, object]:
    """What the model_index.json in `root` says, its `_class_name` a plain name and nothing in it asking for code.

    Raises `PatchbayError`: `bad_model`, `unsupported_class`.
    """
    if not (root / INDEX).is_file():
        what = f"{root} has no {INDEX}, so it is no model folder in Diffusers' format."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Give the folder that holds model_index.json.")
    index = read_json(root / INDEX, at)
    name = index.get("_class_name")
    if isinstance(name, list) or "custom_pipeline" in index or "auto_map" in index:
        what = f"{root} asks for code of its own to be run, and a model folder may hold data only."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use a model made of Diffusers' own classes.")
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise PatchbayError(Code.BAD_MODEL, at, f"{root / INDEX} names no pipeline class but {name!r}.")
    return index


def _read_index(root: Path, at: str) -> _Index:
    index = read_index(root, at)
    family = _family(root, index, at)
    entries = {name: entry for name, entry in index.items() if not name.startswith("_") and name not in UNUSED}
    parts = {
        name: _check_entry(root, name, entry, family, at)
        for name, entry in entries.items()
        if isinstance(entry, list) and entry != [None, None]
        if name in family.parts or name in family.denoisers or is_part(root, name, entry)
    }
    missing = [name for name in {**family.parts, **dict.fromkeys(_needed(family))} if name not in parts]
    if missing:
        what = f"{root / INDEX} names no {', no '.join(missing)}; a {index['_class_name']} needs it."
        raise PatchbayError(Code.BAD_MODEL, at, what, _COMPLETE)
    options = {name: entry for name, entry in entries.items() if not is_part(root, name, entry)}
    return _Index(str(index["_class_name"]), parts, options)


def _needed(family: Family) -> tuple[str, ...]:
    """The parts without which there is nothing to run: the scheduler and the first denoiser."""
    return ("scheduler", family.denoisers[0])


def is_part(root: Path, name: str, entry: object) -> bool:
    """Whether an entry of the index names a part: a pair of a library and a class, or nothing in both places."""
    if not isinstance(entry, list) or len(entry) != 2:  # noqa: PLR2004  # a pair
        return (root / name).is_dir()
    return entry == [None, None] or all(isinstance(item, str) for item in entry)


def _family(root: Path, index: Mapping[str, object], at: str) -> Family:
    name = str(index["_class_name"])
    if name not in FAMILIES:
        what = f'{root} is a "{name}", a pipeline class that is not supported yet. {nearest(name, FAMILIES)}'.rstrip()
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, SUPPORTED)
    return FAMILIES[name]


def plain_pair(root: Path, name: str, entry: Sequence[object], at: str) -> tuple[str, str]:
    """Library and class of a part, both plain names. Raises `bad_model`."""
    pair = [item for item in entry if isinstance(item, str) and _IDENTIFIER.fullmatch(item)]
    if len(pair) != 2 or len(entry) != 2:  # noqa: PLR2004  # library and class
        raise PatchbayError(Code.BAD_MODEL, at, f'{root / INDEX}: "{name}" is no pair of plain names but {entry!r}.')
    return pair[0], pair[1]


def _check_entry(root: Path, name: str, entry: Sequence[object], family: Family, at: str) -> tuple[str, str]:
    """Library and class of a part. Refuses one that would not come from where its family allows."""
    rule = family.parts.get(name)
    library, class_name = plain_pair(root, name, entry, at)
    if library not in LIBRARIES or (rule and library != rule.library):
        what = f'{root / INDEX}: "{name}" would come from the library "{library}".'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Parts come from diffusers and transformers only.")
    if rule and rule.classes and class_name not in rule.classes:
        what = f'{root / INDEX}: "{name}" is a "{class_name}", which is not supported here.'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, f"Supported: {', '.join(rule.classes)}.")
    return library, class_name


def _sizes(path: Path, family: Family, parts: Mapping[str, Part], at: str) -> tuple[int, ...]:
    """What makes a kind of a family: the width of the text, of the pooled text where there is one, and the channels.

    A model without a VAE works on pixels; what its denoiser gives counts then.
    """
    denoiser = parts[family.denoisers[0]]
    text = denoiser.first_integer(TEXT_WIDTHS)
    pooled = denoiser.first_integer(("pooled_projection_dim",))
    vae = parts.get(family.decoder)
    channels = vae.first_integer(LATENT_CHANNELS) if vae else denoiser.first_integer(("in_channels",))
    if text is None and channels is None:
        what = f"{path}: the configurations of its {denoiser.name} and its VAE tell no sizes."
        raise PatchbayError(Code.BAD_MODEL, at, what, _COMPLETE)
    return tuple(size for size in (text, pooled, channels) if size is not None)


def _kind(path: Path, family: Family, parts: Mapping[str, Part], at: str) -> str:
    """The kind that the sizes of the parts say."""
    vae = parts.get(family.decoder)
    if vae is not None and family.denoisers[0] == "unet":
        _check_channels(path, parts["unet"], vae, at)
    if family.name == STABLE_DIFFUSION.name:
        _check_stable_diffusion(path, parts, at)
    return family.kind(_sizes(path, family, parts, at))


def _check_channels(path: Path, unet: Part, vae: Part, at: str) -> None:
    """Refuse a UNet that reads more than latents, as those for inpainting do."""
    channels, latents = unet.integer("in_channels", at), vae.integer("latent_channels", at)
    if channels != latents:
        what = f"{path} has a UNet of {channels} input channels for latents of {latents} (an inpainting model?)."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use a text-to-image model of the same family.")


def _check_stable_diffusion(
    path: Path, parts: Mapping[str, Part], at: str, sizes: tuple[int, int] | None = None
) -> None:
    """Refuse parts that do not fit each other. `sizes` are those of a single file's tensors."""
    cross = parts["unet"].integer("cross_attention_dim", at)
    channels = parts["unet"].integer("in_channels", at)
    first = parts["unet"].shapes.get("conv_in.weight", (0, channels))
    if sizes is not None and sizes != (cross, channels):
        what = f"{path} has sizes {sizes} where the configurations say {(cross, channels)} (attention, channels)."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Set `config` to a folder of the same family.")
    if first[1] != channels:
        raise PatchbayError(Code.BAD_MODEL, at, f"{path}: the UNet's weights do not fit its configuration.")
    if parts["text_encoder"].integer("hidden_size", at) != cross:
        raise PatchbayError(Code.BAD_MODEL, at, f"{path}: the text encoder does not fit the UNet.", _COMPLETE)


def state_of(source: ModelSource) -> object:
    """What changes when a file of the model changes, comes or goes; None when one is gone."""
    folders = {source.path, source.config, *(part.folder for part in source.parts.values())}
    try:
        times = sorted((str(path), path.stat().st_mtime_ns) for path in {*folders, source.config / INDEX})
        return times, stamp_of(source.parts)
    except OSError:
        return None


def stamp_of(parts: Mapping[str, Part]) -> tuple[tuple[str, int, int, int], ...]:
    """Path, size, time and inode of every file of the model, in order."""
    files = sorted({path for part in parts.values() for path in (*part.settings, *part.weights)})
    states = ((str(path), path.stat()) for path in files)
    return tuple((path, state.st_size, state.st_mtime_ns, state.st_ino) for path, state in states)
