"""The command line: the composition root. Answers `check`, `nodes` and `--help` without importing torch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.markup import escape
from rich.table import Table

from engine import Code, Graph, PatchbayError, plan
from engine.cache import MemoryCache
from engine.catalog import describe
from engine.errors import nearest
from engine.executor import Executor
from engine.picture import is_picture
from engine.schema import document_schema
from engine.settings import Device, Dtype  # noqa: TC001  # typer reads annotations at run time
from web.cli_editor import commands as editor_commands
from web.cli_models import commands as model_commands
from web.cli_server import commands as server_commands
from web.config import Config
from web.doctor import examine
from web.flags import port_help
from web.shell import (
    DONE,
    FAILED,
    GRAPH_FLAGS,
    WRONG,
    GraphHelpOption,
    JsonOption,
    OnlyOption,
    Opened,
    ServerOption,
    SetsOption,
    interface_values,
    load_catalog,
    named,
    only_of,
    print_graph_help,
    print_outcome,
    refusals,
    stopping,
)
from web.terminal import Bar, Lines, print_error, print_json, save_outputs, stderr, stdout

if TYPE_CHECKING:
    from engine.catalog import AnyNodeType
    from engine.executor import Outcome
    from engine.node import Input

app = typer.Typer(
    name="patchbay",
    help="A typed node-graph engine for diffusion models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(server_commands)
app.add_typer(editor_commands)
app.add_typer(model_commands)


@app.command(context_settings=GRAPH_FLAGS, options_metavar="[--INPUT VALUE ...] [OPTIONS]")
def run(  # one parameter a flag
    context: typer.Context,
    graph: Annotated[Optional[str], typer.Argument(metavar="GRAPH")] = None,  # noqa: UP045  # typer reads it
    out: Annotated[Optional[Path], typer.Option("-o", "--out", help="Folder for pictures.")] = None,  # noqa: UP045
    sets: SetsOption = [],  # noqa: B006  # typer copies it
    only: OnlyOption = [],  # noqa: B006  # typer copies it
    device: Annotated[Optional[Device], typer.Option(help="Where models run.")] = None,  # noqa: UP045
    dtype: Annotated[Optional[Dtype], typer.Option(help="Precision of models.")] = None,  # noqa: UP045
    download: Annotated[bool, typer.Option("--download", help="Let the graph fetch models.")] = False,
    server: ServerOption = None,
    as_json: JsonOption = False,
    wants_help: GraphHelpOption = False,
) -> None:
    """Run a graph. Its interface makes flags of its own: `patchbay run GRAPH --help` lists them."""
    name = named(context, graph, wants_help=wants_help)
    with refusals(as_json=as_json):
        config = Config.load()
        opened = Opened.find(name, config)
        if wants_help:
            print_graph_help(opened, "run")
            return
        given = opened.read(context.args, sets)
        folder = out.absolute() if out is not None else config.home / "outputs"
        if server is not None:
            refuse_local_choices(device, dtype, download=download)
            from web.remote import Request, run_there  # noqa: PLC0415  # runs on this machine do without

            request = Request(opened, given, only=only_of(only))
            raise typer.Exit(run_there(request, config, server, folder, as_json=as_json))
        paths = config.paths(out).granting(*given.files)
        settings = config.settings(device, dtype, downloads=download)
        wanted = plan(opened.graph.with_values(given.values), opened.catalog, paths, settings, only=only_of(only))
    executor = Executor(opened.catalog, MemoryCache(settings.cache_budget))
    cancel = Event()
    with Lines() if as_json else Bar() as listener, stopping(cancel, listener):
        outcome = executor.run(wanted, listener, cancel)
    executor.close()
    raise typer.Exit(finish(outcome, wanted.graph, opened.label, folder, listener, as_json=as_json))


def refuse_local_choices(device: str | None, dtype: str | None, *, download: bool) -> None:
    """Raise `PatchbayError` for what only a run on this machine can be told."""
    for flag, value in (("--device", device), ("--dtype", dtype), ("--download", download)):
        if value:
            what = "A server runs graphs as it was configured."
            raise PatchbayError(Code.BAD_VALUE, flag, what, f"Leave out {flag}, or --server.")


def finish(  # all that the last lines speak of
    outcome: Outcome, graph: Graph, stem: str, folder: Path, listener: Bar | Lines, *, as_json: bool
) -> int:
    """Save what was reached, say what happened, and give the exit code."""
    try:
        saved = save_outputs(outcome.outputs, stem, folder, graph)
    except PatchbayError as error:
        print_error(error)
        return FAILED
    used = {name: value for name, value in interface_values(graph).items() if value is not None}
    if as_json:
        errors = [error.fields() for error in outcome.errors]
        print_json({"event": "result", "state": outcome.state, "outputs": saved, "inputs": used, "errors": errors})
    else:
        print_outcome(outcome, saved, used, listener)
    return DONE if outcome.state == "done" else FAILED


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="GRAPH...", help="Graph files or names.")],
    as_json: JsonOption = False,
) -> None:
    """Check graphs and list every problem; nothing runs."""
    with refusals():
        config, code = Config.load(), DONE
        catalog = load_catalog(config)
    for name in files:
        file = config.find_graph(name)
        try:
            graph = Graph.load(file)
            plan(graph, catalog, config.paths(), config.settings())
        except PatchbayError as error:
            code = WRONG
            if as_json:
                print_json({"graph": str(file), "ok": False, **error.fields()})
            else:
                stderr.print(f"{escape(str(file))}:")
                print_error(error)
            continue
        if as_json:
            print_json({"graph": str(file), "ok": True, "nodes": len(graph.document.nodes)})
        else:
            stdout.print(f"[green]ok[/] {escape(str(file))} ({len(graph.document.nodes)} nodes)")
    raise typer.Exit(code)


@app.command("nodes")
def list_nodes(
    type_id: Annotated[Optional[str], typer.Argument(metavar="TYPE", help="One node type in full.")] = None,  # noqa: UP045
    as_json: JsonOption = False,
) -> None:
    """Show the catalogue: every node type, or one with its ports."""
    with refusals():
        catalog = load_catalog(Config.load())
        if type_id is not None and type_id not in catalog.types:
            fix = nearest(type_id, catalog.types)
            raise PatchbayError(Code.UNKNOWN_TYPE, type_id, "There is no such node type.", fix)
    if as_json:
        found = describe(catalog.types[type_id]) if type_id else catalog.describe()
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    elif type_id is not None:
        print_type(catalog.types[type_id])
    else:
        table = Table("type", "category", "what it does", box=None, header_style="bold")
        for found_type in sorted(catalog.types.values(), key=lambda item: (item.category, item.id)):
            table.add_row(found_type.id, found_type.category, escape(found_type.summary))
        stdout.print(table)


@app.command()
def new(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to make.")],
    template: Annotated[str, typer.Option("--from", metavar="GRAPH", help="What to start from.")] = "text_to_image",
) -> None:
    """Start a graph of your own from one that works. Never overwrites a file."""
    with refusals():
        if path.exists():
            what = "The file exists already."
            raise PatchbayError(Code.NOT_WRITTEN, str(path), what, "Choose another name.")
        config = Config.load()
        Graph.load(config.find_graph(template)).save(path, load_catalog(config).inputs_in_order)
    stdout.print(f"{escape(str(path))}  (patchbay run {escape(str(path))} --help)")


@app.command()
def fmt(
    files: Annotated[list[Path], typer.Argument(metavar="GRAPH...")],
    only_check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 if a file would change.")
    ] = False,
) -> None:
    """Write graph files canonically: inputs in signature order, one a line, so that diffs are small."""
    changed = 0
    with refusals():
        catalog = load_catalog(Config.load())
        for file in files:
            graph = Graph.load(file)
            if is_picture(file.read_bytes()):
                fix = f"patchbay new my.json --from {file}"
                raise PatchbayError(Code.BAD_DOCUMENT, str(file), "A picture is not written as a graph file.", fix)
            if graph.dumps(catalog.inputs_in_order).encode() != file.read_bytes():
                changed += 1
                stdout.print(f"{'would change' if only_check else 'written'}: {escape(str(file))}")
                if not only_check:
                    graph.save(file, catalog.inputs_in_order)
    raise typer.Exit(FAILED if only_check and changed else DONE)


@app.command()
def schema() -> None:
    """Print the JSON schema of graph files, for editors that complete and check JSON."""
    with refusals():
        found = document_schema(load_catalog(Config.load()))
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")


@app.command()
def doctor() -> None:
    """Examine the installation: versions, devices, folders, and what is known to go wrong."""
    with refusals():
        findings = examine(Config.load())
    table = Table(box=None, show_header=False)
    for finding in findings:
        mark = "[green]✓[/]" if finding.ok else "[red]✗[/]"
        table.add_row(mark, finding.name, escape(finding.text))
    stdout.print(table)
    raise typer.Exit(DONE if all(finding.ok for finding in findings) else FAILED)


def print_type(type_: AnyNodeType) -> None:
    """One node type with its ports."""
    stdout.print(f"[bold]{type_.id}[/]  {escape(type_.summary)}\n")
    table = Table("input", "type", "default", "", box=None, header_style="bold")
    for port in type_.inputs.values():
        table.add_row(port.name, escape(str(port.type)), escape(shown_default(port)), escape(port_help(port)))
    stdout.print(table)
    outputs = Table("output", "type", box=None, header_style="bold")
    for output in type_.outputs:
        outputs.add_row(output.name, escape(str(output.type)))
    stdout.print()
    stdout.print(outputs)


def shown_default(port: Input) -> str:
    """A port's default as a graph would write it."""
    if port.required:
        return "required"
    return json.dumps(port.default, ensure_ascii=False)


def main() -> None:
    """Entry point of the console script."""
    app()
