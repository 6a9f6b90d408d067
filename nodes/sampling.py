"""Denoising, and the choice of how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, JsonValue

from engine import node
from nodes.diffusion.disk.bare import check_reading
from nodes.diffusion.families.pairs import EMBEDDED, check_embedded
from nodes.diffusion.latents.mask_rules import MASK, NONE, check_model
from nodes.guiding import weakening_of
from nodes.load import source_of
from nodes.types import (
    BlankLatent,
    Conditioning,
    Denoiser,
    Guidance,
    Guider,
    GuiderName,
    Image,
    K,
    Latent,
    Sampler,
    SamplerName,
    Scheduler,
    SchedulerName,
    Seed,
    ShareEnd,
    ShareStart,
    Sigmas,
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
First = Annotated[int, Field(ge=0, le=1000, description="The first step to run, counted from 0.")]
Last = Annotated[
    int | None, Field(ge=1, le=1000, description="Where to stop: the number of steps then done; null for the end.")
]
SETTINGS = "null is the sampler's own; a sampler without this setting refuses it."
Eta = Annotated[
    float | None, Field(ge=0, le=10, description=f"How much of the noise is fresh at each step; {SETTINGS}")
]
NoiseScale = Annotated[float | None, Field(ge=0, le=10, description=f"What fresh noise is multiplied by; {SETTINGS}")]
Churn = Annotated[
    float | None, Field(ge=0, le=1000, description=f"Noise added before the steps, over the whole run; {SETTINGS}")
]
Order = Annotated[int | None, Field(ge=1, le=8, description=f"How many past steps the solver looks at; {SETTINGS}")]


OWN = "null is the guider's own; a guider without this setting refuses it."
Rescale = Annotated[
    float, Field(ge=0, le=1, description="How far the contrast goes back to that of the prompt's own prediction.")
]
Along = Annotated[
    float | None, Field(ge=0, le=1, description=f"APG: how much of guidance along the prediction is kept; {OWN}")
]
Threshold = Annotated[
    float | None, Field(ge=0, le=1000, description=f"APG: the length that guidance is cut to, 0 for none; {OWN}")
]
Momentum = Annotated[
    float | None, Field(ge=-1, le=1, description=f"APG: the weight of past steps, usually below 0; {OWN}")
]
ZeroSteps = Annotated[
    int | None, Field(ge=0, le=1000, description=f"CFG-Zero*: how many first steps stand still; {OWN}")
]


class Schedule(NamedTuple):
    """What a scheduler does: a description with every option, and its noise levels and timesteps as a picture."""

    text: str
    plot: Image


def check_scheduler(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse options that the scheduler does not have, and a scheduler that cannot be right for the model."""
    from nodes.diffusion.schedules.scheduler_table import check_fit, check_options

    name, options = values.get("name"), values.get("options")
    known = given.get("scheduler", {}).get("prediction")
    told = options.get("prediction_type") if isinstance(options, dict) else None
    prediction = {"flow_prediction": "flow"}.get(str(told), str(told)) if told else known
    if isinstance(name, str):
        if isinstance(options, dict):
            check_options(name, options)
        if prediction:
            check_fit(name, prediction, "name")
    return {"prediction": prediction} if prediction else {}


