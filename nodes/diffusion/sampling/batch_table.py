"""How the pipeline classes ask for and against the prompt, where that is known. Nothing here imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.tuning import ONE_BY_ONE, TOGETHER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.diffusion.disk.source import ModelSource

_IN_ONE_BATCH = frozenset(
    {
        "AllegroPipeline",
        "AnyFlowPipeline",
        "AuraFlowPipeline",
        "BriaFiboEditPipeline",
        "BriaFiboPipeline",
        "BriaPipeline",
        "CogVideoXImageToVideoPipeline",
        "CogVideoXPipeline",
        "CogView3PlusPipeline",
        "EasyAnimatePipeline",
        "ErnieImagePipeline",
        "HunyuanDiTPipeline",
        "Kandinsky3Pipeline",
        "KolorsPipeline",
        "LTXConditionPipeline",
        "LTXImageToVideoPipeline",
        "LTXPipeline",
        "LattePipeline",
        "LuminaPipeline",
        "MochiPipeline",
        "PRXPipeline",
        "PRXPixelPipeline",
        "PixArtAlphaPipeline",
        "PixArtSigmaPipeline",
        "SanaImageToVideoPipeline",
        "SanaPipeline",
        "SanaVideoPipeline",
        "StableDiffusion3Pipeline",
        "StableDiffusionDepth2ImgPipeline",
        "StableDiffusionInstructPix2PixPipeline",
        "StableDiffusionLatentUpscalePipeline",
        "StableDiffusionPipeline",
        "StableDiffusionUpscalePipeline",
        "StableDiffusionXLImg2ImgPipeline",
        "StableDiffusionXLInstructPix2PixPipeline",
        "StableDiffusionXLPipeline",
        "StableUnCLIPImg2ImgPipeline",
        "ZImagePipeline",
    }
)
_ONE_AFTER_THE_OTHER = frozenset(
    {
        "ChromaPipeline",
        "ChronoEditPipeline",
        "CosmosTextToWorldPipeline",
        "Flux2KleinPipeline",
        "FluxKontextPipeline",
        "FluxPipeline",
        "HunyuanImagePipeline",
        "HunyuanSkyreelsImageToVideoPipeline",
        "HunyuanVideo15Pipeline",
        "HunyuanVideoPipeline",
        "Krea2Pipeline",
        "LongCatImageEditPipeline",
        "LongCatImagePipeline",
        "LucyEditPipeline",
        "Lumina2Pipeline",
        "NucleusMoEImagePipeline",
        "OvisImagePipeline",
        "QwenImageEditPipeline",
        "QwenImageEditPlusPipeline",
        "QwenImagePipeline",
        "SkyReelsV2ImageToVideoPipeline",
        "SkyReelsV2Pipeline",
        "WanImageToVideoPipeline",
        "WanPipeline",
    }
)

CAN: Mapping[str, frozenset[str]] = {TOGETHER: _ONE_AFTER_THE_OTHER, ONE_BY_ONE: _IN_ONE_BATCH}
"""Which classes can be asked in another way than their own, with the result that they give but for rounding."""


def check(source: ModelSource, way: str, at: str) -> None:
    """Refuse a way of asking that is the model's own, or not known to give what that gives. Raises `bad_value`."""
    name = source.family.pipeline_class
    if not way or name in CAN[way]:
        return
    is_own = any(name in classes for classes in CAN.values())
    what = f"{name} is asked {way} as it is." if is_own else f"It is not known that {name} can be asked {way}."
    raise PatchbayError(Code.BAD_VALUE, at, what, 'Set it to "as the model".')
