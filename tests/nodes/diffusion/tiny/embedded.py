"""Embeddings of pictures for the stock calls that draw after them, and the same for the stages."""

from contextlib import ExitStack
from dataclasses import replace

import torch

from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.latents import autoencoding
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.types import VAE, Image
from tests.nodes.diffusion.tiny.priors import WIDTH
from tests.nodes.diffusion.tiny.table import TINY


def arguments(name, batch, size=0, *, guided=True, alike=False):
    """Embeddings for a batch, and one of nothing for all, as the class takes them; nothing where it takes none.

    Those that are `alike` are one for all, which the stock classes repeat only where they are guided. Stable Cascade's
    lay out a picture of the size, and the class makes as many pictures as there are.
    """
    after = FAMILIES[name].after
    if after is None:
        return {}
    own = torch.Generator().manual_seed(9)
    if after.argument == "image_embeddings":
        width, height = TINY[name].sizes[size]
        drawn = torch.randn(batch, 16, round(height / 42.67), round(width / 42.67), generator=own)
        return {after.argument: drawn, "num_images_per_prompt": 1}
    drawn = torch.randn(batch + 1, WIDTH, generator=own)
    if alike:
        drawn = torch.cat([drawn[:1], drawn[1:2].repeat(1 if guided else batch, 1)])
    return {after.argument: drawn[1:], after.against: drawn[:1].repeat(len(drawn) - 1, 1)}


def carried(conditioning, batch, size=0, *, alike=False):
    """A prompt that carries them."""
    source = conditioning.encoder.source
    given = arguments(source.family.pipeline_class, batch, size, alike=alike)
    carried = {name: value for name, value in given.items() if name in source.family.shown}
    return replace(conditioning, tensors={**conditioning.tensors, **carried})


def followed(source, way, control, keep):
    """Arguments of a Kandinsky that follows a picture. It gives pictures alone: `keep` is given its latents."""
    return {
        **arguments(source.family.pipeline_class, way.batch),
        "num_images_per_prompt": 1,
        "hint": control.image.pixels.expand(way.batch, -1, -1, -1),
        "callback": lambda *told: keep(told[-1]),
    }


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
