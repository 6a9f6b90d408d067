"""Embeddings of pictures for the stock calls that draw after them, and the same for the stages."""

from contextlib import ExitStack
from dataclasses import replace

import torch

from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.latents import autoencoding
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.stages import stock
from nodes.types import VAE, Image
from tests.nodes.diffusion.tiny.priors import WIDTH


def arguments(name, batch):
    """Embeddings for a batch, and one of nothing for all, as the class takes them; nothing where it takes none."""
    after = FAMILIES[name].after
    if after is None:
        return {}
    drawn = torch.randn(batch + 1, WIDTH, generator=torch.Generator().manual_seed(9))
    found = {after.argument: drawn[1:], after.against: drawn[:1].repeat(batch, 1)}
    return {argument: value for argument, value in found.items() if argument in stock.signature(name)}


def carried(conditioning, batch):
    """A prompt that carries them."""
    given = arguments(conditioning.encoder.source.pipeline_class, batch)
    return replace(conditioning, tensors={**conditioning.tensors, **given})


def bare(conditioning):
    """The prompt without them."""
    given = conditioning.encoder.source.family.shown
    return replace(conditioning, tensors={k: v for k, v in conditioning.tensors.items() if k not in given})


@torch.no_grad()
def seen(source):
    """What VAEEncode of a prior gives for two pictures, and what its image encoder says of each."""
    pictures = (torch.rand(2, 3, 48, 40, generator=torch.Generator().manual_seed(3)) * 255).round() / 255
    found = autoencoding.encode_image(VAE(source), Image(pictures))
    with ExitStack() as held:
        parts = ("image_encoder", "image_processor")
        encoder, processor = (held.enter_context(SHELF.use(source, name)) for name in parts)
        read = [processor(to_pillow(each), return_tensors="pt").pixel_values for each in pictures]
        theirs = torch.cat([encoder(each)["image_embeds"] for each in read])
    return autoencoding.sample_distribution(found).samples[:, :, 0, 0], theirs
