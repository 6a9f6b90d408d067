"""Families whose pipeline class Diffusers has in blocks only: modular pipelines."""

from __future__ import annotations

from dataclasses import replace

from nodes.diffusion.families.family import Family, Pictures

_FLUX3 = Family(
    "flux3",
    "Flux3ModularPipeline",
    sizes={(20480, 32): "flux3"},
    begun_steps=True,
    pictures=Pictures(least=0, most=10),
    made={"scheduler": {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 6.93}},
)

BLOCKS = (
    Family(
        "anima",
        "AnimaModularPipeline",
        sizes={(1024, 16): "anima"},
        begun_steps=True,
        steers={"encoder_hidden_states": "prompt_embeds"},
    ),
    _FLUX3,
    replace(
        _FLUX3,
        pipeline_class="Flux3DistilledModularPipeline",
        whole="each step is told where the next one begins",
    ),
)


def is_modular(name: str) -> bool:
    """Whether the pipeline class `name` is one of Diffusers' that are run in blocks."""
    return name.endswith("ModularPipeline")
