"""What a model is run like: how it computes, what it leaves out, how a VAE goes over large pictures.

Everything here is off until it is wired in, and touches no other use of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Final, Generic, Literal, NamedTuple

from pydantic import Field

from engine import Code, PatchbayError, node
from nodes.diffusion.changes.tuning import CachePatch, TilePatch, TunePatch, check_once
from nodes.diffusion.disk.quantising import check_storage
from nodes.diffusion.sampling import batch_table
from nodes.diffusion.sampling.cache_table import chosen
from nodes.load import source_of
from nodes.types import VAE, Denoiser, K

if TYPE_CHECKING:
    from nodes.diffusion.disk.source import ModelSource

Attention = Annotated[
    Literal[
        "as the model",
        "native",
        "_native_math",
        "_native_flash",
        "_native_efficient",
        "_native_cudnn",
        "flash",
        "_flash_3",
        "sage",
        "xformers",
    ],
    Field(
        description="A backend by Diffusers' name. native changes no bits, others round differently; sage is coarser."
    ),
]
ChannelsLast = Annotated[
    bool, Field(description="Hold a UNet's weights with channels last; faster on some devices, rounds differently.")
]
CompileBlocks = Annotated[
    bool,
    Field(description="Compile the repeated blocks; the first run takes longer by minutes, rounding differs."),
]
AS_THE_MODEL: Final = "as the model"
GuidanceBatch = Annotated[
    Literal["as the model", "together", "one by one"],
    Field(
        description="Predict for and against the prompt as one batch (faster on a GPU) or one after the other (less "
        "memory), where the model does otherwise; rounds differently."
    ),
]
AS_LOADED: Final = "as loaded"
Storage = Annotated[
    Literal["as loaded", "float8_e4m3fn", "float8_e5m2"],
    Field(description="Hold weights in eight bits, compute as before: less memory, other bits, no faster."),
]
NO_OFFLOAD: Final = "none"
Offload = Annotated[
    Literal["none", "blocks", "layers"],
    Field(
        description="Keep the weights in the machine's memory and bring them to the GPU block by block, or layer by "
        "layer: slower, the same bits, for a model that does not fit."
    ),
]
CacheMethod = Annotated[
    Literal["FirstBlock", "TaylorSeer", "MagCache", "FasterCache", "PyramidAttention"],
    Field(description="Every one of them changes the picture. FirstBlock decides by what it sees."),
]
OWN = "null is the method's own; a method without this setting refuses it."
Threshold = Annotated[
    float | None,
    Field(ge=0, le=10, description=f"FirstBlock, MagCache: up to which change a step is left out; {OWN}"),
]
Every = Annotated[
    int | None,
    Field(
        ge=2,
        le=100,
        description=f"TaylorSeer, FasterCache, PyramidAttention: one step in so many is computed whole; {OWN}",
    ),
]
Start = Annotated[
    float | None, Field(ge=0, le=1, description=f"All but FirstBlock: from which share of the steps on; {OWN}")
]
End = Annotated[
    float | None,
    Field(ge=0, le=1, description=f"TaylorSeer, FasterCache, PyramidAttention: up to which share of the steps; {OWN}"),
]
Order = Annotated[int | None, Field(ge=0, le=4, description=f"TaylorSeer: the order of its series; {OWN}")]
Most = Annotated[
    int | None, Field(ge=1, le=100, description=f"MagCache: how many steps in a row are left out at most; {OWN}")
]
Ratios = Annotated[
    Annotated[list[float], Field(min_length=1, max_length=1000)] | None,
    Field(description="MagCache: how the work of this model shrinks from step to step; null knows FLUX.1's."),
]
TileSize = Annotated[
    int | None, Field(ge=32, le=8192, description="Pixels along a tile's side; null does not cut into tiles.")
]
Overlap = Annotated[float, Field(ge=0, le=0.75, description="How much of its side a tile shares with the next one.")]
Singly = Annotated[bool, Field(description="One picture of a batch after the other, for less memory.")]


class TunedModel(NamedTuple, Generic[K]):
    """A model that is run in another way."""

    model: Denoiser[K]


def _once(kind: str, check: Callable[[ModelSource], None]) -> Callable[..., dict[str, str]]:
    """A rule of the plan: a lever of a `kind` once in a row, on a model that `check` lets pass."""

    def rule(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
        known = next(iter(given.values()), {})
        if kind in known:
            raise PatchbayError(
                Code.BAD_VALUE, next(iter(given)), f"It has its {kind} already.", "Say all in one node."
            )
        source = source_of(known)
        if source is not None:
            check(source)
        return {kind: "set"}

    return rule


def _check_denoiser(source: ModelSource) -> None:
    from nodes.diffusion.changes.patches import check_denoiser

    check_denoiser(source, "model")


def check_cache(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse settings that the method does not have, a second cache, and a model that is built anew for each run."""
    settings = {name: value for name, value in values.items() if name not in {"model", "method", "ratios"}}
    ratios = values.get("ratios")
    numbers = {name: value if isinstance(value, (int, float)) else None for name, value in settings.items()}
    chosen(str(values.get("method", "FirstBlock")), numbers, ratios if isinstance(ratios, list) else None)
    return _once("cache", _check_denoiser)(values, given)