def check_sampler(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse settings that the sampler does not have, and models that no sampler is right for."""
    from nodes.diffusion.schedules.sampler_settings import check_prediction, chosen

    name = str(values.get("name", "euler"))
    settings = {setting: value for setting, value in values.items() if setting not in {"name", "sigmas"}}
    if "name" in values:
        chosen(name, settings)
    prediction = given.get("scheduler", {}).get("prediction")
    if prediction:
        check_prediction(prediction, name, settings)
    return {}


def check_sample(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse a scheduler that cannot be right for the model, a missing mask, and a guider that it cannot follow."""
    from nodes.diffusion.changes.weak_layers import check_weakening
    from nodes.diffusion.schedules.scheduler_table import check_fit

    name, prediction = values.get("scheduler"), given.get("model", {}).get("prediction")
    if isinstance(name, str) and prediction:
        check_fit(name, prediction)
    check_model(given)
    weakening, source = weakening_of(given.get("guider", {})), source_of(given.get("model", {}))
    if source is not None:
        check_reading(source, "model")
        if weakening is not None:
            check_weakening(source, weakening)
        if "positive" in given:
            check_embedded(source.family, embedded=EMBEDDED in given["positive"])
    return {MASK: NONE}


def check_sample_steps(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The same; what is left unfinished keeps its mask."""
    facts = check_sample(values, given)
    brought = given.get("latent", {}).get(MASK)
    is_finished = "last" in values and values["last"] is None
    return {**facts, MASK: brought} if brought and not is_finished else facts


@node("Scheduler", category="sampling", facts=check_scheduler)
def scheduler(
    scheduler: Scheduler[K],
    *,
    name: SchedulerName = "DPMSolverMultistep",
    spacing: Spacing = "as the model",
    sigmas: SigmaCurve = "as the model",
    options: Options = {},  # noqa: B006  # never changed: a value of the graph
) -> Scheduler[K]:
    """Choose a scheduler and set it up; what is not set is inherited from the model's own configuration."""
    from nodes.diffusion.schedules.scheduler_table import check_options

    chosen: dict[str, object] = dict(options)
    if spacing != "as the model":
        chosen["timestep_spacing"] = spacing
    if sigmas != "as the model":
        chosen[f"use_{sigmas}_sigmas"] = True
    return Scheduler(name, scheduler.kind, scheduler.base, check_options(name, chosen), scheduler.family)


@node("Sampler", category="sampling", facts=check_sampler)
def sampler(
    scheduler: Scheduler[K],
    sigmas: Sigmas[K] | None = None,
    *,
    name: SamplerName = "dpmpp_2m",
    eta: Eta = None,
    s_noise: NoiseScale = None,
    s_churn: Churn = None,
    order: Order = None,
) -> Sampler[K]:
    """Choose a sampler by the name it has in k-diffusion. It runs in any family, in place of a scheduler.

    Its noise levels are the `sigmas`, or else those of the scheduler. Same seed, same bits: it draws from generators of
    its own.
    """
    from nodes.diffusion.schedules.sampler_settings import chosen

    settings = chosen(name, {"eta": eta, "s_noise": s_noise, "s_churn": s_churn, "order": order})
    own = None if sigmas is None else sigmas.values
    base = (scheduler.name, scheduler.kind, scheduler.base, scheduler.options, scheduler.family)
    return Sampler(*base, name, settings, own)


def check_guider(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Refuse settings that the guider does not have."""
    from nodes.diffusion.sampling.guider_table import chosen

    chosen(str(values.get("name", "CFG")), {name: value for name, value in values.items() if name != "name"})
    return {}


@node("Guider", category="sampling", facts=check_guider)
def guider(
    *,
    name: GuiderName = "CFG",
    rescale: Rescale = 0.0,
    start: ShareStart = 0.0,
    end: ShareEnd = 1.0,
    eta: Along = None,
    threshold: Threshold = None,
    momentum: Momentum = None,
    zero_steps: ZeroSteps = None,
) -> Guider:
    """Choose how the prompt steers against the negative one; `guidance` of Sample stays its strength.

    It takes the place of the model's own guidance, so what some models add to that is left out. Outside its share of
    the steps the prompt alone counts.
    """
    from nodes.diffusion.sampling.guider_table import chosen

    own = {"eta": eta, "threshold": threshold, "momentum": momentum, "zero_steps": zero_steps}
    return Guider(name, chosen(name, {"rescale": rescale, "start": start, "end": end, **own}))


@node("ShowScheduler", category="sampling")
def show_scheduler(scheduler: Scheduler[K], *, steps: Steps = 20) -> Schedule:
    """Show a scheduler: each option with its value and where that comes from, and the tables of its steps."""
    from nodes.diffusion.schedules import schedule_report

    return Schedule(schedule_report.text(scheduler, steps), schedule_report.picture(scheduler, steps))


@node("Sample", category="sampling", device=True, facts=check_sample)
def sample(
    model: Denoiser[K],
    positive: Conditioning[K],
    latent: Latent[K] | BlankLatent,
    negative: Conditioning[K] | None = None,
    guider: Guider | None = None,
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
    schedule first (image to image); one with a mask is painted there only (inpainting). Without a negative, guidance
    works against what the model's stock pipeline takes then: the empty prompt in most families.
    """
    from nodes.diffusion.sampling import denoising

    return denoising.sample(
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
        guider=guider,
    )


@node("SampleSteps", category="sampling", device=True, facts=check_sample_steps)
def sample_steps(
    model: Denoiser[K],
    positive: Conditioning[K],
    latent: Latent[K] | BlankLatent,
    negative: Conditioning[K] | None = None,
    guider: Guider | None = None,
    *,
    scheduler: Scheduler[K] | SchedulerName = "DPMSolverMultistep",
    steps: Steps = 20,
    guidance: Guidance = 7.5,
    seed: Seed = 0,
    first: First = 0,
    last: Last = None,
    options: StockOptions = {},  # noqa: B006  # never changed: a value of the graph
) -> Latent[K]:
    """Denoise some of the steps, and leave the rest to another SampleSteps: with another prompt, model or guidance.

    A latent that was left at a step goes on there exactly, its solver's memory and its noise with it; the seed counts
    only where noise is drawn first. A finished latent gets the noise of the `first` step.
    """
    from nodes.diffusion.sampling import denoising
    from nodes.diffusion.schedules.shim import Window

    return denoising.sample(
        model,
        positive,
        negative,
        latent,
        scheduler=scheduler,
        steps=steps,
        guidance=guidance,
        seed=seed,
        options=options,
        window=Window(steps, first, last),
        guider=guider,
    )
