"""What the commands of the terminal share: exit codes, refusals as sentences, and a graph with the flags it makes."""

from __future__ import annotations

import re
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.markup import escape
from rich.table import Table

from engine import Catalog, Graph, PatchbayError
from engine.picture import is_picture
from web.flags import flags_of, read_flags, read_sets
from web.terminal import print_error, print_json, stderr, stdout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from threading import Event

    from engine.executor import Outcome
    from web.config import Config
    from web.flags import Flag, Given
    from web.terminal import Bar, Lines

DONE, FAILED, WRONG = 0, 1, 2

GRAPH_FLAGS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Settings of a command whose flags come from the graph that it is given."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ServerOption = Annotated[
    Optional[str],  # noqa: UP045  # typer reads it
    typer.Option(
        "--server", metavar="URL", help='As `patchbay serve` prints it; "auto" is the one on this data folder.'
    ),
]
SetsOption = Annotated[list[str], typer.Option("--set", metavar="NODE.INPUT=VALUE", help="Set any input.")]
OnlyOption = Annotated[
    list[str], typer.Option("--only", metavar="NODE", help="Run up to this node; may be given for several.")
]
GraphHelpOption = Annotated[bool, typer.Option("--help", help="Show this message; after GRAPH, its flags too.")]


@dataclass(frozen=True)
class Opened:
    """A graph that was named on the command line, and the flags that its interface makes."""

    file: Path
    graph: Graph
    catalog: Catalog
    flags: dict[str, Flag]

    @classmethod
    def find(cls, name: str, config: Config) -> Opened:
        """Read the graph. Raises `GraphError`."""
        catalog = load_catalog(config)
        file = config.find_graph(name)
        graph = Graph.load(file)
        return cls(file, graph, catalog, flags_of(graph, catalog))

    @property
    def is_picture(self) -> bool:
        """Whether the graph came inside a picture, which is to be made again as it is."""
        with self.file.open("rb") as opened:
            return is_picture(opened.read(8))

    @property
    def label(self) -> str:
        """What files of its runs are called after; a picture's own number is no part of that."""
        stem = self.file.stem
        return re.sub(r"(?<=.)-\d{4,}$", "", stem) if self.file.suffix.lower() == ".png" else stem

    def read(self, arguments: Sequence[str], sets: Sequence[str]) -> Given:
        """The values that flags and `--set` give. Raises `GraphError` for those that mean nothing."""
        given = read_flags(arguments, self.flags, self.graph)
        read_sets(sets, self.graph, self.catalog, given)
        return given


def only_of(nodes: list[str]) -> str | list[str] | None:
    """The nodes that `--only` names, as a plan takes them: one of them by itself."""
    return nodes[0] if len(nodes) == 1 else nodes or None


def named(context: typer.Context, graph: str | None, *, wants_help: bool) -> str:
    """The graph that a command was given; without one the command's help is shown, and that is all."""
    if graph is None or graph.startswith("-"):
        stdout.print(context.get_help())
        if graph is not None:
            command = f"patchbay {context.info_name} GRAPH {graph}"
            stderr.print(f"[red]error[/] Name the graph first: {escape(command)} ...")
        raise typer.Exit(DONE if wants_help and graph is None else WRONG)
    return graph


@contextmanager
def refusals(*, as_json: bool = False) -> Iterator[None]:
    """Turn a refusal into its sentences and exit code 2."""
    try:
        yield
    except PatchbayError as error:
        if as_json:
            problems = error.fields().get("problems", [error.fields()])
            print_json({"event": "result", "state": "refused", "problems": problems})
        else:
            print_error(error)
        raise typer.Exit(WRONG) from error


@contextmanager
def stopping(cancel: Event, listener: Bar | Lines) -> Iterator[None]:
    """Ctrl-C stops the run at its next step; a second one ends the program at once."""

    def stop(_signal: int, _frame: Any) -> None:  # noqa: ANN401  # the signal module's own type
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        listener.say("Stopping at the next step; Ctrl-C again ends at once.")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def load_catalog(config: Config) -> Catalog:
    """Installed node types and the user's own; what failed to load is said and the rest goes on."""
    catalog = Catalog.load(config.node_folder)
    for problem in catalog.problems:
        stderr.print(f"[yellow]warning[/] {escape(str(problem))}")
    return catalog


def interface_values(graph: Graph) -> dict[str, object]:
    """The value that each interface input has in the graph, where it is written there."""
    found: dict[str, object] = {}
    for name, path in graph.document.interface.inputs.items():
        node_id, _, port = path.partition(".")
        found[name] = graph.document.nodes[node_id].inputs.get(port)
    return found


def print_outcome(outcome: Outcome, saved: dict[str, object], used: dict[str, object], listener: Bar | Lines) -> None:
    """The outputs with their paths, the seed, and what failed or was stopped."""
    for error in outcome.errors:
        print_error(error)
    for name, value in saved.items():
        for line in value if isinstance(value, list) else [value]:
            stdout.print(f"{escape(name)}: {escape(str(line))}")
    if "seed" in used and saved:
        stdout.print(f"seed: {used['seed']}")
    if outcome.state == "cancelled":
        where = f" at {listener.at}" if listener.at else ""
        kept = ", ".join(str(path) for value in saved.values() for path in (value if isinstance(value, list) else []))
        done = ", ".join(listener.finished) or "no node"
        stderr.print(f"Stopped{escape(where)}. Finished: {escape(done)}. Kept: {escape(kept or 'no file')}.")


def print_graph_help(opened: Opened, command: str) -> None:
    """Usage of a command with one graph: the graph's own flags first."""
    graph = opened.graph
    stdout.print(f"[bold]Usage:[/] patchbay {command} {escape(str(opened.file))} [--INPUT VALUE ...] [OPTIONS]\n")
    if graph.document.name or graph.document.description:
        stdout.print(escape(f"{graph.document.name}. {graph.document.description}\n"))
    table = Table(box=None, show_header=False, padding=(0, 2))
    for flag in opened.flags.values():
        table.add_row(f"[cyan]--{flag.name.replace('_', '-')}[/]", flag.metavar, escape(flag.help))
    stdout.print(table)
    outputs = ", ".join(graph.document.interface.outputs) or "none"
    stdout.print(f"\nOutputs: {escape(outputs)}\nOptions of every graph: patchbay {command} --help")
