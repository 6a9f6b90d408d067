"""What a node may ask of the run it is part of: progress, messages, cancellation, settings and paths.

A node called as a plain function, outside a run, gets a silent default: `track` only iterates, `say` says nothing.
"""

from __future__ import annotations

import math
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, TypeVar

from engine.errors import Cancelled
from engine.events import NodeMessage, NodePreview, NodeProgress
from engine.paths import Paths
from engine.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from engine.events import Body
    from engine.graph import Graph

T = TypeVar("T")
R = TypeVar("R")


def _silent(_event: Body) -> None:
    """Outside a run nobody listens."""


class Pace:
    """Lets something happen once in `seconds`: making a preview may cost more than the step that it shows."""

    def __init__(self, seconds: float = 0.5) -> None:
        self._seconds = seconds
        self._last = -math.inf

    def is_due(self) -> bool:
        """Whether it may happen now; saying yes begins the next wait."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


@dataclass(frozen=True, slots=True)
class NodeContext:
    """One node's view of its run."""

    node: str = ""
    emit: Callable[[Body], None] = _silent
    cancel: Event = field(default_factory=Event)
    settings: Settings = field(default_factory=Settings)
    paths: Paths = field(default_factory=Paths)
    part: tuple[int, int] = (0, 1)
    """This call is number `part[0]` of `part[1]` when the node runs once for each item of a list."""
    graph: Graph | None = None
    """The graph of the whole run with the values that it was planned with, to be written into what the node saves."""
    pace: Pace = field(default_factory=Pace)
    """When the next preview may be made."""


_current: ContextVar[NodeContext] = ContextVar("patchbay_node")


def current() -> NodeContext:
    """The context of the node that is running here, or a silent default."""
    return _current.get(None) or NodeContext()


def call_within(context: NodeContext, function: Callable[..., R], arguments: Mapping[str, object]) -> R:
    """Call a function with `context` as the current one."""
    token = _current.set(context)
    try:
        return function(**arguments)
    finally:
        _current.reset(token)


def stop_if_cancelled() -> None:
    """Raise `Cancelled` when the user has stopped the run."""
    if current().cancel.is_set():
        raise Cancelled


def report(done: int, total: int | None = None, preview: Callable[[], object] | None = None) -> None:
    """Say that `done` of `total` steps are done; stop here if the run was cancelled.

    `preview` is called only when the run wants previews and the last one was a while ago, so it may be costly.
    """
    stop_if_cancelled()
    context = current()
    index, count = context.part
    if total is not None:
        done, total = done + index * total, total * count
    context.emit(NodeProgress(node=context.node, done=done, total=total))
    if preview is not None and context.settings.previews and context.pace.is_due():
        context.emit(NodePreview(node=context.node, value=preview()))


def track(items: Iterable[T], total: int | None = None) -> Iterator[T]:
    """Iterate and report progress: the point where a cancelled run stops."""
    if total is None and hasattr(items, "__len__"):
        sized: Collection[T] = items  # type: ignore[assignment]  # hasattr is the check
        total = len(sized)
    report(0, total)
    for done, item in enumerate(items, 1):
        yield item
        report(done, total)


def say(text: str) -> None:
    """Show a sentence on the node: something the user should know though nothing failed."""
    context = current()
    context.emit(NodeMessage(node=context.node, text=text))
