"""What a stage checks of the values it is given: the plan has done so already, a call from Python has not."""

from __future__ import annotations

import re
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.types import Conditioning, Denoiser, Latent, Scheduler

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nodes.types import BlankLatent


def check_kinds(
    model: Denoiser[Any],
    positive: Conditioning[Any],
    negative: Conditioning[Any] | None,
    latent: Latent[Any] | BlankLatent,
    scheduler: Scheduler[Any] | str,
) -> None:
    """Refuse inputs of another kind than the model. Raises `kind_mismatch`."""
    check_kind("positive", positive.kind, "model", model.kind)
    if negative is not None:
        check_kind("negative", negative.kind, "model", model.kind)
    if isinstance(latent, Latent):
        check_kind("latent", latent.kind, "model", model.kind)
    if isinstance(scheduler, Scheduler):
        check_kind("scheduler", scheduler.kind, "model", model.kind)


def check_kind(port: str, given: str, owner: str, wanted: str) -> None:
    """Refuse a value of another kind than its owner. Raises `kind_mismatch`."""
    if given != wanted:
        what = f"{port} is of kind {given}, but the {owner} is of kind {wanted}."
        raise PatchbayError(Code.KIND_MISMATCH, port, what, f"Make it with the parts of a {wanted} model.")


def check_share(start: float, end: float) -> None:
    """Refuse a share of the steps that has no steps. Raises `bad_value` at `start`."""
    if start >= end:
        what = f"There are no steps from {start:g} to {end:g} of them."
        raise PatchbayError(Code.BAD_VALUE, "start", what, "Choose start below end.")


CHECKS = frozenset({"check_inputs", "cropped_pos_embed"})
"""Functions of Diffusers that refuse what they are given, in words."""

LOOKS = frozenset({"check_image_input"})
"""The same for pictures."""


@contextmanager
def own_words(options: Mapping[str, object]) -> Iterator[None]:
    """Tell what a stock pipeline refuses by itself, or cannot do with these `options` of its call, as a bad value.

    `options` are passed on as they are, so only the pipeline knows whether it can work with them. They are to blame
    where its error names them, or the line of Diffusers' where it failed. Raises `bad_value`, or `missing_package`
    where the pipeline asks for a package.
    """
    try:
        yield
    except PatchbayError:
        raise
    except ImportError as error:
        what = f"The model's pipeline needs a package that is not installed: {error}"
        raise PatchbayError(Code.MISSING_PACKAGE, "model", what, "Install it.") from error
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        if type(error).__name__ == "OutOfMemoryError":
            raise
        if any(frame.name in LOOKS for frame in traceback.extract_tb(error.__traceback__)):
            what = f"The model's pipeline refuses a picture: {error}"
            raise PatchbayError(Code.BAD_VALUE, "pictures", what, "Resize or crop it.") from error
        said = f"{type(error).__name__}: {error}"
        blamed = _named(options, said, error)
        if blamed:
            what = f"The model's pipeline cannot work with {', '.join(blamed)}: {said}"
            fix = "Take these options away, or give them other values."
            raise PatchbayError(Code.BAD_VALUE, "options", what, fix) from error
        names = {frame.name for frame in traceback.extract_tb(error.__traceback__)}
        if "retrieve_timesteps" in names:
            what = f"The model's pipeline cannot tell its scheduler what it must: {error}"
            raise PatchbayError(Code.BAD_VALUE, "scheduler", what, "Use the model's own scheduler.") from error
        if names & CHECKS:
            what = f"The model's pipeline refuses this: {error}"
            raise PatchbayError(Code.BAD_VALUE, "latent", what, "Make the latent of another size.") from error
        raise


def _named(options: Mapping[str, object], said: str, error: Exception) -> list[str]:
    """Those of the options that an error speaks of, in its words or in the lines it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.line or "" for frame in frames if "diffusers" in Path(frame.filename).parts]
    words = set(re.findall(r"\w+", " ".join([said, *lines])))
    return [name for name in options if name in words]
