"""How much of its caption came true in a picture: `python -m nodes.pocket.score` prints the table.

The prompts ask for pictures that training never drew: the first thing in each is a pair of colour and figure held out.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import pairwise, permutations
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from nodes.pocket import MODEL, captions, draw, scenes
from nodes.pocket.draw import Picture, Still
from nodes.pocket.reading import cut, identify, nearest, reduced, subject_colours

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from nodes.pocket.network import Network
    from nodes.pocket.reading import Found, Pixels
    from nodes.pocket.scenes import Scene

_NEAR = 0.3
"""How far a centre may lie from where it belongs, on a canvas from -1 to 1."""

SCHEDULERS = (
    "DPMSolverMultistep",
    "DDIM",
    "EulerDiscrete",
    "EulerAncestralDiscrete",
    "LMSDiscrete",
    "PNDM",
    "UniPCMultistep",
    "HeunDiscrete",
)
"""Diffusers' names without the ending, as `--schedulers` takes them."""

_BATCH = 8


def score(picture: Picture, pixels: Pixels) -> dict[str, float]:
    """What came true of the caption, each from 0 to 1, by the table's columns. `pixels`: side x side x 3."""
    if not isinstance(picture, Still):
        return _score_scene(picture, pixels)
    background, pieces = cut(reduced(pixels), len(picture.things))
    right = {"background": float(nearest(background) == picture.background)}
    found = [identify(reduced(pixels), background, piece) for piece in pieces]
    if len(picture.things) == 1:
        return right | _score_one(picture, found[0] if found else None)
    return right | _score_several(picture, found)


def table(pictures: Sequence[Picture], drawn: Sequence[Pixels]) -> dict[str, dict[str, float]]:
    """Mean scores in per cent: a row for each kind of picture, and in it each column."""
    rows: dict[str, list[dict[str, float]]] = {}
    for picture, pixels in zip(pictures, drawn, strict=True):
        rows.setdefault(kind_of(picture), []).append(score(picture, pixels))
    return {kind: _mean(scores) for kind, scores in rows.items()}


def kind_of(picture: Picture) -> str:
    """Which row of the table a picture belongs to: a key of `draw.KINDS`."""
    return ("one", "two", "three")[len(picture.things) - 1] if isinstance(picture, Still) else "scene"


def _score_one(picture: Still, found: Found | None) -> dict[str, float]:
    (thing,) = picture.things
    if found is None:
        return dict.fromkeys(("colour", "figure", "place", "size", "all"), 0.0)
    right = {
        "colour": float(found.colour == thing.colour),
        "figure": float(found.figure == thing.figure),
        "place": float(max(abs(found.x - thing.x), abs(found.y - thing.y)) < _NEAR),
        "size": float(0.75 < found.radius / draw.SIZES[thing.size] < 1.33),  # noqa: PLR2004
    }
    return right | {"all": float(all(right.values()))}


def _score_several(picture: Still, found: list[Found]) -> dict[str, float]:
    """Two or three things: `binding` is the share of things that have both their colour and their figure.

    The things found are matched with those wanted so that most agrees; `relation` asks whether they then lie as said.
    """
    names = ("colours", "binding", "relation", "all")
    if len(found) != len(picture.things):
        return dict.fromkeys(names, 0.0)
    best = max(permutations(found), key=lambda order: _agreement(picture, order))
    pairs = list(zip(picture.things, best, strict=True))
    bound = [thing.colour == seen.colour and thing.figure == seen.figure for thing, seen in pairs]
    right = {
        "colours": float(np.mean([thing.colour == seen.colour for thing, seen in pairs])),
        "binding": float(np.mean(bound)),
        "relation": float(_lie_as_said(picture, best)),
    }
    return right | {"all": float(all(value == 1 for value in right.values()))}


def _agreement(picture: Still, order: tuple[Found, ...]) -> float:
    pairs = list(zip(picture.things, order, strict=True))
    same = sum((thing.colour == seen.colour) + (thing.figure == seen.figure) for thing, seen in pairs)
    return same + 0.1 * _lie_as_said(picture, order)


