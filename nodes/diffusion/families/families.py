"""Which Diffusers pipeline classes Patchbay drives, as a table. Another family is another row.

A pipeline class in a model folder names a container of parts. Image-to-image and inpainting classes of one family hold
the same parts, so they share a row: what a graph does with the parts is the graph's business.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nodes.diffusion.families.blocks import BLOCKS
from nodes.diffusion.families.edits import EDITS, QWEN_IMAGE_EDIT
from nodes.diffusion.families.images import (
    CHROMA,
    COGVIEW4,
    FLUX,
    FLUX2_KLEIN,
    FLUX_KONTEXT,
    HUNYUAN_DIT,
    IF,
    IMAGES,
    KANDINSKY3,
    KOLORS,
    LCM,
    PIXART,
    QWEN_IMAGE,
    SANA,
    SANA_SPRINT,
    SD3,
    SDXL,
    STABLE_DIFFUSION,
    Z_IMAGE,
)
from nodes.diffusion.families.priors import KANDINSKY21, KANDINSKY22, KANDINSKY22_PRIOR, PRIORS
from nodes.diffusion.families.sounding import SOUNDING
from nodes.diffusion.families.videos import AFTER_PICTURES, ANIMATEDIFF, COGVIDEOX, EASYANIMATE, VIDEOS, WAN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.diffusion.families.family import Family

_VARIANTS: Mapping[str, Family] = {
    "StableDiffusionPAGPipeline": STABLE_DIFFUSION,
    "StableDiffusionXLPAGPipeline": SDXL,
    "KolorsPAGPipeline": KOLORS,
    "StableDiffusion3PAGPipeline": SD3,
    "PixArtSigmaPAGPipeline": PIXART,
    "SanaPAGPipeline": SANA,
    "HunyuanDiTPAGPipeline": HUNYUAN_DIT,
    "AnimateDiffPAGPipeline": ANIMATEDIFF,
}
"""Classes that do the same with the same parts in another way: they run their own stages."""

_TASKS: Mapping[str, Family] = {
    "StableDiffusionImg2ImgPipeline": STABLE_DIFFUSION,
    "StableDiffusionInpaintPipeline": STABLE_DIFFUSION,
    "StableDiffusionXLInpaintPipeline": SDXL,
    "KolorsImg2ImgPipeline": KOLORS,
    "StableDiffusion3Img2ImgPipeline": SD3,
    "StableDiffusion3InpaintPipeline": SD3,
    "FluxImg2ImgPipeline": FLUX,
    "FluxInpaintPipeline": FLUX,
    "FluxFillPipeline": FLUX,
    "FluxControlPipeline": FLUX,
    "FluxControlImg2ImgPipeline": FLUX,
    "FluxControlInpaintPipeline": FLUX,
    "CogView4ControlPipeline": COGVIEW4,
    "CogVideoXFunControlPipeline": COGVIDEOX,
    "EasyAnimateControlPipeline": EASYANIMATE,
    "ChromaImg2ImgPipeline": CHROMA,
    "ChromaInpaintPipeline": CHROMA,
    "QwenImageImg2ImgPipeline": QWEN_IMAGE,
    "QwenImageInpaintPipeline": QWEN_IMAGE,
    "QwenImageEditInpaintPipeline": QWEN_IMAGE_EDIT,
    "FluxKontextInpaintPipeline": FLUX_KONTEXT,
    "Flux2KleinInpaintPipeline": FLUX2_KLEIN,
    "ZImageImg2ImgPipeline": Z_IMAGE,
    "ZImageInpaintPipeline": Z_IMAGE,
    "LatentConsistencyModelImg2ImgPipeline": LCM,
    "Kandinsky3Img2ImgPipeline": KANDINSKY3,
    "IFImg2ImgPipeline": IF,
    "SanaSprintImg2ImgPipeline": SANA_SPRINT,
    "WanVideoToVideoPipeline": WAN,
    "KandinskyV22PriorEmb2EmbPipeline": KANDINSKY22_PRIOR,
    "KandinskyV22Img2ImgPipeline": KANDINSKY22,
    "KandinskyV22InpaintPipeline": KANDINSKY22,
    "KandinskyV22ControlnetPipeline": KANDINSKY22,
    "KandinskyV22ControlnetImg2ImgPipeline": KANDINSKY22,
    "KandinskyInpaintPipeline": KANDINSKY21,
    "CogVideoXVideoToVideoPipeline": COGVIDEOX,
    "AnimateDiffVideoToVideoPipeline": ANIMATEDIFF,
}
"""Classes of other tasks: containers of the same parts, whose family runs the stages."""

_TASKS_OF_VARIANTS = {
    "StableDiffusionPAGImg2ImgPipeline": "StableDiffusionPAGPipeline",
    "StableDiffusionPAGInpaintPipeline": "StableDiffusionPAGPipeline",
    "StableDiffusionXLPAGImg2ImgPipeline": "StableDiffusionXLPAGPipeline",
    "StableDiffusionXLPAGInpaintPipeline": "StableDiffusionXLPAGPipeline",
    "StableDiffusion3PAGImg2ImgPipeline": "StableDiffusion3PAGPipeline",
}
"""The same of those classes that do it in another way."""

_OF_VARIANTS = {
    name: replace(family, pipeline_class=name, steers={}, own_guidance="it makes a third prediction of its own")
    for name, family in _VARIANTS.items()
}

FAMILIES: Mapping[str, Family] = {
    **{
        family.pipeline_class: family
        for family in (*IMAGES, *VIDEOS, *SOUNDING, *EDITS, *AFTER_PICTURES, *BLOCKS, *PRIORS)
    },
    **_OF_VARIANTS,
    **_TASKS,
    **{task: _OF_VARIANTS[name] for task, name in _TASKS_OF_VARIANTS.items()},
}
"""Pipeline class of a model folder -> its family."""

FILLING = frozenset({"FluxFillPipeline"})
"""Classes whose denoisers read a mask and the picture around it in a way of their own."""

FOLLOWING = frozenset(
    {
        "FluxControlPipeline",
        "FluxControlImg2ImgPipeline",
        "FluxControlInpaintPipeline",
        "CogView4ControlPipeline",
        "CogVideoXFunControlPipeline",
        "EasyAnimateControlPipeline",
        "KandinskyV22ControlnetPipeline",
        "KandinskyV22ControlnetImg2ImgPipeline",
    }
)
"""Classes whose denoisers read a picture to follow beside the latents."""

REDUX = "FluxPriorReduxPipeline"
"""The class that makes of a picture what stands behind the words of a prompt: no family, only a part of one."""

SUPPORTED = "docs/families.md lists what is supported."

_PIXELS_PER_LATENT = {"sd1": 8, "sd2": 8, "pocket": 8}
"""A side of a picture, divided by that of its latent."""


def pixels_per_latent(kind: str) -> int | None:
    """How many pixels of a side become one latent number in this kind of model; None where that is not known."""
    return _PIXELS_PER_LATENT.get(kind)
