"""Sounds: decoded of latents, and saved."""

from __future__ import annotations

from engine import node, say
from engine.context import current
from engine.files import write_numbered
from nodes.images import FileName, Saved
from nodes.types import VAE, K, Latent, Sound


@node("DecodeSound", category="sound", device=True)
def decode_sound(vae: VAE[K], latent: Latent[K]) -> list[Sound]:
    """Turn the sound in latents into sound, one for each video of the batch."""
    from nodes.diffusion.latents import sounding

    return sounding.decode(vae, latent)


@node("SaveSound", category="sound", deterministic=False, effect=True)
def save_sound(sound: Sound, *, name: FileName) -> Saved:
    """Write a sound as a FLAC file `name-0001.flac`, `name-0002.flac` ...; no file is ever overwritten.

    It carries the graph of its run in its `comment`.
    """
    from nodes.diffusion.pictures import sounds

    context = current()
    stem = context.paths.output(name, "name")
    text = context.graph.dumps() if context.graph is not None else None
    file = str(write_numbered(stem, ".flac", sounds.to_flac(sound, text)))
    say(f"Saved {file}")
    return Saved([file])
