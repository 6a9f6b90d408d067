"""Stock pipelines made for one stage: the parts that it runs, and something to ask for sizes in place of others.

A pipeline object is made for each call: it costs less than a millisecond and shares nothing but the weights.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from engine.context import current
from engine.errors import Code, PatchbayError, nearest
from nodes.diffusion.disk.parts import is_guider
from nodes.diffusion.schedules import schedulers
from nodes.diffusion.schedules.shim import SchedulerShim
from nodes.diffusion.stages import own_guiders, stock
from nodes.diffusion.weights.device import pick_device, pick_dtype
from nodes.diffusion.weights.libraries import diffusers
from nodes.diffusion.weights.loading import StandIn, skeleton

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nodes.diffusion.disk.source import ModelSource
    from nodes.diffusion.families.family import Family
    from nodes.diffusion.stages.layouts import Size


OWNED = frozenset(
    {
        "prompt",
        "negative_prompt",
        "prompt_embeds",
        "negative_prompt_embeds",
        "height",
        "width",
        "num_frames",
        "frames",
        "video_length",
        "do_patching",
        "image",
        "mask",
        "text_images",
        "fonts",
        "strength",
        "max_area",
        "num_inference_steps",
        "num_images_per_prompt",
        "num_videos_per_prompt",
        "generator",
        "latents",
        "output_type",
        "return_dict",
        "callback_on_step_end",
        "callback_on_step_end_tensor_inputs",
    }
)
"""Arguments of stock calls that ports and inputs of the nodes stand for."""

_UNSEEDED = frozenset({"addnoise_condition"})
"""Arguments with which a stock call draws noise that no seed reaches."""


def checked_options(
    source: ModelSource, options: Mapping[str, object], owned: frozenset[str] = OWNED
) -> dict[str, object]:
    """The options, each one an argument of the stock call that nothing else stands for. Raises `bad_value`."""
    name = source.family.pipeline_class
    free = [argument for argument in stock.signature(name).defaults if argument not in owned | _UNSEEDED]
    for option in options:
        if option not in free:
            what = f'{name} takes no option "{option}" here. {nearest(option, free)}'.rstrip()
            raise PatchbayError(Code.BAD_VALUE, f"options.{option}", what, f"Known: {', '.join(free)}.")
    return dict(options)


def own_scheduler(source: ModelSource) -> Any:  # noqa: ANN401
    """A fresh scheduler as the model brings it."""
    return schedulers.build(str(source.scheduler["_class_name"]), source.scheduler, source.family.pipeline_class)


@contextmanager
def opened(source: ModelSource, **parts: object) -> Iterator[Any]:
    """A stock pipeline of the source's family with only these parts, in inference mode, silent.

    Denoisers and VAEs that are not given stand as skeletons without weights: pipelines ask them for sizes.
    """
    settings = current().settings
    device = pick_device(settings)
    name = source.family.pipeline_class
    precision = pick_dtype(settings, device)
    made = _made_with(source, precision, parts)
    known = set(made["scheduler"].config)
    pipeline = stock.staged(name)(**made)
    pipeline.taught = {key: value for key, value in pipeline.scheduler.config.items() if key not in known}
    pipeline.source, pipeline.place, pipeline.precision = source, device, precision
    pipeline.set_progress_bar_config(disable=True)
    try:
        with torch.inference_mode():
            yield pipeline
    finally:
        pipeline.maybe_free_model_hooks()


def _made_with(source: ModelSource, precision: torch.dtype, parts: Mapping[str, object]) -> dict[str, Any]:
    """The arguments of the pipeline's constructor."""
    made: dict[str, Any] = {}
    for argument, default in stock.made_with(source.family.pipeline_class).items():
        if argument in parts:
            made[argument] = parts[argument]
        elif argument == "scheduler":
            made[argument] = own_scheduler(source)
        elif argument in source.parts:
            made[argument] = _absent(source, argument, precision)
        elif argument == "safety_checker" and source.family.checks_safety:
            made[argument] = Trusting()
        elif argument in _OFF:
            made[argument] = False
        elif source.options.get(argument) is not None:
            made[argument] = source.options[argument]
        else:
            made[argument] = default
    return made


