"""Families that draw in two parts: priors draw embeddings of pictures from words, decoders draw pictures after them."""

from __future__ import annotations

from dataclasses import replace

from nodes.diffusion.families.common import FROM_THE_PROMPT
from nodes.diffusion.families.family import After, Family, Rule
from nodes.diffusion.families.images import UNET

_TWO_TIMES = "each step is told where the next one begins"
_AN_EMBEDDING = "what it predicts is an embedding, and guiders weigh pictures"

KANDINSKY22_PRIOR = Family(
    "kandinsky2.2-prior",
    "KandinskyV22PriorPipeline",
    ("prior",),
    {(1280,): "kandinsky2.2-prior"},
    decoder="image_encoder",
    joined=("negative", "positive"),
    whole=_TWO_TIMES,
    own_guidance=_AN_EMBEDDING,
)
KANDINSKY22 = Family(
    "kandinsky2.2",
    "KandinskyV22Pipeline",
    UNET,
    {(1280, 4): "kandinsky2.2"},
    decoder="movq",
    puts_back=True,
    after=After("kandinsky2.2-prior"),
)

KANDINSKY21_PRIOR = replace(
    KANDINSKY22_PRIOR,
    name="kandinsky2.1-prior",
    pipeline_class="KandinskyPriorPipeline",
    sizes={(768,): "kandinsky2.1-prior"},
)
KANDINSKY21 = Family(
    "kandinsky2.1",
    "KandinskyPipeline",
    UNET,
    {(1024, 4): "kandinsky2.1"},
    {"text_encoder": Rule("diffusers.pipelines.kandinsky", ("MultilingualCLIP",), "config.json", weights="model")},
    decoder="movq",
    ends_early=True,
    joined=("negative", "positive"),
    after=After("kandinsky2.1-prior"),
)

_ENDS = "its pipeline leaves out the last time that its scheduler names"
CASCADE_PRIOR = Family(
    "cascade-prior",
    "StableCascadePriorPipeline",
    ("prior",),
    {(16,): "cascade-prior"},
    whole=_ENDS,
    own_guidance=FROM_THE_PROMPT,
)
CASCADE = Family(
    "cascade",
    "StableCascadeDecoderPipeline",
    ("decoder",),
    {(4,): "cascade"},
    {
        "vqgan": Rule(
            "diffusers.pipelines.deprecated.wuerstchen",
            ("PaellaVQModel",),
            "config.json",
            weights="diffusion_pytorch_model",
        )
    },
    decoder="vqgan",
    whole=_ENDS,
    blank_only="no stock class begins with a picture's",
    own_guidance=FROM_THE_PROMPT,
    after=After("cascade-prior", "image_embeddings"),
)

PRIORS = (KANDINSKY22_PRIOR, KANDINSKY22, KANDINSKY21_PRIOR, KANDINSKY21, CASCADE_PRIOR, CASCADE)