def _lie_as_said(picture: Still, order: tuple[Found, ...]) -> bool:
    """Whether things found lie as the caption says; "and" and "next to" say nothing of who is where."""
    if picture.relation in {"and", "next to"}:
        return True
    right, down = draw.RELATIONS.get(picture.relation, (-1, 0))
    along = [seen.x * right + seen.y * down for seen in order]
    return all(a - b > _NEAR for a, b in pairwise(along))


def _score_scene(scene: Scene, pixels: Pixels) -> dict[str, float]:
    small = reduced(pixels).astype(float)
    top = np.median(small[1:7].reshape(-1, 3), 0)
    bottom = np.median(small[-4:].reshape(-1, 3), 0)
    right = {
        "sky": float(_closest({hour: scenes.sky_colour(hour, 0.06) for hour in scenes.SKIES}, top) == scene.hour),
        "land": float(_closest(_bottoms(scene.hour), bottom) == scene.land),
    }
    bare = reduced(draw.paint(replace(scene, subject="", colour=""))).astype(float)
    usual = subject_colours(scene, bare) if scene.colour else []
    if scene.colour and scene.colour not in usual:
        seen = [name for name in subject_colours(scene, small) if name not in usual]
        right["subject"] = float(seen[:1] == [scene.colour])
    return right | {"all": float(all(right.values()))}


def _bottoms(hour: str) -> dict[str, tuple[int, int, int]]:
    return {land: scenes.lit(colours[1], hour) for land, colours in scenes.LANDS.items()}


def _closest(colours: dict[str, tuple[int, int, int]], colour: NDArray[np.floating]) -> str:
    return min(colours, key=lambda name: float(np.square(np.array(colours[name]) - colour).sum()))


def _mean(scores: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for each in scores for name in each)
    return {name: round(100 * float(np.mean([each[name] for each in scores if name in each])), 1) for name in names}


def questions(kind: str, count: int) -> tuple[list[Picture], list[str]]:
    """Pictures of a kind that training never drew, and captions of them; the same ones every time."""
    random = Random(777)
    pictures = [draw.KINDS[kind](random, draw.HELD_OUT) for _ in range(count)]
    return pictures, [_full_caption(picture, random) for picture in pictures]


def _full_caption(picture: Picture, random: Random) -> str:
    """A caption that names the background, which one in twenty leaves open: what is not asked for cannot be wrong."""
    words = captions.caption(picture, random)
    while isinstance(picture, Still) and "background" not in words:
        words = captions.caption(picture, random)
    return words


def ask(pipeline: Network, prompts: Sequence[str], *, steps: int, guidance: float) -> Iterator[Pixels]:
    """What a Diffusers pipeline draws for each prompt, the noise from the prompt's number."""
    import torch

    for start in range(0, len(prompts), _BATCH):
        batch = list(prompts[start : start + _BATCH])
        own = [torch.Generator().manual_seed(start + index) for index in range(len(batch))]
        options = {"num_inference_steps": steps, "guidance_scale": guidance, "output_type": "np"}
        for pixels in pipeline(batch, generator=own, **options).images:
            yield (pixels * 255).round().astype(np.uint8)


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    options = _parser().parse_args(arguments)
    import diffusers
    import torch
    from rich.console import Console

    pipeline: Network = diffusers.StableDiffusionPipeline.from_pretrained(
        options.model, dtype=torch.float32, safety_checker=None
    )
    pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
    pipeline.set_progress_bar_config(disable=True)
    console, own = Console(), pipeline.scheduler.config
    for name in options.schedulers:
        scheduler = getattr(diffusers, f"{name}Scheduler")
        pipeline.scheduler = scheduler.from_config(own)
        for kind in options.kinds:
            pictures, prompts = questions(kind, options.prompts)
            drawn = list(ask(pipeline, prompts, steps=options.steps, guidance=options.guidance))
            row = "  ".join(f"{column} {value:5.1f}" for column, value in table(pictures, drawn)[kind].items())
            console.print(f"{name:24}{kind:8}{row}", highlight=False, soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nodes.pocket.score", description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL, help="a model folder in the layout of Diffusers")
    parser.add_argument("--prompts", type=int, default=200, help="how many a row")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--kinds", nargs="+", choices=list(draw.KINDS), default=list(draw.KINDS))
    parser.add_argument("--schedulers", nargs="+", choices=SCHEDULERS, default=["DPMSolverMultistep"])
    return parser


if __name__ == "__main__":
    main()
