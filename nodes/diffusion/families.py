"""Which Diffusers pipeline classes Patchbay drives, as a table. Another family is another row.

A pipeline class in a model folder names a container of parts. Image-to-image and inpainting classes of one family hold
the same parts, so they share a row: what a graph does with the parts is the graph's business.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nodes.diffusion.family import Family, Pictures, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping


_PROMPT = {"encoder_hidden_states": "prompt_embeds"}
_POOLED = {**_PROMPT, "pooled_projections": "pooled_prompt_embeds"}

_TOKENIZER_FILES = (("tokenizer.json",), ("vocab.json", "merges.txt"))

STABLE_DIFFUSION = Family(
    "sd",
    pipeline_class="StableDiffusionPipeline",
    denoisers=("unet",),
    decodes_plainly=True,
    controls=("ControlNetModel", "T2IAdapter"),
    steers=_PROMPT,
    sizes={(768, 4): "sd1", (1024, 4): "sd2", (128, 4): "pocket"},
    parts={
        "scheduler": Rule("diffusers", (), "scheduler_config.json"),
        "text_encoder": Rule("transformers", ("CLIPTextModel",), "config.json", weights="model"),
        "tokenizer": Rule(
            "transformers", ("CLIPTokenizer", "CLIPTokenizerFast"), "tokenizer_config.json", _TOKENIZER_FILES
        ),
        "unet": Rule(
            "diffusers",
            ("UNet2DConditionModel",),
            "config.json",
            weights="diffusion_pytorch_model",
        ),
        "vae": Rule(
            "diffusers",
            ("AutoencoderKL",),
            "config.json",
            weights="diffusion_pytorch_model",
        ),
    },
)

UNET = ("unet",)

SDXL = Family(
    "sdxl",
    "StableDiffusionXLPipeline",
    UNET,
    {(2048, 4): "sdxl"},
    controls=("ControlNetModel", "ControlNetUnionModel", "T2IAdapter"),
    steers={**_PROMPT, "added_cond_kwargs.text_embeds": "pooled_prompt_embeds"},
)
REFINER = Family(
    "sdxl-refiner",
    "StableDiffusionXLImg2ImgPipeline",
    UNET,
    {(1280, 4): "sdxl-refiner"},
    refines=True,
    steers=SDXL.steers,
)

_OF_KOLORS = "diffusers.pipelines.kolors"
KOLORS = Family(
    "kolors",
    "KolorsPipeline",
    UNET,
    {(4096, 4): "kolors"},
    {
        "text_encoder": Rule(_OF_KOLORS, ("ChatGLMModel",), "config.json", weights="model"),
        "tokenizer": Rule(_OF_KOLORS, ("ChatGLMTokenizer",), "tokenizer_config.json", (("tokenizer.model",),)),
    },
    steers=SDXL.steers,
)
SD3 = Family(
    "sd3",
    "StableDiffusion3Pipeline",
    sizes={(4096, 2048, 16): "sd3"},
    begun_steps=True,
    steers=_POOLED,
    controls=("SD3ControlNetModel",),
)
FLUX = Family(
    "flux",
    "FluxPipeline",
    sizes={(4096, 768, 16): "flux"},
    begun_steps=True,
    steers={**_POOLED, "txt_ids": "text_ids"},
    controls=("FluxControlNetModel",),
)
PIXART = Family("pixart", "PixArtSigmaPipeline", sizes={(4096, 4): "pixart"})
_NO_INSTRUCTION: Mapping[str, object] = {"complex_human_instruction": None}
SANA = Family(
    "sana",
    "SanaPipeline",
    sizes={(2304, 32): "sana"},
    roles_differ=True,
    aside=_NO_INSTRUCTION,
    controls=("SanaControlNetModel",),
)
HUNYUAN_DIT = Family(
    "hunyuan-dit",
    "HunyuanDiTPipeline",
    sizes={(1024, 1024, 4): "hunyuan-dit"},
    controls=("HunyuanDiT2DControlNetModel",),
)
FLUX2 = Family(
    "flux2",
    "Flux2Pipeline",
    sizes={(15360, 32): "flux2"},
    begun_steps=True,
    pictures=Pictures(least=0, most=10, among_tokens=True),
)
FLUX2_KLEIN = Family(
    "flux2-klein",
    "Flux2KleinPipeline",
    sizes={(7680, 32): "flux2-klein", (12288, 32): "flux2-klein-9b"},
    ends_early=True,
    pictures=Pictures(least=0, most=10, among_tokens=True),
)
FLUX_KONTEXT = Family(
    "flux-kontext",
    "FluxKontextPipeline",
    sizes={(4096, 768, 16): "flux"},
    begun_steps=True,
    pictures=Pictures(least=0, among_tokens=True),
)

ANIMATEDIFF = Family(
    "animatediff",
    "AnimateDiffPipeline",
    ("unet", "motion_adapter"),
    {(768, 4): "sd1"},
    frames_first=True,
    controls=("ControlNetModel", "SparseControlNetModel"),
)
CHROMA = Family("chroma", "ChromaPipeline", sizes={(4096, 16): "chroma"}, begun_steps=True)
QWEN_IMAGE = Family(
    "qwen-image",
    "QwenImagePipeline",
    sizes={(3584, 16): "qwen-image"},
    begun_steps=True,
    divides_guided=True,
    controls=("QwenImageControlNetModel",),
)
_FROM_THE_PROMPT = "it counts guidance from the prompt on, where a guider begins at the negative"
Z_IMAGE = Family(
    "z-image",
    "ZImagePipeline",
    sizes={(2560, 16): "z-image"},
    begun_steps=True,
    own_guidance=_FROM_THE_PROMPT,
    controls=("ZImageControlNetModel",),
)
COGVIEW4 = Family("cogview4", "CogView4Pipeline", sizes={(4096, 16): "cogview4"})
EASYANIMATE = Family("easyanimate", "EasyAnimatePipeline", sizes={(3584, 16): "easyanimate"})

_OWN_GUIDER = "it brings a guider of its own"

_OWN_NOISE = "its noise has another scale than a scheduler adds to a picture"

LCM = Family(
    "lcm",
    "LatentConsistencyModelPipeline",
    UNET,
    {(768, 4): "sd1"},
    told_share=True,
    decodes_plainly=True,
    whole="it gives the picture that its last step expects, not the latents it went on with",
)
KANDINSKY3 = Family(
    "kandinsky3",
    "Kandinsky3Pipeline",
    UNET,
    {(4096, 4): "kandinsky3"},
    decoder="movq",
    joint=True,
    roles_differ=True,
    own_guidance=_FROM_THE_PROMPT,
)
SANA_SPRINT = Family(
    "sana-sprint",
    "SanaSprintPipeline",
    sizes={(2304, 32): "sana-sprint"},
    begun_steps=True,
    decodes_plainly=True,
    whole="it rescales its latents after the last step",
)
WAN = Family("wan", "WanPipeline", ("transformer", "transformer_2"), {(4096, 16): "wan", (4096, 48): "wan-5b"})
COGVIDEOX = Family("cogvideox", "CogVideoXPipeline", sizes={(4096, 16): "cogvideox"}, frames_first=True)

BRIA_FIBO = Family(
    "bria-fibo",
    "BriaFiboPipeline",
    sizes={(4096, 48): "bria-fibo"},
    axes={"prompt_layers": 0},
    roles_differ=True,
    padded=True,
)

_FAMILIES = (
    STABLE_DIFFUSION,
    SDXL,
    REFINER,
    KOLORS,
    SD3,
    FLUX,
    PIXART,
    SANA,
    HUNYUAN_DIT,
    FLUX2,
    FLUX_KONTEXT,
    LCM,
    KANDINSKY3,
    CHROMA,
    Family("pixart-alpha", "PixArtAlphaPipeline", sizes={(4096, 4): "pixart-alpha"}),
    SANA_SPRINT,
    QWEN_IMAGE,
    Z_IMAGE,
    Family(
        "lumina",
        "LuminaPipeline",
        sizes={(2048, 4): "lumina"},
        joint=True,
        roles_differ=True,
        own_guidance="it guides some channels only",
    ),
    Family("lumina2", "Lumina2Pipeline", sizes={(2304, 16): "lumina2"}, roles_differ=True, divides_guided=True),
    Family("aura-flow", "AuraFlowPipeline", sizes={(2048, 4): "aura-flow"}),
    Family("cogview3", "CogView3PlusPipeline", sizes={(4096, 16): "cogview3"}),
    COGVIEW4,
    FLUX2_KLEIN,
    Family("hidream", "HiDreamImagePipeline", sizes={(4096, 16): "hidream"}, axes={"prompt_embeds_llama3": 1}),
    Family("ovis", "OvisImagePipeline", sizes={(2048, 16): "ovis"}),
    Family("ernie-image", "ErnieImagePipeline", sizes={(3072, 32): "ernie-image"}),
    Family("prx", "PRXPipeline", sizes={(2304, 16): "prx", (2304, 32): "prx-dc"}, least_guidance=1.0),
    Family("bria", "BriaPipeline", sizes={(4096, 4): "bria"}, roles_differ=True),
    BRIA_FIBO,
    Family(
        "ideogram4",
        "Ideogram4Pipeline",
        ("transformer", "unconditional_transformer"),
        {(53248, 32): "ideogram4"},
        axes={"segment_ids": 0},
        sized=True,
        own_guidance="it works against what a second transformer says that reads no prompt",
    ),
    Family("longcat", "LongCatImagePipeline", sizes={(3584, 16): "longcat"}),
    Family("krea2", "Krea2Pipeline", sizes={(2560, 16): "krea2"}, own_guidance=_FROM_THE_PROMPT),
    WAN,
    Family("skyreels2", "SkyReelsV2Pipeline", sizes={(4096, 16): "skyreels2"}),
    Family(
        "anyflow",
        "AnyFlowPipeline",
        sizes={(4096, 16): "anyflow"},
        whole="each step is told where the next one begins",
    ),
    Family("ltx", "LTXPipeline", sizes={(4096, 128): "ltx"}, reads_as="LTXImageToVideoPipeline"),
    Family("ltx-condition", "LTXConditionPipeline", sizes={(4096, 128): "ltx"}, puts_latents=True),
    Family(
        "cosmos",
        "CosmosTextToWorldPipeline",
        sizes={(1024, 16): "cosmos"},
        puts_latents=True,
        blank_only=_OWN_NOISE,
        asks_twice=True,
        checks_safety=True,
        own_guidance=_FROM_THE_PROMPT,
    ),
    Family(
        "cosmos2",
        "Cosmos2TextToImagePipeline",
        sizes={(1024, 16): "cosmos2"},
        puts_latents=True,
        blank_only=_OWN_NOISE,
        checks_safety=True,
        own_guidance=_FROM_THE_PROMPT,
    ),
    Family(
        "cosmos2.5",
        "Cosmos2_5_PredictBasePipeline",
        sizes={(1024, 16): "cosmos2.5"},
        checks_safety=True,
        own_guidance=_FROM_THE_PROMPT,
    ),
    Family("hunyuan-video", "HunyuanVideoPipeline", sizes={(4096, 768, 16): "hunyuan-video"}),
    COGVIDEOX,
    Family("mochi", "MochiPipeline", sizes={(4096, 1536, 12): "mochi"}),
    Family("allegro", "AllegroPipeline", sizes={(4096, 4): "allegro"}, tiles=True),
    Family("latte", "LattePipeline", sizes={(4096, 4): "latte"}, joint=True),
    Family(
        "sana-video",
        "SanaVideoPipeline",
        sizes={(2304, 16): "sana-video"},
        roles_differ=True,
        aside=_NO_INSTRUCTION,
        reads_as="SanaImageToVideoPipeline",
    ),
    EASYANIMATE,
    Family("hunyuan-image", "HunyuanImagePipeline", sizes={(3584, 64): "hunyuan-image"}, own_guidance=_OWN_GUIDER),
    Family(
        "hunyuan-video-1.5",
        "HunyuanVideo15Pipeline",
        sizes={(3584, 32): "hunyuan-video-1.5"},
        shows_nothing=True,
        own_guidance=_OWN_GUIDER,
    ),
    Family(
        "motif-video",
        "MotifVideoPipeline",
        sizes={(4096, 16): "motif-video"},
        shows_nothing=True,
        own_guidance=_OWN_GUIDER,
    ),
    Family("kandinsky5", "Kandinsky5T2IPipeline", sizes={(3584, 16): "kandinsky5"}, axes={"prompt_cu_seqlens": None}),
    Family(
        "kandinsky5-video",
        "Kandinsky5T2VPipeline",
        sizes={(3584, 16): "kandinsky5-video"},
        axes={"prompt_cu_seqlens": None},
        shows_nothing=True,
    ),
    Family("nucleus", "NucleusMoEImagePipeline", sizes={(4096, 16): "nucleus"}, divides_guided=True),
    Family("prx-pixel", "PRXPixelPipeline", sizes={(2048, 3): "prx-pixel"}, least_guidance=1.0),
    ANIMATEDIFF,
    Family("animatediff-xl", "AnimateDiffSDXLPipeline", ("unet", "motion_adapter"), {(2048, 4): "sdxl"}),
)

_BOTH = "it guides by the words and by the picture"

_READING = (
    replace(
        BRIA_FIBO,
        name="bria-fibo-edit",
        pipeline_class="BriaFiboEditPipeline",
        pictures=Pictures(least=0, most=10, among_tokens=True),
        blank_words='{"edit_instruction": ""}',
        decodes_as="BriaFiboPipeline",
    ),
    Family(
        "qwen-image-edit",
        "QwenImageEditPipeline",
        sizes={(3584, 16): "qwen-image"},
        begun_steps=True,
        divides_guided=True,
        pictures=Pictures(with_text=True, among_tokens=True),
        decodes_as="QwenImagePipeline",
    ),
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

_EYES = ("image_encoder", "image_processor")
_FIRST_FRAME = Pictures(stretched=True)
_FRAME_OF_EACH = Pictures(stretched=True, for_each=True)
_ENCODED_WITH_NOISE = "it encodes its picture only where it draws the noise itself"
_LEADING = "its pictures are the first frames of its latents"
_DRAWN_PICTURE = "it draws a latent of its picture at random, each time it is called"

_AFTER_PICTURES = (
    replace(
        WAN,
        name="wan-i2v",
        pipeline_class="WanImageToVideoPipeline",
        pictures=Pictures(("image", "last_image"), most=2, stretched=True, parts=_EYES),
        decodes_as="WanPipeline",
    ),
    replace(
        WAN,
        name="wan-vace",
        pipeline_class="WanVACEPipeline",
        alone=True,
        whole=_LEADING,
        blank_only=_LEADING,
        pictures=Pictures(("reference_images",), least=0, most=16, leading=True, always=True),
        decodes_as="WanPipeline",
    ),
    Family(
        "svd",
        "StableVideoDiffusionPipeline",
        UNET,
        {(1024, 4): "svd"},
        whole="it draws noise for its picture anew",
        own_guidance="it guides each frame with a strength of its own",
        pictures=Pictures(stretched=True, for_each=True, parts=("image_encoder", "feature_extractor")),
    ),
    replace(
        WAN,
        name="lucy-edit",
        pipeline_class="LucyEditPipeline",
        pictures=Pictures(("video",), most=1024, stretched=True, frames=True, for_each=True),
        decodes_as="WanPipeline",
    ),
    Family(
        "chrono-edit",
        "ChronoEditPipeline",
        sizes={(4096, 16): "wan"},
        pictures=Pictures(stretched=True, parts=_EYES),
        decodes_as="WanPipeline",
    ),
    Family(
        "skyreels2-i2v",
        "SkyReelsV2ImageToVideoPipeline",
        sizes={(4096, 16): "skyreels2"},
        pictures=Pictures(("image", "last_image"), most=2, stretched=True, parts=_EYES),
        decodes_as="SkyReelsV2Pipeline",
    ),
    Family(
        "kandinsky5-video",
        "Kandinsky5I2VPipeline",
        sizes={(3584, 16): "kandinsky5-video"},
        axes={"prompt_cu_seqlens": None},
        pictures=_FRAME_OF_EACH,
        decodes_as="Kandinsky5T2VPipeline",
        whole=_DRAWN_PICTURE,
        blank_only=_ENCODED_WITH_NOISE,
        least_frames=17,
    ),
    Family(
        "ltx",
        "LTXImageToVideoPipeline",
        sizes={(4096, 128): "ltx"},
        pictures=_FRAME_OF_EACH,
        decodes_as="LTXPipeline",
        blank_only=_ENCODED_WITH_NOISE,
    ),
    Family(
        "hunyuan-skyreels-i2v",
        "HunyuanSkyreelsImageToVideoPipeline",
        sizes={(4096, 768, 16): "hunyuan-video"},
        pictures=_FRAME_OF_EACH,
        decodes_as="HunyuanVideoPipeline",
        whole=_DRAWN_PICTURE,
    ),
    replace(
        COGVIDEOX,
        name="cogvideox-i2v",
        pipeline_class="CogVideoXImageToVideoPipeline",
        pictures=_FRAME_OF_EACH,
        decodes_as="CogVideoXPipeline",
        whole=_DRAWN_PICTURE,
    ),
    Family(
        "sana-video",
        "SanaImageToVideoPipeline",
        sizes={(2304, 16): "sana-video"},
        roles_differ=True,
        pictures=_FIRST_FRAME,
        decodes_as="SanaVideoPipeline",
        blank_only="its first frame is its picture, and only the others are drawn",
    ),
)
"""Classes that draw videos after pictures."""

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
    "FluxKontextInpaintPipeline": FLUX_KONTEXT,
    "ZImageImg2ImgPipeline": Z_IMAGE,
    "ZImageInpaintPipeline": Z_IMAGE,
    "LatentConsistencyModelImg2ImgPipeline": LCM,
    "Kandinsky3Img2ImgPipeline": KANDINSKY3,
    "SanaSprintImg2ImgPipeline": SANA_SPRINT,
    "WanVideoToVideoPipeline": WAN,
    "CogVideoXVideoToVideoPipeline": COGVIDEOX,
    "AnimateDiffVideoToVideoPipeline": ANIMATEDIFF,
}
"""Classes of other tasks: containers of the same parts, whose family runs the stages."""

FAMILIES: Mapping[str, Family] = {
    **{family.pipeline_class: family for family in (*_FAMILIES, *_READING, *_AFTER_PICTURES)},
    **{
        name: replace(family, pipeline_class=name, steers={}, own_guidance="it makes a third prediction of its own")
        for name, family in _VARIANTS.items()
    },
    **_TASKS,
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
    }
)
"""Classes whose denoisers read a picture to follow beside the latents."""

SUPPORTED = "docs/families.md lists what is supported."

_PIXELS_PER_LATENT = {"sd1": 8, "sd2": 8, "pocket": 8}
"""A side of a picture, divided by that of its latent."""


def pixels_per_latent(kind: str) -> int | None:
    """How many pixels of a side become one latent number in this kind of model; None where that is not known."""
    return _PIXELS_PER_LATENT.get(kind)
