"""One component of a model folder: its configuration, its weight files, and what is wrong with them.

Only small JSON files and safetensors headers are read. Nothing here imports torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.headers import PICKLES, Header, read_header, refuse_pickle
from nodes.diffusion.disk.quantising import check_stored, method_of
from nodes.diffusion.families.family import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LARGEST_CONFIG = 32 << 20
"""Bytes; no configuration comes near, a shard index of a very large model has a few MB."""

VARIANTS = ("", "fp16", "bf16", "fp32")
"""Weight variants in order of preference; any other one comes after these."""

_SETTLED = frozenset({".json", ".txt", ".model"})
"""Suffixes of the files that belong to a part's identity, besides its weights."""


@dataclass(frozen=True, slots=True)
class Part:
    """One component: its class, its folder and the files that make it up.

    `config` is its own JSON. `weights` are its safetensors files (for a model in a single file, that file), holding
    `numbers` parameters. `variant` is the part of their names that Diffusers calls so, or None. `stem` starts the names
    of weight files in its folder; it is empty for a part that has no weights. `alone` is a part whose one weight file
    lies elsewhere and is read for it by itself: the tensors whose names start with `prefix`. Weights that stay
    quantised while they are used take the `stored` bytes.
    """

    name: str
    library: str
    class_name: str
    folder: Path
    config: Mapping[str, object] = field(repr=False)
    settings: tuple[Path, ...] = field(repr=False)
    stem: str = ""
    weights: tuple[Path, ...] = ()
    variant: str | None = None
    numbers: int = 0
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict, repr=False)
    alone: bool = False
    prefix: str = ""
    stored: int = 0

    def nbytes(self, itemsize: int) -> int:
        """The memory that it takes in a precision of so many bytes a number."""
        return self.stored or self.numbers * itemsize

    @property
    def trained(self) -> bool:
        """Whether it is something that has weights, here or elsewhere."""
        return bool(self.stem or self.weights)

    @property
    def bare(self) -> bool:
        """Whether it has none of the weights that it needs."""
        return self.trained and not self.weights

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that makes it up."""
        return (*self.settings, *self.weights)

    def integer(self, key: str, at: str) -> int:
        """The whole number under `key` of the configuration. Raises `bad_model` when there is none."""
        value = self.config.get(key)
        if isinstance(value, (list, tuple)) and len(set(value)) == 1:
            value = value[0]
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        what = f'{self.folder}: its configuration gives no whole number for "{key}" but {value!r}.'
        raise PatchbayError(Code.BAD_MODEL, at, what)

    def first_integer(self, keys: Iterable[str]) -> int | None:
        """The first whole number of the configuration under one of `keys`; of a list of numbers, the first."""
        for key in keys:
            value = self.config.get(key)
            if isinstance(value, (list, tuple)) and value:
                value = value[0]
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        return None


_STEMS = {"transformers": "model"}

LIBRARIES: Mapping[str, str] = {
    "diffusers": "diffusers",
    "transformers": "transformers",
    "stable_diffusion": "diffusers.pipelines.stable_diffusion",
}
"""What a model folder calls a library, and the module that is. Parts come from nowhere else."""


def is_guider(class_name: str) -> bool:
    """Whether a class of Diffusers makes one prediction of several: what its pipelines call a guider."""
    return class_name.endswith("Guidance")


def rule_for(folder: Path, library: str, class_name: str) -> Rule:
    """The rule that follows from a part's class: which files hold its configuration and its weights."""
    module = LIBRARIES[library]
    if class_name.endswith("Scheduler"):
        return Rule(module, (), "scheduler_config.json")
    if is_guider(class_name):
        return Rule(module, (), "guider_config.json")
    if "Tokenizer" in class_name:
        return Rule(module, (), "tokenizer_config.json")
    if class_name.endswith(("Processor", "ProcessorFast", "ProcessorPil", "FeatureExtractor")):
        own = "processor_config.json"
        return Rule(module, (), own if (folder / own).is_file() else "preprocessor_config.json")
    return Rule(module, (), "config.json", weights=_STEMS.get(library, "diffusion_pytorch_model"))


def read_json(path: Path, at: str) -> dict[str, object]:
    """The JSON object in `path`. Raises `bad_model` when it is missing, broken, too large or no object."""
    try:
        if path.stat().st_size > LARGEST_CONFIG:
            raise PatchbayError(Code.BAD_MODEL, at, f"{path} is too large for a configuration.")
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PatchbayError(Code.BAD_MODEL, at, f"{path} is missing.", "Is the folder complete?") from None
    except (OSError, ValueError, RecursionError) as error:
        raise PatchbayError(Code.BAD_MODEL, at, f"{path} is no readable JSON: {error}.") from error
    if not isinstance(data, dict):
        raise PatchbayError(Code.BAD_MODEL, at, f"{path} is no JSON object.")
    return data


