"""Repositories of the Hugging Face hub: found in its local cache, or fetched into it.

Of a repository only configurations, words and one variant of the safetensors weights are fetched: no pickle, no code.
huggingface_hub is imported only when something is looked up.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.headers import PICKLES
from nodes.diffusion.disk.index import INDEX, MODULAR_INDEX, class_of, family_of
from nodes.diffusion.disk.parts import choose_weights, read_json
from nodes.diffusion.families.family import UNUSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from engine.choices import Progress

LONE = "config.json"
"""Configures a repository of a single part."""

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

_BYTES = "huggingface_hub.snapshot_download"
"""What huggingface_hub calls the bar that counts the bytes of a repository's files."""


def is_id(name: str) -> bool:
    """Whether `name` could be a repository's: "owner/name"."""
    return _ID.fullmatch(name) is not None and not name.endswith(".safetensors")


def cached(name: str, at: str, file: str = INDEX) -> Path:
    """The folder of the repository `name`, which has `file`, in the local cache.

    Raises `file_not_found` at `at`; asks nobody.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        # asked for everything, the hub's library calls a folder that was fetched in part incomplete
        return Path(snapshot_download(name, local_files_only=True, allow_patterns=file))
    except LocalEntryNotFoundError as error:
        what = f'"{name}" is neither a file here nor in the local cache of the Hugging Face hub.'
        fix = f"If it is a repository on the hub, fetch it with `patchbay models pull {name}` or run with --download."
        raise PatchbayError(Code.FILE_NOT_FOUND, at, what, fix) from error
    except (OSError, ValueError) as error:
        what = f'"{name}" cannot be read from the local cache of the Hugging Face hub: {error}.'
        raise PatchbayError(Code.FILE_NOT_FOUND, at, what, "Check the name and the cache.") from error


def fetch(
    name: str,
    at: str,
    progress: Progress | None = None,
    *,
    lone: Callable[[Iterable[str]], list[str]] | None = None,
    whole: frozenset[str] | None = None,
) -> Path:
    """Fetch what a survey needs of the repository `name` and give its folder in the local cache.

    The index goes first: what could not be used is refused before its weights are fetched. A repository of a single
    part has no index; `lone` chooses among the names of its files. With `whole` the class may be any, and the parts
    named there are left. Raises `PatchbayError`: `file_not_found` for a repository that is not there or cannot be
    reached, and those of a survey.
    """
    if not is_id(name):
        what, fix = f'"{name}" is no repository on the hub.', "Give an id: owner/name."
        raise PatchbayError(Code.FILE_NOT_FOUND, at, what, fix)
    from huggingface_hub import hf_hub_download, model_info, snapshot_download

    with _explained(name, at):
        # goes first because, of all questions, this one is not asked again for half a minute when nobody answers
        names = [file.rfilename for file in model_info(name).siblings or ()]
        if lone is not None:
            return Path(snapshot_download(name, allow_patterns=lone(names)))
        file = MODULAR_INDEX if MODULAR_INDEX in names and INDEX not in names else INDEX
        index = read_json(Path(hf_hub_download(name, file)), at)
        if whole is None:
            unused = family_of(name, index, at).unused
        else:
            class_of(name, index, at)
            unused = whole
        _refuse_pickles(name, _parts(names, index, unused), at)
        bar = None if progress is None else _bar(progress)
        return Path(snapshot_download(name, allow_patterns=wanted_files(names, index, unused), tqdm_class=bar))


def wanted_files(names: Iterable[str], index: Mapping[str, object], unused: frozenset[str] = UNUSED) -> list[str]:
    """Of a repository's files, those that a survey needs: configurations, words, one variant of the weights.

    `index` is what its index says; nothing of the `unused` parts is wanted.
    """
    names = list(names)
    wanted = [name for name in names if name in {INDEX, MODULAR_INDEX}]
    for part, inside in _parts(names, index, unused).items():
        wanted += [f"{part}/{name}" for name in inside if Path(name).suffix in {".json", ".txt", ".model"}]
        for stem in ("diffusion_pytorch_model", "model"):
            files = weight_patterns(inside, stem)
            wanted += [f"{part}/{name}" for name in files if not name.endswith(".json")]  # configurations are there
    return wanted


def weight_patterns(names: Iterable[str], stem: str) -> list[str]:
    """Of the names of a folder's files, those of one variant of its weights; the index of shards among them."""
    chosen = choose_weights(names, stem)
    if chosen is None:
        return []
    variant, file = chosen
    return [file, *(_shards(stem, variant) if file.endswith(".json") else [])]


