"""What goes over the stream of events, as clients get it: changes of the queue, and what the worker tells of a run.

Over the WebSocket a message is its JSON; a preview is binary: two lengths (big-endian, 4 bytes each), then the JSON and
a JPEG. Other clients get no previews.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel

from web.server.record import Fault, RunId, Seconds, State


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sequence: Annotated[int, Field(description="Grows for ever; `?after=` takes it.")]


class QueueNotice(_Told):
    """Something that happened to the queue itself."""

    event: Literal["queue_paused", "queue_resumed", "server_started"]
    run: None
    at: Seconds


class _RunNotice(_Told):
    run: RunId
    at: Seconds
    state: State
    attempt: int
    priority: int
    name: str


class RunChanged(_RunNotice):
    """A run is queued (again, and `because` says why), moved, about to be cancelled, or has been started."""

    event: Literal["run_queued", "run_moved", "run_cancelling", "run_started"]
    because: str | None = None


class RunEnded(_RunNotice):
    """A run is over: done, failed or cancelled."""

    event: Literal["run_finished"]
    outputs: dict[str, JsonValue]
    error: Fault | None


class _OfRun(_Told):
    run: RunId


class PlanStarted(_OfRun):
    """The worker begins. `nodes` are the ids that the wanted outputs need, in order."""

    event: Literal["plan_started"]
    nodes: list[str]


class NodeTold(_OfRun):
    """A node was started, its result was in the cache, or (with a picture) it shows what it has so far."""

    event: Literal["node_started", "node_reused", "node_preview"]
    node: str


class NodeProgressed(_OfRun):
    """`done` of `total` steps are done; `total` is null when nobody knows it."""

    event: Literal["node_progress"]
    node: str
    done: int
    total: int | None


class NodeSaid(_OfRun):
    """A sentence from a node to its user."""

    event: Literal["node_message"]
    node: str
    text: str


class NodeEnded(_OfRun):
    """A node's function returned after `seconds`."""

    event: Literal["node_finished"]
    node: str
    seconds: float


class NodeBroke(_OfRun):
    """A node's function raised. What depends on it is skipped, nothing else."""

    event: Literal["node_failed"]
    node: str
    error: Fault


class NodeLeftOut(_OfRun):
    """A node did not run because `because` failed."""

    event: Literal["node_skipped"]
    node: str
    because: str


Told = Annotated[
    QueueNotice
    | RunChanged
    | RunEnded
    | PlanStarted
    | NodeTold
    | NodeProgressed
    | NodeSaid
    | NodeEnded
    | NodeBroke
    | NodeLeftOut,
    Field(discriminator="event"),
]


class StreamEvent(RootModel[Told]):
    """One message of the stream: `event` says which."""
