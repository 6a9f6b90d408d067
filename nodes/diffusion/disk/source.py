"""Where a model is and what it is made of, found out without reading a weight or importing torch.

`resolve` turns the name in a graph into a path, `survey` turns the path into a `ModelSource` or says what is wrong
with it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.digests import file_digest
from engine.errors import Code, PatchbayError
from nodes.diffusion.disk import hub
from nodes.diffusion.disk.bare import can_come_later
from nodes.diffusion.disk.checkpoints import Checkpoint, recognise, whole
from nodes.diffusion.disk.gguf_files import SUFFIX, header_of, is_gguf
from nodes.diffusion.disk.headers import PICKLES, Header
from nodes.diffusion.disk.index import COMPLETE, INDEX, index_file, read_index
from nodes.diffusion.disk.parts import Part, holds_none, read_part, rule_for
from nodes.diffusion.disk.quantising import NONE, Quantisation
from nodes.diffusion.disk.scaled_files import unscaled
from nodes.diffusion.families.families import FAMILIES, FILLING, FOLLOWING
from nodes.diffusion.families.family import LATENT_CHANNELS, TEXT_WIDTHS, Family
from nodes.diffusion.families.images import STABLE_DIFFUSION
from nodes.pocket import MODEL as POCKET

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping

    from engine.paths import Paths
    from nodes.diffusion.changes.patches import Patch

_surveyed: dict[Hashable, tuple[object, ModelSource]] = {}
"""What was found before, with the state of its files and folders then; a graph asks about one model several times."""


@dataclass(frozen=True)
class ModelSource:
    """A model on disk, surveyed: which parts it has, of which classes, from which files.

    Two sources are equal when they mean the same files in the same state (path, size, time and inode of each), so a
    file written anew makes another source. `scheduler` is the configuration the model was trained with. `config` is
    the folder that the configurations come from: the model's own, or another one's for a model in a single file.
    `options` are what the pipeline itself is made with, besides its parts. `patches` change parts while they are used.
    `quantize` says in how few bits the weights of its denoisers are kept. `task` is the class that runs the parts,
    where it is another than the folder's.
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
    patches: tuple[Patch, ...] = ()
    quantize: Quantisation = NONE
    task: str = field(default="", compare=False)

    @property
    def nbytes(self) -> int:
        """Memory held by each of those who know it, in bytes: none. What was surveyed is kept once for all of them."""
        return 0

    @property
    def plain(self) -> ModelSource:
        """The same without patches."""
        return replace(self, patches=()) if self.patches else self

    def patched(self, patch: Patch) -> ModelSource:
        """The same with one more patch, which acts after the others."""
        return replace(self, patches=(*self.patches, patch))

    def with_part(self, part: Part) -> ModelSource:
        """The same with another part of this name."""
        parts = {**self.parts, part.name: part}
        return replace(self, parts=parts, stamp=stamp_of(parts))

    def about(self, name: str) -> ModelSource:
        """The same with only what changes the part `name`."""
        if not self.patches and self.quantize == NONE:
            return self
        concerned = (patch.about(self, name) for patch in self.patches)
        quantize = self.quantize if name in self.family.denoisers else NONE
        return replace(self, patches=tuple(patch for patch in concerned if patch is not None), quantize=quantize)

    @property
    def scheduler(self) -> Mapping[str, object]:
        """The configuration of the model's own scheduler, its class under `_class_name`."""
        part = self.parts["scheduler"]
        return {**part.config, "_class_name": part.class_name}

    @property
    def family(self) -> Family:
        """The row of the table of families that this model belongs to."""
        return FAMILIES[self.task or self.pipeline_class]

    def run_as(self, task: str) -> ModelSource:
        """The same parts, run by the class `task`."""
        return replace(self, task=task)

    @property
    def reads_mask(self) -> bool:
        """Whether it was made for inpainting: its denoiser reads a mask and the picture around it as well."""
        if self.family.pictures is not None:
            return False
        if self.pipeline_class in FILLING:
            return True
        if self.family.shows_nothing:
            return False
        vae, denoiser = self.parts.get(self.family.decoder), self.parts[self.family.denoisers[0]]
        latents = vae.first_integer(LATENT_CHANNELS) if vae else None
        return latents is not None and denoiser.first_integer(("in_channels",)) == 2 * latents + 1

    @property
    def ends_early(self) -> bool:
        """Whether the last step's result is taken, as what the stock call gives as a latent is one no more.

        One that reads its picture beside the latents cuts their first frame off.
        """
        denoiser = self.parts[self.family.denoisers[0]]
        return self.family.ends_early or denoiser.config.get("image_condition_type") == "latent_concat"

    @property
    def reads_picture(self) -> bool:
        """Whether it was made to follow a picture, which its denoiser reads beside the latents."""
        return self.pipeline_class in FOLLOWING

    @cached_property
    def digest(self) -> str:
        """The sha256 over classes, configurations and weights: equal digests mean equal models.

        Reads the weight files on first use.
        """
        total = hashlib.sha256(self.pipeline_class.encode())
        total.update(json.dumps(self.options, sort_keys=True).encode())
        for name, part in sorted(self.parts.items()):
            total.update(f"\n{name} {part.class_name}".encode())
            if not part.files:  # its class makes it of this
                total.update(json.dumps(dict(part.config), sort_keys=True).encode())
            for path in (*part.settings, *part.weights):
                total.update(f"\n{path.name} {file_digest(path)}".encode())
        if self.quantize != NONE:
            total.update(f"\nquantised {self.quantize}".encode())
        for patch in self.patches:
            total.update(f"\n{patch.digest()}".encode())
        return total.hexdigest()


