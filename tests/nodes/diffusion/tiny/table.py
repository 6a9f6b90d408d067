"""A tiny random model for each pipeline class: what it is made of and how it is called, no download."""

from dataclasses import dataclass, field

import diffusers
import torch

from nodes.diffusion.families.blocks import is_modular
from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.stages.pipelines import Trusting
from tests.nodes.diffusion.tiny import (
    blocks,
    cascade,
    cosmos,
    deepfloyd,
    dits,
    editing,
    following,
    glm,
    guided,
    kandinsky5,
    kolors,
    newer,
    priors,
    seeing,
    shown,
    sounding,
    unets,
    videos,
)


@dataclass(frozen=True)
class Tiny:
    """`make` gives the parts. `options` are arguments of the call, `text` those that concern the prompt.

    `words` is the form of a prompt, with dots for what it says. `pictures` are the numbers of pictures that the calls
    are given in turn, of the sizes that `exact` draws them in. `batches` is false for classes that make one thing at a
    time of one prompt, `unguided` for those that fail in Diffusers itself without guidance, `several` for those that
    fail there when one prompt is to give several. With a `strength` below 1 it begins with a picture, and runs that
    share of the steps. It is compared in a `precision` of its own where its class works in no other.
    """

    make: object
    sizes: tuple = ((32, 32), (48, 32))
    frames: int = 1
    options: dict = field(default_factory=dict)
    text: dict = field(default_factory=dict)
    guidance: float = 3.0
    steps: int = 2
    batches: bool = True
    unguided: bool = True
    several: bool = True
    strength: float = 1.0
    pictures: tuple = (0,)
    words: str = "..."
    precision: str = "auto"


WIDE = ((64, 64), (96, 64))
LARGE = ((64, 64), (128, 64))

