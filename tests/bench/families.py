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
from tests.nodes.diffusion.tiny import exact
from tests.nodes.diffusion.tiny.reasons import reason
from tests.nodes.diffusion.tiny.table import TINY, build

WHAT = ("text", "latent", "picture")
STRENGTHS = (0.3, 0.6, 1.0)
TASKS = {
    "image to image": (exact.image_to_image, exact.IMAGE_TO_IMAGE),
    "inpaint": (exact.inpainting, exact.INPAINT),
}
"""What a text-to-image class does in place of other classes: how that is run, and which classes."""


def measure(name):
    """Which of the three are exact in every case, the classes of other tasks that are, or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        try:
            build(name, path)
            source = survey(path, at=name)
            found = [exact.compare(source, case) for case in exact.cases(name)]
            tasks = [
                [task for task in classes.get(name, ()) if all(torch.equal(*run(source, task, s)) for s in STRENGTHS)]
                for run, classes in TASKS.values()
            ]
        except Exception as error:  # noqa: BLE001  # this is a report
            return None, [[] for _ in TASKS], f"{type(error).__name__}: {str(error)[:80]}"
    return {what: all(each[what] for each in found) for what in WHAT}, tasks, ""


def others():
    """The pipeline classes that are not in the table, with why."""
    for name in sorted(dir(diffusers)):
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
    table = Table("family", "class", *WHAT, *TASKS, "s")
    rows, exactly, counts = [], 0, dict.fromkeys(TASKS, 0)
    for name in arguments.names:
        began = time.perf_counter()
        equal, done, problem = measure(name)
        marks = ["exact" if equal and equal[what] else "no" for what in WHAT] if equal else [problem, "", ""]
        exactly += bool(equal) and all(equal.values())
        counts = {task: count + len(each) for (task, count), each in zip(counts.items(), done, strict=True)}
        rows.append((FAMILIES[name].name, name, *marks, *map(", ".join, done)))
        table.add_row(*rows[-1], f"{time.perf_counter() - began:.0f}")
        Console().print(*rows[-1], sep=" | ")
    left = list(others())
    summary = (
        f"{exactly} of {len(rows)} classes exact; {counts['image to image']} image-to-image and {counts['inpaint']} "
        f"inpainting classes exact through their family's; "
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
        "| family | class | text | latent | picture | image to image | inpaint |",
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