def _shards(stem: str, variant: str | None) -> list[str]:
    """Patterns of the shards of one variant, whose name stands before or after their number."""
    number = "-?????-of-?????"
    if variant is None:
        return [f"{stem}{number}.safetensors"]
    return [f"{stem}.{variant}{number}.safetensors", f"{stem}{number}.{variant}.safetensors"]


def _parts(names: Iterable[str], index: Mapping[str, object], unused: frozenset[str]) -> dict[str, list[str]]:
    """The parts that the index names, and the files in the folder of each."""
    names = list(names)
    parts = sorted(name for name, entry in index.items() if isinstance(entry, list) and name not in unused)
    return {part: [name.removeprefix(f"{part}/") for name in names if name.startswith(f"{part}/")] for part in parts}


def _refuse_pickles(repository: str, parts: Mapping[str, list[str]], at: str) -> None:
    """Raise `pickled_model` where a part's weights are there as pickles only."""
    for part, inside in parts.items():
        suffixes = {Path(name).suffix.lower() for name in inside}
        if suffixes & PICKLES and ".safetensors" not in suffixes:
            what = (
                f'"{repository}" has the weights of its {part} as pickles only, and opening a pickle can run any code.'
            )
            raise PatchbayError(Code.PICKLED_MODEL, at, what, "Look for a repository with .safetensors files.")


def _bar(progress: Progress) -> Any:  # noqa: ANN401  # tqdm is not typed
    """The class of a bar that draws nothing and tells `progress` of the bytes."""
    from huggingface_hub.utils.tqdm import tqdm

    class Told(tqdm):
        def __init__(self, *args: Any, name: str | None = None, **more: Any) -> None:  # noqa: ANN401
            self._counts = name == _BYTES
            super().__init__(*args, name=name, **{**more, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if self._counts:
                progress(int(self.n), int(self.total or 0))

    return Told


@contextmanager
def _explained(name: str, at: str) -> Iterator[None]:
    """Turn what the hub's library raises into a `PatchbayError`."""
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is that of the library it speaks with
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    code = Code.FILE_NOT_FOUND
    try:
        yield
    except GatedRepoError as error:
        what = f'"{name}" is open only to those who have accepted its terms.'
        fix = f"Accept them at https://huggingface.co/{name}, then log in: hf auth login."
        raise PatchbayError(code, at, what, fix) from error
    except RepositoryNotFoundError as error:
        what, fix = (
            f'The Hugging Face hub has no "{name}", or it is private.',
            "Check the name, or log in: hf auth login.",
        )
        raise PatchbayError(code, at, what, fix) from error
    except (OfflineModeIsEnabled, LocalEntryNotFoundError) as error:
        raise _unreachable(name, at, error) from error
    except EntryNotFoundError as error:
        what = f'"{name}" has no {INDEX}, so it is no model in Diffusers\' format.'
        raise PatchbayError(Code.BAD_MODEL, at, what, "Look for its version in Diffusers' format.") from error
    except HfHubHTTPError as error:
        what = f'"{name}" could not be fetched from the Hugging Face hub: {_first_line(error)}'
        raise PatchbayError(code, at, what, "Try again later.") from error
    except HTTPError as error:
        raise _unreachable(name, at, error) from error
    except (OSError, ValueError) as error:
        what = f'"{name}" could not be fetched from the Hugging Face hub: {_first_line(error)}'
        raise PatchbayError(code, at, what, "Check the name and the space on the disk.") from error


def _unreachable(name: str, at: str, error: Exception) -> PatchbayError:
    cause = error.__cause__ or error
    what = f'"{name}" could not be fetched: the Hugging Face hub cannot be reached ({_first_line(cause)})'
    return PatchbayError(Code.FILE_NOT_FOUND, at, f"{what}.", "Check the connection, HF_ENDPOINT and HF_HUB_OFFLINE.")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
