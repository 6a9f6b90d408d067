"""What server and worker both know of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at a run, as the server hands it over."""

    id: str
    attempt: int
    name: str
    document: str
    folder: str
    base: str | None = None
    wanted: list[str] | None = None
    only: str | list[str] | None = None
    previews: bool = False
    drawn: list[str] | None = None
    """For a forecast: nodes whose seed will be drawn only when the run is taken in."""
