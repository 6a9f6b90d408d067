"""What a scheduler will do, for people: where its options come from, and its tables of noise levels and timesteps."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import Code, PatchbayError
from nodes.diffusion.pictures.plots import Line, chart, stacked
from nodes.diffusion.schedules import schedulers
from nodes.diffusion.schedules.scheduler_scan import summary_of, texts_of
from nodes.diffusion.schedules.scheduler_table import CLASSES, is_distilled, options_of, preset_of, short_name
from nodes.diffusion.schedules.sigmas import shifted
from nodes.types import Sampler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodes.diffusion.schedules.pose import SamplerScheduler
    from nodes.types import Image, Scheduler, Sigmas


class Table(NamedTuple):
    """A model's training noise levels, rising, in its own units, and whether it is a flow model."""

    levels: tuple[float, ...]
    flow: bool


def table_of(scheduler: Scheduler[Any]) -> Table:
    """The training levels of the model that a scheduler was taken from, with the shift that it is set to."""
    pose = _posing(scheduler)
    process = pose.process
    if not process.flow:
        return Table(process.table, flow=False)
    even = [(index + 1) / process.timesteps for index in range(process.timesteps)]
    return Table(shifted(even, float(pose.config.get("shift", 1.0)), flow=True), flow=True)


def levels_of(scheduler: Scheduler[Any], steps: int) -> tuple[float, ...]:
    """The noise levels of a scheduler's steps, one more than these, in the model's own units."""
    pose = _posing(
        scheduler, len(scheduler.sigmas) - 1 if isinstance(scheduler, Sampler) and scheduler.sigmas else steps
    )
    return pose.levels


def _posing(scheduler: Scheduler[Any], steps: int = 0) -> SamplerScheduler:
    """The scheduler's levels under an Euler sampler, which knows them whatever class they came from."""
    given = scheduler.sigmas if isinstance(scheduler, Sampler) else None
    base = (scheduler.name, scheduler.kind, scheduler.base, scheduler.options, scheduler.family)
    pose = schedulers.posing(Sampler(*base, "euler", {}, given))
    if steps:
        _begin(pose, steps)
    return pose


def _begin(live: Any, steps: int) -> None:  # noqa: ANN401  # diffusers does not type its schedulers
    if live.config.get("use_dynamic_shifting") and "mu" in inspect.signature(live.set_timesteps).parameters:
        what = "This model shifts its noise levels by the size of the picture, which is known only to Sample."
        raise PatchbayError(Code.BAD_VALUE, "scheduler", what, "Set its option use_dynamic_shifting to false.")
    live.set_timesteps(steps)


def text(scheduler: Scheduler[Any], steps: int) -> str:
    """The scheduler's options, one a line, and the table of its steps."""
    live = schedulers.build(scheduler, {}, "")
    _begin(live, steps)
    return "\n".join([*_head(scheduler, live), "", *_options(scheduler, live), "", *_rows(live, steps)])


def picture(scheduler: Scheduler[Any], steps: int) -> Image:
    """The timesteps of the model calls, and the noise levels that go with them, as two diagrams."""
    live = schedulers.build(scheduler, {}, "")
    _begin(live, steps)
    times = Line("", tuple(float(time) for time in live.timesteps))
    charts = [chart(f"{_title(scheduler)}: timestep of each model call", [times])]
    if levels := _levels(live):
        charts.append(chart("noise level (sigma)", [Line("", levels)]))
    return stacked(charts)


def shown(sigmas: Sequence[Sigmas[Any]], labels: Sequence[str], *, logarithmic: bool) -> tuple[Image, str]:
    """Several lists of noise levels as lines in one diagram and as a table. Raises `bad_value` for other labels."""
    if labels and len(labels) != len(sigmas):
        what = f"There are {len(labels)} labels for {len(sigmas)} lists of noise levels."
        raise PatchbayError(Code.BAD_VALUE, "labels", what, "Give one label for each, or none.")
    names = labels or ["" for _ in sigmas]
    lines = [Line(name, each.values) for name, each in zip(names, sigmas, strict=True)]
    rows = [f"{line.name or 'sigmas'}: {', '.join(f'{value:.4f}' for value in line.values)}" for line in lines]
    return chart("noise level (sigma) of each step", lines, logarithmic=logarithmic), "\n".join(rows)


def _title(scheduler: Scheduler[Any]) -> str:
    return scheduler.sampler if isinstance(scheduler, Sampler) else scheduler.name


def _head(scheduler: Scheduler[Any], live: Any) -> list[str]:  # noqa: ANN401  # diffusers does not type its schedulers
    if isinstance(scheduler, Sampler) or preset_of(scheduler.name).is_sampler:
        name = _title(scheduler)
        told = scheduler.settings if isinstance(scheduler, Sampler) else {}
        settings = ", ".join(f"{setting} {value:g}" for setting, value in told.items()) or "its own settings"
        return [f"{name}: a sampler with {settings}, on the noise levels of Euler."]
    short = short_name(scheduler.name)
    lines = [f"{scheduler.name}: {CLASSES.get(short, short)}. {summary_of(type(live))}"]
    return [*lines, "It is for models that were distilled to a few steps."] if is_distilled(short) else lines


def _options(scheduler: Scheduler[Any], live: Any) -> list[str]:  # noqa: ANN401  # diffusers does not type its schedulers
    """Each option with its value and whether it was set, comes with the name, from the model or from Diffusers."""
    known = options_of(scheduler.name)
    texts = texts_of(schedulers.scheduler_class("Euler") if _is_sampler(scheduler) else type(live))
    preset = preset_of(scheduler.name).options
    lines = []
    for option in known:
        origin = "Diffusers' default"
        for where, given in (("the model", scheduler.base), ("the name", preset), ("set here", scheduler.options)):
            origin = where if option in given else origin
        lines.append(f"{option} = {live.config.get(option)!r} ({origin}) {texts.get(option, '')}".rstrip())
    return lines


def _is_sampler(scheduler: Scheduler[Any]) -> bool:
    return isinstance(scheduler, Sampler) or preset_of(scheduler.name).is_sampler


def _rows(live: Any, steps: int) -> list[str]:  # noqa: ANN401  # diffusers does not type its schedulers
    levels = _levels(live)
    rows = [f"{steps} steps, {len(live.timesteps)} model calls"]
    for index, time in enumerate(live.timesteps):
        level = f"  sigma {levels[index]:.4f}" if levels else ""
        rows.append(f"{index + 1}: timestep {float(time):g}{level}")
    return rows


def _levels(live: Any) -> tuple[float, ...]:  # noqa: ANN401  # diffusers does not type its schedulers
    """The levels beside the timesteps, where the scheduler keeps such a list, or what its betas say of them."""
    count = len(live.timesteps)
    sigmas = getattr(live, "sigmas", None)
    if sigmas is not None and len(sigmas) >= count:
        return tuple(float(sigma) for sigma in sigmas[: count + 1])
    kept = getattr(live, "alphas_cumprod", None)
    if kept is None:
        return ()
    return (*(float((1 / kept[int(time)] - 1) ** 0.5) for time in live.timesteps), 0.0)
