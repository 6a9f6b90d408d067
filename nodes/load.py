"""Where models come from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Generic, NamedTuple

from pydantic import Field, JsonValue

from engine import Paths, Settings, node
from engine.choices import Choice, Progress
from engine.context import say
from engine.digests import file_digest
from engine.node import FactRule
from nodes.diffusion.disk.component_files import with_text_encoder, with_vae
from nodes.diffusion.disk.nets import NetSource, is_net, survey_net, wanted_files
from nodes.diffusion.disk.quantising import NONE, Quantisation, check_device, check_wanted, quantisation, told
from nodes.diffusion.disk.source import ModelSource, resolve, survey
from nodes.diffusion.latents.mask_rules import MASK, READS
from nodes.diffusion.schedules.scheduler_table import prediction_of
from nodes.types import VAE, ControlNet, Denoiser, K, Scheduler, TextEncoder


class ModelFile:
    """An input that names a model: "pocket", a local Diffusers folder or .safetensors file, or a hub id.

    Without `weights` a folder is good for its configurations only.
    """

    noun = "model"
    loads = True

    def __init__(self, *, weights: bool = True) -> None:
        self._weights = weights

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:
        """The folder or file, checked as far as that goes without reading weights. Raises `PatchbayError`."""
        path = resolve(value, paths, downloads=settings.downloads, at=at)
        if path.is_dir():
            source = survey(path, weights=self._weights, at=at)
            if self._weights:
                check_device(source, settings.device, at)
        return path

    def digest(self, resolved: Path) -> str:
        """Identity of configurations and weights.

        Without `weights` those that are there count by their state (size, time, inode): most often nobody reads them.
        """
        if not resolved.is_dir():
            return hashlib.sha256(file_digest(resolved).encode()).hexdigest()
        digest = survey(resolved, weights=self._weights, at="").digest
        return digest if self._weights else hashlib.sha256(f"{digest} {_states(resolved)}".encode()).hexdigest()

    def choices(self, paths: Paths, settings: Settings) -> list[Choice]:  # noqa: ARG002  # the protocol's
        """The models that are on this machine, and what is wrong with those that cannot be used."""
        from nodes.diffusion.disk.listing import models

        return models(paths, weights=self._weights)

    def describe(self, name: str, paths: Paths, at: str, *, digests: bool = True) -> Mapping[str, JsonValue]:
        """What a model that is on this machine is made of. Raises `PatchbayError`."""
        from nodes.diffusion.disk.model_report import report

        return report(resolve(name, paths, downloads=False, at=at), name, at, digests=digests)

    def fetch(self, name: str, at: str, progress: Progress | None = None) -> Path:
        """Fetch a repository of the hub: safetensors, configurations and words only. Raises `PatchbayError`."""
        from nodes.diffusion.disk.hub import fetch

        return fetch(name, at, progress)

    def families(self) -> Mapping[str, JsonValue]:
        """The pipeline classes that are driven, with what was measured of each, and why the others are not."""
        from nodes.diffusion.families.measured import families

        return families()


def _states(folder: Path) -> list[tuple[str, int, int, int]]:
    """The state of every weight file in a folder."""
    files = sorted(folder.glob("*/*.safetensors"))
    states = ((file.relative_to(folder).as_posix(), file.stat()) for file in files)
    return [(name, state.st_size, state.st_mtime_ns, state.st_ino) for name, state in states]


ModelPath = Annotated[
    Path,
    ModelFile(),
    Field(description='"pocket" (in the box), a local Diffusers folder or .safetensors file, or a hub id.'),
]


ConfigPath = Annotated[
    Path,
    ModelFile(weights=False),
    Field(description="For a single file: a Diffusers folder of the same kind, for what the file lacks."),
]


Quantize = Annotated[
    Quantisation,
    Field(
        description="In how few bits the denoiser's weights are kept (torchao, weight-only); changes pictures a little."
    ),
]


class SingleFolder:
    """An input that names a model which is no pipeline: a local folder, or a hub id.

    `survey` finds out what a folder holds, `is_one` tells by a configuration whether a folder is listed, and `wanted`
    which of a repository's files are fetched.
    """

    loads = True

    def __init__(
        self,
        noun: str,
        survey: Callable[[Path, str], NetSource],
        is_one: Callable[[Mapping[str, object]], bool],
        wanted: Callable[[Iterable[str]], list[str]],
    ) -> None:
        self.noun = noun
        self._survey = survey
        self._is_one = is_one
        self._wanted = wanted

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:
        """The folder, checked as far as that goes without reading weights. Raises `PatchbayError`."""
        path = resolve(value, paths, downloads=settings.downloads, at=at, lone=self._wanted)
        self._survey(path, at)
        return path

    def digest(self, resolved: Path) -> str:
        """Identity of configuration and weights."""
        return self._survey(resolved, "").digest

    def choices(self, paths: Paths, settings: Settings) -> list[Choice]:  # noqa: ARG002  # the protocol's
        """Those that are on this machine, and what is wrong with those that cannot be used."""
        from nodes.diffusion.disk.listing import singles

        return singles(paths, self._is_one, self._survey)


NET = "control_net"
"""The fact that tells of a ControlNet's folder."""

