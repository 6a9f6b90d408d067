"""Families that draw pictures after pictures: they are nothing without one."""

from __future__ import annotations

from dataclasses import replace

from nodes.diffusion.families.common import DRAWN_PICTURE, ENCODED_WITH_NOISE, OWN_GUIDER
from nodes.diffusion.families.family import Family, Pictures
from nodes.diffusion.families.images import BRIA_FIBO, FLUX2_KLEIN, UNET, Z_IMAGE

_BOTH = "it guides by the words and by the picture"

QWEN_IMAGE_EDIT = Family(
    "qwen-image-edit",
    "QwenImageEditPipeline",
    sizes={(3584, 16): "qwen-image"},
    begun_steps=True,
    divides_guided=True,
    pictures=Pictures(with_text=True, among_tokens=True),
    decodes_as="QwenImagePipeline",
    paints_as="QwenImageEditInpaintPipeline",
)

EDITS = (
    replace(
        BRIA_FIBO,
        name="bria-fibo-edit",
        pipeline_class="BriaFiboEditPipeline",
        pictures=Pictures(least=0, most=10, among_tokens=True),
        blank_words='{"edit_instruction": ""}',
        decodes_as="BriaFiboPipeline",
    ),
    QWEN_IMAGE_EDIT,
    Family(
        "qwen-image-edit-plus",
        "QwenImageEditPlusPipeline",
        sizes={(3584, 16): "qwen-image"},
        begun_steps=True,
        divides_guided=True,
        one_prompt=True,
        pictures=Pictures(most=10, with_text=True, among_tokens=True),
        decodes_as="QwenImagePipeline",
    ),
    Family(
        "qwen-image-2.1",
        "QwenImage21Pipeline",
        sizes={(4096, 64): "qwen-image-2.1"},
        pictures=Pictures(least=0, most=10, with_text=True, among_tokens=True),
    ),
    Family(
        "joyimage-edit",
        "JoyImageEditPipeline",
        sizes={(4096, 16): "joyimage"},
        divides_guided=True,
        pictures=Pictures(with_text=True, among_tokens=True, sized="listed", likely=True),
    ),
    Family(
        "joyimage-edit-plus",
        "JoyImageEditPlusPipeline",
        sizes={(4096, 16): "joyimage"},
        divides_guided=True,
        whole="its pictures lie among its latents",
        pictures=Pictures(("images",), least=0, most=10, with_text=True, among_tokens=True, for_each=True),
    ),
    Family(
        "bria-fibo-2",
        "BriaFibo2Pipeline",
        sizes={(7680, 32): "bria-fibo-2"},
        roles_differ=True,
        pictures=Pictures(least=0, most=5, with_text=True, sized="listed"),
    ),
    Family(
        "hunyuan-image-refiner",
        "HunyuanImageRefinerPipeline",
        sizes={(3584, 32): "hunyuan-image-refiner"},
        own_guidance=OWN_GUIDER,
        whole="it draws noise for its picture anew",
        pictures=Pictures(stretched=True),
    ),
    replace(
        Z_IMAGE,
        name="z-image-omni",
        pipeline_class="ZImageOmniPipeline",
        controls=(),
        pictures=Pictures(
            least=0, most=10, with_text=True, among_tokens=True, likely=True, parts=("siglip", "siglip_processor")
        ),
    ),
    replace(
        FLUX2_KLEIN,
        pipeline_class="Flux2KleinKVPipeline",
        own_guidance="it makes one prediction, and remembers its pictures from the first on",
        whole="its first step reads the pictures for all the others",
    ),
    Family(
        "longcat-edit",
        "LongCatImageEditPipeline",
        sizes={(3584, 16): "longcat"},
        one_prompt=True,
        pictures=Pictures(with_text=True, among_tokens=True, sized="area"),
        decodes_as="LongCatImagePipeline",
    ),
    Family(
        "pix2pix",
        "StableDiffusionInstructPix2PixPipeline",
        UNET,
        {(768, 4): "sd1"},
        decodes_plainly=True,
        joined=("positive", "negative", "negative"),
        own_guidance=_BOTH,
        pictures=Pictures(sized="own", for_each=True),
    ),
    Family(
        "pix2pix-xl",
        "StableDiffusionXLInstructPix2PixPipeline",
        UNET,
        {(2048, 4): "sdxl"},
        own_guidance=_BOTH,
        pictures=Pictures(for_each=True),
        decodes_as="StableDiffusionXLPipeline",
    ),
    Family(
        "upscaler",
        "StableDiffusionUpscalePipeline",
        UNET,
        {(1024, 4): "upscaler"},
        decodes_plainly=True,
        one_prompt=True,
        whole="it draws noise for its picture anew",
        pictures=Pictures(sized="own", times=4),
    ),
    Family(
        "kandinsky5-edit",
        "Kandinsky5I2IPipeline",
        sizes={(3584, 16): "kandinsky5"},
        axes={"prompt_cu_seqlens": None},
        whole=DRAWN_PICTURE,
        blank_only=ENCODED_WITH_NOISE,
        pictures=Pictures(with_text=True, stretched=True, for_each=True),
        decodes_as="Kandinsky5T2IPipeline",
    ),
    Family(
        "depth",
        "StableDiffusionDepth2ImgPipeline",
        UNET,
        {(1024, 4): "sd2"},
        decodes_plainly=True,
        puts_latents=True,
        pictures=Pictures(sized="own", for_each=True, parts=("depth_estimator", "feature_extractor")),
    ),
    Family(
        "unclip",
        "StableUnCLIPImg2ImgPipeline",
        UNET,
        {(1024, 4): "sd2"},
        decodes_plainly=True,
        whole="it draws noise for its picture anew",
        pictures=Pictures(parts=("image_encoder", "feature_extractor", "image_normalizer")),
    ),
    Family(
        "if-larger",
        "IFSuperResolutionPipeline",
        UNET,
        {(4096, 6): "if-larger"},
        puts_latents=True,
        whole="it draws noise for its picture anew",
        own_guidance="it parts what its UNet says by the channels of two pictures",
        pictures=Pictures(for_each=True),
    ),
    Family(
        "variation",
        "StableDiffusionImageVariationPipeline",
        UNET,
        {(768, 4): "sd1"},
        decodes_plainly=True,
        own_guidance="it guides its picture against none by itself",
        pictures=Pictures(for_each=True, parts=("image_encoder", "feature_extractor")),
    ),
    Family(
        "latent-upscaler",
        "StableDiffusionLatentUpscalePipeline",
        UNET,
        {(768, 4): "latent-upscaler"},
        decodes_plainly=True,
        least_guidance=1.0,
        own_guidance="it makes its prediction from what its UNet says",
        whole="it counts its noise levels from the first step on",
        pictures=Pictures(sized="own", times=2, for_each=True),
    ),
)
"""Families that are nothing without a picture."""
