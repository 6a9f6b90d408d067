"""Which steps of a schedule a run takes, and what it leaves for the next one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.diffusion.schedules.shim import Window
from nodes.diffusion.stages import stock
from nodes.types import BlankLatent, Latent, Leftover, Sampler, Scheduler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.diffusion.families.family import Family
    from nodes.diffusion.schedules.shim import SchedulerShim


def of_share(latent: Latent[Any] | BlankLatent, steps: int, denoise: float, family: Family) -> Window:
    """The last `denoise` share of the steps, counted as `get_timesteps` of the family's image-to-image class counts.

    All steps where the family's scheduler makes them for that share. Raises `bad_value`.
    """
    if not 0 < denoise <= 1:
        raise PatchbayError(Code.BAD_VALUE, "denoise", f"denoise is {denoise}.", "Choose more than 0, at most 1.")
    if isinstance(latent, BlankLatent) and denoise < 1:
        what = f"denoise is {denoise}, but a blank latent has no picture to keep anything of."
        raise PatchbayError(Code.BAD_VALUE, "denoise", what, "Set denoise to 1, or give an encoded picture.")
    if family.told_share:
        return Window(steps)
    begun = family.begun_steps
    kept = min(int(steps * denoise), steps) if not begun else steps - int(max(steps - min(steps * denoise, steps), 0))
    if kept < 1:
        what = f"{steps} steps with denoise {denoise} leave less than one step to run."
        raise PatchbayError(Code.BAD_VALUE, "denoise", what, f"Use at least {1 / denoise:.0f} steps or more denoise.")
    return Window(steps, steps - kept)


def checked(latent: Latent[Any] | BlankLatent, window: Window) -> Window:
    """The same window, its end left open where it is the schedule's end. Raises `bad_value`."""
    last = window.steps if window.last is None else window.last
    if not 0 <= window.first < last <= window.steps:
        what = f"There are no steps from {window.first} to {last} among {window.steps}."
        raise PatchbayError(Code.BAD_VALUE, "first", what, "Choose first below last, and last at most steps.")
    if isinstance(latent, BlankLatent) and window.first:
        what = f"A blank latent starts with the first step, number 0, not {window.first}."
        raise PatchbayError(Code.BAD_VALUE, "first", what, "Set first to 0, or give the latent of an earlier run.")
    return Window(window.steps, window.first, None if last == window.steps else last)


def check_leftover(latent: Latent[Any] | BlankLatent, window: Window, scheduler: Scheduler[Any] | str) -> None:
    """Refuse to go on with a latent anywhere but where its run stopped. Raises `bad_value`."""
    found = latent.leftover if isinstance(latent, Latent) else None
    if found is None:
        return
    here = (window.first, window.steps, identity(scheduler))
    if here != (found.step, found.steps, found.scheduler):
        what = f"This latent was left at step {found.step} of {found.steps} by {_name(found.scheduler)}."
        fix = f"Go on with SampleSteps: the same scheduler, steps {found.steps}, first {found.step}."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, fix)


def check_parts(latent: Latent[Any] | BlankLatent, window: Window, family: Family) -> None:
    """Refuse to stop between the steps of a family that runs as a whole only. Raises `bad_value`."""
    if family.whole and is_part(latent, window):
        what = f"{family.pipeline_class} runs all of its steps at once: {family.whole}."
        raise PatchbayError(Code.BAD_VALUE, "last", what, "Set first to 0 and last to null.")


def check_start(latent: Latent[Any] | BlankLatent, family: Family) -> None:
    """Refuse a blank latent where a family only goes on, and a picture where it begins blank. Raises `bad_value`.

    A class whose call takes no latents draws over a picture, never from pure noise.
    """
    name = family.pipeline_class
    if isinstance(latent, BlankLatent) and stock.draws_over(name):
        what = f"{name} draws over a picture, so it begins with the latent of one."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Link the latent that VAEEncode makes of the picture.")
    if family.refines and isinstance(latent, BlankLatent):
        what = "A refiner goes on from a picture, and a blank latent has none."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Encode a picture with the refiner's VAE.")
    if family.blank_only and isinstance(latent, Latent) and latent.leftover is None:
        what = f"{name} begins with a blank latent only: {family.blank_only}."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Give it an EmptyLatent.")


def is_part(latent: Latent[Any] | BlankLatent, window: Window) -> bool:
    """Whether a run stops before the end, or goes on where another stopped."""
    return window.last is not None or state_in(latent) is not None


def state_in(latent: Latent[Any] | BlankLatent) -> Mapping[str, Any] | None:
    """The solver's state that comes with a latent."""
    return latent.leftover.state if isinstance(latent, Latent) and latent.leftover is not None else None


def leftover(shim: SchedulerShim, window: Window, scheduler: Scheduler[Any] | str) -> Leftover | None:
    """What a run that stopped before the end leaves behind."""
    if window.last is None:
        return None
    return Leftover(window.last, window.steps, identity(scheduler), shim.state())


def identity(scheduler: Scheduler[Any] | str) -> str:
    """The choice of a scheduler as a text that differs wherever choices do."""
    if isinstance(scheduler, str):
        return json.dumps([scheduler, {}])
    parts: list[object] = [scheduler.name, dict(scheduler.options)]
    if isinstance(scheduler, Sampler):
        parts += [scheduler.sampler, dict(scheduler.settings), scheduler.sigmas]
    return json.dumps(parts, sort_keys=True)


def _name(text: str) -> str:
    parts = json.loads(text)
    return str(parts[2] if len(parts) > 2 else parts[0])  # noqa: PLR2004  # a sampler has its name third
