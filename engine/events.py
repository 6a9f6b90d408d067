"""What happens during a run: one frozen tagged union, numbered from 1 without gaps.

A body says what happened; the executor numbers it. The terminal's progress bar, `--json` and every later client read
the same stream.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from engine.errors import Code, NodeError

if TYPE_CHECKING:
    from collections.abc import Mapping


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


_BODIES: dict[str, Any] = {body.tag: body for body in get_args(Body)}


def read_event(data: Mapping[str, Any]) -> Event:
    """The event that `Event.json` wrote down; a preview comes without its value, and keys of others are passed over.

    Raises `ValueError` for an unknown tag and for a field that is missing.
    """
    kind = _BODIES.get(data.get("event", ""))
    if kind is None:
        message = f"There is no event {data.get('event')!r}."
        raise ValueError(message)
    try:
        return Event(data["sequence"], kind(**{item.name: _field(kind, item.name, data) for item in fields(kind)}))
    except KeyError as error:
        message = f"The event {kind.tag} has no {error}."
        raise ValueError(message) from error


def _field(kind: type, name: str, data: Mapping[str, Any]) -> object:
    if kind is NodePreview and name == "value":
        return None
    value = data[name]
    if kind is NodeFailed and name == "error":
        return read_node_error(value)
    return tuple(value) if kind is RunStarted else value


def read_node_error(data: Mapping[str, Any]) -> NodeError:
    """The error that `NodeError.fields` wrote down. Raises `ValueError` for a code that nobody knows."""
    inputs = data.get("inputs", {}).items()
    return NodeError(Code(data["code"]), data["at"], data["what"], data.get("fix", ""), inputs)
