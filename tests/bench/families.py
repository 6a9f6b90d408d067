"""Every pipeline class that is driven, on a tiny random model: is it the stock pipeline bit for bit?

Run as `python -m tests.bench.families`; names of classes as arguments choose some, `--write FILE` writes a page.
"""

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import diffusers
import torch
from rich.console import Console
from rich.table import Table

from nodes.diffusion.families import FAMILIES
from nodes.diffusion.source import survey
from tests.nodes.diffusion.tiny import controlled, exact
from tests.nodes.diffusion.tiny.reasons import reason
from tests.nodes.diffusion.tiny.table import TINY, build

WHAT = ("text", "latent", "picture")


def measure(name):
    """Which of the three are exact in every case, or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        try:
            build(name, path)
            source = survey(path, at=name)
            found = [exact.compare(source, case) for case in exact.cases(name)]
            tasks = [
                task
                for task in exact.IMAGE_TO_IMAGE.get(name, ())
                if all(torch.equal(*exact.image_to_image(source, task, strength)) for strength in (0.3, 0.6, 1.0))
            ]
            steered = controlled.proved(source, Path(folder))
        except Exception as error:  # noqa: BLE001  # this is a report
            return None, [], [], f"{type(error).__name__}: {str(error)[:80]}"
    return {what: all(each[what] for each in found) for what in WHAT}, tasks, steered, ""


def others():
    """The pipeline classes that are not in the table, with why."""
    through = {task for tasks in controlled.CONTROLLED.values() for task in tasks}
    for name in sorted(set(dir(diffusers)) - through):
        found = getattr(diffusers, name) if "Pipeline" in name else None
        if isinstance(found, type) and issubclass(found, diffusers.DiffusionPipeline) and name not in FAMILIES:
            why = reason(found)
            if why:
                yield name, why


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(TINY))
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    table = Table("family", "class", *WHAT, "image to image", "ControlNet", "s")
    rows, exactly, tasks, controls = [], 0, 0, 0
    for name in arguments.names:
        began = time.perf_counter()
        equal, done, steered, problem = measure(name)
        marks = ["exact" if equal and equal[what] else "no" for what in WHAT] if equal else [problem, "", ""]
        exactly += bool(equal) and all(equal.values())
        tasks += len(done)
        controls += len(steered)
        rows.append((FAMILIES[name].name, name, *marks, ", ".join(done), ", ".join(steered)))
        table.add_row(*rows[-1], f"{time.perf_counter() - began:.0f}")
        Console().print(*rows[-1], sep=" | ")
    left = list(others())
    summary = (
        f"{exactly} of {len(rows)} classes exact; {tasks} image-to-image classes and {controls} ControlNet classes "
        f"exact through their family's; "
        f"{len(left)} classes not driven."
    )
    Console().print(table)
    Console().print(summary)
    if arguments.write:
        arguments.write.write_text(page(rows, left, summary))


def page(rows, left, summary):
    """The page of docs."""
    reasons = {}
    for name, why in left:
        reasons.setdefault(why, []).append(name)
    lines = [
        "# Families",
        "",
        "Written by `python -m tests.bench.families --write docs/families.md`: each class on a tiny random model, with",
        "and without guidance, alone and in a batch, in two sizes, compared with `torch.equal` on the same modules.",
        "",
        f"With Diffusers {diffusers.__version__}: {summary}",
        "",
        "| family | class | text | latent | picture | image to image | ControlNet |",
        "|---|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        "## Not driven",
        "",
        *(f"- {why}: {', '.join(names)}." for why, names in sorted(reasons.items())),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
