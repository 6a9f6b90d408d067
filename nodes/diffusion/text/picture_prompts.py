"""Pictures as words: tokens that FLUX reads behind those of a prompt, as FLUX Redux makes them of a picture."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from engine.context import current
from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.whole import home_of
from nodes.diffusion.families.families import REDUX
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.stages import stock
from nodes.diffusion.weights.device import kept_all, pick_device, pick_dtype
from nodes.diffusion.weights.loading import StandIn

if TYPE_CHECKING:
    from nodes.diffusion.disk.source import ModelSource
    from nodes.types import Conditioning, Image

_PARTS = ("image_encoder", "feature_extractor", "image_embedder")
_READ = {"prompt_embeds", "pooled_prompt_embeds", "text_ids"}
"""What a prompt of FLUX.1 is."""


def with_pictures(
    conditioning: Conditioning[Any], image: Image, source: ModelSource, strength: float, pooled_strength: float
) -> Conditioning[Any]:
    """The prompt with the tokens of pictures behind its own, bit for bit the stock class's.

    All of it is multiplied by `strength`, its pooled part by `pooled_strength`. Several pictures are added up, the
    prompt once with each. Raises `bad_value` for prompts that are no FLUX.1 model's, of another width than the
    tokens, or combined already.
    """
    _check(conditioning, source)
    settings = current().settings
    device = pick_device(settings)
    precision = pick_dtype(settings, device)
    tensors = {name: conditioning.tensors[name].clone() for name in _READ}  # the class writes into what it is given
    with ExitStack() as held, torch.inference_mode():
        parts = {name: held.enter_context(SHELF.use(home_of(source, name), name, alone=True)) for name in _PARTS}
        pipeline = stock.staged(REDUX)(**parts, text_encoder=StandIn({}, precision))
        pipeline.place = device
        pipeline.prompts = stock.Replay(tensors, None, len(image.pixels), device, precision)
        tokens, pooled = pipeline(
            [to_pillow(each) for each in image.pixels],
            prompt="",
            prompt_embeds_scale=float(strength),
            pooled_prompt_embeds_scale=float(pooled_strength),
            return_dict=False,
        )
        places = tensors["text_ids"].new_zeros(tokens.shape[1], 3)
    made = kept_all({"prompt_embeds": tokens, "pooled_prompt_embeds": pooled, "text_ids": places})
    return replace(conditioning, tensors={**conditioning.tensors, **made})


def _check(conditioning: Conditioning[Any], source: ModelSource) -> None:
    """Refuse a prompt that pictures cannot be put behind. Raises `bad_value`."""
    if set(conditioning.tensors) != _READ:
        what = f"{conditioning.encoder.source.family.pipeline_class} reads no pictures behind the words of a prompt."
        raise PatchbayError(Code.BAD_VALUE, "conditioning", what, "Use a prompt of a FLUX.1 model.")
    if conditioning.beside:
        what = "Prompts that act together were combined before the picture came."
        raise PatchbayError(Code.BAD_VALUE, "conditioning", what, "Add the picture to each, and combine them then.")
    width, own = conditioning.tensors["prompt_embeds"].shape[-1], source.parts["image_embedder"]
    made = own.first_integer(("txt_in_features",))
    if made != width:
        what = f"{source.name} makes tokens of {made} numbers, and those of the prompt have {width}."
        raise PatchbayError(Code.BAD_VALUE, "model", what, "Use one that was made for the prompt's model.")
