"""What the queue knows of a run, as it is stored and as clients see it."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

State = Literal["queued", "running", "done", "failed", "cancelled"]
LIVE: tuple[State, ...] = ("queued", "running")
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")

Priority = Annotated[int, Field(ge=-1000, le=1000, description="Higher goes first.")]
RunId = Annotated[str, Field(pattern=r"^[0-9]{1,15}$", description="A run's number, as text.")]
Seconds = Annotated[float, Field(description="Unix time in seconds.")]


class Stored(BaseModel):
    """Base of everything that is kept: frozen, and nothing in it that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Artifact(Stored):
    """A file that a run made for people."""

    digest: Annotated[str, Field(description="The sha256 of its content.")]
    file: Annotated[str, Field(description="Its name in the run's folder.")]
    media_type: str
    bytes: int
    width: int | None = None
    height: int | None = None


class Fault(Stored):
    """Why a run failed: the fields of a `PatchbayError`, and what the node was given."""

    code: str
    at: str
    what: str
    fix: str = ""
    inputs: dict[str, str] = {}


class Run(Stored):
    """One execution of a graph, queued, under way or over."""

    id: RunId
    number: int
    name: Annotated[str, Field(description="What its files are called after.")]
    state: State
    priority: Priority = 0
    place: Annotated[float, Field(description="Its place among runs of its priority; lower goes first.")]
    attempt: Annotated[int, Field(description="How often it was started; only the newest attempt may end it.")] = 0
    tries: Annotated[int, Field(description="Attempts since it was last queued by a person.")] = 0
    cancelling: bool = False
    created: Seconds
    started: Seconds | None = None
    finished: Seconds | None = None
    inputs: Annotated[dict[str, JsonValue], Field(description="The interface inputs that were given.")] = {}
    wanted: Annotated[list[str] | None, Field(description="The interface outputs that are wanted; all by default.")] = (
        None
    )
    only: Annotated[str | list[str] | None, Field(description="Run up to this node, or to each of these.")] = None
    drawn: Annotated[
        dict[str, int],
        Field(description="By `node.input`: the values that were drawn for this run; its graph has them."),
    ] = {}
    document: Annotated[str, Field(description="The sha256 of the graph's text, values included.")]
    base: Annotated[str | None, Field(description="The folder that relative paths start from.")] = None
    affinity: Annotated[str, Field(description="The models that it loads; equal ones run together.")] = ""
    overtaken: Annotated[Seconds | None, Field(description="When a run behind it first went ahead.")] = None
    outputs: Annotated[
        dict[str, JsonValue], Field(description="By name: a plain value, or the list of artifacts that it became.")
    ] = {}
    files: Annotated[list[Artifact], Field(description="Every file it made.")] = []
    error: Fault | None = None
    folder: Annotated[str | None, Field(description="Where its files are.")] = None

    def to(self, **changes: Any) -> Run:  # noqa: ANN401  # the fields' own types
        """The same run with other fields."""
        return self.model_copy(update=changes)


def digest_of(text: str) -> str:
    """What a row's text must match when it is read back; SQLite itself does not notice a flipped bit."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
