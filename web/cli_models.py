"""The commands that have to do with models: list them, look into one, fetch one, say which families can be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Column, Table

from engine import Code, PatchbayError
from engine.choices import Collection, collections
from engine.choices import models as all_models
from web.config import Config
from web.shell import JsonOption, load_catalog, refusals
from web.terminal import print_json, stderr, stdout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine import Catalog
    from engine.choices import Choice

commands = typer.Typer()
models = typer.Typer(help="The models on this machine, and how to get more.", no_args_is_help=True)
commands.add_typer(models, name="models")

STAGES = ("text", "latent", "picture")

_TASKS = {"image_to_image": "img2img", "inpaint": "inpaint", "control": "ControlNet"}


@models.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """List every model that a graph can name here, and what is wrong with those that cannot be used."""
    with refusals(as_json=as_json):
        config = Config.load()
        found = all_models(load_catalog(config).types.values(), config.paths(), config.settings())
    if as_json:
        for choice in found:
            print_json({"name": choice.name, "kind": choice.kind or None, **choice.detail})
        return
    table = _table("name", "kind", "class", "size", "needs")
    for choice in found:
        if "problem" not in choice.detail:
            table.add_row(*_row(choice))
    stdout.print(table)
    broken = [choice for choice in found if "problem" in choice.detail]
    if broken:
        stdout.print("\n[bold]Cannot be used[/]")
    for choice in broken:
        _print_problem(choice)


@models.command()
def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `patchbay models list` has it, or a path.")],
    no_digests: Annotated[
        bool, typer.Option("--no-digests", help="Leave digests out: for them every byte is read once.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look into a model: kind, class, and each component with class, size, precision and digest. Loads no weights."""
    with refusals(as_json=as_json):
        config = Config.load()
        collection, paths, wanted = _collection(load_catalog(config)), config.paths(), name
        if Path(name).exists():
            wanted, paths = str(Path(name).absolute()), paths.granting(Path(name))
        with stderr.status("Reading ..."):
            found = collection.describe(wanted, paths, name, digests=not no_digests)
    if as_json:
        print_json({**found, "name": name})
    else:
        _print_report({**found, "name": name})


@models.command()
def families(as_json: JsonOption = False) -> None:
    """Show which families of models can be loaded and what works with each, and why other classes are not driven.

    "exact" means: bit for bit what Diffusers' own pipelines give, as it was measured with the version that is named.
    """
    with refusals(as_json=as_json):
        found = _collection(load_catalog(Config.load())).families()
    if as_json:
        print_json(found)
        return
    rows: Any = found["driven"]
    table = _table("family, kinds", "class (…Pipeline)", "also exact")
    table.columns[0].min_width = max(len(row["family"]) for row in rows)
    table.columns[1].no_wrap = True
    unparted: dict[str, list[str]] = {}
    for row in rows:
        kinds = dict.fromkeys((row["family"], *row["kinds"]))
        table.add_row(*map(escape, (", ".join(kinds), row["class"].removesuffix("Pipeline"), _notes(row))))
        if row["whole"]:
            unparted.setdefault(row["whole"], []).append(row["class"])
    exactly = sum(all(row[stage] == "exact" for stage in STAGES) for row in rows)
    stdout.print(f"{exactly} of {len(rows)} classes exact in text, latent and picture.\n")
    stdout.print(table)
    stdout.print("\n[bold]No start or end step:[/]")
    for reason, names in sorted(unparted.items()):
        stdout.print(f"- {escape(reason)}: {', '.join(names)}.")
    stdout.print(f"\n[bold]Not driven[/], with Diffusers {found['diffusers']}:")
    undriven: Any = found["undriven"]
    for reason, names in sorted(undriven.items()):
        stdout.print(f"- {escape(reason)}: {', '.join(names)}.")


def _notes(row: Mapping[str, object]) -> str:
    """What of a class is not exact, and the tasks whose classes it stands for bit for bit."""
    wrong = [f"{stage}: {row[stage]}" for stage in STAGES if row[stage] != "exact"]
    return "; ".join(wrong) or ", ".join(words for task, words in _TASKS.items() if row[task])


