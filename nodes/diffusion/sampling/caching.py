"""Work that a denoiser leaves out between the steps of one run, by the caches of Diffusers.

A cache remembers what it saw. It is put into the denoiser when a run first asks for a prediction and taken out when
the run ends, however it ends, so nothing of one run is there in the next; the shelf lets runs take turns.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.levers import denoisers
from nodes.diffusion.changes.tuning import CachePatch
from nodes.diffusion.sampling import regions
from nodes.diffusion.sampling.cache_table import RATIOS, settings_of
from nodes.diffusion.stages import denoiser_shim, layouts
from nodes.diffusion.weights.libraries import CacheMixin, hooks, mag_cache

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from nodes.diffusion.disk.source import ModelSource
    from nodes.diffusion.sampling.steering import Steering
    from nodes.diffusion.schedules.shim import Position
    from nodes.diffusion.stages.denoiser_shim import Call

_ATTENTION = r"^(transformer_|single_transformer_|temporal_transformer_)?blocks\..*attn\d?"
"""The attention layers that TaylorSeer continues: those of its default, and those that are numbered."""

_ONE_MEMORY = ("FasterCache", "PyramidAttention")
"""Methods that keep one memory whatever a prediction is for."""

_TOKENS = 3
"""Dimensions of latents as tokens: [batch, tokens, features]."""


def check(source: ModelSource, patch: CachePatch) -> None:
    """Refuse a cache for a model that has none, or that it would do nothing to. Raises `bad_value`."""
    if source.family.sound:
        what = f"{source.name} denoises sound beside its videos, and a cache knows of one thing at a time."
        raise PatchbayError(Code.BAD_VALUE, "model", what, "Use it without.")
    modules = list(denoisers(source))
    if len(modules) > 1 and patch.method != "FirstBlock":
        what = f"{source.name} changes its denoiser on the way, and {patch.method} counts the steps of one."
        raise PatchbayError(Code.BAD_VALUE, "method", what, "Choose FirstBlock.")
    for module in modules:
        name = type(module).__name__
        if not isinstance(module, CacheMixin):
            what = f"Diffusers has no caches for a {name}."
            raise PatchbayError(Code.BAD_VALUE, "model", what, "Use it without.")
        if patch.method == RATIOS and not patch.ratios and not name.startswith("FluxTransformer"):
            what = f"MagCache must be told how the work of a {name} shrinks from step to step; only FLUX.1's is known."
            raise PatchbayError(Code.BAD_VALUE, "ratios", what, "Give the ratios, or choose another method.")
        try:
            module.enable_cache(_config(patch, 10, lambda: 0.0, guided=False, form="BCHW"))
        except (ValueError, LookupError) as error:
            said = "it has a single block" if isinstance(error, LookupError) else str(error).rstrip(".")
            what = f"{patch.method} is not known for a {name} like this: {said}."
            raise PatchbayError(Code.BAD_VALUE, "method", what, "Choose another method.") from error
        if _hooked(module) <= (patch.method == "FasterCache"):  # one of its hooks sits on the denoiser itself
            what = f"{patch.method} finds nothing in a {name} that it could leave out."
            raise PatchbayError(Code.BAD_VALUE, "method", what, "Choose another method.")


def install(
    held: ExitStack,
    pipeline: Any,  # noqa: ANN401  # diffusers does not type its pipelines
    steering: Steering,
) -> None:
    """Put the cache of the pipeline's source before its denoisers, for as long as `held` is. Without one, do nothing.

    Raises `bad_value` where several prompts meet, or where other denoisers take over: how often this one is asked then
    changes between steps.
    """
    patch = next((patch for patch in pipeline.source.patches if isinstance(patch, CachePatch)), None)
    if patch is None:
        return
    if any(regions.is_limited(prompt) for prompt in (steering.positive, steering.negative)):
        what = "A cache cannot tell several prompts from each other."
        raise PatchbayError(Code.BAD_VALUE, "model", what, "Use one prompt without an area, or no cache.")
    if steering.adapts or (steering.guidance is not None and steering.guidance.weakening is not None):
        what = "A cache sees nothing of the steps in which a weakened or differently adapted model is asked."
        raise PatchbayError(Code.BAD_VALUE, "model", what, "Use the model without its cache.")
    cached = _Cached(held, pipeline, patch, guided=steering.negative is not None)
    denoiser_shim.install(pipeline, cached.predict)


class _Cached:
    """One run of a denoiser, or of two that take turns, with a cache in each."""

    def __init__(self, held: ExitStack, pipeline: Any, patch: CachePatch, *, guided: bool) -> None:  # noqa: ANN401
        self._held = held
        self._pipeline = pipeline
        self._patch = patch
        self._is_guided = guided
        self._index = -1
        self._turn = 0

    def predict(self, call: Call) -> Any:  # noqa: ANN401
        """The denoiser's answer, or what its cache says; each of the calls of a step has a memory of its own."""
        position = self._position()
        self._turn = self._turn + 1 if position.index == self._index else 0
        self._index = position.index
        if self._turn and self._patch.method in _ONE_MEMORY:
            raise self._confused()
        if not call.denoiser.is_cache_enabled:
            self._begin(call, position.total)
        try:
            with call.denoiser.cache_context(str(self._turn)):
                return call.run()
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            if isinstance(error, PatchbayError):
                raise
            what = f"A {type(call.denoiser).__name__} fails with {self._patch.method}: {error}"
            raise PatchbayError(Code.BAD_VALUE, "model", what, "Choose another method, or no cache.") from error

    def _confused(self) -> PatchbayError:
        what = f"This model is asked for and against the prompt one after the other, and {self._patch.method} "
        what += "would take the one for the other."
        return PatchbayError(Code.BAD_VALUE, "model", what, "Turn guidance off, or choose another method.")

    def _position(self) -> Position:
        position: Position = self._pipeline.scheduler.position(whole=False)
        return position

    def _begin(self, call: Call, total: int) -> None:
        is_split = self._patch.method == "FasterCache" and self._is_guided
        if is_split and call.samples.ndim <= _TOKENS:
            what = "FasterCache looks for shapes in the latents, and those of this model are tokens."
            raise PatchbayError(Code.BAD_VALUE, "model", what, "Turn guidance off, or choose another method.")
        if is_split and len(call.samples) == self._pipeline.prompts.batch:
            raise self._confused()
        video = "BFCHW" if layouts.counts_frames_first(self._pipeline) else "BCFHW"
        form = "BCHW" if call.samples.ndim <= _TOKENS + 1 else video
        config = _config(self._patch, total, self._left, guided=self._is_guided, form=form)
        self._held.callback(call.denoiser.disable_cache)
        call.denoiser.enable_cache(config)

    def _left(self) -> float:
        """How much of the run is left, from 1000 down to 0, which is how the methods count time."""
        position = self._position()
        return 1000 * (1 - position.index / position.total)


