"""Models that stay loaded between nodes and runs, within a budget of bytes for each device."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

import torch

from engine.context import current
from nodes.diffusion.changes.levers import brought
from nodes.diffusion.changes.tuning import STORAGE_BYTES, TunePatch
from nodes.diffusion.disk.quantising import NONE
from nodes.diffusion.disk.source import ModelSource
from nodes.diffusion.memory.patching import patched
from nodes.diffusion.weights.device import pick_budget, pick_device, pick_dtype
from nodes.diffusion.weights.loading import load_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodes.diffusion.disk.nets import NetSource

_Key = tuple["ModelSource | NetSource", str, torch.device, torch.dtype]


@dataclass(eq=False)
class _Entry:
    """One part of one model: `nbytes` as planned before it is loaded, `users` now inside `use`."""

    nbytes: int
    used: int
    users: int = 0
    module: Any = None
    loading: Lock = field(default_factory=Lock)
    turn: RLock = field(default_factory=RLock)


class ModelShelf:
    """Parts of models, loaded on first use and shared by every node and thread.

    The least recently used part that nobody is using leaves first when a new one would not fit the budget. Parts in
    use never leave, so two large models used at once may exceed it. A patched part holds the weights of the plain one,
    which stays while it is used; when the plain one leaves, its patched ones leave too. Where a patch holds weights in
    another way, the part is loaded for itself and has nothing to do with the plain one.
    """

    def __init__(self) -> None:
        self._entries: dict[_Key, _Entry] = {}
        self._lock = Lock()
        self._clock = count()

    @contextmanager
    def use(self, source: ModelSource | NetSource, name: str, *, alone: bool = False) -> Iterator[Any]:
        """The part `name` of `source` on the run's device and in its precision, held for the block.

        Threads share a module unless they ask for it `alone`: a tokenizer changes itself while it works. With patches
        it is a part of its own, made from the plain one and shared in the same way, unless one of them keeps something
        of a run in it: then runs take turns.
        """
        settings = current().settings
        device = pick_device(settings)
        source = source.about(name)
        key = (source, name, device, pick_dtype(settings, device))
        with ExitStack() as held:
            shared = _base(source)
            base = None if shared is None else held.enter_context(self.use(shared, name, alone=alone))
            entry = self._take(key, pick_budget(settings, device))
            held.callback(self._give_back, key, entry)
            self._fill(key, entry, base)
            if alone or any(patch.alone for patch in source.patches):
                held.enter_context(entry.turn)
            yield entry.module

    def nbytes(self, device: torch.device) -> int:
        """Bytes of the parts kept on `device`."""
        with self._lock:
            return self._held(device)

    def clear(self) -> None:
        """Forget every part that nobody is using."""
        with self._lock:
            for key in [key for key, entry in self._entries.items() if not entry.users]:
                if key in self._entries:
                    self._drop(key)

    def _take(self, key: _Key, budget: int) -> _Entry:
        with self._lock:
            if key not in self._entries:
                needed = _planned(key)
                self._make_room(key[2], budget - needed)
                self._entries[key] = _Entry(needed, next(self._clock))
            entry = self._entries[key]
            entry.users += 1
            entry.used = next(self._clock)
            return entry

    def _fill(self, key: _Key, entry: _Entry, base: Any) -> None:  # noqa: ANN401
        """Load the part or patch `base`, once: other threads wait. After a failure the next one tries again."""
        with entry.loading:
            if entry.module is None:
                source, name = key[:2]
                device = torch.device("cpu") if _offload(source) else key[2]
                module = load_part(source.plain, name, device, key[3]) if base is None else base
                if isinstance(source, ModelSource) and source.patches:
                    module = patched(module, source, name)
                entry.module = module

    def _give_back(self, key: _Key, entry: _Entry) -> None:
        with self._lock:
            entry.users -= 1
            if entry.module is None and not entry.users and self._entries.get(key) is entry:
                del self._entries[key]

    def _held(self, device: torch.device) -> int:
        return sum(entry.nbytes for (_, _, place, _), entry in self._entries.items() if place == device)

    def _make_room(self, device: torch.device, allowed: int) -> None:
        """Drop idle parts on `device`, the longest unused first, until at most `allowed` bytes are held."""
        idle = [key for key, entry in self._entries.items() if key[2] == device and entry.nbytes and not entry.users]
        for key in sorted(idle, key=lambda key: self._entries[key].used):
            if self._held(device) <= allowed:
                return
            if key in self._entries:
                self._drop(key)

    def _drop(self, key: _Key) -> None:
        """Forget an idle part, and what was made from it by patches: that is idle as well."""
        for other in [other for other in self._entries if key in (other, (_base(other[0]), *other[1:]))]:
            self._entries.pop(other).module = None
        if key[2].type == "cuda":
            torch.cuda.empty_cache()


def _base(source: ModelSource | NetSource) -> ModelSource | NetSource | None:
    """The source whose part holds the weights of this one's; None for one that is loaded for itself."""
    owns = not source.patches or any(patch.owns_weights for patch in source.patches)
    return None if owns else source.plain


def _planned(key: _Key) -> int:
    """The bytes that a part is going to hold by itself."""
    source, name, _, dtype = key
    adds = sum(patch.numbers for patch in source.patches) * dtype.itemsize
    if _base(source) is not None:
        return adds
    if how := _offload(source):
        return adds + brought(source.parts[name], how) * dtype.itemsize
    is_stored = any(isinstance(patch, TunePatch) and patch.storage for patch in source.patches)
    is_small = is_stored or (isinstance(source, ModelSource) and source.quantize != NONE)
    return adds + source.parts[name].nbytes(STORAGE_BYTES if is_small else dtype.itemsize)


def _offload(source: ModelSource | NetSource) -> str:
    """What of a part is brought to the device one by one; empty where all of it stays there."""
    return next((patch.offload for patch in source.patches if isinstance(patch, TunePatch)), "")


SHELF = ModelShelf()
"""The shelf of this process."""
