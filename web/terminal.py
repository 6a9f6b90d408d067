"""A run on the terminal: the events as a progress bar, problems as sentences, outputs as files and lines."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from engine import GraphError, PatchbayError
from engine.events import (
    NodeFailed,
    NodeFinished,
    NodeMessage,
    NodeProgress,
    NodeReused,
    NodeSkipped,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from engine.files import write_numbered
from web.pictures import kept, pictures_in
from web.text import stem_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.progress import TaskID

    from engine import Graph
    from engine.events import Event

stdout = Console(highlight=False, soft_wrap=True)
stderr = Console(stderr=True, highlight=False, soft_wrap=True)


class Bar:
    """Draws events: a line for each node that is done, a bar for each that runs. Goes to stderr."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            console=stderr,
            transient=True,
            disable=not stderr.is_terminal,
        )
        self._bars: dict[str, TaskID] = {}
        self.finished: list[str] = []
        self.at = ""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._progress.console.print(text)

    def __call__(self, event: Event) -> None:
        """Draw one event."""
        body = event.body
        match body:
            case RunStarted(nodes=nodes):
                self._begin(len(nodes))
            case NodeStarted(node=node):
                self._bars[node] = self._progress.add_task(escape(node), total=1)
            case NodeProgress(node=node, done=done, total=total):
                self.at = f"{node}, step {done}" + (f" of {total}" if total else "")
                self._step(node, done, total)
            case NodeMessage(node=node, text=text):
                self.say(f"[yellow]![/] {escape(node)}: {escape(text)}")
            case NodeFinished(node=node, seconds=seconds):
                self._end(node, f"[green]✓[/] {escape(node)} [dim]{seconds:.2f} s[/]")
            case NodeReused(node=node):
                self._end(node, f"[green]·[/] {escape(node)} [dim]reused[/]")
            case NodeFailed(node=node):
                self._end(node, f"[red]✗[/] {escape(node)}")
            case NodeSkipped(node=node, because=because):
                self._end(node, f"[dim]- {escape(node)} skipped: {escape(because)} failed[/]")
            case RunFinished():
                self._progress.stop()

    def _begin(self, count: int) -> None:
        for bar in self._bars.values():  # a run that a server starts again after a crash begins anew
            self._progress.remove_task(bar)
        self._bars = {"": self._progress.add_task("[bold]nodes", total=count)}

    def _step(self, node: str, done: int, total: int | None) -> None:
        bar = self._bars.get(node)
        if bar is not None:  # whoever begins to look at a run later has not seen the node start
            self._progress.update(bar, completed=done, total=total or None)

    def _end(self, node: str, line: str) -> None:
        bar = self._bars.pop(node, None)
        if bar is not None:
            self._progress.remove_task(bar)
        if "/" not in node and "" in self._bars:  # the nodes of a returned graph are not among those that were counted
            self._progress.advance(self._bars[""])
        self.finished.append(node)
        self.say(line)


class Lines:
    """`--json`: every event as one JSON object a line on stdout."""

    def __init__(self) -> None:
        self.finished: list[str] = []
        self.at = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Only events and the result go out."""

    def __call__(self, event: Event) -> None:
        """Print one event."""
        if isinstance(event.body, (NodeFinished, NodeReused)):
            self.finished.append(event.body.node)
        print_json(event.json())


def print_json(data: Mapping[str, Any]) -> None:
    """One JSON object as one line."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")


def print_error(error: PatchbayError) -> None:
    """Every problem with place, reason and fix, on stderr."""
    problems = error.problems if isinstance(error, GraphError) else (error.problem,)
    for problem in problems:
        place = f"[bold]{escape(problem.at)}[/]: " if problem.at else ""
        stderr.print(f"[red]error[/] [dim]{problem.code}[/] {place}{escape(problem.what)}")
        if problem.fix:
            stderr.print(f"      {escape(problem.fix)}")
    for name, text in getattr(error, "inputs", ()):
        stderr.print(f"      [dim]{escape(name)} = {escape(text)}[/]")


def save_outputs(outputs: Mapping[str, object], stem: str, folder: Path, graph: Graph) -> dict[str, object]:
    """Write the pictures and videos among the outputs as numbered files; other plain values are returned as they are.

    Each picture carries the graph, so that it can be run again. Raises `StoreError`.
    """
    found: dict[str, object] = {}
    text = graph.dumps()
    for name, value in outputs.items():
        label = stem if len(outputs) == 1 else f"{stem}-{stem_of(name)}"
        files = pictures_in(value)
        if files:
            found[name] = [str(write_numbered(folder / label, *kept(data, text))) for data in files]
        else:
            found[name] = value if _is_plain(value) else f"{type(value).__name__} (not a file; decode or save it)"
    return found


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float, bool, type(None))) or (
        isinstance(value, list) and all(map(_is_plain, value))
    )
