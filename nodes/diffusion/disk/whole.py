"""Pipelines run as a whole, whatever their class: what a folder holds of one, and the stock object made of it.

A family's stages need to know what its parts mean; a whole pipeline does not. So any pipeline class of the installed
Diffusers will do, with parts of Diffusers' and Transformers' own classes. What `survey` in source.py refuses for a
family's sake is no business here; what it refuses for safety's sake is refused here too.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from engine.errors import Code, PatchbayError, nearest
from nodes.diffusion.disk.index import INDEX, is_part, plain_pair, read_plain
from nodes.diffusion.disk.parts import LIBRARIES, Part, read_part, rule_for
from nodes.diffusion.disk.source import ModelSource, family_kind, remembered, stamp_of
from nodes.diffusion.families.blocks import is_modular
from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.families.family import UNUSED, Rule

LEFT_OUT = frozenset({"safety_checker", "watermarker"})
"""Parts that change finished pictures: a pipeline runs without them, and other nodes may do that where it is seen."""

_NO_CLASSES = frozenset({"DiffusionPipeline", "AutoPipeline"})
_OTHERS = re.compile(r"^(Flax|Onnx|Auto)|Modular")
"""Pipelines that other libraries run, or that are no classes with a call of their own."""

_RENAMED = {"CLIPFeatureExtractor": "CLIPImageProcessor", "DPTFeatureExtractor": "DPTImageProcessor"}
"""What Transformers calls classes now that older models name."""


def survey_whole(path: Path, at: str) -> ModelSource:
    """Find out what the pipeline in the folder `path` is made of, without reading a weight or importing torch.

    Its class is any pipeline class that the installed Diffusers exports; its parts come from Diffusers (also from what
    a single pipeline brings along) and from Transformers. The source has no kind. Raises `PatchbayError` at `at`:
    `file_not_found`, `bad_model`, `pickled_model`, `unsupported_class`.
    """
    if not path.exists():
        raise PatchbayError(Code.FILE_NOT_FOUND, at, f"{path} does not exist.", "Check the name of the model.")
    if not path.is_dir():
        what = f"{path} is a single file, and a whole pipeline is loaded from a folder."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Give a folder in Diffusers' format.")
    return remembered(("whole", path), lambda: _survey(path, at))


def _survey(root: Path, at: str) -> ModelSource:
    index = read_plain(root, at)
    name = str(index["_class_name"])
    if is_modular(name):
        what = f'{root} is a "{name}", which is run in blocks and not called as a whole.'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Run it in stages: LoadModel.")
    if name not in pipeline_classes():
        what = f'{root} is a "{name}", which the installed Diffusers does not have.'
        fix = nearest(name, pipeline_classes()) or "Use a model of a class that it has."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, fix)
    entries = {name: entry for name, entry in index.items() if not name.startswith("_") and name not in LEFT_OUT}
    parts = {
        name: _part(root, name, entry, at)
        for name, entry in entries.items()
        if isinstance(entry, list) and entry != [None, None] and is_part(root, name, entry)
    }
    options = {name: entry for name, entry in entries.items() if not is_part(root, name, entry)}
    return ModelSource(root, name, stamp_of(parts), root.name, "", parts, root, options)


def _part(root: Path, name: str, entry: list[object], at: str) -> Part:
    library, named = plain_pair(root, name, entry, at)
    class_name = _RENAMED.get(named, named)
    return read_part(root / name, class_name, _rule(root, name, library, class_name, at), at)


def _rule(root: Path, name: str, library: str, class_name: str, at: str) -> Rule:
    """Where a part's class comes from and which files it has."""
    if library in LIBRARIES:
        return rule_for(root / name, library, class_name)
    if not (diffusers_folder() / "pipelines" / library / "__init__.py").is_file():
        what = f'{root / INDEX}: "{name}" would come from the library "{library}".'
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Parts come from diffusers and transformers only.")
    module = f"diffusers.pipelines.{library}"
    if class_name.endswith("Scheduler"):
        return Rule(module, (), "scheduler_config.json")
    is_transformers = any((root / name).glob("model*.safetensors*"))
    return Rule(module, (), "config.json", weights="model" if is_transformers else "diffusion_pytorch_model")


def kind_of(source: ModelSource, at: str) -> str:
    """The kind of a surveyed pipeline of a family; empty where it has no family, or not all that makes a kind."""
    family = FAMILIES.get(source.pipeline_class)
    if family is None:
        return ""
    try:
        return family_kind(source.path, family, source.parts, at)
    except (PatchbayError, KeyError):
        return ""


def home_of(source: ModelSource, name: str) -> ModelSource:
    """The source under which a part lies on the shelf.

    Parts that stages know lie where `LoadModel` of the same folder puts them, so that both use the same weights.
    """
    if name in _unused(source):
        return source
    return _core(source)


def _unused(source: ModelSource) -> frozenset[str]:
    family = FAMILIES.get(source.pipeline_class)
    return UNUSED if family is None else family.unused


@cache
def _core(source: ModelSource) -> ModelSource:
    parts = {name: part for name, part in source.parts.items() if name not in _unused(source)}
    return replace(source, parts=parts, stamp=stamp_of(parts))


@cache
def pipeline_classes() -> frozenset[str]:
    """The names of the pipeline classes that the installed Diffusers exports, read without importing it."""
    text = (diffusers_folder() / "__init__.py").read_text(encoding="utf-8")
    found = re.findall(r'"(\w+Pipeline(?:Legacy|Safe)?)"', text)
    return frozenset(name for name in found if name not in _NO_CLASSES and not _OTHERS.search(name))


@cache
def diffusers_folder() -> Path:
    """The folder of the installed Diffusers."""
    spec = find_spec("diffusers")
    if spec is None or spec.origin is None:
        raise PatchbayError(Code.MISSING_PACKAGE, "model", "Diffusers is not installed.", "pip install diffusers")
    return Path(spec.origin).parent
