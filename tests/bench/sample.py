"""Graphs against stock Diffusers: a picture, alternating, on the same modules; then sweeps, each script from scratch.

Run as `python -m tests.bench.sample`; names of pipeline classes as arguments choose some of the tiny families, `--write
FILE` writes a page. Prints medians and their ratios; asserts only that both sides give the same pictures. Processor
time is printed beside the time that passed, since only the one says something on a machine that has other work.
"""

import argparse
import tempfile
import warnings
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest import mock

import diffusers
import torch
from rich.console import Console
from rich.table import Table

import graphs
from engine import Catalog, Graph, Paths, Runtime
from engine.settings import Settings
from nodes.diffusion.disk.source import survey
from nodes.diffusion.stages import stock
from nodes.diffusion.weights.device import pick_device
from nodes.pocket import MODEL
from tests.bench.clock import in_turns
from tests.bench.sweeps import SWEEPS, compare
from tests.nodes.diffusion.tiny import exact
from tests.nodes.diffusion.tiny.table import TINY, build

PROMPT = "a red mushroom on a yellow background"
GUIDED = exact.CASES[0]

FROM_WORDS = [name for name, tiny in TINY.items() if 0 in tiny.pictures and tiny.strength == 1]
"""Classes that draw from a prompt alone."""

LARGE = (
    *("StableDiffusionPipeline", "StableDiffusionXLPipeline", "StableDiffusion3Pipeline", "FluxPipeline"),
    *("QwenImagePipeline", "ZImagePipeline", "PixArtSigmaPipeline", "Lumina2Pipeline", "ChromaPipeline"),
    *("CogView4Pipeline", "WanPipeline", "CogVideoXPipeline"),
)
"""Classes whose tiny models are also measured on larger pictures, which give them work."""


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


def family(runtime, name, rounds):
    """A row for a tiny random model of a pipeline class, everything running."""
    source = survey(runtime.paths.models[0] / name, at="bench")
    with ExitStack() as held:
        pipeline = exact.stock_pipeline(held, source)
        graph = Graph.from_data(document(name))

        def theirs(_=0):
            return exact.stock_pictures(pipeline, GUIDED)

        def ours(_=0):
            runtime.executor.cache.clear()
            return runtime.call(graph, {}).pixels

        assert torch.equal(theirs().flatten(0, -4).float(), ours()), f"the graph of {name} draws another picture"
        return in_turns({"stock": theirs, "graph": ours}, rounds)


def document(name):
    """The graph that does what `exact.stock_call` does."""
    tiny, call = TINY[name], stock.signature(name)
    text = {"text_encoder": {"link": "load.text_encoder"}, "options": tiny.text}
    width, height = tiny.sizes[GUIDED.size]
    nodes = {
        "load": {"type": "LoadModel", "inputs": {"model": name}},
        "prompt": {"type": "EncodeText", "inputs": {**text, "text": exact.PROMPT}},
        "negative": {"type": "EncodeText", "inputs": {**text, "text": exact.NEGATIVE, "role": "negative"}},
        "size": {"type": "EmptyLatent", "inputs": {"width": width, "height": height, "frames": tiny.frames}},
        "sample": {
            "type": "Sample",
            "inputs": {
                "model": {"link": "load.model"},
                "positive": {"link": "prompt.conditioning"},
                "latent": {"link": "size.latent"},
                **({"negative": {"link": "negative.conditioning"}} if "negative_prompt" in call else {}),
                "scheduler": {"link": "load.scheduler"},
                "steps": tiny.steps,
                "guidance": tiny.guidance,
                "seed": 7,
                "options": exact.options_of(tiny, call, GUIDED),
            },
        },
        "decode": {"type": "VAEDecode", "inputs": {"vae": {"link": "load.vae"}, "latent": {"link": "sample.latent"}}},
    }
    return {"version": 1, "nodes": nodes, "interface": {"outputs": {"image": "decode.image"}}}


def families(names, rounds):
    """Rows for tiny random models, made for this."""
    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(Catalog.load(), Paths(models=(Path(folder),)))
        for name in names:
            build(name, Path(folder) / name)
            yield name, family(runtime, name, rounds)


def large(names, rounds, side, steps):
    """The same for pictures of this side and runs of so many steps: attention over many places is work."""
    for name in names:
        with mock.patch.dict(TINY, {name: replace(TINY[name], sizes=((side, side),) * 2, steps=steps)}):
            yield from families([name], rounds)


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


def page(tables):
    """The page of docs."""
    lines = [
        "# Against stock Diffusers",
        "",
        "Written by `python -m tests.bench.sample --write docs/speed.md`: medians of rounds that alternate, in",
        f"milliseconds, on {pick_device(Settings())}, one thread, Diffusers {diffusers.__version__}.",
        "Before anything is timed, both sides are held to give the same pictures, bit for bit. Where the time that",
        "passed is far above the processor time, the machine had other work, and only the latter says something.",
        "",
        "A tiny random model takes next to no time of its own, so its rows show what a run costs besides: the last",
        "column. The same models on larger pictures have some work to do, as a model that is used has.",
    ]
    for title, rows in tables.items():
        lines += ["", f"## {title}", "", f"| | {' | '.join(COLUMNS)} |", f"|---|{'---|' * len(COLUMNS)}"]
        lines += [f"| {name} | {' | '.join(cells(found))} |" for name, found in rows]
    return "\n".join(lines) + "\n"


def titled(what, rounds, steps=None):
    """A title that says how it was measured."""
    return f"{what} ({f'{steps} steps, ' if steps else ''}{rounds} rounds)"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=FROM_WORDS)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--side", type=int, default=128, help="of the larger pictures")
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rounds, steps, side, few = arguments.rounds, arguments.steps, arguments.side, max(3, arguments.rounds // 3)
    tables = {
        titled("One picture, the model in the box", rounds, steps): pocket(Runtime(Catalog.load()), rounds, steps),
        titled("Several pictures, stock scripts from scratch", few, steps): sweeps(few, steps),
        titled(f"One picture of {side} pixels, the same tiny models", few, steps): large(
            [name for name in LARGE if name in arguments.names], few, side, steps
        ),
        titled("One picture, tiny random models", rounds): families(arguments.names, rounds),
    }
    found = {}
    for title, rows in tables.items():
        table = Table("case", *COLUMNS, title=title)
        found[title] = []
        for name, figures in rows:
            found[title].append((name, figures))
            table.add_row(name, *cells(figures))
        Console(width=160).print(table)
    if arguments.write:
        arguments.write.write_text(page(found))


if __name__ == "__main__":
    main()
