"""Families that draw videos and make their sound with them."""

from __future__ import annotations

from dataclasses import replace

from nodes.diffusion.families.family import Family, Pictures, Rule

_OF_LTX2 = "diffusers.pipelines.ltx2"
_WEIGHTS = "diffusion_pytorch_model"

LTX2 = Family(
    "ltx2",
    "LTX2Pipeline",
    sizes={(3840, 128): "ltx2"},
    reads_as="LTX2ImageToVideoPipeline",
    parts={
        "connectors": Rule(_OF_LTX2, ("LTX2TextConnectors",), "config.json", weights=_WEIGHTS),
        "vocoder": Rule(_OF_LTX2, ("LTX2Vocoder", "LTX2VocoderWithBWE"), "config.json", weights=_WEIGHTS),
    },
    puts_latents=True,
    own_guidance="it guides its picture and its sound, each with a strength of its own",
    connectors=("connectors",),
    sound=("audio_vae", "vocoder"),
)

_AFTER_LATENTS = replace(
    LTX2,
    whole="what it reads lies as tokens after its latents",
    blank_only="it reads its pictures into the noise that it draws itself",
    decodes_as="LTX2Pipeline",
    reads_as="",
)

SOUNDING = (
    LTX2,
    replace(
        LTX2,
        pipeline_class="LTX2ImageToVideoPipeline",
        pictures=Pictures(stretched=True),
        alone=True,
        blank_only="its first frame is its picture, and only the others are drawn",
        decodes_as="LTX2Pipeline",
        reads_as="LTX2ConditionPipeline",
    ),
    replace(
        _AFTER_LATENTS,
        pipeline_class="LTX2ConditionPipeline",
        pictures=Pictures(("conditions",), least=0, most=2, placed="LTX2VideoCondition"),
    ),
    replace(
        _AFTER_LATENTS,
        pipeline_class="LTX2InContextPipeline",
        pictures=Pictures(("reference_conditions",), least=0, most=1024, frames=True, placed="LTX2ReferenceCondition"),
    ),
)
