"""Which Diffusers pipeline classes Patchbay drives, as a table. Another family is another row.

A pipeline class in a model folder names a container of parts. Image-to-image and inpainting classes of one family hold
the same parts, so they share a row: what a graph does with the parts is the graph's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rule:
    """What one part of a family may be: its library, its classes and its files. No classes means any of the library.

    `config` must be there; of `files`, one group must be there whole; `weights` is the stem of the weight files, or
    empty when the part has none.
    """

    library: str
    classes: tuple[str, ...]
    config: str
    files: tuple[tuple[str, ...], ...] = ((),)
    weights: str = ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What pictures the stock call of a family reads beside the words, from `least` to `most` of them.

    `arguments` are their names there, in order; where there are more pictures than names, the first name takes all.
    `with_text` says that the text encoder reads them too, `among_tokens` that the denoiser's prediction covers them.
    `sized` says where the size comes from of what is drawn, if not from the latent: "own" is `times` the picture's,
    "area" that of its proportions with the area that the model was made for; `stretched` ones are brought to the size
    of what is drawn. `frames` says that they are a video as long as the one that is drawn. `for_each` asks for a copy
    for each picture or video that is drawn. `leading` ones become the first frames of the latents while they are drawn.
    `parts` read them beside the VAE, which is asked even where there are none if that is `always` so.
    """

    arguments: tuple[str, ...] = ("image",)
    least: int = 1
    most: int = 1
    with_text: bool = False
    among_tokens: bool = False
    sized: Literal["", "own", "area"] = ""
    times: int = 1
    stretched: bool = False
    frames: bool = False
    leading: bool = False
    always: bool = False
    for_each: bool = False
    parts: tuple[str, ...] = ()


_TEXT = ("text_encoder", "tokenizer", "processor", "text_processor")
"""How the names of parts start that turn words into tensors."""

UNUSED = frozenset({"safety_checker", "feature_extractor", "image_encoder", "watermarker"})
"""Parts that no stage needs, in families that do not say that they read pictures with them."""