def resolve(
    name: str,
    paths: Paths,
    *,
    downloads: bool,
    at: str,
    lone: Callable[[Iterable[str]], list[str]] | None = None,
    whole: frozenset[str] | None = None,
) -> Path:
    """The folder or file that `name` means: "pocket", a local folder, .safetensors or .gguf file, or a hub id.

    What is on disk goes first. A hub id ("owner/name") is looked up in the hub's local cache and fetched only when
    `downloads` allows it: of a model what a survey needs. With `lone` something beside a model is meant, such as a
    ControlNet: of a repository's files those that it chooses, and "pocket" is a name like any other. With `whole` a
    pipeline of any class is, without the parts named there.
    Raises `PatchbayError`: `file_not_found`, `outside_roots`.
    """
    if name == "pocket" and lone is None:
        return POCKET
    try:
        return paths.find(name, paths.models, at)
    except PatchbayError as problem:
        if problem.code is not Code.FILE_NOT_FOUND or not hub.is_id(name):
            raise
    if downloads:
        return hub.fetch(name, at, lone=lone, whole=whole)
    return hub.cached(name, at, hub.LONE if lone else INDEX)


def survey(path: Path, *, config: Path | None = None, weights: bool = True, at: str) -> ModelSource:
    """Find out what the model at `path` is, or raise `PatchbayError` at `at` with what is wrong and how to mend it.

    `path` is a Diffusers folder or a .safetensors or .gguf file; `config` is a Diffusers folder of the same family that
    gives a single file its configurations and its tokenizer. With `weights=False` a folder need not hold weights: it
    can be such a `config`. Codes: `file_not_found`, `bad_model`, `pickled_model`, `unsupported_class`,
    `missing_package`.
    """
    if not path.exists():
        raise PatchbayError(Code.FILE_NOT_FOUND, at, f"{path} does not exist.", "Check the name of the model.")

    def find() -> ModelSource:
        return _survey_folder(path, at, weights=weights) if path.is_dir() else _survey_file(path, config, at)

    return remembered((path, config, weights), find)


def remembered(key: Hashable, find: Callable[[], ModelSource]) -> ModelSource:
    """What `find` gave before under this key, while no file of it has changed; else what it gives now."""
    known = _surveyed.get(key)
    if known is not None and known[0] is not None and known[0] == _state(known[1]):
        return known[1]
    found = find()
    _surveyed[key] = (_state(found), found)
    return found


def survey_rest(root: Path, brought: Collection[str], at: str) -> ModelSource:
    """Survey a folder as the `config` of a file that brings the weights of the parts `brought`.

    Text encoders and the VAE may be without weights, since wiring can bring them; every other part needs its own.
    """
    return _survey_folder(root, at, without=brought, may_lack=True)


def _survey_folder(
    root: Path, at: str, *, weights: bool = True, without: Collection[str] = frozenset(), may_lack: bool = False
) -> ModelSource:
    """Survey a folder, all its weights or none; never those of the parts `without`.

    With `may_lack` those of parts that wiring can bring need not be there.
    """
    index = read_index(root, at)
    own = index.family.parts
    parts = {}
    for name, (library, class_name) in index.parts.items():
        rule = own[name] if name in own else rule_for(root / name, library, class_name)
        lacks = may_lack and can_come_later(index.family, name) and holds_none(root / name, rule.weights)
        read = weights and name not in without and not lacks
        parts[name] = read_part(root / name, class_name, rule, at, weights=read)
    for name, config in index.family.made.items():
        parts.setdefault(name, Part(name, "diffusers", str(config["_class_name"]), root, config, ()))
    kind = family_kind(root, index.family, parts, at)
    return ModelSource(root, index.pipeline_class, stamp_of(parts), root.name, kind, parts, root, index.options)