@models.command()
def pull(
    name: Annotated[str, typer.Argument(metavar="HUB_ID", help="A repository of the Hugging Face hub: owner/name.")],
    as_json: JsonOption = False,
) -> None:
    """Fetch a model from the Hugging Face hub into its local cache, where graphs find it by this id.

    To give this command is to allow the download, whatever the settings say of `downloads`. Only configurations, words
    and one variant of the safetensors weights are fetched: never pickles, never code.
    """
    with refusals(as_json=as_json):
        config = Config.load()
        collection = _collection(load_catalog(config))
        with _Download(name, shown=stderr.is_terminal and not as_json) as download:
            collection.fetch(name, name, download)
        found = collection.describe(name, config.paths(), name, digests=False)
    if as_json:
        print_json(found)
    else:
        _print_report(found)


class _Download:
    """A bar of bytes on stderr."""

    def __init__(self, name: str, *, shown: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._progress = Progress(*columns, TimeRemainingColumn(), console=stderr, transient=True, disable=not shown)
        self._bar = self._progress.add_task(escape(name), total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def __call__(self, done: int, total: int) -> None:
        """Draw how far it is."""
        self._progress.update(self._bar, completed=done, total=total or None)


def _collection(catalog: Catalog) -> Collection:
    """What looks after the models of the installed node types. Raises `PatchbayError` where nothing does."""
    found = next((item for item in collections(catalog.types.values()) if isinstance(item, Collection)), None)
    if found is None:
        what = "No installed node type loads models."
        raise PatchbayError(Code.UNKNOWN_TYPE, "", what, "Install Patchbay anew: patchbay doctor says more.")
    return found


def _table(*names: str) -> Table:
    """A table whose words are broken rather than cut off."""
    return Table(*(Column(name, overflow="fold") for name in names), box=None, header_style="bold")


def _row(choice: Choice) -> tuple[str, ...]:
    """What the list says of a model that can be used."""
    detail: Any = choice.detail
    class_name, needs = detail.get("pipeline_class", ""), detail.get("needs", "")
    if detail.get("configs"):
        needs = f"`config`: {' or '.join(detail['configs'])}"
    return escape(choice.name), choice.kind, escape(class_name), size(detail.get("bytes", 0)), escape(needs)


def _print_problem(choice: Choice) -> None:
    problem: Any = choice.detail["problem"]
    bulk: Any = choice.detail.get("bytes", 0)
    stdout.print(f"[red]✗[/] {escape(choice.name)} [dim]{size(bulk)}[/]: {escape(problem['what'])}")
    if problem["fix"]:
        stdout.print(f"      {escape(problem['fix'])}")


def _print_report(found: Mapping[str, Any]) -> None:
    """A model with its components, as a table."""
    stdout.print(f"[bold]{escape(found['name'])}[/]  {escape(found['path'])}")
    for label, key in (("holds", "holds"), ("kind", "kind"), ("class", "pipeline_class"), ("needs", "needs")):
        if found.get(key):
            stdout.print(f"{label}: {escape(found[key])}")
    stdout.print(f"size: {size(found['bytes'])}")
    if found.get("digest"):
        stdout.print(f"digest: {found['digest']}")
    table = _table("component", "class", "parameters", "size", "stored as", "digest")
    for part in found["components"]:
        numbers = f"{part['numbers']:,}" if part["numbers"] else ""
        dtypes, digest = ", ".join(part["dtypes"]), (part.get("digest") or "")[:16]
        table.add_row(part["name"], escape(part["class"]), numbers, size(part["bytes"]), escape(dtypes), digest)
    stdout.print()
    stdout.print(table)
    if "problem" in found:
        problem = found["problem"]
        stdout.print(f"\n[red]✗[/] {escape(problem['what'])}\n  {escape(problem['fix'])}".rstrip())


def size(count: float) -> str:
    """Bytes in their largest unit."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:  # noqa: PLR2004  # the step between units
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
