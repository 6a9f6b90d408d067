"""What there is to see of tensors: facts, how their numbers are spread, and small pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import torch

from engine.inspection import Fact, Histogram, Inspection, Shown
from nodes.diffusion.families.families import pixels_per_latent
from nodes.diffusion.latents.latent_math import by_frame
from nodes.diffusion.latents.sheets import signed_maps
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.types import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodes.types import Conditioning, Image, Latent, LatentDistribution, Mask

LARGEST = 512
"""Pixels; the greatest side of a picture that is shown."""

BINS = 64


def look_at_latent(latent: Latent[Any], pictures: int) -> Inspection:
    """A latent: its numbers, and a map for each channel, blue below zero and red above."""
    samples = latent.samples
    shown = [_shown(label, pixels) for label, pixels in _first(_maps(samples, ""), pictures)]
    facts = (*_numbers(samples), *_compression(samples, latent.kind))
    covered = () if latent.mask is None else (Fact("mask covers", f"{float(latent.mask.coverage.mean()):.1%}"),)
    sound = () if latent.sound is None else (Fact("sound", str(tuple(latent.sound.shape))),)
    return Inspection((*facts, *covered, *sound), _histogram(samples), tuple(shown))


def look_at_distribution(distribution: LatentDistribution[Any], pictures: int) -> Inspection:
    """A distribution: the numbers of its mean, its deviations, and maps of both for each channel."""
    deviation = (distribution.logvar / 2).exp()
    maps = (*_maps(distribution.mean, "mean, "), *_maps(deviation, "deviation, "))
    facts = (
        *(
            Fact(name if name in {"shape", "dtype"} else f"{name} of the means", text)
            for name, text in _numbers(distribution.mean)
        ),
        Fact("deviations", f"{float(deviation.min()):.4g} to {float(deviation.max()):.4g}"),
        *_compression(distribution.mean, distribution.kind),
    )
    shown = [_shown(label, pixels) for label, pixels in _first(iter(maps), pictures)]
    return Inspection(facts, _histogram(distribution.mean), tuple(shown))


def look_at_image(image: Image, pictures: int) -> Inspection:
    """Pictures: their size and number, and themselves, small."""
    return _look_at_pictures(image.pixels, pictures)


def look_at_mask(mask: Mask, pictures: int) -> Inspection:
    """Masks: how much they cover, and themselves, small."""
    found = _look_at_pictures(mask.coverage, pictures)
    covered = Fact("covers", f"{float(mask.coverage.mean()):.1%}")
    return Inspection((*found.facts, covered), found.histogram, found.pictures)


def look_at_conditioning(conditioning: Conditioning[Any], pictures: int) -> Inspection:
    """An encoded prompt: its text, its numbers, what comes beside them, and the pictures that it carries."""
    text = Fact("text", conditioning.text or "")
    named = [(name, tensor) for name, value in conditioning.tensors.items() for tensor in leaves(value)]
    each = ((f"picture {number}", image.pixels[0]) for number, image in enumerate(conditioning.pictures, 1))
    shown = [_shown(label, pixels) for label, pixels in _first(each, pictures)]
    if not named:
        return Inspection((text,), None, tuple(shown))
    embeds = next((tensor for name, tensor in named if name == "prompt_embeds"), named[0][1])
    beside = (Fact(name, _times(tensor.shape)) for name, tensor in named if tensor is not embeds)
    return Inspection((text, *_numbers(embeds), *beside), _histogram(embeds), tuple(shown))


def _look_at_pictures(pixels: torch.Tensor, pictures: int) -> Inspection:
    count, _, height, width = pixels.shape
    facts = (Fact("size", f"{width} x {height}"), Fact("pictures", str(count)), *_numbers(pixels))
    named = (f"picture {number} of {count}" for number in range(1, count + 1))
    shown = [_shown(label, each) for label, each in _first(zip(named, pixels, strict=True), pictures)]
    return Inspection(facts, _histogram(pixels), tuple(shown))


def _numbers(tensor: torch.Tensor) -> tuple[Fact, ...]:
    """Shape and type, and over all finite numbers mean, deviation, length, least and greatest."""
    about = (Fact("shape", _times(tensor.shape)), Fact("dtype", str(tensor.dtype).removeprefix("torch.")))
    finite = _finite(tensor)
    lost = tensor.numel() - finite.numel()
    wrong = (Fact("not finite", f"{lost} of {tensor.numel()} numbers"),) if lost else ()
    if not finite.numel():
        return (*about, *wrong)
    deviation, mean = torch.std_mean(finite, correction=0)
    norm, low, high = torch.linalg.vector_norm(finite), finite.min(), finite.max()
    figures = {"mean": mean, "std": deviation, "norm": norm, "min": low, "max": high}
    return (*about, *(Fact(name, f"{float(value):.4g}") for name, value in figures.items()), *wrong)


def _compression(samples: torch.Tensor, kind: str) -> tuple[Fact, ...]:
    """How many fewer numbers a latent has than its picture, where it is known how large that would be."""
    factor = pixels_per_latent(kind)
    if factor is None:
        return ()
    channels, *_, height, width = samples.shape[1:]
    return (
        Fact("in pixels", f"{width * factor} x {height * factor}"),
        Fact("compression", f"{3 * factor * factor / channels:.4g} times fewer numbers than the pixels"),
    )


def _histogram(tensor: torch.Tensor) -> Histogram | None:
    finite = _finite(tensor)
    if not finite.numel():
        return None
    low, high = float(finite.min()), float(finite.max())
    if low == high:  # all alike: a place in the middle
        low, high = low - 0.5, high + 0.5
    counts = torch.histc(finite, BINS, low, high)
    return Histogram(low, high, tuple(int(count) for count in counts))


def _finite(tensor: torch.Tensor) -> torch.Tensor:
    numbers = tensor.detach().float()
    return numbers[torch.isfinite(numbers)]


def _maps(samples: torch.Tensor, label: str) -> Iterator[tuple[str, torch.Tensor]]:
    """Each channel of each sample as a coloured picture; of a video, of each frame."""
    samples = by_frame(samples)
    for number, sample in enumerate(samples, 1):
        picture = f"picture {number}, " if len(samples) > 1 else ""
        for channel, pixels in enumerate(signed_maps(torch.nan_to_num(sample[None]))[0], 1):
            yield f"{picture}{label}channel {channel}", pixels


def _first(items: Iterator[tuple[str, torch.Tensor]], count: int) -> Iterator[tuple[str, torch.Tensor]]:
    return (item for _, item in zip(range(count), items, strict=False))


def _shown(label: str, pixels: torch.Tensor) -> Shown:
    picture = to_pillow(pixels)
    picture.thumbnail((LARGEST, LARGEST))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return Shown(label, picture.width, picture.height, file.getvalue())


def _times(shape: torch.Size) -> str:
    return " x ".join(map(str, shape))
