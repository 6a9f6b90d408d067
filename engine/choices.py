"""What an input that names something outside the graph could name, for lists to choose from."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # a dataclass's annotations may be read at run time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pydantic import JsonValue

    from engine.paths import Paths
    from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be named. `name` is what the graph holds; `kind` is empty where there is none, or none known.

    `detail` says more, in the resource's own words; under `problem` it has the fields of the `PatchbayError` that
    choosing this would give.
    """

    name: str
    kind: str = ""
    detail: Mapping[str, JsonValue] = field(default_factory=dict)


@runtime_checkable
class Choosable(Protocol):
    """What a `Resource` may do besides: list what could be named. A resource without it takes names only."""

    def choices(self, paths: Paths, settings: Settings) -> list[Choice]:
        """Everything that `resolve` would find under the roots, and what is broken there with its problem.

        Reads no more than headers and configurations, but may take a while; it does not raise for a broken file.
        """
        ...
