"""What a stage checks of the values it is given: the plan has done so already, a call from Python has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.types import Conditioning, Denoiser, Latent, Scheduler

if TYPE_CHECKING:
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