CONTROL_NETS = SingleFolder("ControlNet", survey_net, is_net, wanted_files)

ControlNetPath = Annotated[Path, CONTROL_NETS, Field(description="A local folder in Diffusers' format, or a hub id.")]


class LoadedModel(NamedTuple, Generic[K]):
    """The parts of a model. Each can be taken out and wired elsewhere."""

    model: Denoiser[K]
    text_encoder: TextEncoder[K]
    vae: VAE[K]
    scheduler: Scheduler[K]


def kinds_of(values: Mapping[str, object]) -> dict[str, str]:
    """The model's family from its configuration files, weights unread."""
    model, config = values.get("model"), values.get("config")
    if not isinstance(model, Path):
        return {}
    return {"K": survey(model, config=config if isinstance(config, Path) else None, at="model").kind}


def facts_of(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """What the model predicts, from the configuration of its scheduler, whether it reads a mask, and where it is."""
    model, config = values.get("model"), values.get("config")
    if not isinstance(model, Path):
        return {}
    place = {"model": str(model), "config": str(config) if isinstance(config, Path) else ""}
    source = source_of(place)
    if source is None:
        return {}
    quantize = str(values.get("quantize", NONE))
    check_wanted(source, quantize, "quantize")
    place["quantize"] = quantize
    reads = {READS: MASK} if source.reads_mask else {}
    return {"prediction": prediction_of(source.scheduler), **reads, **place}


PLACE = ("model", "config", "quantize")
"""The facts that tell which model it is."""

ENCODERS, DECODER = "encoders", "decoder"
"""The facts that tell of files in the place of a model's own text encoders and VAE, and of which model's."""


def replaced(facts: Mapping[str, str], key: str, file: object) -> dict[str, str]:
    """What is known once one more `file` has taken the place of a part."""
    path = str(file) if isinstance(file, Path) else None
    return {key: json.dumps({"of": _place(facts), "files": [*_files(facts, key), path]})}


def _files(facts: Mapping[str, str], key: str) -> list[str | None]:
    """The files in the place of the model's own parts, None for one that the plan does not know yet."""
    said = json.loads(facts.get(key, "{}"))
    return list(said["files"]) if said.get("of") == _place(facts) else []


def _place(facts: Mapping[str, str]) -> list[str | None]:
    return [facts.get("model"), facts.get("config")]


def source_of(facts: Mapping[str, str]) -> ModelSource | None:
    """The model that the facts of a linked input tell of; None where no one model is known."""
    if "model" not in facts or "config" not in facts:
        return None
    source = survey(Path(facts["model"]), config=Path(facts["config"]) if facts["config"] else None, at="model")
    source = replace(source, quantize=quantisation(facts.get("quantize", NONE)))
    for key, put in ((ENCODERS, with_text_encoder), (DECODER, with_vae)):
        for file in _files(facts, key):
            source = source if file is None else put(source, Path(file), "model")
    return source


def needing(port: str, key: str, check: Callable[[ModelSource, str], None], rule: FactRule | None = None) -> FactRule:
    """A rule of the plan: `check` lets the model at `port` pass, if all is known of its parts; then `rule`."""

    def needs(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
        facts = given.get(port, {})
        source = source_of(facts)
        if source is not None and None not in _files(facts, key):
            check(source, port)
        return rule(values, given) if rule is not None else {}

    return needs


@node("LoadModel", category="load", kinds=kinds_of, facts=facts_of)
def load_model(*, model: ModelPath, config: ConfigPath | None = None, quantize: Quantize = NONE) -> LoadedModel[K]:
    """Open a model. Weights are read when something first runs on them.

    A single .safetensors file holds weights only; `config` then names a Diffusers folder of the same kind for the
    configurations and the tokenizer, and for a file that holds just a transformer for all other parts. That folder
    may be without weights for the text encoders and the VAE where LoadTextEncoder and LoadVAE bring them.
    """
    source = survey(model, config=config, at="model")
    check_wanted(source, quantize, "quantize")
    source = replace(source, quantize=quantize)
    if quantize != NONE:
        say(told(source))
    name, family = str(source.scheduler["_class_name"]), source.family.pipeline_class
    own: Scheduler[K] = Scheduler(name, source.kind, source.scheduler, family=family)
    return LoadedModel(Denoiser(source), TextEncoder(source), VAE(source), own)


def kind_of_net(values: Mapping[str, object]) -> dict[str, str]:
    """The kind of the models that a ControlNet steers, from its configuration, weights unread; some tell none."""
    path = values.get("control_net")
    kind = survey_net(path, "control_net").kind if isinstance(path, Path) else ""
    return {"K": kind} if kind else {}


def facts_of_net(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Where the ControlNet is."""
    path = values.get("control_net")
    return {NET: str(path)} if isinstance(path, Path) else {}


@node("LoadControlNet", category="load", kinds=kind_of_net, facts=facts_of_net)
def load_control_net(*, control_net: ControlNetPath) -> ControlNet[K]:
    """Open a ControlNet or a T2I-Adapter, which steers models of its kind by pictures: edges, depth, poses.

    Weights are read when something first runs on them.
    """
    return ControlNet(survey_net(control_net, "control_net"))