class Trusting:
    """What stands for a safety checker: it passes everything."""

    def to(self, device: object) -> None:
        """Nothing is anywhere."""

    def check_text_safety(self, text: str) -> bool:  # noqa: ARG002
        """Whether a prompt is passed."""
        return True

    def check_video_safety(self, frames: Any) -> Any:  # noqa: ANN401
        """The frames as they are."""
        return frames


def taught(pipeline: Any, scheduler: Any) -> Any:  # noqa: ANN401
    """The same scheduler, told what the pipeline's constructor told the model's own beyond its configuration."""
    if pipeline.taught:
        scheduler.register_to_config(**pipeline.taught)
    return scheduler


def beginning(pipeline: Any, latents: torch.Tensor) -> dict[str, Any]:  # noqa: ANN401
    """The arguments with which a stock call begins with these latents; some find them in their place."""
    if pipeline.source.family.puts_latents:
        pipeline.begun = latents
        return {}
    return {"latents": latents}


_OFF = frozenset({"requires_safety_checker", "add_watermarker"})
"""What a pipeline would do to a finished picture; here that is a node's business."""


def _absent(source: ModelSource, name: str, precision: torch.dtype) -> Any:  # noqa: ANN401
    """What stands for a part that a stage does not run: something to ask for sizes, where a pipeline may ask."""
    if is_guider(source.parts[name].class_name):
        return own_guiders.fresh(source.parts[name], own_guiders.UNGUIDED)
    if source.family.has_skeleton(name):
        return _skeleton(source.plain, name, precision)
    if name in source.family.connectors:
        return _unread
    if source.parts[name].class_name.endswith("Scheduler"):  # one beside that of the loop; running one changes it
        return getattr(diffusers, source.parts[name].class_name).from_config(dict(source.parts[name].config))
    if source.family.is_text(name) and (source.parts[name].trained or "Processor" in source.parts[name].class_name):
        return StandIn(source.parts[name].config, precision)
    return None


def _unread(prompt: torch.Tensor, mask: torch.Tensor, **_settings: object) -> tuple[torch.Tensor, ...]:
    """What stands between prompt and denoiser in a stage where the denoiser does not run: prompt, sound's, mask."""
    return prompt, prompt, mask


@lru_cache(maxsize=16)
def _skeleton(source: ModelSource, name: str, precision: torch.dtype) -> Any:  # noqa: ANN401
    return skeleton(source.parts[name]).to(precision)


def stop_at_timesteps(source: ModelSource, ready: Callable[[], bool]) -> SchedulerShim:
    """A scheduler that ends the call when it is asked for timesteps and everything wanted is there."""

    def on_asked() -> None:
        if ready():
            raise stock.Reached

    return SchedulerShim(own_scheduler(source), lambda *_: None, on_asked=on_asked)


def unread_picture(source: ModelSource) -> dict[str, Any]:
    """What the call of a class for image-to-image needs besides latents, which take the picture's place."""
    return {"image": torch.zeros(1, 4, 8, 8), "strength": 1.0} if source.family.refines else {}


def unguided(family: Family) -> dict[str, float]:
    """The arguments with which no stock call works against a negative prompt."""
    return {"guidance_scale": family.least_guidance, "true_cfg_scale": 0.0, "audio_guidance_scale": 0.0}


def told(size: Size, own: list[torch.Generator], others: Mapping[str, Any]) -> dict[str, Any]:
    """What every stock call is told about the size of its pictures and their generators, one each, and `others`."""
    return {
        "height": size.height,
        "width": size.width,
        "num_frames": size.frames,
        "frames": size.frames,
        "video_length": size.frames,
        "max_area": size.width * size.height,
        "strength": 1.0,  # a window says which steps are run
        "generator": own,
        "num_images_per_prompt": 1,
        "num_videos_per_prompt": 1,
        "return_dict": False,
        "use_resolution_binning": False,
        "guidance_schedule": None,
        **others,
        "enable_prompt_rewrite": False,  # what is drawn was encoded before
        "enable_prompt_enhancement": False,
    }