TINY = {
    "StableDiffusionPipeline": Tiny(unets.sd),
    "StableDiffusionXLPipeline": Tiny(unets.sdxl),
    "StableDiffusionXLImg2ImgPipeline": Tiny(unets.refiner, strength=0.6),
    "StableDiffusionPAGPipeline": Tiny(unets.sd),
    "StableDiffusionXLPAGPipeline": Tiny(unets.sdxl),
    "LatentConsistencyModelPipeline": Tiny(unets.lcm),
    "Kandinsky3Pipeline": Tiny(unets.kandinsky3, WIDE),
    "StableDiffusion3Pipeline": Tiny(dits.sd3),
    "StableDiffusion3PAGPipeline": Tiny(dits.sd3),
    "FluxPipeline": Tiny(dits.flux),
    "ChromaPipeline": Tiny(dits.chroma),
    "QwenImageEditPipeline": Tiny(seeing.qwen_edit, text={"max_sequence_length": 512}, pictures=(1,)),
    "QwenImageEditPlusPipeline": Tiny(seeing.qwen_edit, text={"max_sequence_length": 512}, pictures=(1, 2)),
    "QwenImage21Pipeline": Tiny(editing.qwen_image_21, WIDE, pictures=(0, 1, 2)),
    "JoyImageEditPipeline": Tiny(editing.joyimage, pictures=(1,)),
    "JoyImageEditPlusPipeline": Tiny(editing.joyimage_plus, pictures=(2, 1, 0), batches=False),
    "BriaFibo2Pipeline": Tiny(editing.bria_fibo_2, ((32, 32), (40, 24)), pictures=(1, 2, 0)),
    "HunyuanImageRefinerPipeline": Tiny(editing.hunyuan_refiner, pictures=(1,)),
    "ZImageOmniPipeline": Tiny(
        editing.z_image_omni, WIDE, text={"max_sequence_length": 64}, pictures=(1, 2, 0), precision="bfloat16"
    ),
    "LongCatImageEditPipeline": Tiny(seeing.longcat_edit, ((32, 32), (32, 32)), pictures=(1,)),
    "StableDiffusionInstructPix2PixPipeline": Tiny(seeing.pix2pix, pictures=(1,)),
    "StableDiffusionXLInstructPix2PixPipeline": Tiny(seeing.pix2pix_xl, pictures=(1,)),
    "StableDiffusionUpscalePipeline": Tiny(seeing.upscaler, WIDE, pictures=(1,)),
    "StableDiffusionDepth2ImgPipeline": Tiny(seeing.depth, pictures=(1,), steps=4, strength=0.6),
    "StableUnCLIPImg2ImgPipeline": Tiny(seeing.unclip, pictures=(1,)),
    "IFPipeline": Tiny(deepfloyd.first, text={"clean_caption": False}),
    "IFSuperResolutionPipeline": Tiny(
        deepfloyd.larger, WIDE, text={"clean_caption": False}, pictures=(1,), several=False
    ),
    "StableDiffusionImageVariationPipeline": Tiny(seeing.variation, pictures=(1,), several=False),
    "StableDiffusionLatentUpscalePipeline": Tiny(seeing.latent_upscaler, WIDE, pictures=(1,)),
    "FluxKontextPipeline": Tiny(dits.flux, options={"_auto_resize": False}, pictures=(1, 0)),
    "PixArtAlphaPipeline": Tiny(dits.pixart, text={"max_sequence_length": 32}),
    "PixArtSigmaPipeline": Tiny(dits.pixart, text={"max_sequence_length": 32}),
    "PixArtSigmaPAGPipeline": Tiny(dits.pixart, text={"max_sequence_length": 32}),
    "SanaPipeline": Tiny(dits.sana, WIDE, text={"max_sequence_length": 32}),
    "SanaPAGPipeline": Tiny(dits.sana, WIDE, text={"max_sequence_length": 32}),
    "SanaSprintPipeline": Tiny(dits.sana_sprint, WIDE, text={"max_sequence_length": 32}),
    "QwenImagePipeline": Tiny(dits.qwen_image, text={"max_sequence_length": 512}),
    "ZImagePipeline": Tiny(dits.z_image, text={"max_sequence_length": 64}),
    "LuminaPipeline": Tiny(dits.lumina),
    "Lumina2Pipeline": Tiny(dits.lumina2, text={"max_sequence_length": 384}),
    "HunyuanDiTPipeline": Tiny(dits.hunyuan_dit, WIDE),
    "HunyuanDiTPAGPipeline": Tiny(dits.hunyuan_dit, WIDE, unguided=False),
    "AuraFlowPipeline": Tiny(dits.aura_flow, text={"max_sequence_length": 32}),
    "CogView3PlusPipeline": Tiny(dits.cogview3, text={"max_sequence_length": 32}),
    "CogView4Pipeline": Tiny(dits.cogview4, text={"max_sequence_length": 32}),
    "Flux2Pipeline": Tiny(
        dits.flux2,
        WIDE,
        text={"max_sequence_length": 512, "text_encoder_out_layers": [1, 2, 3]},
        pictures=(0, 1, 2),
    ),
    "Flux2KleinPipeline": Tiny(
        dits.flux2_klein,
        WIDE,
        text={"max_sequence_length": 512, "text_encoder_out_layers": [1, 2, 3]},
        pictures=(0, 1, 2),
    ),
    "Flux2KleinKVPipeline": Tiny(
        dits.flux2_klein,
        WIDE,
        text={"max_sequence_length": 512, "text_encoder_out_layers": [1, 2, 3]},
        pictures=(2, 0),
    ),
    "GlmImagePipeline": Tiny(glm.glm, WIDE),
    "HiDreamImagePipeline": Tiny(dits.hidream, ((32, 32), (32, 32)), text={"max_sequence_length": 32}, batches=False),
    "AnimateDiffPipeline": Tiny(unets.animatediff, frames=2, batches=False),
    "AnimateDiffPAGPipeline": Tiny(unets.animatediff, frames=2, batches=False),
    "AnimateDiffSDXLPipeline": Tiny(unets.animatediff_xl, frames=2, batches=False),
    "OvisImagePipeline": Tiny(dits.ovis, text={"max_sequence_length": 256}),
    "ErnieImagePipeline": Tiny(dits.ernie, WIDE),
    "PRXPipeline": Tiny(newer.prx, text={"tokenizer_max_length": 32}, batches=False),
    "BriaPipeline": Tiny(newer.bria, WIDE, text={"max_sequence_length": 32}),
    "LongCatImagePipeline": Tiny(newer.longcat, text={"enable_prompt_rewrite": False}),
    "Krea2Pipeline": Tiny(newer.krea2, text={"max_sequence_length": 512}),
    "WanPipeline": Tiny(videos.wan, frames=5, text={"max_sequence_length": 32}),
    "SkyReelsV2Pipeline": Tiny(videos.skyreels, frames=5, text={"max_sequence_length": 32}),
    "AnyFlowPipeline": Tiny(videos.anyflow, frames=5, text={"max_sequence_length": 32}),
    "LTXPipeline": Tiny(videos.ltx, WIDE, frames=9, text={"max_sequence_length": 32}),
    "HunyuanVideoPipeline": Tiny(videos.hunyuan_video, frames=5, text={"max_sequence_length": 256}),
    "CogVideoXPipeline": Tiny(videos.cogvideox, frames=9, batches=False),
    "MochiPipeline": Tiny(videos.mochi, frames=7, text={"max_sequence_length": 16}),
    "SanaVideoPipeline": Tiny(videos.sana_video, WIDE, frames=5, text={"max_sequence_length": 32}),
    "EasyAnimatePipeline": Tiny(videos.easyanimate, frames=5),
    "HunyuanImagePipeline": Tiny(guided.hunyuan_image),
    "HunyuanVideo15Pipeline": Tiny(guided.hunyuan_video_15, frames=5, batches=False),
    "MotifVideoPipeline": Tiny(guided.motif_video, frames=5, text={"max_sequence_length": 32}),
    "Kandinsky5T2IPipeline": Tiny(kandinsky5.pictures, ((1024, 1024), (640, 1408)), text={"max_sequence_length": 64}),
    "Kandinsky5T2VPipeline": Tiny(kandinsky5.videos, frames=5, text={"max_sequence_length": 64}, several=False),
    "NucleusMoEImagePipeline": Tiny(newer.nucleus, text={"return_index": -2}),
    "LTX2Pipeline": Tiny(
        sounding.ltx2,
        ((32, 32), (64, 32)),
        frames=5,
        options={"spatio_temporal_guidance_blocks": [0]},
        text={"max_sequence_length": 32},
    ),
    "LTX2ImageToVideoPipeline": Tiny(
        sounding.ltx2,
        ((32, 32), (64, 32)),
        frames=5,
        options={"spatio_temporal_guidance_blocks": [0]},
        text={"max_sequence_length": 32},
        batches=False,
        pictures=(1,),
    ),
    "LTX2ConditionPipeline": Tiny(
        sounding.ltx2,
        ((32, 32), (64, 32)),
        frames=5,
        options={"spatio_temporal_guidance_blocks": [0]},
        text={"max_sequence_length": 32},
        pictures=(0, 2),
    ),
    "LTX2InContextPipeline": Tiny(
        sounding.ltx2,
        ((32, 32), (64, 32)),
        frames=5,
        options={"spatio_temporal_guidance_blocks": [0]},
        text={"max_sequence_length": 32},
        pictures=(5,),
    ),
    "LTXConditionPipeline": Tiny(videos.ltx_condition, WIDE, frames=9, text={"max_sequence_length": 32}),
    "CosmosTextToWorldPipeline": Tiny(cosmos.first, frames=9, text={"max_sequence_length": 32}),
    "Cosmos2TextToImagePipeline": Tiny(cosmos.second, text={"max_sequence_length": 32}),
    "Cosmos2_5_PredictBasePipeline": Tiny(cosmos.half, frames=5, text={"max_sequence_length": 256}),
    "Ideogram4Pipeline": Tiny(newer.ideogram4, WIDE, text={"max_sequence_length": 96}),
    "AllegroPipeline": Tiny(
        videos.allegro,
        ((128, 128), (176, 128)),
        frames=21,
        text={"max_sequence_length": 32, "clean_caption": False},
        batches=False,
    ),
    "LattePipeline": Tiny(videos.latte, frames=2, text={"clean_caption": False}, batches=False),
    "BriaFiboEditPipeline": Tiny(
        newer.bria_fibo, text={"max_sequence_length": 64}, words='{"edit_instruction": "..."}', pictures=(2, 0)
    ),
    "BriaFiboPipeline": Tiny(newer.bria_fibo, text={"max_sequence_length": 64}),
    "KolorsPipeline": Tiny(kolors.kolors, text={"max_sequence_length": 256}),
    "KolorsPAGPipeline": Tiny(kolors.kolors, text={"max_sequence_length": 256}),
    "PRXPixelPipeline": Tiny(newer.prx_pixel, batches=False),
    "KandinskyV22PriorPipeline": Tiny(priors.prior),
    "KandinskyV22Pipeline": Tiny(priors.decoder, LARGE, several=False),
    "KandinskyPriorPipeline": Tiny(priors.prior),
    "KandinskyPipeline": Tiny(priors.reading_decoder, LARGE),
    "StableCascadePriorPipeline": Tiny(cascade.prior, LARGE),
    "StableCascadeDecoderPipeline": Tiny(cascade.decoder, ((128, 128), (256, 128))),
    "WanImageToVideoPipeline": Tiny(shown.wan, frames=5, text={"max_sequence_length": 32}, pictures=(1, 2)),
    "WanVACEPipeline": Tiny(
        shown.wan_vace, frames=5, text={"max_sequence_length": 32}, pictures=(0, 1, 2), batches=False
    ),
    "StableVideoDiffusionPipeline": Tiny(shown.stable_video, frames=2, pictures=(1,), several=False),
    "LucyEditPipeline": Tiny(shown.lucy, frames=5, text={"max_sequence_length": 32}, pictures=(5,)),
    "ChronoEditPipeline": Tiny(
        shown.chrono_edit, frames=5, text={"max_sequence_length": 32}, pictures=(1,), several=False
    ),
    "SkyReelsV2ImageToVideoPipeline": Tiny(
        shown.skyreels, frames=5, text={"max_sequence_length": 32}, pictures=(1,), several=False
    ),
    "Kandinsky5I2VPipeline": Tiny(
        kandinsky5.videos, frames=17, text={"max_sequence_length": 64}, pictures=(1,), several=False
    ),
    "LTXImageToVideoPipeline": Tiny(videos.ltx, WIDE, frames=9, text={"max_sequence_length": 32}, pictures=(1,)),
    "HunyuanSkyreelsImageToVideoPipeline": Tiny(
        shown.hunyuan_skyreels, frames=5, text={"max_sequence_length": 256}, pictures=(1,)
    ),
    "CogVideoXImageToVideoPipeline": Tiny(shown.cogvideox, frames=9, batches=False, pictures=(1,)),
    "HunyuanVideoImageToVideoPipeline": Tiny(
        shown.hunyuan_video,
        frames=5,
        text={"max_sequence_length": 64, "prompt_template": shown.HUNYUAN_TEMPLATE},
        pictures=(1,),
        batches=False,
        several=False,
    ),
    "HunyuanVideo15ImageToVideoPipeline": Tiny(
        shown.hunyuan_video_15, ((32, 32), (40, 24)), frames=5, pictures=(1,), batches=False
    ),
    "CosmosVideoToWorldPipeline": Tiny(shown.cosmos_first, frames=9, text={"max_sequence_length": 32}, pictures=(1, 5)),
    "Cosmos2VideoToWorldPipeline": Tiny(
        shown.cosmos_second, frames=9, text={"max_sequence_length": 32}, pictures=(1, 5)
    ),
    "MotifVideoImage2VideoPipeline": Tiny(
        shown.motif_video, frames=5, text={"max_sequence_length": 32}, pictures=(1,), batches=False
    ),
    "EasyAnimateInpaintPipeline": Tiny(shown.easyanimate, frames=5, pictures=(0, 1, 2), batches=False),
    "SkyReelsV2DiffusionForcingPipeline": Tiny(videos.skyreels, frames=9, text={"max_sequence_length": 32}),
    "SkyReelsV2DiffusionForcingImageToVideoPipeline": Tiny(
        videos.skyreels, frames=9, text={"max_sequence_length": 32}, pictures=(1,)
    ),
    "Kandinsky5I2IPipeline": Tiny(
        kandinsky5.edits,
        ((1024, 1024), (640, 1408)),
        text={"max_sequence_length": 512},
        pictures=(1,),
        batches=False,
        several=False,
    ),
    "SanaImageToVideoPipeline": Tiny(
        videos.sana_video, WIDE, frames=5, text={"max_sequence_length": 32}, pictures=(1,), several=False
    ),
    "AnimaModularPipeline": Tiny(blocks.anima, text={"max_sequence_length": 64}),
    "Flux3ModularPipeline": Tiny(
        blocks.flux3,
        WIDE,
        text={"max_sequence_length": 96, "text_encoder_out_layers": [1, 2, 3]},
        pictures=(0, 1, 2),
    ),
    "Flux3DistilledModularPipeline": Tiny(
        blocks.flux3_distilled,
        WIDE,
        text={"max_sequence_length": 96, "text_encoder_out_layers": [1, 2, 3]},
        pictures=(0, 1),
    ),
}


