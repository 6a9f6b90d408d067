"""Families that draw in two parts: priors draw embeddings of pictures from words, decoders draw pictures after them."""

from __future__ import annotations

from nodes.diffusion.families.family import After, Family
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
    after=After("kandinsky2.2-prior"),
)

PRIORS = (KANDINSKY22_PRIOR, KANDINSKY22)
