"""Sound that a model denoises beside its video: carried in the latent, and decoded by parts of its own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.schedules import noise
from nodes.diffusion.stages.checks import check_kind
from nodes.diffusion.stages.pipelines import opened
from nodes.diffusion.weights.device import kept
from nodes.types import Latent, Sound

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from nodes.types import VAE


def leave_scaled(pipeline: Any) -> None:  # noqa: ANN401  # diffusers does not type its pipelines
    """Let the call of a pipeline with sound give its latents as its loop leaves them: it would undo their scaling."""
    if pipeline.source.family.sound:
        pipeline._denormalize_latents = pipeline._denormalize_audio_latents = _as_they_are  # noqa: SLF001


def _as_they_are(latents: torch.Tensor, *_scaling: object) -> torch.Tensor:
    return latents


def begin(
    pipeline: Any,  # noqa: ANN401
    latent: Latent[Any],
    scheduler: Any,  # noqa: ANN401
    index: int,
    own: Sequence[torch.Generator],
) -> None:
    """Let the pipeline begin with the sound in a latent, with the noise of the scheduler's timestep number `index`.

    An unfinished one has its noise. Where there is no sound the pipeline draws noise for it, from `own` as well.
    """
    if latent.sound is None:
        return
    sound = latent.sound.to(pipeline.device)
    if latent.leftover is None:
        sound = sound.to(pipeline.precision)
        drawn = noise.draw(sound.shape[1:], own, sound.dtype).to(sound.device)
        sound = noise.added(scheduler, index, sound, drawn)
    pipeline.begun_sound = pipeline._pack_audio_latents(sound)  # noqa: SLF001


def decode(vae: VAE[Any], latent: Latent[Any]) -> list[Sound]:
    """The sounds of the videos that the latents stand for, one for each.

    Raises `kind_mismatch` for latents of another family, `bad_value` for those without sound.
    """
    source = vae.source
    check_kind("latent", latent.kind, "VAE", source.kind)
    parts = source.family.sound
    if not parts:
        what = f"{source.family.pipeline_class} makes no sound."
        raise PatchbayError(Code.BAD_VALUE, "vae", what, "Use a model that does: docs/nodes.md lists them.")
    if latent.sound is None:
        what = "This latent has no sound."
        raise PatchbayError(Code.BAD_VALUE, "latent", what, "Give the latent that Sample makes.")
    with ExitStack() as held:
        modules = {name: held.enter_context(SHELF.use(source, name)) for name in parts}
        pipeline = held.enter_context(opened(source, **modules))
        spectrograms, vocoder = (modules[name] for name in parts)
        waves = vocoder(_spectrogram(pipeline, spectrograms, latent.sound))
        return [Sound(each, int(vocoder.config.output_sampling_rate)) for each in kept(waves.float())]


def _spectrogram(pipeline: Any, module: Any, sound: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """What the stock call makes of its last latents of sound, by the same functions."""
    packed = pipeline._pack_audio_latents(sound.to(pipeline.device))  # noqa: SLF001
    packed = pipeline._denormalize_audio_latents(packed, module.latents_mean, module.latents_std)  # noqa: SLF001
    length, bins = sound.shape[2:]
    plain = pipeline._unpack_audio_latents(packed, length, num_mel_bins=bins)  # noqa: SLF001
    found: torch.Tensor = module.decode(plain.to(module.dtype), return_dict=False)[0]
    return found


class Mute:
    """What stands for the parts that make sound, where a call is run for its video: they say nothing."""

    def __init__(self, part: Any) -> None:  # noqa: ANN401
        self._part = part

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._part, name)

    def decode(self, *_args: object, **_kwargs: object) -> tuple[None]:
        """Nothing."""
        return (None,)

    def __call__(self, *_args: object) -> None:
        """Nothing."""


def mute(pipeline: Any) -> None:  # noqa: ANN401
    """Let a pipeline that decodes its latents make no sound of them."""
    for name in pipeline.source.family.sound:
        setattr(pipeline, name, Mute(getattr(pipeline, name)))
    if pipeline.source.family.sound:
        pipeline._denormalize_audio_latents = _as_they_are  # noqa: SLF001