READERS = {
    "StableDiffusionInpaintPipeline": unets.sd_inpaint,
    "StableDiffusionXLInpaintPipeline": unets.sdxl_inpaint,
    "FluxFillPipeline": dits.flux_fill,
    "KandinskyV22InpaintPipeline": priors.painting_decoder,
    "KandinskyInpaintPipeline": priors.reading_painting_decoder,
}
"""Models that were made for inpainting and read a mask."""

FOLLOWERS = {
    "FluxControlPipeline": following.flux,
    "FluxControlImg2ImgPipeline": following.flux,
    "FluxControlInpaintPipeline": following.flux,
    "CogView4ControlPipeline": following.cogview4,
    "CogVideoXFunControlPipeline": following.cogvideox,
    "EasyAnimateControlPipeline": following.easyanimate,
    "KandinskyV22ControlnetPipeline": priors.following_decoder,
    "KandinskyV22ControlnetImg2ImgPipeline": priors.following_decoder,
}
"""Models that were made to follow a picture, which they read."""


def build(name, folder):
    """Save a tiny model of the pipeline class `name` to `folder`, the same one each time."""
    torch.manual_seed(0)
    special = {**READERS, **FOLLOWERS}
    made = special[name]() if name in special else TINY[name].make()
    if name in FAMILIES and FAMILIES[name].checks_safety:
        made["safety_checker"] = Trusting()
    for part in made.values():
        if isinstance(part, torch.nn.Module):
            disturb(part)
    if is_modular(name):
        blocks.save(name, made, folder)
    else:
        getattr(diffusers, name)(**made).save_pretrained(folder)


def disturb(module):
    """Fill in zeros: weights that begin as zeros would hide what depends on them."""
    for parameter in module.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
