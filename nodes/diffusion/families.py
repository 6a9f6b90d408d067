"""Which Diffusers pipeline classes Patchbay drives, as a table. Another family is another row.

A pipeline class in a model folder names a container of parts. Image-to-image and inpainting classes of one family hold
the same parts, so they share a row: what a graph does with the parts is the graph's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.diffusion.headers import Header


@dataclass(frozen=True, slots=True)
class Rule:
    """What one part of a family may be: its library, its classes and its files.

    `config` must be there; of `files`, one group must be there whole; `weights` is the stem of the weight files, or
    empty when the part has none. `prefix` starts its tensors' names in a single file.
    """

    library: str
    classes: tuple[str, ...]
    config: str
    files: tuple[tuple[str, ...], ...] = ((),)
    weights: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """One row: the text-to-image class that runs the stages, the parts it needs, and those it can do without."""

    pipeline_class: str
    parts: Mapping[str, Rule]
    unused: frozenset[str]


_TOKENIZER_FILES = (("tokenizer.json",), ("vocab.json", "merges.txt"))

STABLE_DIFFUSION = Family(
    pipeline_class="StableDiffusionPipeline",
    parts={
        "scheduler": Rule("diffusers", (), "scheduler_config.json"),
        "text_encoder": Rule(
            "transformers", ("CLIPTextModel",), "config.json", weights="model", prefix="cond_stage_model."
        ),
        "tokenizer": Rule(
            "transformers", ("CLIPTokenizer", "CLIPTokenizerFast"), "tokenizer_config.json", _TOKENIZER_FILES
        ),
        "unet": Rule(
            "diffusers",
            ("UNet2DConditionModel",),
            "config.json",
            weights="diffusion_pytorch_model",
            prefix="model.diffusion_model.",
        ),
        "vae": Rule(
            "diffusers",
            ("AutoencoderKL",),
            "config.json",
            weights="diffusion_pytorch_model",
            prefix="first_stage_model.",
        ),
    },
    unused=frozenset({"safety_checker", "feature_extractor", "image_encoder"}),
)

FAMILIES: Mapping[str, Family] = {
    "StableDiffusionPipeline": STABLE_DIFFUSION,
    "StableDiffusionImg2ImgPipeline": STABLE_DIFFUSION,
    "StableDiffusionInpaintPipeline": STABLE_DIFFUSION,
}

SUPPORTED = ", ".join(FAMILIES)

_KINDS = {(768, 4): "sd1", (1024, 4): "sd2", (128, 4): "pocket"}

_PIXELS_PER_LATENT = {"sd1": 8, "sd2": 8, "pocket": 8}
"""A side of a picture, divided by that of its latent."""

_FIRST_CONVOLUTION = "model.diffusion_model.input_blocks.0.0.weight"
_CROSS_ATTENTION = re.compile(
    r"model\.diffusion_model\.(input|middle|output)_block[s.\d]*\.transformer_blocks\.0\.attn2\.to_k\.weight"
)


def kind_of(cross: int, channels: int) -> str:
    """The kind of a Stable Diffusion model with this cross-attention width and this many latent channels."""
    return _KINDS.get((cross, channels), f"sd-{cross}x{channels}")


def pixels_per_latent(kind: str) -> int | None:
    """How many pixels of a side become one latent number in this kind of model; None where that is not known."""
    return _PIXELS_PER_LATENT.get(kind)


def single_file_sizes(header: Header) -> tuple[int, int] | None:
    """Cross-attention width and input channels of a Stable Diffusion checkpoint in one file; None for anything else.

    An SDXL checkpoint has the same UNet layout, but its text encoders are stored under `conditioner.`.
    """
    first = header.shapes.get(_FIRST_CONVOLUTION, ())
    crosses = {shape[-1] for name, shape in header.shapes.items() if _CROSS_ATTENTION.fullmatch(name) and shape}
    is_sdxl = any(name.startswith("conditioner.") for name in header.shapes)
    if len(first) != 4 or len(crosses) != 1 or is_sdxl:  # noqa: PLR2004  # a convolution's weight has four dimensions
        return None
    return crosses.pop(), first[1]
