"""What each lever brings and what it changes, beside the plain run, alternating in one process.

Run as `python -m tests.bench.levers`; `--compile` adds compiled blocks, whose first run takes minutes; `--write FILE`
writes a page. The model in the box is a UNet that has learnt to draw; caches are shown on a random transformer of
FLUX.1's build, of which the time says something and the difference little: what has learnt nothing changes more from
step to step than what draws.
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import diffusers
import torch
from rich.console import Console
from rich.table import Table

from engine.settings import Settings
from nodes.diffusion.changes.tuning import TilePatch, TunePatch
from nodes.diffusion.disk.source import survey
from nodes.diffusion.latents import autoencoding
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.sampling import denoising
from nodes.diffusion.sampling.cache_table import METHODS, chosen
from nodes.diffusion.text import prompts
from nodes.diffusion.weights.device import pick_device
from nodes.pocket import MODEL
from nodes.types import VAE, BlankLatent, Denoiser, Latent, Scheduler, TextEncoder
from tests.bench.clock import in_turns
from tests.nodes.diffusion.tiny import dits

PROMPT = "a red mushroom on a yellow background"
COLUMNS = ("ms", "CPU ms", "ratio of CPU", "difference")
STORED = TunePatch(storage="float8_e4m3fn")


def random_flux(folder):
    """A transformer of FLUX.1's build, large enough that its blocks are where the time goes."""
    torch.manual_seed(0)
    parts = dits.flux(
        num_layers=4, num_single_layers=8, attention_head_dim=32, num_attention_heads=4, axes_dims_rope=[8, 12, 12]
    )
    diffusers.FluxPipeline(**parts).save_pretrained(folder)
    return survey(folder, at="bench")


def sampled(source, steps, side, guidance):
    """Denoise with a seed."""
    text = TextEncoder(source.plain)
    positive = prompts.encode_text(text, PROMPT)
    negative = prompts.encode_text(text, "", role="negative") if source.kind == "pocket" else None
    scheduler = Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler)

    def work(seed):
        how = {"scheduler": scheduler, "steps": steps, "guidance": guidance, "seed": seed}
        return denoising.sample(Denoiser(source), positive, negative, BlankLatent(side, side, 1), **how).samples

    return work


def decoded(source, side):
    """Decode a picture of one seed."""
    factor = 2 ** (len(source.parts["vae"].config["block_out_channels"]) - 1)
    channels = source.parts["vae"].config["latent_channels"]

    def work(seed):
        drawn = torch.Generator().manual_seed(seed)
        latent = Latent(torch.randn(1, channels, side // factor, side // factor, generator=drawn), source.kind)
        return autoencoding.decode(VAE(source), latent).pixels

    return work


def compared(pieces, rounds):
    """Rows: what each piece takes beside the first, and how far its result lies from the first's."""
    results = {name: work(0) for name, work in pieces.items()}
    plain, *_ = results.values()
    spread = plain.std()
    taken = in_turns(pieces, rounds)
    first, *_ = taken.values()
    for name, spent in taken.items():
        away = ((results[name] - plain).abs().mean() / spread).item()
        said = "same bits" if torch.equal(results[name], plain) else f"{away:.2g}"
        yield name, (f"{spent.wall * 1000:.0f}", f"{spent.cpu * 1000:.0f}", f"{spent.cpu / first.cpu:.2f}", said)


def unet(rounds, steps, *, compiled):
    """The model in the box under each lever that takes a UNet."""
    source = survey(MODEL, at="bench")
    patches = {"channels last": TunePatch(channels_last=True), "weights of eight bits": STORED}
    if compiled:
        patches["compiled blocks"] = TunePatch(compiled=True)
    sources = {"plain": source, **{name: source.patched(patch) for name, patch in patches.items()}}
    return compared({name: sampled(each, steps, 256, 3.0) for name, each in sources.items()}, rounds)


def transformer(source, rounds, steps, *, compiled):
    """A random transformer under each lever that takes one."""
    patches = {
        "attention native": TunePatch(attention="native"),
        "attention _native_math": TunePatch(attention="_native_math"),
        "weights of eight bits": STORED,
        **{f"cache {method}": chosen(method, {}, None) for method in METHODS},
    }
    if compiled:
        patches["compiled blocks"] = TunePatch(compiled=True)
    sources = {"plain": source, **{name: source.patched(patch) for name, patch in patches.items()}}
    return compared({name: sampled(each, steps, 64, 3.5) for name, each in sources.items()}, rounds)


def vae(rounds, side):
    """The VAE in the box on a large picture, whole and in tiles, with the largest tensor that it makes."""
    source = survey(MODEL, at="bench")
    tiles = (512, 256, 128)
    sources = {
        "whole": source,
        **{f"tiles of {size}": source.patched(TilePatch(size, 0.25, singly=False)) for size in tiles},
    }
    largest = {name: _largest(each, side) for name, each in sources.items()}
    rows = compared({name: decoded(each, side) for name, each in sources.items()}, rounds)
    return ((f"{name}, largest tensor {largest[name] >> 20} MiB", cells) for name, cells in rows)


def _largest(source, side):
    """Bytes of the largest tensor that a layer of the decoder gives."""
    found = [0]

    def look(_module, _inputs, output):
        if isinstance(output, torch.Tensor):
            found[0] = max(found[0], output.nbytes)

    with SHELF.use(source, "vae") as module:
        hooks = [each.register_forward_hook(look) for each in module.decoder.modules()]
        decoded(source, side)(0)
        for hook in hooks:
            hook.remove()
    return found[0]


def page(tables):
    """The rows as Markdown."""
    lines = []
    for title, rows in tables.items():
        lines += ["", f"## {title}", "", f"| | {' | '.join(COLUMNS)} |", f"|---|{'---|' * len(COLUMNS)}"]
        lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows]
    return "\n".join(lines) + "\n"


def shown(title, rows):
    """Print a table and give its rows."""
    table, rows = Table("case", *COLUMNS, title=title), list(rows)
    for name, cells in rows:
        table.add_row(name, *cells)
    Console(width=120).print(table)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["unet", "transformer", "vae"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rounds, steps, compiled = arguments.rounds, arguments.steps, arguments.compile
    where = f"{steps} steps, {rounds} rounds, {pick_device(Settings()).type}"
    with tempfile.TemporaryDirectory() as folder:
        source = random_flux(Path(folder) / "flux")
        tables = {
            "unet": (f"The model in the box, {where}", unet(rounds, steps, compiled=compiled)),
            "transformer": (
                f"A random transformer of FLUX.1's build, {where}",
                transformer(source, rounds, steps, compiled=compiled),
            ),
            "vae": (
                f"The VAE in the box, {arguments.side} pixels a side, {rounds} rounds",
                vae(rounds, arguments.side),
            ),
        }
        found = {title: shown(title, rows) for title, rows in (tables[name] for name in arguments.names)}
    if arguments.write:
        arguments.write.write_text(page(found))


if __name__ == "__main__":
    main()
