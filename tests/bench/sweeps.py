"""Several pictures that differ in one thing: a stock script for each, from scratch, against one graph for all."""

import functools
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from engine import Catalog, Graph, Runtime
from engine.settings import Settings
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.schedules.scheduler_table import CLASSES
from nodes.pocket import MODEL
from tests.bench.clock import in_turns

PROMPT = "a red mushroom on a yellow background"

SWEEPS = {
    "4 schedulers": [(PROMPT, name) for name in ("DDIM", "PNDM", "LMS", "DPMSolverMultistep")],
    "3 prompts": [(PROMPT.replace("red", colour), "DDIM") for colour in ("red", "blue", "green")],
}
"""What is drawn: prompts, and schedulers by their names here."""

SCRIPT = """
import sys

import diffusers
import torch

model, prompt, scheduler, steps, file = sys.argv[1:]
torch.set_num_threads(1)
pipeline = diffusers.StableDiffusionPipeline.from_pretrained(model, safety_checker=None, torch_dtype=torch.float32)
pipeline.scheduler = getattr(diffusers, scheduler).from_config(pipeline.scheduler.config)
pipeline.set_progress_bar_config(disable=True)
picture = pipeline(
    prompt, num_inference_steps=int(steps), guidance_scale=3.0, width=256, height=256,
    generator=torch.Generator().manual_seed(0), output_type="pt",
).images
diffusers.image_processor.VaeImageProcessor.numpy_to_pil(picture.permute(0, 2, 3, 1).numpy())[0].save(file)
"""
"""What somebody would write for one picture."""


def compare(sweep, rounds, steps):
    """Medians of the stock side and of the graph's: in one process that forgets all between rounds, and as programs."""
    pictures = torch.cat(stock_pictures(sweep, steps))
    assert torch.equal(pictures, graph_pictures(sweep, steps)), "the graph draws other pictures"
    inside = {"stock": lambda _: stock_pictures(sweep, steps), "graph": lambda _: graph_pictures(sweep, steps)}
    yield "in one process", in_turns(inside, rounds)
    with tempfile.TemporaryDirectory() as folder:
        programs = {"stock": run_scripts, "graph": run_graph}
        works = {name: functools.partial(_nth, run, sweep, steps, Path(folder)) for name, run in programs.items()}
        yield "as programs", in_turns(works, rounds)


def stock_pictures(sweep, steps):
    """Load, encode, sample and decode for each picture, as a script does after its imports."""
    import diffusers

    found = []
    for prompt, scheduler in sweep:
        pipeline = diffusers.StableDiffusionPipeline.from_pretrained(
            MODEL, safety_checker=None, torch_dtype=torch.float32
        )
        pipeline.scheduler = getattr(diffusers, CLASSES[scheduler]).from_config(pipeline.scheduler.config)
        pipeline.set_progress_bar_config(disable=True)
        settings = {"num_inference_steps": steps, "guidance_scale": 3.0, "width": 256, "height": 256}
        generator = torch.Generator().manual_seed(0)
        found.append(pipeline(prompt, **settings, generator=generator, output_type="pt").images)
    return found


def graph_pictures(sweep, steps):
    """The same by one graph, from nothing loaded and nothing cached."""
    SHELF.clear()
    runtime = Runtime(Catalog.load(), settings=Settings(device="cpu"))
    found = runtime.call(Graph.from_data(document(sweep, steps)), {})
    runtime.executor.close()
    return torch.cat([each.pixels for each in found.values()])


def run_scripts(sweep, steps, folder):
    """A program for each picture."""
    for number, (prompt, scheduler) in enumerate(sweep):
        file = folder / f"stock-{number}.png"
        given = [str(MODEL), prompt, CLASSES[scheduler], str(steps), str(file)]
        subprocess.run([sys.executable, "-W", "ignore", "-c", SCRIPT, *given], check=True, capture_output=True)


def run_graph(sweep, steps, folder):
    """`patchbay run` with the graph of all pictures."""
    file = folder / "sweep.json"
    file.write_text(json.dumps(document(sweep, steps, saved=True)))
    command = [sys.executable, "-W", "ignore", "-m", "web", "run", str(file), "--device", "cpu", "--out", str(folder)]
    subprocess.run(command, check=True, capture_output=True, env=_one_thread())


def document(sweep, steps, *, saved=False):
    """One graph for all pictures: everything that two of them share is one node."""
    encode = {"text_encoder": {"link": "load.text_encoder"}}
    nodes = {
        "load": {"type": "LoadModel", "inputs": {"model": "pocket"}},
        "size": {"type": "EmptyLatent", "inputs": {"width": 256, "height": 256}},
    }
    prompts = list(dict.fromkeys(prompt for prompt, _ in sweep))
    nodes |= {f"prompt_{n}": {"type": "EncodeText", "inputs": {**encode, "text": p}} for n, p in enumerate(prompts)}
    for number, (prompt, scheduler) in enumerate(sweep):
        inputs = {
            "model": {"link": "load.model"},
            "positive": {"link": f"prompt_{prompts.index(prompt)}.conditioning"},
            "latent": {"link": "size.latent"},
            "scheduler": scheduler,
            "steps": steps,
            "guidance": 3.0,
        }
        decode = {"vae": {"link": "load.vae"}, "latent": {"link": f"sample_{number}.latent"}}
        nodes[f"sample_{number}"] = {"type": "Sample", "inputs": inputs}
        nodes[f"decode_{number}"] = {"type": "VAEDecode", "inputs": decode}
        if saved:
            save = {"image": {"link": f"decode_{number}.image"}, "name": f"graph-{number}"}
            nodes[f"save_{number}"] = {"type": "SaveImage", "inputs": save}
    outputs = {f"image_{number}": f"decode_{number}.image" for number in range(len(sweep))}
    return {"version": 1, "nodes": nodes, "interface": {"outputs": outputs}}


def _nth(run, sweep, steps, folder, _round):
    run(sweep, steps, folder)


def _one_thread():
    import os

    return {**os.environ, "OMP_NUM_THREADS": "1"}
