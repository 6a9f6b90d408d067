"""Families that draw videos, after words or after pictures."""

from __future__ import annotations

from dataclasses import replace

from nodes.diffusion.families.common import (
    DRAWN_PICTURE,
    ENCODED_WITH_NOISE,
    FROM_THE_PROMPT,
    NO_INSTRUCTION,
    OWN_GUIDER,
    OWN_NOISE,
)
from nodes.diffusion.families.family import Family, Pictures
from nodes.diffusion.families.images import UNET

ANIMATEDIFF = Family(
    "animatediff",
    "AnimateDiffPipeline",
    ("unet", "motion_adapter"),
    {(768, 4): "sd1"},
    frames_first=True,
    controls=("ControlNetModel", "SparseControlNetModel"),
)

EASYANIMATE = Family("easyanimate", "EasyAnimatePipeline", sizes={(3584, 16): "easyanimate"})

WAN = Family("wan", "WanPipeline", ("transformer", "transformer_2"), {(4096, 16): "wan", (4096, 48): "wan-5b"})

COGVIDEOX = Family("cogvideox", "CogVideoXPipeline", sizes={(4096, 16): "cogvideox"}, frames_first=True)

_OF_EACH_FRAME = "each frame has a scheduler of its own"

_FORCING = Family(
    "skyreels2",
    "SkyReelsV2DiffusionForcingPipeline",
    sizes={(4096, 16): "skyreels2"},
    whole=_OF_EACH_FRAME,
    blank_only=_OF_EACH_FRAME,
    own_guidance=_OF_EACH_FRAME,
    decodes_as="SkyReelsV2Pipeline",
)

VIDEOS = (
    WAN,
    Family("skyreels2", "SkyReelsV2Pipeline", sizes={(4096, 16): "skyreels2"}),
    _FORCING,
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
        blank_only=OWN_NOISE,
        asks_twice=True,
        checks_safety=True,
        own_guidance=FROM_THE_PROMPT,
    ),
    Family(
        "cosmos2.5",
        "Cosmos2_5_PredictBasePipeline",
        sizes={(1024, 16): "cosmos2.5"},
        checks_safety=True,
        own_guidance=FROM_THE_PROMPT,
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
        aside=NO_INSTRUCTION,
        reads_as="SanaImageToVideoPipeline",
    ),
    EASYANIMATE,
    Family(
        "hunyuan-video-1.5",
        "HunyuanVideo15Pipeline",
        sizes={(3584, 32): "hunyuan-video-1.5"},
        shows_nothing=True,
        own_guidance=OWN_GUIDER,
    ),
    Family(
        "motif-video",
        "MotifVideoPipeline",
        sizes={(4096, 16): "motif-video"},
        shows_nothing=True,
        own_guidance=OWN_GUIDER,
    ),
    Family(
        "kandinsky5-video",
        "Kandinsky5T2VPipeline",
        sizes={(3584, 16): "kandinsky5-video"},
        axes={"prompt_cu_seqlens": None},
        shows_nothing=True,
    ),
    ANIMATEDIFF,
    Family("animatediff-xl", "AnimateDiffSDXLPipeline", ("unet", "motion_adapter"), {(2048, 4): "sdxl"}),
)
"""Families that draw videos after words."""

_EYES = ("image_encoder", "image_processor")

_FIRST_FRAME = Pictures(stretched=True)

_FRAME_OF_EACH = Pictures(stretched=True, for_each=True)

_BEGINNING = Pictures(most=1024, stretched=True, for_each=True, clip="video")

_PICTURE_FIRST = "its first frame is its picture, and only the others are drawn"

_LEADING = "its pictures are the first frames of its latents"


AFTER_PICTURES = (
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
        whole=DRAWN_PICTURE,
        blank_only=ENCODED_WITH_NOISE,
        least_frames=17,
    ),
    Family(
        "ltx",
        "LTXImageToVideoPipeline",
        sizes={(4096, 128): "ltx"},
        pictures=_FRAME_OF_EACH,
        decodes_as="LTXPipeline",
        blank_only=ENCODED_WITH_NOISE,
    ),
    Family(
        "hunyuan-skyreels-i2v",
        "HunyuanSkyreelsImageToVideoPipeline",
        sizes={(4096, 768, 16): "hunyuan-video"},
        pictures=_FRAME_OF_EACH,
        decodes_as="HunyuanVideoPipeline",
        whole=DRAWN_PICTURE,
    ),
    replace(
        COGVIDEOX,
        name="cogvideox-i2v",
        pipeline_class="CogVideoXImageToVideoPipeline",
        pictures=_FRAME_OF_EACH,
        decodes_as="CogVideoXPipeline",
        whole=DRAWN_PICTURE,
    ),
    Family(
        "hunyuan-video-i2v",
        "HunyuanVideoImageToVideoPipeline",
        sizes={(4096, 768, 16): "hunyuan-video"},
        puts_latents=True,
        blank_only=_PICTURE_FIRST,
        roles_differ=True,
        pictures=Pictures(with_text=True, stretched=True, for_each=True, parts=("image_processor",)),
    ),
    Family(
        "hunyuan-video-1.5-i2v",
        "HunyuanVideo15ImageToVideoPipeline",
        sizes={(3584, 32): "hunyuan-video-1.5"},
        own_guidance=OWN_GUIDER,
        pictures=Pictures(sized="area", parts=("image_encoder", "feature_extractor")),
        decodes_as="HunyuanVideo15Pipeline",
    ),
    Family(
        "cosmos-video",
        "CosmosVideoToWorldPipeline",
        sizes={(1024, 16): "cosmos"},
        puts_latents=True,
        whole=DRAWN_PICTURE,
        blank_only=OWN_NOISE,
        asks_twice=True,
        checks_safety=True,
        own_guidance=FROM_THE_PROMPT,
        pictures=_BEGINNING,
        decodes_as="CosmosTextToWorldPipeline",
    ),
    Family(
        "cosmos2-video",
        "Cosmos2VideoToWorldPipeline",
        sizes={(1024, 16): "cosmos2-video"},
        puts_latents=True,
        whole=DRAWN_PICTURE,
        blank_only=OWN_NOISE,
        checks_safety=True,
        own_guidance=FROM_THE_PROMPT,
        pictures=_BEGINNING,
    ),
    Family(
        "motif-video-i2v",
        "MotifVideoImage2VideoPipeline",
        sizes={(4096, 16): "motif-video"},
        own_guidance=OWN_GUIDER,
        alone=True,
        whole=DRAWN_PICTURE,
        pictures=Pictures(stretched=True, parts=("text_encoder", "feature_extractor")),
        decodes_as="MotifVideoPipeline",
    ),
    replace(
        EASYANIMATE,
        pipeline_class="EasyAnimateInpaintPipeline",
        alone=True,
        whole="it adds noise to its pictures anew",
        pictures=Pictures(("video", "mask_video"), least=0, most=2, stretched=True),
        decodes_as="EasyAnimatePipeline",
    ),
    replace(
        _FORCING,
        pipeline_class="SkyReelsV2DiffusionForcingImageToVideoPipeline",
        pictures=_FIRST_FRAME,
    ),
    Family(
        "sana-video",
        "SanaImageToVideoPipeline",
        sizes={(2304, 16): "sana-video"},
        roles_differ=True,
        pictures=_FIRST_FRAME,
        decodes_as="SanaVideoPipeline",
        blank_only=_PICTURE_FIRST,
    ),
)
"""Classes that draw videos after pictures."""
