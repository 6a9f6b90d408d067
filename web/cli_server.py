"""The commands that have to do with a server: start one, submit runs to it, look at them, cancel them."""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.markup import escape
from rich.table import Table

from web.config import Config
from web.shell import (
    DONE,
    GRAPH_FLAGS,
    GraphHelpOption,
    JsonOption,
    OnlyOption,
    Opened,
    ServerOption,
    SetsOption,
    named,
    only_of,
    print_graph_help,
    refusals,
)
from web.terminal import print_json, stdout

if TYPE_CHECKING:
    from web.client import Run

PORT = 8188

commands = typer.Typer()


class StateChoice(StrEnum):
    """A run's state."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@commands.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free one.")] = PORT,
    host: Annotated[str, typer.Option(help="Beyond 127.0.0.1, other machines reach it too.")] = "127.0.0.1",
    no_token: Annotated[bool, typer.Option("--no-token", help="Let every program on this machine in.")] = False,
) -> None:
    """Start the server and print its address. Ctrl-C stops it; what is queued stays queued."""
    from web.server.app import serve as serve_until_stopped  # noqa: PLC0415  # no other command needs a server

    with refusals():
        asyncio.run(serve_until_stopped(Config.load(), host=host, port=port, token=not no_token, say=typer.echo))


@commands.command(context_settings=GRAPH_FLAGS, options_metavar="[--INPUT VALUE ...] [OPTIONS]")
def submit(
    context: typer.Context,
    graph: Annotated[Optional[str], typer.Argument(metavar="GRAPH")] = None,  # noqa: UP045  # typer reads it
    sets: SetsOption = [],  # noqa: B006  # typer copies it
    only: OnlyOption = [],  # noqa: B006  # typer copies it
    priority: Annotated[int, typer.Option(min=-1000, max=1000, help="Higher goes first.")] = 0,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the run to its end.")] = False,
    server: ServerOption = None,
    as_json: JsonOption = False,
    wants_help: GraphHelpOption = False,
) -> None:
    """Queue a run of a graph on a server and print its id. The graph's interface makes flags, as in `run`."""
    from web.remote import Request, client_of, follow  # noqa: PLC0415  # help does without

    name = named(context, graph, wants_help=wants_help)
    with refusals(as_json=as_json):
        config = Config.load()
        opened = Opened.find(name, config)
        if wants_help:
            print_graph_help(opened, "submit")
            return
        request = Request(opened, opened.read(context.args, sets), priority, only_of(only))
        client = client_of(config, server)
        run = client.submit(request.body(client))
    if wait:
        raise typer.Exit(follow(client, run, opened.graph, None, as_json=as_json))
    print_json(run) if as_json else stdout.print(run["id"])


@commands.command()
def runs(
    state: Annotated[Optional[StateChoice], typer.Option(help="Only runs in this state.")] = None,  # noqa: UP045
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs of a server, newest first."""
    from web.remote import client_of  # noqa: PLC0415  # help does without

    with refusals(as_json=as_json):
        found = client_of(Config.load(), server).runs(state.value if state else None, limit)
    if as_json:
        for run in found:
            print_json(run)
        return
    table = Table("id", "state", "name", "priority", "age", "seconds", "error", box=None, header_style="bold")
    for run in found:
        table.add_row(*_row(run, time.time()))
    stdout.print(table)


@commands.command()
def cancel(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="The run, as `patchbay runs` lists it.")],
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel a run: at once while it is queued, at its next step while it runs."""
    from web.remote import client_of  # noqa: PLC0415  # help does without

    with refusals(as_json=as_json):
        run = client_of(Config.load(), server).cancel(run_id)
    if as_json:
        print_json(run)
    else:
        stdout.print(
            f"run {escape(run['id'])}: {'cancelled' if run['state'] == 'cancelled' else 'stops at its next step'}"
        )
    raise typer.Exit(DONE)


def _row(run: Run, now: float) -> tuple[str, ...]:
    """What the table says of one run."""
    colour = {"done": "green", "failed": "red", "running": "cyan"}.get(run["state"], "default")
    seconds = "" if run["started"] is None else f"{(run['finished'] or now) - run['started']:.1f}"
    error = run["error"]
    told = f"{error['at']}: {error['what']}".removeprefix(": ") if error else ""
    state = f"[{colour}]{run['state']}[/]"
    return (
        run["id"],
        state,
        escape(run["name"]),
        str(run["priority"]),
        _age(now - run["created"]),
        seconds,
        escape(told),
    )


def _age(seconds: float) -> str:
    """A time that has passed, in its largest unit."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
