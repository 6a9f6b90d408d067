"""Noise levels as values: made, edited, cut, joined and shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from engine import Code, PatchbayError, node
from nodes.sampling import First, Last
from nodes.types import Image, K, Scheduler, Sigmas, Steps, Strength

CurveName = Annotated[
    Literal[
        "from the scheduler",
        "simple",
        "normal",
        "karras",
        "exponential",
        "beta",
        "sgm_uniform",
        "kl_optimal",
        "linear_quadratic",
    ],
    Field(description="How the levels fall from the model's greatest to its least, and then to 0."),
]
Level = Annotated[float | None, Field(gt=0, description="A noise level; null for the model's own.")]


class Shown(NamedTuple):
    """Noise levels for people: as lines in a diagram, and as a table."""

    plot: Image
    text: str


@node("Sigmas", category="sampling")
def make_sigmas(
    scheduler: Scheduler[K],
    *,
    curve: CurveName = "karras",
    steps: Steps = 20,
    low: Level = None,
    high: Level = None,
) -> Sigmas[K]:
    """Noise levels for a model along a curve, for Sampler. `low` and `high` bound the curve."""
    from nodes.diffusion.schedules import schedule_report
    from nodes.diffusion.schedules import sigmas as curves

    table = schedule_report.table_of(scheduler)
    if curve == "from the scheduler":
        if low is not None or high is not None:
            what = "The scheduler has levels of its own, which have no other bounds."
            raise PatchbayError(Code.BAD_VALUE, "curve", what, "Set low and high to null, or choose a curve.")
        values = schedule_report.levels_of(scheduler, steps)
    else:
        values = tuple(curves.CURVES[curve](curves.between(table.levels, low, high), steps))
    return Sigmas(curves.checked(values), scheduler.kind, table.flow)


@node("SigmaValues", category="sampling")
def sigma_values(
    scheduler: Scheduler[K],
    *,
    values: Annotated[list[float], Field(min_length=2, max_length=1001)] = [1.0, 0.0],  # noqa: B006  # never changed
) -> Sigmas[K]:
    """Noise levels as you write them: falling, one more than steps, 0 at the end for a finished picture."""
    from nodes.diffusion.schedules import schedule_report
    from nodes.diffusion.schedules import sigmas as curves

    return Sigmas(curves.checked(values), scheduler.kind, schedule_report.table_of(scheduler).flow)


@node("EditSigmas", category="sampling")
def edit_sigmas(
    sigmas: Sigmas[K],
    *,
    shift: Annotated[
        float, Field(gt=0, le=1000, description="How many times as much noise against the picture; 1 changes nothing.")
    ] = 1.0,
    scale: Annotated[float, Field(gt=0, le=1000, description="Every level times this, after the shift.")] = 1.0,
    reverse: Annotated[bool, Field(description="From the end to the start.")] = False,
) -> Sigmas[K]:
    """Shift, scale and turn round noise levels; in this order."""
    from nodes.diffusion.schedules import sigmas as curves

    values = curves.scaled(curves.shifted(sigmas.values, shift, flow=sigmas.flow), scale)
    return replace(sigmas, values=values[::-1] if reverse else values)


@node("CutSigmas", category="sampling")
def cut_sigmas(sigmas: Sigmas[K], *, first: First = 0, last: Last = None, denoise: Strength = 1.0) -> Sigmas[K]:
    """Keep the steps from `first` up to `last`, and of these the last `denoise` share."""
    from nodes.diffusion.schedules import sigmas as curves

    return replace(sigmas, values=curves.share(curves.cut(sigmas.values, first, last), denoise))


@node("JoinSigmas", category="sampling")
def join_sigmas(a: Sigmas[K], b: Sigmas[K]) -> Sigmas[K]:
    """Put noise levels one after the other; a level where they meet comes once."""
    from nodes.diffusion.schedules import sigmas as curves

    return replace(a, values=curves.joined(a.values, b.values))


@node("PlotSigmas", category="sampling")
def plot_sigmas(
    sigmas: list[Sigmas[K]],
    *,
    labels: Annotated[list[str], Field(max_length=64, description="A name for each line.")] = [],  # noqa: B006  # never changed
    logarithmic: bool = False,
) -> Shown:
    """Draw noise levels step by step, and write them down."""
    from nodes.diffusion.schedules import schedule_report

    return Shown(*schedule_report.shown(sigmas, labels, logarithmic=logarithmic))
