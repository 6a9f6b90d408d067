"""Text to image through the graph against the stock pipeline, alternating, on the same modules.

Run as `python -m tests.bench.sample`.
Prints medians and their ratio; asserts only that both give the same picture.
"""

import argparse
import statistics
import time
from contextlib import ExitStack
from pathlib import Path

import diffusers
import torch
from rich.console import Console
from rich.table import Table

import graphs
from engine import Catalog, Graph, Runtime
from engine.settings import Settings
from nodes.diffusion.device import pick_device
from nodes.diffusion.shelf import SHELF
from nodes.diffusion.source import survey
from nodes.pocket import MODEL

PROMPT = "a red mushroom on a yellow background"


def stock_pipeline(held, scheduler="DPMSolverMultistepScheduler"):
    source = survey(MODEL, at="bench")
    parts = {name: held.enter_context(SHELF.use(source, name)) for name in ("tokenizer", "text_encoder", "unet", "vae")}
    own = diffusers.DDIMScheduler.from_pretrained(MODEL / "scheduler")
    pipeline = diffusers.StableDiffusionPipeline(
        **parts, scheduler=own, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    pipeline.scheduler = getattr(diffusers, scheduler).from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def timed(work):
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=20)
    rounds, steps = vars(parser.parse_args()).values()
    graph = Graph.load(Path(graphs.__file__).parent / "text_to_image.json")
    runtime = Runtime(Catalog.load())
    table = Table("case", "stock ms", "graph ms", "ratio of medians", title=f"{pick_device(Settings())}, {steps} steps")
    with ExitStack() as held:
        pipeline = stock_pipeline(held)

        def stock(seed):
            generator = torch.Generator("cpu").manual_seed(seed)
            return pipeline(
                PROMPT,
                num_inference_steps=steps,
                guidance_scale=3.0,
                generator=generator,
                output_type="pt",
                width=256,
                height=256,
            ).images

        def ours(seed):
            return runtime.call(graph, {"prompt": PROMPT, "steps": steps, "seed": seed}).pixels

        assert torch.equal(stock(0).cpu(), ours(0)), "the graph draws another picture"
        for case, forget, first in (("everything runs", True, 0), ("only the seed changed", False, 1000)):
            times = {"stock": [], "graph": []}
            for seed in range(1, rounds + 1):
                if forget:
                    runtime.executor.cache.clear()
                for name, draw in (("stock", stock), ("graph", ours))[:: 1 if seed % 2 else -1]:
                    times[name].append(timed(lambda draw=draw, chosen=first + seed: draw(chosen)))
            left, right = (statistics.median(times[name]) * 1000 for name in ("stock", "graph"))
            table.add_row(case, f"{left:.1f}", f"{right:.1f}", f"{right / left:.4f}")
    Console().print(table)


if __name__ == "__main__":
    main()
