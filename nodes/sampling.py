"""Denoising, and the choice of how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from engine import node
from nodes.types import (
    BlankLatent,
    Conditioning,
    Denoiser,
    Guidance,
    K,
    Latent,
    Scheduler,
    SchedulerName,
    Seed,
    Steps,
    StockOptions,
    Strength,
)

Spacing = Annotated[
    Literal["as the model", "leading", "trailing", "linspace"],
    Field(description="How the steps are spread over the training timesteps."),
]
SigmaCurve = Annotated[
    Literal["as the model", "karras", "exponential", "beta"], Field(description="How the noise levels fall.")
]
Options = Annotated[
    dict[str, JsonValue], Field(description="Any other option of the scheduler's class, by its own name.")
]


@node("Scheduler", category="sampling")
def scheduler(
    scheduler: Scheduler[K],
    *,
    name: SchedulerName = "DPMSolverMultistep",
    spacing: Spacing = "as the model",
    sigmas: SigmaCurve = "as the model",
    options: Options = {},  # noqa: B006  # never changed: a value of the graph
) -> Scheduler[K]:
    """Choose a scheduler and set it up; what is not set is inherited from the model's own configuration."""
    from nodes.diffusion import schedulers

    chosen: dict[str, object] = dict(options)
    if spacing != "as the model":
        chosen["timestep_spacing"] = spacing
    if sigmas != "as the model":
        chosen[f"use_{sigmas}_sigmas"] = True
    return Scheduler(name, scheduler.kind, scheduler.base, schedulers.check_options(name, chosen))


@node("Sample", category="sampling", device=True)
def sample(
    model: Denoiser[K],
    positive: Conditioning[K],
    latent: Latent[K] | BlankLatent,
    negative: Conditioning[K] | None = None,
    *,
    scheduler: Scheduler[K] | SchedulerName = "DPMSolverMultistep",
    steps: Steps = 20,
    guidance: Guidance = 7.5,
    seed: Seed = 0,
    denoise: Strength = 1.0,
    options: StockOptions = {},  # noqa: B006  # never changed: a value of the graph
) -> Latent[K]:
    """Denoise a latent, steered by the prompt.

    A blank latent starts from pure noise (text to image); a filled one gets the noise of the `denoise` share of the
    schedule first (image to image). Without a negative, guidance works against what the model's stock pipeline takes
    then: the empty prompt in most families.
    """
    from nodes.diffusion import stages

    return stages.sample(
        model,
        positive,
        negative,
        latent,
        scheduler=scheduler,
        steps=steps,
        guidance=guidance,
        seed=seed,
        denoise=denoise,
        options=options,
    )
