"""Every pipeline class that is driven, on a tiny random model: is it the stock pipeline bit for bit?

Run as `python -m tests.bench.families`; names of classes as arguments choose some. `--write` writes what was found to
nodes/diffusion/families/measured.json, which `patchbay models families` prints, and to docs/families.md; rows of
classes that were not chosen stay as they were.
"""

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path

import diffusers
import torch
from rich.console import Console
from rich.table import Table

from nodes.diffusion.disk.source import survey
from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.families.measured import FILE, STAGES
from tests.nodes.diffusion.tiny import begun, controlled, exact
from tests.nodes.diffusion.tiny.reasons import reason
from tests.nodes.diffusion.tiny.table import TINY, build

PAGE = Path(__file__).parents[2] / "docs" / "families.md"
STRENGTHS = (0.3, 0.6, 1.0)
TASKS = {
    "image to image": (begun.begun, begun.BEGUN),
    "inpaint": (exact.inpainting, exact.INPAINT),
}
"""What a text-to-image or text-to-video class does in place of other classes: how that is run, and which classes."""


_PIPELINES = (diffusers.DiffusionPipeline, diffusers.ModularPipeline)


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
            steered = controlled.proved(source, Path(folder))
        except Exception as error:  # noqa: BLE001  # this is a report
            return None, [[] for _ in TASKS], [], f"{type(error).__name__}: {str(error)[:80]}"
    return {what: all(each[what] for each in found) for what in STAGES}, tasks, steered, ""


def others():
    """The pipeline classes that are not in the table: reason -> names."""
    through = {task for tasks in controlled.CONTROLLED.values() for task in tasks}
    reasons = {}
    for name in sorted(set(dir(diffusers)) - through):
        found = getattr(diffusers, name) if "Pipeline" in name else None
        if isinstance(found, type) and issubclass(found, _PIPELINES) and name not in FAMILIES:
            why = reason(found)
            if why:
                reasons.setdefault(why, []).append(name)
    return dict(sorted(reasons.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(TINY))
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    table = Table("family", "class", *STAGES, *TASKS, "ControlNet", "s")
    rows = []
    for name in arguments.names:
        began = time.perf_counter()
        equal, done, steered, problem = measure(name)
        marks = {stage: problem or ("exact" if equal[stage] else "no") for stage in STAGES}
        rows.append({"class": name, **marks, "image_to_image": done[0], "inpaint": done[1], "control": steered})
        table.add_row(*cells(rows[-1]), f"{time.perf_counter() - began:.0f}")
        Console().print(*cells(rows[-1]), sep=" | ")
    record = {"diffusers": diffusers.__version__, "driven": beside_known(rows), "undriven": others()}
    Console().print(table)
    Console().print(summary(record))
    if arguments.write:
        FILE.write_text(json.dumps(record, indent=1) + "\n")
        PAGE.write_text(page(record))


def beside_known(rows):
    """The rows measured now and, of the other classes, those that were written before."""
    known = {row["class"]: row for row in json.loads(FILE.read_text())["driven"]}
    known |= {row["class"]: row for row in rows}
    return [known[name] for name in TINY if name in known]


def cells(row):
    """A row as words."""
    return (
        FAMILIES[row["class"]].name,
        row["class"],
        *(row[stage] for stage in STAGES),
        ", ".join(row["image_to_image"]),
        ", ".join(row["inpaint"]),
        ", ".join(row["control"]),
    )


def summary(record):
    """The counts."""
    rows = record["driven"]
    exactly = sum(all(row[stage] == "exact" for stage in STAGES) for row in rows)
    tasks = {task: sum(len(row[task]) for row in rows) for task in ("image_to_image", "inpaint", "control")}
    left = sum(map(len, record["undriven"].values()))
    return (
        f"{exactly} of {len(rows)} classes exact; {tasks['image_to_image']} image-to-image, {tasks['inpaint']} "
        f"inpainting and {tasks['control']} ControlNet classes exact through their family's; {left} classes not driven."
    )


def page(record):
    """The page of docs."""
    lines = [
        "# Families",
        "",
        "Written by `python -m tests.bench.families --write`: each class on a tiny random model, with and without",
        "guidance, alone and in a batch, in two sizes, compared with `torch.equal` on the same modules.",
        "`patchbay models families` prints it too. Where a model makes sound, its latent and its picture are compared",
        "together with the latent of the sound and the sound.",
        "",
        "The classes of Cosmos cannot be made without a safety checker, which is no part of Diffusers. One that passes",
        "everything stands in its place, here in the stock call too: a picture is checked by nobody.",
        "",
        f"With Diffusers {record['diffusers']}: {summary(record)}",
        "",
        "| family | class | text | latent | picture | image to image | inpaint | ControlNet |",
        "|---|---|---|---|---|---|---|---|",
        *(f"| {' | '.join(cells(row))} |" for row in record["driven"]),
        "",
        "## Not driven",
        "",
        "Those that give pictures and need no second picture can be run as a whole by `RunPipeline`.",
        "",
        *(f"- {why}: {', '.join(names)}." for why, names in record["undriven"].items()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
