"""Embeddings of pictures: what priors draw from words, and what decoders draw pictures after.

An embedding is a latent of its prior, held as [batch, features, 1, 1]. The prior's image encoder brings pictures there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.families.pairs import check_embedded, pair
from nodes.diffusion.latents.codecs import NO_VARIANCE
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.stages import layouts, stock
from nodes.diffusion.stages.checks import check_kind
from nodes.diffusion.stages.pipelines import opened
from nodes.diffusion.weights.device import kept
from nodes.types import VAE, Conditioning, Image, Latent, LatentDistribution

if TYPE_CHECKING:
    from nodes.diffusion.disk.source import ModelSource
    from nodes.diffusion.stages.layouts import Size


def encoded(vae: VAE[Any], image: Image) -> LatentDistribution[Any]:
    """What the prior's image encoder sees in each picture of the batch, each by itself; nothing of it is random.

    Raises `unsupported_class` for a prior without one.
    """
    source = vae.source
    if not source.family.is_seeing:
        what = f"The embeddings of {source.name} are made of words only: it has no encoder for pictures."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, "vae", what, "Start from an empty latent.")
    with (
        SHELF.use(source, source.family.decoder) as encoder,
        SHELF.use(source, "image_processor", alone=True) as processor,
        torch.inference_mode(),
    ):
        read = [processor(to_pillow(each), return_tensors="pt").pixel_values for each in image.pixels]
        seen = [encoder(each.to(encoder.device, encoder.dtype)).image_embeds for each in read]
    mean = kept(torch.cat(seen))[:, :, None, None]
    return LatentDistribution(mean, torch.full_like(mean, NO_VARIANCE), 1.0, 0.0, source.kind)


def of_nothing(source: ModelSource) -> torch.Tensor:
    """The embedding [1, features] that the stock prior gives to guide against where there is no negative prompt."""
    name = source.family.decoder
    with SHELF.use(source, name) as encoder, opened(source, **{name: encoder}) as pipeline:
        return kept(pipeline.get_zero_embed())


def applied(conditioning: Conditioning[Any], prior: VAE[Any], embedding: Latent[Any] | None) -> Conditioning[Any]:
    """The prompt with what a decoder draws after: the embedding, or without one that of nothing.

    With the embedding comes that of nothing, which a guided decoder works against where its negative has none.
    Raises as `pair` does, and `kind_mismatch` for an embedding of another kind than the prior's.
    """
    family = conditioning.encoder.source.family
    after, given = pair(family, prior.source.family), {}
    if after.against in stock.signature(family.pipeline_class):
        given[after.against] = of_nothing(prior.source)
    if embedding is not None:
        check_kind("embedding", embedding.kind, "prior", prior.kind)
        given[after.argument] = embedding.samples.flatten(1) if prior.source.family.is_seeing else embedding.samples
    elif after.against in given:
        given[after.argument] = given[after.against]
    else:
        what = f"{family.pipeline_class} works against no embedding, so there is nothing to apply."
        raise PatchbayError(Code.BAD_VALUE, "embedding", what, "Link what the prior drew, or take ApplyPrior away.")
    return replace(conditioning, tensors={**conditioning.tensors, **given})


def told(
    pipeline: Any,  # noqa: ANN401  # diffusers does not type its pipelines
    positive: Conditioning[Any],
    negative: Conditioning[Any] | None,
    batch: int,
    size: Size,
) -> dict[str, Any]:
    """The embeddings that a stock call draws `batch` pictures after, by its own names; none where it draws after none.

    Raises `bad_value` for a prompt without one, for another number of them than one or `batch`, and for one that
    makes pictures of another size.
    """
    after = pipeline.source.family.after
    if after is None:
        return {}
    check_embedded(pipeline.source.family, embedded=after.argument in positive.tensors)
    found = {after.argument: positive.tensors[after.argument]}
    _check_size(pipeline, found[after.argument], size)
    if after.against in positive.tensors:
        own = {} if negative is None else negative.tensors
        found[after.against] = own.get(after.argument, positive.tensors[after.against])
    return {name: _for_each(value, batch).to(pipeline.device, pipeline.precision) for name, value in found.items()}


def _check_size(pipeline: Any, embedding: torch.Tensor, size: Size) -> None:  # noqa: ANN401
    """Refuse an embedding that lays a picture out, for a picture of another size. Raises `bad_value`."""
    if embedding.ndim < 4:  # noqa: PLR2004  # [batch, channels, height, width]
        return
    side, scale = layouts.factor(pipeline), pipeline.config.latent_dim_scale
    height, width = (int(length * scale) * side for length in embedding.shape[-2:])
    if (width, height) != (size.width, size.height):
        what = f"The embedding makes pictures of {width} x {height}, the latent asks for {size.width} x {size.height}."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, f"Set EmptyLatent to {width} x {height}.")


def leave_nothing(pipeline: Any) -> None:  # noqa: ANN401
    """Let a prior give no embedding of nothing beside what it draws: its image encoder is not there for that."""
    if layouts.draws_embeddings(pipeline):
        pipeline.get_zero_embed = lambda *_, **__: None


def _for_each(embeddings: torch.Tensor, batch: int) -> torch.Tensor:
    if len(embeddings) not in {1, batch}:
        what = f"There are {len(embeddings)} embeddings for {batch} pictures."
        fix = f"Give one, or set batch of the latent to {len(embeddings)}."
        raise PatchbayError(Code.BAD_VALUE, "positive", what, fix)
    return embeddings.expand(batch, *embeddings.shape[1:])
