"""Graphs against stock Diffusers: a picture, alternating, on the same modules; then sweeps, each script from scratch.

Run as `python -m tests.bench.sample`; names of pipeline classes as arguments choose some of the tiny families,
`--parts` some of the tables, and `--write FILE` writes them into a page, whose other rows stay. Whoever stops it gets
what there is. Prints medians and their ratios; asserts only that both sides give the same pictures. Processor time is
printed beside the time that passed, since only the one says something on a machine that has other work.
"""

import argparse
import signal
import tempfile
import warnings
from contextlib import ExitStack
from pathlib import Path

import diffusers
import torch
from rich.console import Console
from rich.table import Table

import graphs
from engine import Catalog, Graph, Paths, Runtime
from engine.settings import Settings
from nodes.diffusion.disk.source import survey
from nodes.diffusion.weights.device import pick_device
from nodes.pocket import MODEL
from tests.bench.clock import in_turns
from tests.bench.pair import NAMES, equal, fitted, pair
from tests.bench.sweeps import SWEEPS, compare
from tests.nodes.diffusion.tiny import exact
from tests.nodes.diffusion.tiny.table import TINY, build

PROMPT = "a red mushroom on a yellow background"
GOAL = 1.01
"""What the ratio of processor times is to be at most."""


def pocket(runtime, rounds, steps):
    """Rows for the model in the box: all of the work, and only what a new seed asks for."""
    graph = Graph.load(Path(graphs.__file__).parent / "text_to_image.json")
    with ExitStack() as held:
        pipeline = exact.stock_pipeline(held, survey(MODEL, at="bench"))
        own = pipeline.scheduler.config
        pipeline.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(own)

        def theirs(seed):
            size = {"width": 256, "height": 256, "num_inference_steps": steps, "guidance_scale": 3.0}
            generator = torch.Generator("cpu").manual_seed(seed)
            return pipeline(PROMPT, **size, generator=generator, output_type="pt").images

        def ours(seed, *, forget):
            if forget:
                runtime.executor.cache.clear()
            return runtime.call(graph, {"prompt": PROMPT, "steps": steps, "seed": seed}).pixels

        assert torch.equal(theirs(0).cpu(), ours(0, forget=True)), "the graph draws another picture"
        for case, forget in (("everything runs", True), ("only the seed changed", False)):
            pieces = {"stock": theirs, "graph": lambda seed, forget=forget: ours(seed + 1000, forget=forget)}
            yield f"pocket, {steps} steps, {case}", in_turns(pieces, rounds)


def families(names, rounds):
    """Rows for tiny random models as they are, made for this."""
    for runtime, name in built(names):
        with pair(runtime, name) as sides:
            assert equal(sides), f"the graph of {name} draws another picture"
            yield name, in_turns(sides, rounds)


def worked(names, rounds, seconds):
    """Rows for the same models where a stock picture takes about so many seconds of work; says which are left out."""
    for runtime, name in built(names):
        try:
            work = fitted(runtime, name, seconds)
        except AssertionError as error:
            Console().print(f"left out: {error}")
            continue
        with pair(runtime, name, work) as sides:
            width, height = TINY[name].sizes[0]
            yield f"{name}, {width} x {height}, {work.steps} steps", in_turns(sides, rounds)


def built(names):
    """A runtime with the tiny model of each class in turn."""
    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(Catalog.load(), Paths(models=(Path(folder),)))
        for name in names:
            build(name, Path(folder) / name)
            yield runtime, name


def sweeps(rounds, steps):
    """Rows for several pictures: stock scripts from scratch, one a picture, against one graph."""
    for what, sweep in SWEEPS.items():
        for how, found in compare(sweep, rounds, steps):
            yield f"{what}, {how}", found


def cells(found):
    """Milliseconds of both sides and the ratio of their medians: passed, then worked, and what the graph works more."""
    theirs, ours = found["stock"], found["graph"]
    walls = (f"{theirs.wall * 1000:.0f}", f"{ours.wall * 1000:.0f}", f"{ours.wall / theirs.wall:.2f}")
    worked = (f"{theirs.cpu * 1000:.0f}", f"{ours.cpu * 1000:.0f}", f"{ours.cpu / theirs.cpu:.3f}")
    return (*walls, *worked, f"{(ours.cpu - theirs.cpu) * 1000:+.0f}")


