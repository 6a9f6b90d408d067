"""The memory tier: results by key, bounded in bytes. What costs least per byte to compute again leaves first."""

from __future__ import annotations

import heapq
import sys
from dataclasses import dataclass, fields, is_dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTRY_BYTES = 1_000
"""What the bookkeeping of one entry takes, about: its keys, dicts and digests."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A node's outputs by port, the digest of each one's content (None: it has none), and what computing them took."""

    outputs: Mapping[str, object]
    digests: Mapping[str, str | None]
    seconds: float


class MemoryCache:
    """A bounded, thread-safe store of entries under one or more keys.

    Eviction is GreedyDual-Size (Cao and Irani, 1997): an entry's worth is the clock at its last use plus its cost in
    seconds per byte; the clock rises to the worth of what was evicted, so that old entries age.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._lock = Lock()
        self._slots: dict[str, _Slot] = {}
        self._heap: list[tuple[float, int, _Slot]] = []
        self._clock = 0.0
        self._ticket = 0
        self.nbytes = 0

    def get(self, key: str) -> Entry | None:
        """The entry under `key`, or None."""
        with self._lock:
            slot = self._slots.get(key)
            if slot is None:
                return None
            slot.worth = self._clock + slot.rate
            return slot.entry

    def put(self, entry: Entry, *keys: str) -> None:
        """Keep an entry under its keys, replacing what was there; does nothing when it is larger than the budget."""
        size = ENTRY_BYTES + sum(map(size_of, entry.outputs.values()))
        if size > self._budget:
            return
        rate = entry.seconds / size
        with self._lock:
            slot = _Slot(entry, size, rate, self._clock + rate, keys)
            for key in keys:
                self._forget(self._slots.get(key), key)
                self._slots[key] = slot
            self.nbytes += size
            self._push(slot)
            self._shrink()

    def alias(self, key: str, known: str) -> None:
        """Let `key` find what `known` finds."""
        with self._lock:
            slot = self._slots.get(known)
            if slot is not None and key not in self._slots:
                slot.keys += (key,)
                self._slots[key] = slot

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._slots.clear()
            self._heap.clear()
            self.nbytes = 0

    def __contains__(self, key: object) -> bool:
        """Whether there is an entry under `key`; asking is no use of it."""
        return key in self._slots

    def __len__(self) -> int:
        return len({id(slot) for slot in self._slots.values()})

    def _push(self, slot: _Slot) -> None:
        self._ticket += 1
        heapq.heappush(self._heap, (slot.worth, self._ticket, slot))

    def _shrink(self) -> None:
        while self.nbytes > self._budget:
            worth, _, slot = heapq.heappop(self._heap)
            if not slot.keys:
                continue
            if slot.worth > worth:  # it was used since it was put here
                self._push(slot)
                continue
            self._clock = worth
            for key in slot.keys:
                del self._slots[key]
            slot.keys = ()
            self.nbytes -= slot.size

    def _forget(self, slot: _Slot | None, key: str) -> None:
        if slot is None:
            return
        slot.keys = tuple(other for other in slot.keys if other != key)
        if not slot.keys:  # the heap still holds the slot; its values need not stay with it
            slot.entry = Entry({}, {}, 0.0)
            self.nbytes -= slot.size


@dataclass(slots=True)
class _Slot:
    entry: Entry
    size: int
    rate: float
    worth: float
    keys: tuple[str, ...]


def size_of(value: object) -> int:
    """Memory that a value holds, in bytes: its `nbytes`, or that of its items or fields, or the object's own."""
    nbytes = getattr(value, "nbytes", None)
    if isinstance(nbytes, int):
        return nbytes
    own = sys.getsizeof(value)
    if isinstance(value, dict):
        return own + sum(size_of(key) + size_of(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return own + sum(map(size_of, value))
    if is_dataclass(value) and not isinstance(value, type):
        return own + sum(size_of(getattr(value, item.name)) for item in fields(value))
    return own
