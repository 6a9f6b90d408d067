"""A whole pipeline at work: the stock object made of parts from the shelf, called once, its parts left as they were."""

from __future__ import annotations

import importlib
import inspect
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch

from engine.context import report, stop_if_cancelled
from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.whole import home_of
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.schedules import noise
from nodes.diffusion.schedules.shim import SchedulerShim
from nodes.diffusion.stages import stock
from nodes.diffusion.stages.arguments import Call, call_of
from nodes.diffusion.stages.results import as_image
from nodes.diffusion.weights.libraries import diffusers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nodes.diffusion.disk.source import ModelSource
    from nodes.types import Image, Mask

_OFF = frozenset({"requires_safety_checker", "add_watermarker"})
"""What a pipeline would do to a finished picture."""


def run(
    source: ModelSource,
    options: Mapping[str, object],
    *,
    prompt: str | None = None,
    negative: str | None = None,
    image: Image | None = None,
    mask: Mask | None = None,
    seed: int = 0,
) -> Image:
    """Call the stock pipeline of `source` with these arguments, and what it gives as pictures.

    Pictures are handed over as Pillow's, one alone or several as a list; `seed` becomes one generator on the CPU, from
    which everything is drawn, also by schedulers that the pipeline hands no generator on to. `options` are further
    arguments of the call. Everything is checked before a weight is read. Raises `PatchbayError`: `bad_value`,
    `missing_input`, `unsupported_class`, and what loading parts raises.
    """
    cls = pipeline_class(source)
    call = call_of(cls)
    generator = noise.generator(seed)
    arguments = call.inputs(
        {
            "prompt": prompt,
            "negative": negative,
            "image": None if image is None else _pictures(image.pixels),
            "mask": None if mask is None else _pictures(mask.coverage),
        }
    )
    arguments |= call.options(options)
    call.check_whole(arguments)
    arguments |= _always(call, generator, arguments)
    with _opened(source, cls, generator) as pipeline:
        stop_if_cancelled()
        return as_image(_first(_called(pipeline, arguments)), cls.__name__)


def pipeline_class(source: ModelSource) -> Any:  # noqa: ANN401  # diffusers does not type its lazy classes
    """The stock class of a surveyed pipeline. Raises `missing_package` when it cannot be brought in."""
    name = source.pipeline_class
    try:
        found = getattr(diffusers, name, None)
    except RuntimeError as error:  # how Diffusers says that a module of its own cannot be imported
        what = f"{name} cannot be brought in: {error}"
        raise PatchbayError(Code.MISSING_PACKAGE, "model", what, "Install what it needs.") from error
    if inspect.isclass(found) and issubclass(found, diffusers.DiffusionPipeline):
        return found
    missing = ", ".join(getattr(found, "_backends", ())) or "a package"
    what = f"{name} needs a package that is not installed, one of: {missing}."
    raise PatchbayError(Code.MISSING_PACKAGE, "model", what, "Install it.")


def _pictures(pixels: torch.Tensor) -> Any:  # noqa: ANN401  # Pillow's, one or several
    found = [to_pillow(each) for each in pixels]
    return found[0] if len(found) == 1 else found


def _always(call: Call, generator: torch.Generator, given: Mapping[str, object]) -> dict[str, object]:
    """What every call is told that has an argument for it."""
    told = {"generator": generator, "return_dict": False, "output_type": given.get("output_type", "pt")}
    return {name: value for name, value in told.items() if name in call}


def _first(found: Any) -> Any:  # noqa: ANN401
    """The pictures among what a call gives: the first of several, whatever holds them."""
    if isinstance(found, tuple) or hasattr(found, "to_tuple"):
        return found[0]
    return found


def _called(pipeline: Any, arguments: Mapping[str, object]) -> Any:  # noqa: ANN401
    try:
        return pipeline(**arguments)
    except ValueError as error:  # how pipelines refuse what they are told
        what = f"{type(pipeline).__name__} refuses these arguments: {error}"
        raise PatchbayError(Code.BAD_VALUE, "options", what) from error


@contextmanager
def _opened(source: ModelSource, cls: Any, generator: torch.Generator) -> Iterator[Any]:  # noqa: ANN401
    """The stock pipeline with its parts from the shelf and schedulers of its own, silent."""
    with ExitStack() as held:
        parts = {name: held.enter_context(_part(source, name)) for name in sorted(source.parts)}
        pipeline = cls(**_made_with(source, parts))
        pipeline.set_progress_bar_config(disable=True)
        for name in source.parts:
            _watch(pipeline, name, generator)
        try:
            yield pipeline
        finally:
            pipeline.maybe_free_model_hooks()


def _made_with(source: ModelSource, parts: Mapping[str, object]) -> dict[str, object]:
    """The arguments of the constructor; None for parts that the folder does not have."""
    made: dict[str, object] = {}
    for name, default in stock.made_with(source.pipeline_class).items():
        if name in parts:
            made[name] = parts[name]
        elif name in _OFF:
            made[name] = False
        else:
            own = source.options.get(name)
            made[name] = default if own is None else own
    return made


def _scheduler(source: ModelSource, name: str) -> Any:  # noqa: ANN401
    """A fresh scheduler: running one changes it."""
    part = source.parts[name]
    cls = getattr(importlib.import_module(part.library), part.class_name)
    return cls.from_config(dict(part.config))


def _watch(pipeline: Any, name: str, generator: torch.Generator) -> None:  # noqa: ANN401
    """Put a shim before a scheduler that is stepped: for progress, cancellation and draws from `generator`."""
    scheduler = getattr(pipeline, name, None)
    if all(hasattr(scheduler, need) for need in ("step", "set_timesteps", "timesteps", "order")):
        shim = SchedulerShim(scheduler, lambda done, total, _: report(done, total), own=[generator])
        setattr(pipeline, name, shim)


@contextmanager
def _part(source: ModelSource, name: str) -> Iterator[Any]:
    """A part from the shelf, for this call alone, and afterwards as it was before.

    Some pipelines change the configuration, the attention or the precision of what they run.
    """
    if source.parts[name].class_name.endswith("Scheduler"):
        yield _scheduler(source, name)
        return
    with SHELF.use(home_of(source, name), name, alone=True) as part:
        config, dtype = getattr(part, "_internal_dict", None), getattr(part, "dtype", None)
        attention = dict(getattr(part, "attn_processors", {}))
        try:
            yield part
        finally:
            if config is not None:
                part._internal_dict = config  # noqa: SLF001  # where register_to_config writes
            if isinstance(part, torch.nn.Module) and part.dtype != dtype:
                part.to(dtype)
            if attention and attention != getattr(part, "attn_processors", {}):
                part.set_attn_processor(attention)