def _survey_file(path: Path, config: Path | None, at: str) -> ModelSource:
    if path.suffix.lower() not in {".safetensors", SUFFIX, *PICKLES}:
        what = f"{path} is neither a model folder nor a .safetensors or {SUFFIX} file."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Give a folder in Diffusers' format or such a file.")
    header = header_of(path, at)
    found = whole(recognise(header), path, header, at)
    if config is None:
        what = f"{path} holds no configurations and no tokenizer's words; these must come from elsewhere."
        raise PatchbayError(Code.BAD_MODEL, at, what, f"Set {found.needs}.")
    base = survey_rest(config, found.parts, at) if found.partial else _survey_folder(config, at, weights=False)
    fix = "Set `config` to a folder of the same family."
    denoiser = base.parts[base.family.denoisers[0]].class_name
    is_same = denoiser == found.denoiser if found.partial else base.family is found.family
    if not is_same:
        what = f"{path} holds {found.holds}, but {config} is a {base.pipeline_class}."
        raise PatchbayError(Code.BAD_MODEL, at, what, fix)
    sizes = _sizes(config, base.family, base.parts, at)
    if sizes != found.sizes:
        what = f"{path} is a model of the sizes {_written(found.sizes)}, but {config} is one of {_written(sizes)}."
        raise PatchbayError(Code.BAD_MODEL, at, what, fix)
    _check_counts(path, found, base, at)
    read = unscaled(header)
    parts = {name: _part_of_file(path, part, found, read, at) for name, part in base.parts.items()}
    stamp = stamp_of(parts)
    return ModelSource(
        path, base.pipeline_class, stamp, path.stem, base.kind, parts, config, base.options, single_file=True
    )


def _written(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


def _check_counts(path: Path, found: Checkpoint, base: ModelSource, at: str) -> None:
    """Refuse a configuration for a model with more or fewer layers than the file has, or with other ones."""
    for key, count in found.counts.items():
        value = base.parts[base.family.denoisers[0]].config.get(key)
        said = len(value) if isinstance(value, (list, tuple)) else value if type(value) is int else int(bool(value))
        if said != count:
            what = f"{path} is another model than {base.path} says: {key} would be {count}, not {said}."
            raise PatchbayError(Code.BAD_MODEL, at, what, "Set `config` to the folder of this very model.")


def _part_of_file(path: Path, part: Part, found: Checkpoint, header: Header, at: str) -> Part:
    """A part whose configuration is in a folder and whose weights, where it has any, are in the single file."""
    if not part.trained or (found.partial and part.name not in found.parts):
        return part
    prefix = found.parts.get(part.name)
    if prefix is None:
        raise PatchbayError(
            Code.BAD_MODEL, at, f"{path} holds no weights for the {part.name}.", "Use a whole checkpoint."
        )
    stored = sum(header.precisions(prefix).values()) if is_gguf(path) else 0
    begin = prefix if found.partial else ""
    return replace(
        part, weights=(path,), numbers=header.numbers(prefix), alone=found.partial, prefix=begin, stored=stored
    )


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
        raise PatchbayError(Code.BAD_MODEL, at, what, COMPLETE)
    return tuple(size for size in (text, pooled, channels) if size is not None)


def family_kind(path: Path, family: Family, parts: Mapping[str, Part], at: str) -> str:
    """The kind that the sizes of the parts say."""
    vae = parts.get(family.decoder)
    if vae is not None and family.denoisers[0] == "unet" and family.pictures is None:
        _check_channels(path, parts["unet"], vae, at)
    if family.name == STABLE_DIFFUSION.name:
        _check_stable_diffusion(path, parts, at)
    return family.kind(_sizes(path, family, parts, at))


def _check_channels(path: Path, unet: Part, vae: Part, at: str) -> None:
    """Refuse a UNet that reads more than latents, or than those for inpainting: a mask and the picture around it.

    One of Kandinsky that follows a picture makes as many channels of it.
    """
    channels, latents = unet.integer("in_channels", at), vae.integer("latent_channels", at)
    hinted = unet.config.get("addition_embed_type") == "image_hint"
    if channels not in {2 * latents if hinted else latents, 2 * latents + 1}:
        what = f"{path} has a UNet of {channels} input channels for latents of {latents}."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use a text-to-image model of the same family.")


def _check_stable_diffusion(path: Path, parts: Mapping[str, Part], at: str) -> None:
    """Refuse parts that do not fit each other."""
    channels = parts["unet"].integer("in_channels", at)
    first = parts["unet"].shapes.get("conv_in.weight", (0, channels))
    if first[1] != channels:
        raise PatchbayError(Code.BAD_MODEL, at, f"{path}: the UNet's weights do not fit its configuration.")
    if parts["text_encoder"].integer("hidden_size", at) != parts["unet"].integer("cross_attention_dim", at):
        raise PatchbayError(Code.BAD_MODEL, at, f"{path}: the text encoder does not fit the UNet.", COMPLETE)


def _state(source: ModelSource) -> object:
    """What changes when a file of the model changes, comes or goes; None when one is gone."""
    folders = {source.path, source.config, *(part.folder for part in source.parts.values())}
    try:
        times = sorted(
            (str(path), path.stat().st_mtime_ns)
            for path in {*folders, index_file(source.config) or source.config / INDEX}
        )
        return times, stamp_of(source.parts)
    except OSError:
        return None


def stamp_of(parts: Mapping[str, Part]) -> tuple[tuple[str, int, int, int], ...]:
    """Path, size, time and inode of every file of the parts, in order."""
    files = sorted({path for part in parts.values() for path in (*part.settings, *part.weights)})
    states = ((str(path), path.stat()) for path in files)
    return tuple((path, state.st_size, state.st_mtime_ns, state.st_ino) for path, state in states)
