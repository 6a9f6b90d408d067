"""What a single safetensors file holds, told from the names and shapes of its tensors.

The names are those of the programs that the files were first made with. A file without a row here is not guessed at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nodes.diffusion.families import Family
    from nodes.diffusion.headers import Header

NEEDS = "`config`, a folder of the same kind in Diffusers' format"
"""What a single file cannot do without: it holds weights only."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file is, in words, and for a whole model its pipeline class, sizes and parts.

    `parts` gives the beginnings of the names of each part's tensors, for the parts that have weights in the file;
    `missing` are those that should have.
    """

    holds: str
    pipeline_class: str = ""
    sizes: tuple[int, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def family(self) -> Family | None:
        """The family of a whole model that can be loaded from its file; None for anything else."""
        return FAMILIES.get(self.pipeline_class)

    @property
    def kind(self) -> str:
        """The kind of that model; empty for anything else."""
        return self.family.kind(self.sizes) if self.family else ""


@dataclass(frozen=True, slots=True)
class _Form:
    """How one sort of file is recognised: by a tensor whose name matches `mark`, and by sizes that can be read.

    A size is that of one axis of the tensors whose names match, which agree on it.
    """

    holds: str
    mark: str
    pipeline_class: str = ""
    sizes: tuple[tuple[str, int], ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)

    def read(self, header: Header) -> Checkpoint | None:
        """What the file is, if it has this form."""
        if not any(re.fullmatch(self.mark, name) for name in header.shapes):
            return None
        sizes = tuple(_size(header, pattern, axis) for pattern, axis in self.sizes)
        known = tuple(size for size in sizes if size is not None)
        if len(known) < len(sizes):
            return None
        parts = {part: prefix for part, prefix in self.parts.items() if header.numbers(prefix)}
        missing = tuple(part for part in self.parts if part not in parts)
        return Checkpoint(self.holds, self.pipeline_class, known, parts, missing)


def _size(header: Header, pattern: str, axis: int) -> int | None:
    found = {shape[axis] for name, shape in header.shapes.items() if len(shape) > axis and re.fullmatch(pattern, name)}
    return found.pop() if len(found) == 1 else None


_UNET = r"model\.diffusion_model\."
_BARE = rf"(?:{_UNET})?"

_FIRST_CONVOLUTION = rf"{_UNET}input_blocks\.0\.0\.weight"
_CROSS_ATTENTION = rf"{_UNET}(input|middle|output)_block[s.\d]*\.transformer_blocks\.0\.attn2\.to_k\.weight"

_LATENTS = "first_stage_model.post_quant_conv.weight"

_FORMS = (
    _Form("a LoRA", r".*lora[._](down|up|A|B|linear_layer)\b.*|.*\.(hada|lokr)_w1.*"),
    _Form("a ControlNet", r"control_model\..*|(.*\.)?(input_hint_block|controlnet_\w+)\..*"),
    _Form("the checkpoint of an SDXL refiner", r"conditioner\.embedders\.0\.model\..*"),
    _Form(
        "an SDXL checkpoint",
        r"conditioner\.embedders\.1\..*",
        "StableDiffusionXLPipeline",
        ((_CROSS_ATTENTION, 1), (_FIRST_CONVOLUTION, 1)),
        {
            "text_encoder": "conditioner.embedders.0.",
            "text_encoder_2": "conditioner.embedders.1.",
            "unet": "model.diffusion_model.",
            "vae": "first_stage_model.",
        },
    ),
    _Form(
        "a Stable Diffusion checkpoint",
        _FIRST_CONVOLUTION,
        "StableDiffusionPipeline",
        ((_CROSS_ATTENTION, 1), (_FIRST_CONVOLUTION, 1)),
        {"text_encoder": "cond_stage_model.", "unet": "model.diffusion_model.", "vae": "first_stage_model."},
    ),
    _Form("the transformer of SD 3", rf"{_BARE}joint_blocks\.0\.context_block\.adaLN_modulation\.1\.bias"),
    _Form("the transformer of Chroma", rf"{_BARE}distilled_guidance_layer\..*"),
    _Form("the transformer of FLUX.2", rf"{_BARE}double_stream_modulation_img\.lin\.weight"),
    _Form("the transformer of FLUX.1", rf"{_BARE}double_blocks\.0\.img_attn\.norm\.key_norm\.(scale|weight)"),
    _Form("a VAE", r"decoder\.conv_in\.weight"),
    _Form(
        "a text encoder",
        r"(text_model\.embeddings\.token_embedding|encoder\.block\.0\.layer\.0\.SelfAttention\.q)\.weight",
    ),
    _Form("a textual inversion", r"emb_params|clip_[gl]"),
)


def recognise(header: Header) -> Checkpoint | None:
    """What the file with this header holds; None where nothing here knows its tensors."""
    return next((found for form in _FORMS if (found := form.read(header)) is not None), None)


def checkpoint_of(path: Path, header: Header, at: str) -> Checkpoint:
    """The whole model that the file at `path` holds.

    Raises `PatchbayError` at `at`: `unsupported_class` where it is none that can be loaded from a file, `bad_model`
    where a part of it is missing.
    """
    found = recognise(header)
    if found is None or found.family is None:
        what = f"{path} holds {found.holds}; " if found else f"{path} holds tensors of names that are not known here; "
        what += "from a single file, only whole checkpoints of Stable Diffusion and SDXL are loaded."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Load a folder in Diffusers' format instead.")
    if found.missing:
        what = f"{path} holds no weights for the {found.missing[0]}."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Use a checkpoint with all its parts.")
    latents = header.shapes.get(_LATENTS, (0,))[0]
    if latents and latents != found.sizes[-1]:
        what = f"{path} has a UNet of {found.sizes[-1]} input channels for latents of {latents} (an inpainting model?)."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use a text-to-image model of the same family.")
    return found