COLUMNS = ("stock ms", "graph ms", "ratio", "stock CPU ms", "graph CPU ms", "ratio of CPU", "more CPU ms")

HEAD = f"""# Against stock Diffusers

Written by `python -m tests.bench.sample --write docs/speed.md`: medians of rounds that alternate, in
milliseconds, on {pick_device(Settings())}, one thread, Diffusers {diffusers.__version__}.
Before anything is timed, both sides are held to give the same pictures, bit for bit. Where the time that
passed is far above the processor time, the machine had other work, and only the latter says something.

A tiny random model takes next to no time of its own, so its rows show what a run costs besides: the last
column. The same models on larger pictures and with more steps have some work to do, as a model that is used has.
"""


def section(title, lines):
    """A table of the page, with how many of its rows reach the goal."""
    reached = sum(float(line.split(" | ")[COLUMNS.index("ratio of CPU") + 1]) <= GOAL for line in lines)
    head = [f"## {title}", "", f"| | {' | '.join(COLUMNS)} |", f"|---|{'---|' * len(COLUMNS)}"]
    told = f"The ratio of processor times is at most {GOAL} in {reached} of {len(lines)} rows."
    return "\n".join([*head, *lines, "", told, ""])


def line_of(name, found):
    """A row of the page."""
    return f"| {name} | {' | '.join(cells(found))} |"


def what(line):
    """What a row of the page is about: a class, whatever work it was given, or the whole first cell."""
    name = line.removeprefix("| ").partition(" |")[0]
    return name.partition(",")[0] if name.partition(",")[0] in TINY else name


def page(known, title, lines):
    """The page of docs, where it is `known` already with these rows in the place of their old ones.

    Where the table was measured in another way before, they are all that it has.
    """
    tables = {part.partition("\n")[0]: part for part in known.split("\n## ")[1:]}
    own = [line for line in tables.get(title, "").splitlines() if line.startswith("| ") and not line.startswith("| |")]
    rows = {what(line): line for line in [*own, *lines]}
    kept = {name.partition(" (")[0]: f"## {part.strip()}\n" for name, part in tables.items()}
    kept[title.partition(" (")[0]] = section(title, list(rows.values()))
    return "\n".join([HEAD, *kept.values()])


def titled(what, rounds, steps=None):
    """A title that says how it was measured."""
    return f"{what} ({f'{steps} steps, ' if steps else ''}{rounds} rounds)"


def measured(title, rows):
    """Some rows of the page, as far as they come before somebody stops it; each is printed when it is there."""
    console, table, lines = Console(width=160), Table("case", *COLUMNS, title=title), []
    try:
        for name, figures in rows:
            lines.append(line_of(name, figures))
            table.add_row(name, *cells(figures))
            console.print(name, *cells(figures), sep=" | ")
    except KeyboardInterrupt:
        console.print("Stopped: what follows is what there is.")
    console.print(table)
    console.print(section(title, lines).splitlines()[-1])
    return lines


def parts(arguments):
    """The tables by the names that the flag knows, each as its title and its rows."""
    rounds, steps, few = arguments.rounds, arguments.steps, max(3, arguments.rounds // 3)
    names, seconds = arguments.names, arguments.seconds
    return {
        "pocket": (
            titled("One picture, the model in the box", rounds, steps),
            pocket(Runtime(Catalog.load()), rounds, steps),
        ),
        "sweeps": (titled("Several pictures, stock scripts from scratch", few, steps), sweeps(few, steps)),
        "worked": (
            titled(f"One picture, tiny random models with work of about {seconds:g} s", few),
            worked(names, few, seconds),
        ),
        "tiny": (titled("One picture, tiny random models", rounds), families(names, rounds)),
    }


PARTS = ("pocket", "sweeps", "worked", "tiny")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, help="of pipeline classes")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--rounds", type=int, default=15, help="a third of them where a round takes long")
    parser.add_argument("--steps", type=int, default=20, help="of the model in the box")
    parser.add_argument("--seconds", type=float, default=2.0, help="that a stock picture of a tiny model is to take")
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    tables = parts(arguments)
    for part in arguments.parts:
        title, rows = tables[part]
        lines = measured(title, rows)
        if arguments.write:
            known = arguments.write.read_text() if arguments.write.exists() else ""
            arguments.write.write_text(page(known, title, lines))


if __name__ == "__main__":
    main()
