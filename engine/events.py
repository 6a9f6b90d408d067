"""What happens during a run: one frozen tagged union, numbered from 1 without gaps.

A body says what happened; the executor numbers it. The terminal's progress bar, `--json` and every later client read
the same stream.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from engine.errors import NodeError


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The plan was accepted. `nodes` are the ids that the wanted outputs need, in order."""

    tag: ClassVar[str] = "run_started"
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStarted:
    """A node's function was called."""

    tag: ClassVar[str] = "node_started"
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProgress:
    """`done` of `total` steps are done; `total` is None when nobody knows it."""

    tag: ClassVar[str] = "node_progress"
    node: str
    done: int
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePreview:
    """An unfinished result, to look at. Sent only when the run wants previews."""

    tag: ClassVar[str] = "node_preview"
    node: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMessage:
    """A sentence from a node to its user."""

    tag: ClassVar[str] = "node_message"
    node: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReused:
    """A node's result was in the cache."""

    tag: ClassVar[str] = "node_reused"
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFinished:
    """A node's function returned after `seconds`."""

    tag: ClassVar[str] = "node_finished"
    node: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFailed:
    """A node's function raised. What depends on it is skipped, nothing else."""

    tag: ClassVar[str] = "node_failed"
    node: str
    error: NodeError


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSkipped:
    """A node did not run because `because` failed."""

    tag: ClassVar[str] = "node_skipped"
    node: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The last event of every run. `state` is "done", "failed" or "cancelled"."""

    tag: ClassVar[str] = "run_finished"
    state: str
    seconds: float


Body = (
    RunStarted
    | NodeStarted
    | NodeProgress
    | NodePreview
    | NodeMessage
    | NodeReused
    | NodeFinished
    | NodeFailed
    | NodeSkipped
    | RunFinished
)


@dataclass(frozen=True, slots=True)
class Event:
    """A body with its number in the run."""

    sequence: int
    body: Body

    def json(self) -> dict[str, object]:
        """The event as plain data; a preview's value stays behind, for it is not JSON."""
        data: dict[str, object] = {"sequence": self.sequence, "event": self.body.tag}
        for item in fields(self.body):
            value = getattr(self.body, item.name)
            if isinstance(self.body, NodeFailed) and item.name == "error":
                value = self.body.error.fields()
            if not (isinstance(self.body, NodePreview) and item.name == "value"):
                data[item.name] = value
        return data
