"""Everything a graph needs to run, put together: catalogue, cache, executor, roots and settings."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from engine.cache import MemoryCache
from engine.catalog import Catalog
from engine.errors import Cancelled
from engine.executor import Executor
from engine.paths import Paths
from engine.plan import plan
from engine.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from threading import Event

    from engine.executor import Listener
    from engine.graph import Graph

HOME_VARIABLE = "PATCHBAY_HOME"


class Runtime:
    """Runs graphs from Python. Results stay in its cache between calls, models on their shelf."""

    _default: Runtime | None = None
    _lock = Lock()

    def __init__(self, catalog: Catalog, paths: Paths | None = None, settings: Settings | None = None) -> None:
        self.catalog = catalog
        self.paths = paths or Paths()
        self.settings = settings or Settings()
        self.executor = Executor(catalog, MemoryCache(self.settings.cache_budget))

    @classmethod
    def default(cls) -> Runtime:
        """The one that `graph(...)` uses: installed node types, and the folders of PATCHBAY_HOME where that is set.

        Without it a graph reads beside its own file, and nothing is written unless `outputs` is given.
        """
        with cls._lock:
            if cls._default is None:
                home = os.environ.get(HOME_VARIABLE)
                paths = home_paths(Path(home)) if home else Paths()
                cls._default = cls(Catalog.load(Path(home) / "nodes" if home else None), paths)
            return cls._default

    def call(
        self,
        graph: Graph,
        inputs: Mapping[str, object],
        *,
        on_event: Listener | None = None,
        cancel: Event | None = None,
    ) -> object:
        """Run a graph with interface inputs; its one output, or a dict of them.

        A `Path` among the inputs may lie anywhere: the caller names it in person. Raises `GraphError`, `NodeError` for
        the first node that failed, and `Cancelled`.
        """
        granted = [value for value in inputs.values() if isinstance(value, Path)]
        given = {name: str(value.resolve()) if isinstance(value, Path) else value for name, value in inputs.items()}
        wanted = plan(graph, self.catalog, self.paths.granting(*granted), self.settings, given=given)
        outcome = self.executor.run(wanted, on_event, cancel)
        if outcome.errors:
            raise outcome.errors[0]
        if outcome.state == "cancelled":
            raise Cancelled
        return next(iter(outcome.outputs.values())) if len(outcome.outputs) == 1 else outcome.outputs

    def writing_to(self, outputs: Path) -> Runtime:
        """The same runtime, cache included, whose graphs may write to a folder."""
        other = object.__new__(Runtime)
        other.__dict__.update(self.__dict__)
        other.paths = replace(self.paths, outputs=outputs)
        return other


def home_paths(home: Path) -> Paths:
    """The roots inside a data folder."""
    return Paths(
        inputs=(home / "inputs",), models=(home / "models",), graphs=(home / "graphs",), outputs=home / "outputs"
    )