def read_part(folder: Path, class_name: str, rule: Rule, at: str, *, weights: bool = True) -> Part:
    """The part in `folder`, which is named like it, checked against its rule.

    With `weights=False` only its configuration is read, as for a model whose weights are in a single file.
    Raises `PatchbayError`: `bad_model`, `pickled_model`, `unsupported_class` or `missing_package`.
    """
    name = folder.name
    if not folder.is_dir():
        what = f'{folder.parent} has no folder "{name}" though its index names that part.'
        raise PatchbayError(Code.BAD_MODEL, at, what, "Is the folder complete?")
    config = read_json(folder / rule.config, at)
    _refuse_code(folder, config, at)
    _check_class(folder, config, rule, at)
    _check_files(folder, rule, at)
    settings = tuple(sorted(path for path in folder.iterdir() if path.suffix in _SETTLED and path.is_file()))
    if not (weights and rule.weights):
        return Part(name, rule.library, class_name, folder, config, settings, rule.weights)
    check_stored(folder, config, at)
    variant, files = weight_files(folder, rule.weights, at)
    headers = _read_headers(folder, files, at)
    stored = sum(size for header in headers for _, size in header.stored.values()) if method_of(config) else 0
    return Part(
        name,
        rule.library,
        class_name,
        folder,
        config,
        settings,
        rule.weights,
        files,
        variant,
        sum(header.numbers() for header in headers),
        {tensor: shape for header in headers for tensor, shape in header.shapes.items()},
        stored=stored,
    )


def weight_files(folder: Path, stem: str, at: str) -> tuple[str | None, tuple[Path, ...]]:
    """The variant and the weight files that will be loaded from `folder`.

    Raises `pickled_model` when there are only pickles, `bad_model` when there is nothing or a shard is missing.
    """
    chosen = choose_weights((path.name for path in folder.iterdir()), stem)
    if chosen is None:
        for path in sorted(folder.iterdir()):
            refuse_pickle(path, at)
        what = f"{folder} holds no weights: no {stem}.safetensors."
        fix = "Is the folder complete? One without weights is good as the `config` of a single file."
        raise PatchbayError(Code.BAD_MODEL, at, what, fix)
    variant, name = chosen
    if name.endswith(".json"):
        return variant, _shards(folder / name, at)
    return variant, (folder / name,)


def holds_none(folder: Path, stem: str) -> bool:
    """Whether a folder is there and holds no weights, neither such as are read nor pickles."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else [f"{stem}.safetensors"]
    return choose_weights(names, stem) is None and not any(name.endswith(tuple(PICKLES)) for name in names)


def choose_weights(names: Iterable[str], stem: str) -> tuple[str | None, str] | None:
    """Of a folder's file names, the variant and the weight file or shard index to load; None when there is neither."""
    pattern = re.compile(
        rf"{re.escape(stem)}(?:\.(?P<a>\w+))?\.safetensors|"
        rf"{re.escape(stem)}\.safetensors\.index(?:\.(?P<b>\w+))?\.json"
    )
    found = {}
    for name in sorted(names, reverse=True):
        if match := pattern.fullmatch(name):
            found[match["a"] or match["b"] or ""] = name
    for variant in (*VARIANTS, *sorted(found)):
        if variant in found:
            return variant or None, found[variant]
    return None


def _shards(index: Path, at: str) -> tuple[Path, ...]:
    """The shard files that a shard index names, all of them present."""
    names = read_json(index, at).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise PatchbayError(Code.BAD_MODEL, at, f'{index} has no "weight_map".')
    shards = {str(name) for name in names.values()}
    for shard in sorted(shards):
        if not re.fullmatch(r"[\w.-]+\.safetensors", shard):
            what = f'{index} names "{shard}", which is no safetensors file beside it.'
            raise PatchbayError(Code.BAD_MODEL, at, what)
        if not (index.parent / shard).is_file():
            what = f"{index.parent / shard} is missing: a piece of the weights that {index.name} names."
            raise PatchbayError(Code.BAD_MODEL, at, what, "Is the folder complete?")
    return tuple(index.parent / shard for shard in sorted(shards))


def _read_headers(folder: Path, files: tuple[Path, ...], at: str) -> list[Header]:
    headers = [read_header(path, at) for path in files]
    if not any(header.shapes for header in headers):
        raise PatchbayError(Code.BAD_MODEL, at, f"{folder}: its weight files hold no tensors.")
    return headers


def _refuse_code(folder: Path, config: Mapping[str, object], at: str) -> None:
    if "auto_map" in config or "custom_pipeline" in config:
        what = f"{folder} asks for code of its own to be run, and a model folder may hold data only."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use a model made of Diffusers' own classes.")


def _check_class(folder: Path, config: Mapping[str, object], rule: Rule, at: str) -> None:
    own = config.get("_class_name")
    if rule.classes and own is not None and own not in rule.classes:
        what = f'{folder} is configured for the class "{own}", which is not supported here.'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, f"Supported: {', '.join(rule.classes)}.")


def _check_files(folder: Path, rule: Rule, at: str) -> None:
    if not any(all((folder / name).is_file() for name in group) for group in rule.files):
        wanted = " or ".join(" with ".join(group) for group in rule.files)
        raise PatchbayError(Code.BAD_MODEL, at, f"{folder} lacks {wanted}.", "Is the folder complete?")
