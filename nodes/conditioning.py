"""From words to what steers a denoiser."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine import node
from nodes.types import (
    Conditioning,
    Control,
    ControlNet,
    ControlStrength,
    Frames,
    Image,
    K,
    MixMethod,
    Role,
    ShareEnd,
    ShareStart,
    StockOptions,
    TextEncoder,
    Weights,
)

PromptWeights = Annotated[
    Weights,
    Field(
        description="Off reads a prompt as it is written, as the stock pipeline does. Else (word:1.2), ((word)) and "
        "[word] weigh words, a backslash keeps a bracket, and prompts of any length are read: towards empty is "
        "ComfyUI's formula, mean kept AUTOMATIC1111's."
    ),
]

Prompt = Annotated[
    str,
    Field(
        max_length=20_000,
        description="The prompt, in any language the model knows.",
        json_schema_extra={"format": "multiline"},
    ),
]


@node("EncodeText", category="text", device=True)
def encode_text(
    text_encoder: TextEncoder[K],
    text: Prompt = "",
    *,
    role: Annotated[Role, Field(description="Some models read a negative prompt in another way.")] = "positive",
    weights: PromptWeights = "off",
    options: StockOptions = {},  # noqa: B006  # never changed: a value of the graph
) -> Conditioning[K]:
    """Turn a prompt into the vectors that steer the denoiser. What is too long for the model is said."""
    from nodes.diffusion import prompts

    return prompts.encode_text(text_encoder, text, role=role, options=options, weights=weights)


@node("MixConditionings", category="text")
def mix_conditionings(
    a: Conditioning[K], b: Conditioning[K], *, method: MixMethod = "lerp", frames: Frames = 5
) -> list[Conditioning[K]]:
    """Walk from one prompt to another in equal steps, both ends included."""
    from nodes.diffusion import latent_math

    return [latent_math.mix(a, b, amount, method) for amount in latent_math.amounts(frames)]


@node("ApplyControl", category="text")
def apply_control(
    conditioning: Conditioning[K],
    control_net: ControlNet[K],
    image: Image,
    *,
    strength: ControlStrength = 1.0,
    start: ShareStart = 0.0,
    end: ShareEnd = 1.0,
) -> Conditioning[K]:
    """Steer by a picture of what the ControlNet reads, such as edges; it is resized to the picture to come.

    Put one behind another to steer by several. The negative prompt is steered too, as in the stock pipelines.
    """
    from nodes.diffusion.controls import with_control

    return with_control(conditioning, Control(control_net, image, strength, start, end))
