"""What happens, told to everyone who listens: one numbered stream, replayed to a client that reconnects.

What changes a run is stored with the change itself, as notice number n, and goes out under n * 2**20. What only shows
progress is not stored; it goes out under the numbers in between. So numbers grow for ever, also over restarts (each
start stores a notice of its own), and "everything after N" has one meaning.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from web.text import dumps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from web.server.queue import Notice

STEP = 1 << 20
"""Numbers between two notices. A JavaScript number holds 2**33 notices of that step."""

KEPT = 4096
"""How many messages are kept for clients that reconnect."""

BEHIND = 2 * KEPT
"""How many messages a client may be behind before it is cut off."""


@dataclass(frozen=True, slots=True)
class Message:
    """One event, as JSON text; a preview has its picture's bytes too."""

    sequence: int
    run: str | None
    text: bytes
    preview: bytes | None = None


class Subscription:
    """One client's messages, in order. `lost` says that it was too slow and must connect again."""

    def __init__(self, run: str | None) -> None:
        self._run = run
        self._queue: deque[Message] = deque()
        self._fresh = asyncio.Event()
        self.lost = False

    def offer(self, message: Message) -> None:
        """Queue a message for the client. A preview is left out when the client is behind."""
        if self._run is not None and message.run not in (self._run, None):
            return
        if message.preview is not None and len(self._queue) > BEHIND // 8:
            return
        if len(self._queue) >= BEHIND:
            self.cut()
        else:
            self._queue.append(message)
            self._fresh.set()

    def cut(self) -> None:
        """End it; the client may connect again with the number that it saw last."""
        self.lost = True
        self._fresh.set()

    async def next(self, patience: float) -> Message | None:
        """The next message, or None after `patience` seconds without one or when the client was lost."""
        if not self._queue and not self.lost:
            self._fresh.clear()
            try:
                async with asyncio.timeout(patience):
                    await self._fresh.wait()
            except TimeoutError:
                return None
        return self._queue.popleft() if self._queue else None


class Hub:
    """The stream and its listeners. Belongs to the event loop."""

    def __init__(self) -> None:
        self._sequence = 0
        self._kept: deque[Message] = deque(maxlen=KEPT)
        self._oldest = 0
        self._listeners: set[Subscription] = set()
        self._closed = False

    def begin(self, last: int) -> None:
        """Go on after the newest notice that was stored before this start."""
        self._sequence = self._oldest = last * STEP

    def close(self) -> None:
        """Cut every listener off: the server stops."""
        self._closed = True
        for listener in self._listeners:
            listener.cut()

    @property
    def sequence(self) -> int:
        """The newest number that was given."""
        return self._sequence

    @property
    def listeners(self) -> int:
        """How many clients listen."""
        return len(self._listeners)

    def tell_stored(self, notices: Iterable[Notice]) -> None:
        """Send what was committed."""
        for notice in notices:
            self._sequence = notice.id * STEP
            self._send(message_of(notice))

    def tell(self, run: str, body: dict[str, Any], preview: bytes | None = None) -> None:
        """Send what is not stored. After 2**20 of them without a notice the rest is dropped."""
        if self._sequence % STEP == STEP - 1:
            return
        self._sequence += 1
        text = dumps({"sequence": self._sequence, "run": run, **body})
        self._send(Message(self._sequence, run, text, preview))

    def subscribe(self, after: int | None = None, run: str | None = None) -> tuple[Subscription, int]:
        """A listener that begins with what is kept after number `after` (None: with what comes now).

        Also gives the number up to which older events have to be looked up among the stored notices.
        """
        listener = Subscription(run)
        if self._closed:
            listener.cut()
        start = self._sequence if after is None else after
        for message in self._kept:
            if message.sequence > start:
                listener.offer(message)
        self._listeners.add(listener)
        return listener, self._oldest

    def unsubscribe(self, listener: Subscription) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)

    def _send(self, message: Message) -> None:
        if message.preview is None:
            if len(self._kept) == KEPT:
                self._oldest = self._kept[0].sequence
            self._kept.append(message)
        for listener in self._listeners:
            listener.offer(message)


def message_of(notice: Notice) -> Message:
    """A stored notice as it goes out."""
    sequence = notice.id * STEP
    return Message(sequence, notice.run, dumps({"sequence": sequence, "run": notice.run, **notice.body}))