def _config(patch: CachePatch, total: int, left: Callable[[], float], *, guided: bool, form: str) -> Any:  # noqa: ANN401
    """The patch in the words of Diffusers, for a run of `total` predictions."""
    own = settings_of(patch)
    span = (1000 * (1 - own.get("end", 1.0)), 1000 * (1 - own.get("start", 0.0)) + 0.5)
    every = int(own.get("every", 0))
    if patch.method == "FirstBlock":
        return hooks.FirstBlockCacheConfig(threshold=own["threshold"])
    if patch.method == "TaylorSeer":
        return hooks.TaylorSeerCacheConfig(
            cache_interval=every,
            disable_cache_before_step=math.ceil(own["start"] * total),
            disable_cache_after_step=math.floor(own["end"] * total),
            max_order=int(own["order"]),
            cache_identifiers=[_ATTENTION],
        )
    if patch.method == "MagCache":
        return hooks.MagCacheConfig(
            threshold=own["threshold"],
            max_skip_steps=int(own["most"]),
            retention_ratio=own["start"],
            num_inference_steps=total,
            mag_ratios=list(patch.ratios) or mag_cache.FLUX_MAG_RATIOS,
        )
    if patch.method == "FasterCache":
        return hooks.FasterCacheConfig(
            spatial_attention_block_skip_range=every,
            spatial_attention_timestep_skip_range=span,
            unconditional_batch_timestep_skip_range=span,
            tensor_format=form,
            is_guidance_distilled=not guided,
            current_timestep_callback=left,
        )
    return hooks.PyramidAttentionBroadcastConfig(
        spatial_attention_block_skip_range=every,
        spatial_attention_timestep_skip_range=span,
        current_timestep_callback=left,
    )


def _hooked(module: Any) -> int:  # noqa: ANN401
    """How many hooks sit in a module."""
    return sum(len(each._diffusers_hook.hooks) for each in module.modules() if hasattr(each, "_diffusers_hook"))  # noqa: SLF001
