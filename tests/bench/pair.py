"""A stock call and the graph that does the same, on the tiny model of a pipeline class."""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from unittest import mock

import torch

from engine import Graph
from nodes.diffusion.disk.source import survey
from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.latents import autoencoding
from nodes.diffusion.stages import stock
from tests.bench.clock import timed
from tests.nodes.diffusion.tiny import exact
from tests.nodes.diffusion.tiny.table import TINY

NAMES = [
    name
    for name, tiny in TINY.items()
    if (tiny.strength == 1 or "latents" in stock.signature(name))
    and not FAMILIES[name].is_prior
    and FAMILIES[name].after is None
]
"""All but those that draw in two parts, and one that draws lots while it encodes the picture that it begins with."""

USUAL_STEPS = 20
LEAST_STEPS = 4
MOST_SIDES = 16
"""How much longer the sides of a tiny picture may be made."""


@dataclass(frozen=True)
class Work:
    """What is drawn: a picture whose sides are so many `times` those of the tiny one, in so many `steps`."""

    times: int
    steps: int


@contextmanager
def pair(runtime, name, work=None):
    """Both sides by name, as functions that draw. `work` is the tiny model's own unless it is given."""
    tiny = TINY[name]
    if work is not None:
        sizes = tuple((width * work.times, height * work.times) for width, height in tiny.sizes)
        tiny = replace(tiny, sizes=sizes, steps=work.steps)
    case = exact.Case(pictures=tiny.pictures[0])
    with mock.patch.dict(TINY, {name: tiny}), exact.small_area(name), ExitStack() as held:
        source = survey(runtime.paths.models[0] / name, at="bench")
        pipeline = exact.stock_pipeline(held, source)
        graph, given = Graph.from_data(document(name, case)), inputs(source, case)

        def theirs(_=0):
            return exact.stock_pictures(pipeline, case)

        def ours(_=0):
            runtime.executor.cache.clear()
            return runtime.call(graph, given).pixels

        yield {"stock": theirs, "graph": ours}


def equal(sides):
    """Whether both sides draw the same picture, bit for bit."""
    return torch.equal(autoencoding.on_white(sides["stock"]().flatten(0, -4)), sides["graph"]())


def document(name, case):
    """The graph that does what `exact.stock_call` does."""
    tiny, call = TINY[name], stock.signature(name)
    text = {"text_encoder": {"link": "load.text_encoder"}, "options": tiny.text}
    width, height = tiny.sizes[case.size]
    is_guided = "negative_prompt" in call
    sample = {
        "model": {"link": "load.model"},
        "positive": {"link": "prompt.conditioning"},
        **({} if tiny.strength < 1 else {"latent": {"link": "size.latent"}}),
        **({"negative": {"link": "negative.conditioning"}} if is_guided else {}),
        "scheduler": {"link": "load.scheduler"},
        "steps": tiny.steps,
        "guidance": tiny.guidance,
        "seed": 7,
        "denoise": tiny.strength,
        "options": exact.options_of(tiny, call, case),
    }
    nodes = {
        "load": {"type": "LoadModel", "inputs": {"model": name}},
        "prompt": {"type": "EncodeText", "inputs": {**text, "text": exact.words_of(name)}},
        "negative": {"type": "EncodeText", "inputs": {**text, "text": exact.NEGATIVE, "role": "negative"}},
        "size": {"type": "EmptyLatent", "inputs": {"width": width, "height": height, "frames": tiny.frames}},
        "sample": {"type": "Sample", "inputs": sample},
        "decode": {"type": "VAEDecode", "inputs": {"vae": {"link": "load.vae"}, "latent": {"link": "sample.latent"}}},
    }
    if not is_guided:
        del nodes["negative"]
    public = {
        **({"latent": "sample.latent"} if tiny.strength < 1 else {}),
        **({f"{prompt}_pictures": f"{prompt}.pictures" for prompt in prompts_of(nodes)} if case.pictures else {}),
    }
    return {"version": 1, "nodes": nodes, "interface": {"inputs": public, "outputs": {"image": "decode.image"}}}


def prompts_of(nodes):
    """The nodes that read a prompt."""
    return [name for name, node in nodes.items() if node["type"] == "EncodeText"]


def inputs(source, case):
    """What such a graph is given: what is no JSON."""
    name = source.pipeline_class
    shown = exact.pictures_of(name, case.pictures, case.size)
    prompts = prompts_of(document(name, case)["nodes"]) if shown else ()
    latent = {"latent": exact.beginning(source, case)} if TINY[name].strength < 1 else {}
    return {**latent, **{f"{prompt}_pictures": shown for prompt in prompts}}


def fitted(runtime, name, seconds):
    """The work that a stock picture takes about so long for: larger sides first, then more steps or fewer.

    Less where the tiny model is not made for as much. Both sides have drawn the same picture with it.
    """
    work = Work(1, USUAL_STEPS)
    spent = cost(runtime, name, work)
    if spent is None:  # a distilled model may know no other number of steps
        work = Work(1, TINY[name].steps)
        spent = cost(runtime, name, work)
    assert spent is not None, f"the graph of {name} draws another picture"
    while spent < seconds / 3 and work.times < MOST_SIDES:
        larger = replace(work, times=work.times * 2)
        took = cost(runtime, name, larger)
        if took is None:
            break
        work, spent = larger, took
    wanted = replace(work, steps=max(LEAST_STEPS, round(work.steps * seconds / spent)))
    return wanted if cost(runtime, name, wanted) else work


def cost(runtime, name, work):
    """The processor time of a stock picture in seconds; None where either side cannot draw it, or another picture."""
    try:
        with pair(runtime, name, work) as sides:
            return timed(sides["stock"]).cpu if equal(sides) else None
    except Exception:  # noqa: BLE001  # what a tiny model cannot do is told in many ways
        return None
