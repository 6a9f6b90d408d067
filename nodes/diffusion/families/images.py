"""Families that draw pictures after words."""

from __future__ import annotations

from nodes.diffusion.families.common import FROM_THE_PROMPT, NO_INSTRUCTION, OWN_GUIDER, OWN_NOISE
from nodes.diffusion.families.family import Family, Pictures, Rule

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

SANA = Family(
    "sana",
    "SanaPipeline",
    sizes={(2304, 32): "sana"},
    roles_differ=True,
    aside=NO_INSTRUCTION,
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
    begun_steps=True,
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

CHROMA = Family("chroma", "ChromaPipeline", sizes={(4096, 16): "chroma"}, begun_steps=True)

QWEN_IMAGE = Family(
    "qwen-image",
    "QwenImagePipeline",
    sizes={(3584, 16): "qwen-image"},
    begun_steps=True,
    divides_guided=True,
    controls=("QwenImageControlNetModel",),
)

Z_IMAGE = Family(
    "z-image",
    "ZImagePipeline",
    sizes={(2560, 16): "z-image"},
    begun_steps=True,
    own_guidance=FROM_THE_PROMPT,
    controls=("ZImageControlNetModel",),
)

COGVIEW4 = Family("cogview4", "CogView4Pipeline", sizes={(4096, 16): "cogview4"})

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
    own_guidance=FROM_THE_PROMPT,
)

SANA_SPRINT = Family(
    "sana-sprint",
    "SanaSprintPipeline",
    sizes={(2304, 32): "sana-sprint"},
    begun_steps=True,
    decodes_plainly=True,
    whole="it rescales its latents after the last step",
)

BRIA_FIBO = Family(
    "bria-fibo",
    "BriaFiboPipeline",
    sizes={(4096, 48): "bria-fibo"},
    axes={"prompt_layers": 0},
    roles_differ=True,
    padded=True,
)

IF = Family("if", "IFPipeline", UNET, {(4096, 3): "if"}, puts_latents=True)

_DRAWN_TOKENS = "a language model draws its tokens first, each time it is called"

IMAGES = (
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
    Family(
        "glm-image",
        "GlmImagePipeline",
        sizes={(1472, 16): "glm-image"},
        one_prompt=True,
        whole=_DRAWN_TOKENS,
        blank_only=_DRAWN_TOKENS,
        rereads=("vision_language_encoder", "processor"),
    ),
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
    Family("krea2", "Krea2Pipeline", sizes={(2560, 16): "krea2"}, own_guidance=FROM_THE_PROMPT),
    Family(
        "cosmos2",
        "Cosmos2TextToImagePipeline",
        sizes={(1024, 16): "cosmos2"},
        puts_latents=True,
        blank_only=OWN_NOISE,
        checks_safety=True,
        own_guidance=FROM_THE_PROMPT,
    ),
    Family("hunyuan-image", "HunyuanImagePipeline", sizes={(3584, 64): "hunyuan-image"}, own_guidance=OWN_GUIDER),
    Family("kandinsky5", "Kandinsky5T2IPipeline", sizes={(3584, 16): "kandinsky5"}, axes={"prompt_cu_seqlens": None}),
    Family("nucleus", "NucleusMoEImagePipeline", sizes={(4096, 16): "nucleus"}, divides_guided=True),
    IF,
    Family("prx-pixel", "PRXPixelPipeline", sizes={(2048, 3): "prx-pixel"}, least_guidance=1.0),
)
"""Families that draw pictures after words."""