@dataclass(frozen=True, slots=True)
class Family:
    """One row: what the models of a pipeline class are called, and what is known of them beforehand.

    `name` starts the kind: `sizes` gives the kinds of models whose sizes are known, (width of the text [, width of the
    pooled text], channels of a latent); another model's sizes stand in its kind. `pipeline_class` runs the stages.
    `denoisers` are the parts that predict, `decoder` makes pictures of latents; `parts` holds rules for parts where
    they are stricter than those that follow from a part's class. The rest are exceptions:

    - `axes`: along which axis the pictures of a batch lie in tensors where that is not the first, and in each tensor of
      a list that is not one item a picture; None: all share it.
    - `refines`: it goes on from a picture or an unfinished latent, and draws nothing from a blank one.
    - `begun_steps`: image-to-image runs a step of which only a part is wanted, as the family's stock class does.
    - `told_share`: its scheduler is told which share of the noise is wanted, and makes all of its steps for that.
    - `frames_first`: noise for a given video is drawn frame by frame.
    - `roles_differ`: a negative prompt is encoded in another way than a positive one.
    - `aside`: arguments of the call that keep the prompt short beside which a negative one is encoded.
    - `joint`: a negative prompt is encoded to the positive's length.
    - `padded`: the shorter of both prompts is filled up with zeros to the length of the longer one.
    - `decodes_plainly`: scaling is all that comes before and after the VAE.
    - `ends_early`: what the stock call gives as a latent is one no more, so the last step's result is taken.
    - `shows_nothing`: its denoiser reads a mask and a picture as well, and the pipeline gives it empty ones.
    - `puts_latents`: the stock call would change or ignore latents that it is given, so they are put in their place.
    - `blank_only`: why a run begins with a blank latent, where it must.
    - `asks_twice`: each step asks the scheduler first what the prediction means, and then to go on.
    - `checks_safety`: its class cannot be made without a safety checker; one that passes everything stands there.
    - `sized`: a prompt is encoded with the places of a picture's tokens after it, for a picture of one size.
    - `tiles`: its VAE works in tiles only, none of which may be smaller than it was made for.
    - `least_frames`: a shorter video than this has no numbers.
    - `least_guidance`: below it the stock call refuses to run.
    - `whole`: why a run cannot stop between its steps and go on, where it cannot.
    - `controls`: the classes of the ControlNets that can steer it.
    - `steers`: how the denoiser is told of a prompt: its argument -> the tensor of a conditioning. Where it is given,
      several prompts can act together.
    - `own_guidance`: why no guider can take the place of the family's guidance, where none can.
    - `divides_guided`: its pipeline divides by the length of the guided prediction.
    - `alone`: its call draws one video of one prompt, with one generator.
    - `one_prompt`: its call takes one prompt and the number of pictures to draw for it.
    - `joined`: its encoder gives the prompts of a guided run as one tensor, of these roles in this order.
    - `pictures`: which ones it reads beside the words.
    - `blank_words`: what its call takes for a prompt beside a negative one that is encoded alone, if not any words.
    - `decodes_as`: the class whose call decodes its latents, where its own needs a picture for that.
    - `reads_as`: the class that runs the same parts where they are given pictures.
    """

    name: str
    pipeline_class: str
    denoisers: tuple[str, ...] = ("transformer",)
    sizes: Mapping[tuple[int, ...], str] = field(default_factory=dict)
    parts: Mapping[str, Rule] = field(default_factory=dict)
    decoder: str = "vae"
    axes: Mapping[str, int | None] = field(default_factory=dict)
    refines: bool = False
    begun_steps: bool = False
    told_share: bool = False
    frames_first: bool = False
    roles_differ: bool = False
    aside: Mapping[str, object] = field(default_factory=dict)
    joint: bool = False
    padded: bool = False
    decodes_plainly: bool = False
    ends_early: bool = False
    shows_nothing: bool = False
    sized: bool = False
    tiles: bool = False
    puts_latents: bool = False
    blank_only: str = ""
    asks_twice: bool = False
    checks_safety: bool = False
    least_frames: int = 1
    least_guidance: float = 0.0
    whole: str = ""
    controls: tuple[str, ...] = ()
    steers: Mapping[str, str] = field(default_factory=dict)
    own_guidance: str = ""
    divides_guided: bool = False
    alone: bool = False
    one_prompt: bool = False
    joined: tuple[Literal["positive", "negative"], ...] = ()
    pictures: Pictures | None = None
    blank_words: str = ""
    decodes_as: str = ""
    reads_as: str = ""

    @property
    def unused(self) -> frozenset[str]:
        """Parts that no stage needs."""
        return UNUSED if self.pictures is None else UNUSED - {*self.pictures.parts}

    @property
    def shown(self) -> frozenset[str]:
        """The arguments of the stock call that pictures are given by."""
        return frozenset() if self.pictures is None else frozenset(self.pictures.arguments)

    def is_text(self, part: str) -> bool:
        """Whether a part turns words into tensors."""
        return part.startswith(_TEXT)

    def has_skeleton(self, part: str) -> bool:
        """Whether a pipeline asks this part for its sizes even where it does not run."""
        return part == self.decoder or part in self.denoisers

    def kind(self, sizes: tuple[int, ...]) -> str:
        """The kind of a model of this family with these sizes."""
        return self.sizes.get(sizes) or f"{self.name}-{'x'.join(map(str, sizes))}"


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
    ),
    Family("longcat", "LongCatImagePipeline", sizes={(3584, 16): "longcat"}),
    Family("krea2", "Krea2Pipeline", sizes={(2560, 16): "krea2"}),
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
    ),
    Family(
        "cosmos2",
        "Cosmos2TextToImagePipeline",
        sizes={(1024, 16): "cosmos2"},
        puts_latents=True,
        blank_only=_OWN_NOISE,
        checks_safety=True,
    ),
    Family("cosmos2.5", "Cosmos2_5_PredictBasePipeline", sizes={(1024, 16): "cosmos2.5"}, checks_safety=True),
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

TEXT_WIDTHS = (
    "encoder_hid_dim",
    "caption_channels",
    "joint_attention_dim",
    "text_dim",
    "text_embed_dim",
    "cap_feat_dim",
    "text_hidden_dim",
    "in_text_dim",
    "text_in_dim",
    "context_in_dim",
    "llm_features_dim",
    "cross_attention_dim",
)
"""What the configurations of denoisers call the width of the text they read, the first that is there counts."""

LATENT_CHANNELS = ("latent_channels", "z_dim")
"""What the configurations of VAEs call the channels of a latent."""

_PIXELS_PER_LATENT = {"sd1": 8, "sd2": 8, "pocket": 8}
"""A side of a picture, divided by that of its latent."""


def pixels_per_latent(kind: str) -> int | None:
    """How many pixels of a side become one latent number in this kind of model; None where that is not known."""
    return _PIXELS_PER_LATENT.get(kind)
