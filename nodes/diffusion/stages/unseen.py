"""Pictures in a stage that looks at none: what stands for them, and for the parts that would read them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from PIL import Image as Pillow

from nodes.diffusion.families.family import LATENT_CHANNELS
from nodes.diffusion.stages import layouts, stock

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from nodes.diffusion.families.family import Family


def blank(family: Family) -> dict[str, Any]:
    """Empty pictures for a stock call that wants some, by the names of its arguments."""
    shown = family.pictures
    if shown is None:
        return {}
    empty: list[Any] = [Pillow.new("RGB", (256, 256))] * shown.least
    return dict(zip(shown.arguments, [empty] if shown.frames else empty, strict=False))


def look_at_nothing(pipeline: Any, ready: Callable[[], bool]) -> None:  # noqa: ANN401
    """Let a pipeline read no picture, and end where it would begin to once everything wanted is there."""
    family: Family = pipeline.source.family
    if hasattr(pipeline, family.decoder):
        setattr(pipeline, family.decoder, Unread(pipeline, ready))
    for name in family.pictures.parts if family.pictures is not None else ():
        if not family.is_text(name):
            setattr(pipeline, name, Unseen(ready))
    if hasattr(pipeline, "encode_image"):
        pipeline.encode_image = Unseen(ready)


class Unseen:
    """A part that reads pictures: it sees nothing."""

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready

    def __call__(self, *_args: object, **_kwargs: object) -> Any:  # noqa: ANN401
        """End the stock call if everything wanted is there, or see nothing."""
        if self._ready():
            stock.stop()

    parameters = __call__
    """What pipelines ask for a precision."""


class Unread:
    """The VAE of a pipeline: it does everything but encode."""

    def __init__(self, pipeline: Any, ready: Callable[[], bool]) -> None:  # noqa: ANN401
        self._pipeline = pipeline
        self._vae = getattr(pipeline, pipeline.source.family.decoder)
        self._ready = ready

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._vae, name)

    def encode(self, pixels: Tensor, *_args: object, **_kwargs: object) -> Any:  # noqa: ANN401
        """End the stock call if all is there, or give zeros for pixels [batch, 3, frames, height, width]."""
        if self._ready():
            stock.stop()
        source, side = self._pipeline.source, layouts.factor(self._pipeline)
        channels = source.parts[source.family.decoder].first_integer(LATENT_CHANNELS)
        frames = (pixels.shape[2] - 1) // layouts.temporal_factor(self._pipeline) + 1
        shape = (len(pixels), channels, frames, pixels.shape[-2] // side, pixels.shape[-1] // side)
        zeros = pixels.new_zeros(shape)
        alike = SimpleNamespace(sample=lambda *_: zeros, mode=lambda: zeros)
        return SimpleNamespace(latents=zeros, latent_dist=alike)