def check_tuning_of(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse a second tuning, a model that is built anew for each run, and what cannot be done to this one."""
    source = source_of(given.get("model", {}))
    for name, off in (("storage", AS_LOADED), ("offload", NO_OFFLOAD)):
        if source is not None and values.get(name, off) != off:
            check_storage(source, name)
    if source is not None:
        batch_table.check(source, _own(str(values.get("guidance_batch", AS_THE_MODEL))), "guidance_batch")
    return _once("tuning", _check_denoiser)(values, given)


def _own(choice: str) -> str:
    """The choice in a patch, where what the model does by itself is nothing."""
    return "" if choice in {AS_THE_MODEL, AS_LOADED, NO_OFFLOAD} else choice


@node("TuneModel", category="load", facts=check_tuning_of)
def tune_model(
    model: Denoiser[K],
    *,
    attention: Attention = AS_THE_MODEL,
    channels_last: ChannelsLast = False,
    compile_blocks: CompileBlocks = False,
    storage: Storage = AS_LOADED,
    offload: Offload = NO_OFFLOAD,
    guidance_batch: GuidanceBatch = AS_THE_MODEL,
) -> TunedModel[K]:
    """Choose how a model computes: its attention, its memory layout, compiled blocks, where its weights are, guidance.

    The model itself is left as it is: it can be used beside, at the same time. What cannot work on this machine or
    would do nothing to this model is refused.
    """
    from nodes.diffusion.changes.levers import check_tuning
    from nodes.diffusion.changes.patches import check_denoiser

    check_denoiser(model.source, "model")
    batch_table.check(model.source, _own(guidance_batch), "guidance_batch")
    choices = (_own(each) for each in (storage, offload, guidance_batch))
    patch = TunePatch(_own(attention), channels_last, compile_blocks, *choices)
    if patch == TunePatch():
        return TunedModel(model)
    check_once(model.source.patches, patch, "model")
    check_tuning(model.source, patch)
    return TunedModel(Denoiser(model.source.patched(patch)))


@node("CacheSteps", category="load", facts=check_cache)
def cache_steps(
    model: Denoiser[K],
    *,
    method: CacheMethod = "FirstBlock",
    threshold: Threshold = None,
    every: Every = None,
    start: Start = None,
    end: End = None,
    order: Order = None,
    most: Most = None,
    ratios: Ratios = None,
) -> TunedModel[K]:
    """Leave out work between steps that are much alike: faster, and another picture.

    What a run has remembered is gone with it, also where it was cancelled; runs of one cached model take turns.
    """
    from nodes.diffusion.changes.patches import check_denoiser
    from nodes.diffusion.sampling.caching import check

    check_denoiser(model.source, "model")
    given = {"threshold": threshold, "every": every, "start": start, "end": end, "order": order, "most": most}
    patch: CachePatch = chosen(method, given, ratios)
    check_once(model.source.patches, patch, "model")
    check(model.source, patch)
    return TunedModel(Denoiser(model.source.patched(patch)))


@node("TileVAE", category="load", facts=_once("tiles", lambda source: None))  # noqa: ARG005  # any source may pass
def tile_vae(vae: VAE[K], *, size: TileSize = 512, overlap: Overlap = 0.25, singly: Singly = False) -> VAE[K]:
    """Let a VAE work on large pictures tile by tile, within the memory of one: seams are blended, so bits change.

    A picture no larger than a tile keeps its bits.
    """
    from nodes.diffusion.changes.levers import check_tiles

    patch = TilePatch(size, overlap, singly)
    if size is None and not singly:
        return vae
    check_once(vae.source.patches, patch, "vae")
    check_tiles(vae.source, patch)
    return VAE(vae.source.patched(patch))
