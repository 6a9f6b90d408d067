"""What VAEs said of pictures: a run encodes those beside its prompt, and most runs have those of the last one.

What is remembered is the distribution that the VAE's own `encode` gives. Drawing from it is left to whoever asks, so a
run draws the noise that it would have drawn.
"""

from __future__ import annotations

from collections import OrderedDict
from copy import copy
from threading import Lock
from typing import TYPE_CHECKING, Any

from nodes.diffusion.weights.device import kept
from nodes.diffusion.weights.libraries import AutoencoderKLOutput, DiagonalGaussianDistribution
from nodes.types import digest_of_tensors

if TYPE_CHECKING:
    from collections.abc import Hashable

    import torch

    from nodes.diffusion.disk.source import ModelSource


class Encodings:
    """Tensors on the CPU by what they are of, at most so many bytes. What was not asked for longest leaves."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[Hashable, torch.Tensor] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> torch.Tensor | None:
        """The tensor, which nobody may change; None where there is none any more."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: Hashable, tensor: torch.Tensor) -> None:
        """Keep a tensor that nobody changes."""
        with self._lock:
            self._found[key] = tensor
            while sum(each.nbytes for each in self._found.values()) > self._most:
                self._found.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._found.clear()


ENCODINGS = Encodings(64 << 20)
"""Those of this process: 64 MiB are a hundred large pictures, or a few videos of some seconds."""


def remembering(vae: Any, source: ModelSource, name: str) -> Any:  # noqa: ANN401  # diffusers does not type its models
    """The part `name` of `source`, a VAE from the shelf, whose `encode` remembers; other runs use the same weights."""
    own, encode = copy(vae), vae.encode
    model = (source.about(name), name)

    def encoded(pictures: torch.Tensor, **how: Any) -> Any:  # noqa: ANN401
        if how:
            return encode(pictures, **how)
        state = (vae.dtype, getattr(vae, "use_tiling", None), getattr(vae, "use_slicing", None))
        key = (*model, *state, pictures.device, pictures.stride(), digest_of_tensors(pictures))
        known = ENCODINGS.get(key)
        if known is not None:
            return AutoencoderKLOutput(DiagonalGaussianDistribution(known.to(pictures.device, copy=True)))
        said = encode(pictures)
        if isinstance(getattr(said, "latent_dist", None), DiagonalGaussianDistribution):
            ENCODINGS.put(key, kept(said.latent_dist.parameters))
        return said

    own.encode = encoded
    return own
