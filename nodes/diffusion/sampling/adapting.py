"""The IP-Adapters of a run: what their pictures say, and which of them have their time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.adapter_files import check_adapter, check_encoder
from nodes.diffusion.changes.patches import AdapterPatch
from nodes.diffusion.disk.eyes import ENCODER, survey_encoder
from nodes.diffusion.families.images import FLUX
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.stages.checks import check_share
from nodes.diffusion.weights.device import kept
from nodes.diffusion.weights.libraries import transformers
from nodes.types import Denoiser, Image, IPAdapter, Shown

if TYPE_CHECKING:
    from contextlib import ExitStack

    from nodes.diffusion.disk.nets import NetSource
    from nodes.diffusion.disk.source import ModelSource
    from nodes.diffusion.schedules.shim import Position
    from nodes.diffusion.stages.denoiser_shim import Call


def adapted(
    model: Denoiser[Any], adapter: IPAdapter, image: Image, strength: float, start: float, end: float
) -> Denoiser[Any]:
    """A model that is shown pictures through one more adapter. Raises `bad_model`, `bad_value`."""
    check_share(start, end)
    check_adapter(adapter.file.path, model.source, "ip_adapter")
    shown = looked_at(image, adapter, encoder_of(adapter.encoder, model.source), model.source)
    return Denoiser(model.source.patched(AdapterPatch(adapter.file, strength, start, end, shown)))


def encoder_of(given: NetSource | None, source: ModelSource) -> NetSource:
    """The image encoder that is given, or the model's own. Raises `bad_model` where there is none."""
    if given is not None:
        return given
    folder = source.path / ENCODER
    if folder.is_dir():
        return survey_encoder(folder, "ip_adapter")
    what = f"Neither beside the adapter nor in {source.path} is there a folder {ENCODER}."
    fix = "Set image_encoder of LoadIPAdapter to the folder of the encoder that the adapter was trained with."
    raise PatchbayError(Code.BAD_MODEL, "ip_adapter", what, fix)


def looked_at(image: Image, adapter: IPAdapter, encoder: NetSource, source: ModelSource) -> Shown:
    """What an image encoder says of pictures, as the stock pipelines of the family ask it."""
    shape = check_encoder(adapter.file.path, encoder, "ip_adapter")
    with SHELF.use(encoder, ENCODER) as module, torch.inference_mode():
        side = module.config.image_size
        processor = transformers.models.clip.CLIPImageProcessorPil(size=side, crop_size=side)

        def seen(pictures: list[Any]) -> torch.Tensor:
            read = processor(pictures, return_tensors="pt").pixel_values
            return read.to(module.device, module.dtype)  # type: ignore[no-any-return]  # Transformers types too little

        def said(read: torch.Tensor) -> torch.Tensor:
            if shape.hidden:
                return module(read, output_hidden_states=True).hidden_states[-2]  # type: ignore[no-any-return]
            return module(read).image_embeds  # type: ignore[no-any-return]

        read = seen([to_pillow(pixels) for pixels in image.pixels])
        pictures = said(read)
        if source.family.name == FLUX.name:  # nothing is one black picture
            black = to_pillow(torch.zeros(3, side, side))
            nothing = said(seen([black]))
        else:
            nothing = said(torch.zeros_like(read)) if shape.hidden else torch.zeros_like(pictures)
        return Shown(kept(pictures[None]), kept(nothing[None]))


def told(pipeline: Any, *, is_guided: bool) -> dict[str, Any]:  # noqa: ANN401  # diffusers does not type it
    """What a stock call is told of the pictures that its model is shown."""
    source: ModelSource = pipeline.source
    shown = [patch.shown for patch in source.patches if isinstance(patch, AdapterPatch) and patch.shown is not None]
    if not shown:
        return {}
    pictures = [each.pictures.to(pipeline.device, pipeline.precision) for each in shown]
    nothing = [each.nothing.to(pipeline.device, pipeline.precision) for each in shown]
    if source.family.name == FLUX.name:
        return {"ip_adapter_image_embeds": pictures, "negative_ip_adapter_image_embeds": nothing}
    if not is_guided:
        return {"ip_adapter_image_embeds": pictures}
    return {"ip_adapter_image_embeds": [torch.cat(both) for both in zip(nothing, pictures, strict=True)]}


def is_timed(source: ModelSource) -> bool:
    """Whether the model has adapters that act in some of the steps only."""
    return any(isinstance(patch, AdapterPatch) and patch.is_timed for patch in source.patches)


class Adapting:
    """The adapters of one run, in and out of a denoiser as time goes by."""

    def __init__(self, held: ExitStack, source: ModelSource) -> None:
        self._held = held
        self._source = source
        self._all = [patch for patch in source.patches if isinstance(patch, AdapterPatch)]
        self._live: dict[tuple[ModelSource, str], Any] = {}

    def source(self, position: Position) -> ModelSource:
        """The model with those adapters that have their time."""
        late = [patch for patch in self._all if not position.lies_in(patch.start, patch.end)]
        if not late:
            return self._source
        return replace(self._source, patches=tuple(patch for patch in self._source.patches if patch not in late))

    def call(self, call: Call, position: Position) -> Call:
        """A call of the denoiser with those adapters that have their time, told of their pictures alone."""
        source = self.source(position)
        if source is self._source:
            return call
        if (source, call.name) not in self._live:
            self._live[source, call.name] = self._held.enter_context(SHELF.use(source, call.name))
        active = [number for number, patch in enumerate(self._all) if patch in source.patches]
        return call.told(**_only(call, active)).to(self._live[source, call.name])


def _only(call: Call, active: list[int]) -> dict[str, Any]:
    """The mapping in which a call tells of pictures, with those of some adapters, or none."""
    places = {"added_cond_kwargs": "image_embeds", "joint_attention_kwargs": "ip_adapter_image_embeds"}
    changed = {}
    for argument, key in places.items():
        mapping = call.arguments.get(argument)
        if mapping and key in mapping:
            chosen = [mapping[key][number] for number in active]
            others = {name: value for name, value in mapping.items() if name != key}
            changed[argument] = {**others, **({key: chosen} if chosen else {})}
    return changed
