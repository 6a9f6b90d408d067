"""The commands that have to do with the browser editor."""

from __future__ import annotations

import typer
from rich.markup import escape

from web.editor_build import EDITOR, EditorBuildError
from web.shell import DONE, FAILED
from web.terminal import stderr, stdout

commands = typer.Typer()
editor = typer.Typer(help="The browser editor: build it from its sources.", no_args_is_help=True)
commands.add_typer(editor, name="editor")


@editor.callback()
def _editor() -> None:
    """Keep `build` a command of its own, though it is the only one."""


@editor.command()
def build() -> None:
    """Build the editor that `patchbay serve` shows, where its sources have changed. Needs Node 20.19 or newer."""
    try:
        built = EDITOR.build(typer.echo)
    except EditorBuildError as error:
        stderr.print(escape(error.output), end="", highlight=False)
        stderr.print(f"[red]error[/] {escape(str(error))}")
        raise typer.Exit(FAILED) from error
    stdout.print(f"{'built' if built else 'up to date'}: {escape(str(EDITOR.static))}")
    raise typer.Exit(DONE)
