"""What a single safetensors file holds, told from the names and shapes of its tensors.

The names are those of the programs that the files were first made with. A file without a row here is not guessed at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.gguf_files import READABLE, is_gguf
from nodes.diffusion.disk.packages import check_package
from nodes.diffusion.disk.scaled_files import unscaled
from nodes.diffusion.families.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nodes.diffusion.disk.headers import Header
    from nodes.diffusion.families.family import Family

NEEDS = "`config`, a folder of the same kind in Diffusers' format"
"""What a single file cannot do without: it holds weights only."""

NEEDS_REST = f"{NEEDS}, with the weights that LoadTextEncoder and LoadVAE do not bring"
"""The same for a file that holds a transformer only."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file is, in words, and for a whole model its pipeline class, sizes and parts.

    `parts` gives the beginnings of the names of each part's tensors, for the parts that have weights in the file;
    `missing` are those that should have. A `partial` file holds a transformer, which is a `denoiser` by its class, and
    of the other parts some or none. `counts` are how many of something it has, by the key under which the transformer's
    configuration says it.
    """

    holds: str
    pipeline_class: str = ""
    sizes: tuple[int, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    denoiser: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def partial(self) -> bool:
        """Whether it holds a transformer, and not every other part."""
        return bool(self.denoiser)

    @property
    def needs(self) -> str:
        """What the file cannot do without."""
        return NEEDS_REST if self.partial else NEEDS

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
    """How one sort of file is recognised: by a name in which `mark` is found, and by sizes that can be read.

    A size is that of one axis of the tensors whose whole names match, which agree on it, divided by a number. A form
    with a `denoiser` is that of a transformer of this class; `beside` it may lie text encoders. The models of the
    classes `also` have such a transformer too, and other sizes.
    """

    holds: str
    mark: str
    pipeline_class: str = ""
    sizes: tuple[tuple[str, int, int], ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    denoiser: str = ""
    counts: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    beside: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def read(self, names: str, header: Header) -> Checkpoint | None:
        """What the file is, if it has this form; `names` are those of its tensors, one a line."""
        mark = re.search(self.mark, names, re.MULTILINE)
        sizes = tuple(_size(names, header, *where) for where in self.sizes) if mark else (None,)
        known = tuple(size for size in sizes if size is not None)
        if mark is None or len(known) < len(sizes):
            return None
        if self.denoiser:
            parts = {"transformer": "model.diffusion_model." if mark[0].startswith("model.") else ""}
            if parts["transformer"]:
                beside = (*self.beside.items(), *(("vae", place) for place in _VAES))
                parts |= {part: prefix for part, (prefix, name) in beside if prefix + name in header.shapes}
            counts = {key: _count(names, pattern) for key, pattern in self.counts.items()}
            name = next((name for name in self.also if known in FAMILIES[name].sizes), self.pipeline_class)
            return Checkpoint(self.holds, name, known, parts, denoiser=self.denoiser, counts=counts)
        parts = {part: prefix for part, prefix in self.parts.items() if header.numbers(prefix)}
        missing = tuple(part for part in self.parts if part not in parts)
        return Checkpoint(self.holds, self.pipeline_class, known, parts, missing)


def _size(names: str, header: Header, pattern: str, axis: int, divisor: int) -> int | None:
    shapes = [header.shapes[found[0]] for found in re.finditer(f"^{pattern}$", names, re.MULTILINE)]
    sizes = {shape[axis] for shape in shapes if len(shape) > axis}
    return sizes.pop() // divisor if len(sizes) == 1 else None


def _count(names: str, pattern: str) -> int:
    """How many different things the group of the pattern finds."""
    return len({found[1] for found in re.finditer(f"^{_BARE}{pattern}", names, re.MULTILINE)})


_VAES = tuple(
    (prefix, f"decoder.{name}.weight") for prefix in ("first_stage_model.", "vae.") for name in ("conv_in", "conv1")
)
"""What begins the names of a VAE's tensors beside a transformer's, and one of them."""

_CLIP_L = "text_encoders.clip_l.transformer."
_CLIP_G = "text_encoders.clip_g.transformer."
_T5 = ("text_encoders.t5xxl.transformer.", "shared.weight")
"""The same of text encoders in files that ComfyUI writes."""

_UNET = r"model\.diffusion_model\."
_BARE = rf"(?:{_UNET})?"

_FIRST_CONVOLUTION = rf"{_UNET}input_blocks\.0\.0\.weight"
_CROSS_ATTENTION = rf"{_UNET}(input|middle|output)_block[s.\d]*\.transformer_blocks\.0\.attn2\.to_k\.weight"

_LATENTS = "first_stage_model.post_quant_conv.weight"

_PRECISIONS = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "I64", "I32"})
"""Those that mean the number itself; whole numbers are positions."""

_QUANTISED = (
    r"(?:^|\.)(?:scaled_fp8|scale_weight|scale_input|weight_scale\w*|input_scale|absmax|quant_map|comfy_quant)$"
)
"""Tensors that others are to be multiplied by, or looked up in."""

_FORMS = (
    _Form("a LoRA", r"lora[._](?:down|up|A|B|linear_layer)\b|\.(?:hada|lokr)_w1"),
    _Form("a ControlNet", r"^control_model\.|(?:^|\.)(?:input_hint_block|controlnet_\w+)\."),
    _Form(
        "the checkpoint of an SDXL refiner",
        r"^conditioner\.embedders\.0\.model\.",
        "StableDiffusionXLImg2ImgPipeline",
        ((_CROSS_ATTENTION, 1, 1), (_FIRST_CONVOLUTION, 1, 1)),
        {
            "text_encoder_2": "conditioner.embedders.0.",
            "unet": "model.diffusion_model.",
            "vae": "first_stage_model.",
        },
    ),
    _Form(
        "an SDXL checkpoint",
        r"^conditioner\.embedders\.1\.",
        "StableDiffusionXLPipeline",
        ((_CROSS_ATTENTION, 1, 1), (_FIRST_CONVOLUTION, 1, 1)),
        {
            "text_encoder": "conditioner.embedders.0.",
            "text_encoder_2": "conditioner.embedders.1.",
            "unet": "model.diffusion_model.",
            "vae": "first_stage_model.",
        },
    ),
    _Form(
        "a Stable Diffusion checkpoint",
        f"^{_FIRST_CONVOLUTION}$",
        "StableDiffusionPipeline",
        ((_CROSS_ATTENTION, 1, 1), (_FIRST_CONVOLUTION, 1, 1)),
        {"text_encoder": "cond_stage_model.", "unet": "model.diffusion_model.", "vae": "first_stage_model."},
    ),
    _Form(
        "the transformer of SD 3",
        rf"^{_BARE}joint_blocks\.0\.context_block\.adaLN_modulation\.1\.bias$",
        "StableDiffusion3Pipeline",
        (
            (rf"{_BARE}context_embedder\.weight", 1, 1),
            (rf"{_BARE}y_embedder\.mlp\.0\.weight", 1, 1),
            (rf"{_BARE}x_embedder\.proj\.weight", 1, 1),
        ),
        denoiser="SD3Transformer2DModel",
        counts={
            "num_layers": r"joint_blocks\.(\d+)\.",
            "dual_attention_layers": r"joint_blocks\.(\d+)\.x_block\.attn2\.qkv\.weight",
            "qk_norm": r"joint_blocks\.0\.x_block\.attn\.(ln_q)\.",
        },
        beside={
            "text_encoder": (_CLIP_L, "text_projection.weight"),
            "text_encoder_2": (_CLIP_G, "text_projection.weight"),
            "text_encoder_3": _T5,
        },
    ),
    _Form(
        "the transformer of Chroma",
        rf"^{_BARE}distilled_guidance_layer\.",
        "ChromaPipeline",
        ((rf"{_BARE}txt_in\.weight", 1, 1), (rf"{_BARE}img_in\.weight", 1, 4)),
        denoiser="ChromaTransformer2DModel",
        counts={
            "num_layers": r"double_blocks\.(\d+)\.",
            "num_single_layers": r"single_blocks\.(\d+)\.",
            "approximator_layers": r"distilled_guidance_layer\.layers\.(\d+)\.",
        },
        beside={"text_encoder": _T5},
    ),
    _Form(
        "the transformer of FLUX.2",
        rf"^{_BARE}double_stream_modulation_img\.lin\.weight$",
        "Flux2Pipeline",
        ((rf"{_BARE}txt_in\.weight", 1, 1), (rf"{_BARE}img_in\.weight", 1, 4)),
        denoiser="Flux2Transformer2DModel",
        counts={
            "num_layers": r"double_blocks\.(\d+)\.",
            "num_single_layers": r"single_blocks\.(\d+)\.",
            "guidance_embeds": r"(guidance_in)\.",
        },
        also=("Flux2KleinPipeline",),
    ),
    _Form(
        "the transformer of FLUX.1",
        rf"^{_BARE}double_blocks\.0\.img_attn\.norm\.key_norm\.scale$",
        "FluxPipeline",
        (
            (rf"{_BARE}txt_in\.weight", 1, 1),
            (rf"{_BARE}vector_in\.in_layer\.weight", 1, 1),
            (rf"{_BARE}img_in\.weight", 1, 4),
        ),
        denoiser="FluxTransformer2DModel",
        counts={
            "num_layers": r"double_blocks\.(\d+)\.",
            "num_single_layers": r"single_blocks\.(\d+)\.",
            "guidance_embeds": r"(guidance_in)\.",
        },
        beside={
            "text_encoder": (_CLIP_L, "text_model.embeddings.token_embedding.weight"),
            "text_encoder_2": _T5,
        },
    ),
    _Form(
        "the transformer of Qwen-Image",
        rf"^{_BARE}transformer_blocks\.0\.img_mod\.1\.weight$",
        "QwenImagePipeline",
        ((rf"{_BARE}txt_in\.weight", 1, 1), (rf"{_BARE}img_in\.weight", 1, 4)),
        denoiser="QwenImageTransformer2DModel",
        counts={"num_layers": r"transformer_blocks\.(\d+)\."},
    ),
    _Form(
        "the transformer of Z-Image",
        rf"^{_BARE}cap_pad_token$",
        "ZImagePipeline",
        ((rf"{_BARE}cap_embedder\.1\.weight", 1, 1), (rf"{_BARE}x_embedder\.weight", 1, 4)),
        denoiser="ZImageTransformer2DModel",
        counts={"n_layers": r"layers\.(\d+)\.", "n_refiner_layers": r"noise_refiner\.(\d+)\."},
    ),
    _Form("the transformer of LTX-2", rf"^{_BARE}audio_patchify_proj\."),
    _Form(
        "the transformer of LTX",
        rf"^{_BARE}patchify_proj\.weight$",
        "LTXPipeline",
        ((rf"{_BARE}caption_projection\.linear_1\.weight", 1, 1), (rf"{_BARE}patchify_proj\.weight", 1, 1)),
        denoiser="LTXVideoTransformer3DModel",
        counts={"num_layers": r"transformer_blocks\.(\d+)\."},
    ),
    _Form("the transformer of a Wan for editing", rf"^{_BARE}(?:vace_blocks|face_adapter)\."),
    _Form(
        "the transformer of Wan",
        rf"^{_BARE}head\.modulation$",
        "WanPipeline",
        ((rf"{_BARE}text_embedding\.0\.weight", 1, 1), (rf"{_BARE}head\.head\.weight", 0, 4)),
        denoiser="WanTransformer3DModel",
        counts={"num_layers": r"blocks\.(\d+)\."},
    ),
    _Form(
        "the transformer of HunyuanVideo",
        rf"^{_BARE}txt_in\.individual_token_refiner\.blocks\.0\.",
        "HunyuanVideoPipeline",
        (
            (rf"{_BARE}txt_in\.input_embedder\.weight", 1, 1),
            (rf"{_BARE}vector_in\.in_layer\.weight", 1, 1),
            (rf"{_BARE}img_in\.proj\.weight", 1, 1),
        ),
        denoiser="HunyuanVideoTransformer3DModel",
        counts={
            "num_layers": r"double_blocks\.(\d+)\.",
            "num_single_layers": r"single_blocks\.(\d+)\.",
            "num_refiner_layers": r"txt_in\.individual_token_refiner\.blocks\.(\d+)\.",
            "guidance_embeds": r"(guidance_in)\.",
        },
    ),
    _Form(
        "the transformer of Lumina 2",
        rf"^{_BARE}context_refiner\.0\.attention\.qkv\.weight$",
        "Lumina2Pipeline",
        ((rf"{_BARE}cap_embedder\.1\.weight", 1, 1), (rf"{_BARE}x_embedder\.weight", 1, 4)),
        denoiser="Lumina2Transformer2DModel",
        counts={"num_layers": r"layers\.(\d+)\.", "num_refiner_layers": r"noise_refiner\.(\d+)\."},
    ),
    _Form(
        "the transformer of AuraFlow",
        rf"^{_BARE}double_layers\.0\.attn\.w1q\.weight$",
        "AuraFlowPipeline",
        ((rf"{_BARE}cond_seq_linear\.weight", 1, 1), (rf"{_BARE}init_x_linear\.weight", 1, 4)),
        denoiser="AuraFlowTransformer2DModel",
        counts={
            "num_mmdit_layers": r"double_layers\.(\d+)\.",
            "num_single_dit_layers": r"single_layers\.(\d+)\.",
        },
    ),
    _Form(
        "the transformer of HiDream",
        rf"^{_BARE}double_stream_blocks\.0\.block\.attn1\.to_q_t\.weight$",
        "HiDreamImagePipeline",
        ((rf"{_BARE}caption_projection\.\d+\.linear\.weight", 1, 1), (rf"{_BARE}x_embedder\.proj\.weight", 1, 4)),
        denoiser="HiDreamImageTransformer2DModel",
        counts={
            "num_layers": r"double_stream_blocks\.(\d+)\.",
            "num_single_layers": r"single_stream_blocks\.(\d+)\.",
        },
    ),
    _Form(
        "the transformer of Cosmos 2",
        rf"^{_BARE}(?:net\.)?blocks\.0\.adaln_modulation_self_attn\.1\.weight$",
        "Cosmos2TextToImagePipeline",
        (
            (rf"{_BARE}(?:net\.)?blocks\.0\.cross_attn\.k_proj\.weight", 1, 1),
            (rf"{_BARE}(?:net\.)?final_layer\.linear\.weight", 0, 4),
        ),
        denoiser="CosmosTransformer3DModel",
        counts={"num_layers": r"(?:net\.)?blocks\.(\d+)\."},
    ),
    _Form(
        "the transformer of Krea 2",
        rf"^{_BARE}txtfusion\.projector\.weight$",
        "Krea2Pipeline",
        ((rf"{_BARE}txtmlp\.1\.weight", 1, 1), (rf"{_BARE}first\.weight", 1, 4)),
        denoiser="Krea2Transformer2DModel",
        counts={"num_layers": r"blocks\.(\d+)\."},
    ),
    _Form("a VAE", r"^decoder\.conv(?:_in|1)\.weight$"),
    _Form(
        "a text encoder",
        r"^(?:text_model\.embeddings\.token_embedding|encoder\.block\.0\.layer\.0\.SelfAttention\.q"
        r"|(?:model\.)?(?:language_model\.)?embed_tokens|(?:enc\.)?blk\.0\.attn_q)\.weight$",
    ),
    _Form("a textual inversion", r"^(?:emb_params|clip_[gl])$"),
)


_TRANSFORMERS = ", ".join(form.holds.removeprefix("the transformer of ") for form in _FORMS if form.denoiser)


_NODES = {
    "a LoRA": "ApplyLora",
    "a VAE": "LoadVAE",
    "a text encoder": "LoadTextEncoder",
    "a textual inversion": "AddEmbedding",
}
"""The nodes that take what is no model by itself."""


def recognise(header: Header) -> Checkpoint | None:
    """What the file with this header holds; None where nothing here knows its tensors."""
    names = "\n".join(header.shapes)
    return next((found for form in _FORMS if (found := form.read(names, header)) is not None), None)


def whole(found: Checkpoint | None, path: Path, header: Header, at: str) -> Checkpoint:
    """What `recognise` found in the file at `path`, if that is a whole model.

    Raises `PatchbayError` at `at`: `unsupported_class` where it is none that can be loaded from a file, `bad_model`
    where a part of it is missing.
    """
    if found is None or found.family is None:
        what = f"{path} holds {found.holds}; " if found else f"{path} holds tensors of names that are not known here; "
        what += f"single files of Stable Diffusion and SDXL are loaded, and transformers of {_TRANSFORMERS}."
        node = _NODES.get(found.holds if found else "")
        fix = f"Name it in {node}." if node else "Load a folder in Diffusers' format instead."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, fix)
    if is_gguf(path):
        _check_gguf(found, path, header, at)
    elif _is_quantised(found, header):
        what = f"{path} holds quantised weights, which cannot be read without what they were made smaller by."
        raise PatchbayError(
            Code.UNSUPPORTED_CLASS, at, what, "Use a GGUF file, or one of float16, bfloat16 or float8 weights."
        )
    if found.missing:
        what = f"{path} holds no weights for the {found.missing[0]}."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Use a checkpoint with all its parts.")
    latents = 0 if found.partial else header.shapes.get(_LATENTS, (0,))[0]
    if latents and latents != found.sizes[-1]:
        what = f"{path} has a UNet of {found.sizes[-1]} input channels for latents of {latents} (an inpainting model?)."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use a text-to-image model of the same family.")
    return found


def _check_gguf(found: Checkpoint, path: Path, header: Header, at: str) -> None:
    """Refuse what Diffusers does not read of GGUF files, or reads only with a package that is not there."""
    if not found.partial:
        what = f"{path} holds {found.holds}, and of GGUF files only transformers and text encoders are read."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use it as a .safetensors file.")
    check_blocks(path, header, at)


def check_blocks(path: Path, header: Header, at: str) -> None:
    """Refuse a GGUF file with types that are not read, or without the package. Raises `PatchbayError` at `at`."""
    unread = set(header.precisions()) - READABLE - _PRECISIONS
    if unread:
        what = f"{path} stores weights as {', '.join(sorted(unread))}, which Diffusers does not read."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, f"Use one of {', '.join(sorted(READABLE))}.")
    check_package("gguf", f"{path} is a GGUF file", at)


def _is_quantised(found: Checkpoint, header: Header) -> bool:
    """Whether the tensors of a part that would be read are no plain numbers; scales are read beside transformers."""
    return not is_plain(unscaled(header) if found.partial else header, tuple(found.parts.values()))


def is_plain(header: Header, prefixes: tuple[str, ...] = ("",)) -> bool:
    """Whether the tensors whose names start so mean the numbers that they hold."""
    names = "\n".join(name for name in header.shapes if name.startswith(prefixes) or name == "scaled_fp8")
    precisions = {precision for prefix in prefixes for precision in header.precisions(prefix)}
    return re.search(_QUANTISED, names, re.MULTILINE) is None and precisions <= _PRECISIONS
