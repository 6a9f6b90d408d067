"""From words to what steers a denoiser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, JsonValue

from engine import node
from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.bare import check_words
from nodes.diffusion.disk.nets import survey_net
from nodes.diffusion.families.pairs import EMBEDDED, pair
from nodes.diffusion.text.weighting import check, parse
from nodes.load import ENCODERS, NET, needing, source_of
from nodes.types import (
    VAE,
    Area,
    Conditioning,
    Control,
    ControlMode,
    ControlNet,
    ControlStrength,
    Frames,
    Image,
    J,
    K,
    Latent,
    Mask,
    MixMethod,
    PromptStrength,
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
        "[word] weigh words, a backslash keeps a bracket: towards empty is ComfyUI's formula, for CLIP and T5, mean "
        "kept AUTOMATIC1111's, for CLIP alone. CLIP then reads prompts of any length."
    ),
]

ClipSkip = Annotated[
    int,
    Field(
        ge=0,
        le=24,
        description="How many of the text encoder's last layers are left out; what other programs call 2 is 1 here. "
        "Stable Diffusion's stock pipeline leaves none out of a negative prompt.",
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


LINKED = "linked"
"""Stands in the plan for what comes by a link."""


def check_prompt(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse weights that the model cannot give to words, and brackets without a partner."""
    how, text, source = values.get("weights"), values.get("text"), source_of(given.get("text_encoder", {}))
    if how in ("towards empty", "mean kept"):
        if source is not None:
            check(source, how)
        if isinstance(text, str):
            parse(text)
    return {}


@node("EncodeText", category="text", device=True, facts=needing("text_encoder", ENCODERS, check_words, check_prompt))
def encode_text(
    text_encoder: TextEncoder[K],
    text: Prompt = "",
    pictures: list[Image] | None = None,
    *,
    role: Annotated[Role, Field(description="Some models read a negative prompt in another way.")] = "positive",
    weights: PromptWeights = "off",
    clip_skip: ClipSkip = 0,
    options: StockOptions = {},  # noqa: B006  # never changed: a value of the graph
) -> Conditioning[K]:
    """Turn a prompt into the vectors that steer the denoiser. What is too long for the model is said.

    Models that are told by pictures as well read them here, in order; the pictures of a batch count one by one.
    """
    from nodes.diffusion.text import prompts

    return prompts.encode_text(
        text_encoder,
        text,
        role=role,
        options=_options(options, clip_skip),
        weights=weights,
        pictures=pictures or (),
    )


def _options(options: Mapping[str, JsonValue], clip_skip: int) -> Mapping[str, JsonValue]:
    """The stock options with the layers to leave out among them. Raises `bad_value` where both say."""
    if not clip_skip:
        return options
    if "clip_skip" in options:
        what = "The layers to leave out are said twice."
        raise PatchbayError(Code.BAD_VALUE, "clip_skip", what, "Take clip_skip out of the options.")
    return {**options, "clip_skip": clip_skip}


@node("MixConditionings", category="text")
def mix_conditionings(
    a: Conditioning[K], b: Conditioning[K], *, method: MixMethod = "lerp", frames: Frames = 5
) -> list[Conditioning[K]]:
    """Walk from one prompt to another in equal steps, both ends included."""
    from nodes.diffusion.latents import latent_math

    return [latent_math.mix(a, b, amount, method) for amount in latent_math.amounts(frames)]


@node("LimitConditioning", category="text")
def limit_conditioning(
    conditioning: Conditioning[K],
    mask: Mask | None = None,
    *,
    strength: PromptStrength = 1.0,
    start: ShareStart = 0.0,
    end: ShareEnd = 1.0,
) -> Conditioning[K]:
    """Give a prompt a place (the mask), a time and a strength among those it is combined with.

    The mask is resized to the picture to come; grey places count as much as they are bright.
    """
    from nodes.diffusion.sampling.regions import limited

    return limited(conditioning, Area(mask, strength, start, end))


@node("CombineConditionings", category="text")
def combine_conditionings(conditionings: list[Conditioning[K]]) -> Conditioning[K]:
    """Let several prompts act at once: what the model says for each is averaged, by their strengths and masks."""
    from nodes.diffusion.sampling.regions import combined

    return combined(conditionings)


def check_control(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Refuse a mode, a mask or a picture that the ControlNet does not read, or that it lacks."""
    from nodes.diffusion.control.controls import check_told

    told = {"mask": LINKED, "around": LINKED, **values}
    path = given.get("control_net", {}).get(NET)
    if path or "control_net" in values:
        check_told(survey_net(Path(path), "control_net") if path else None, told)
    return {}


@node("ApplyControl", category="text", facts=check_control)
def apply_control(
    conditioning: Conditioning[K],
    image: Image,
    control_net: ControlNet[K] | None = None,
    mask: Mask | None = None,
    around: Image | None = None,
    *,
    strength: ControlStrength = 1.0,
    start: ShareStart = 0.0,
    end: ShareEnd = 1.0,
    mode: ControlMode | None = None,
) -> Conditioning[K]:
    """Steer by a picture of what the ControlNet reads, such as edges; it is resized to the picture to come.

    Put one behind another to steer by several. The negative prompt is steered too, as in the stock pipelines. Models
    that read such a picture themselves need no ControlNet. `mask` says where to paint to a ControlNet that reads that,
    and `around` is the picture to paint in, for those that read it beside what they follow.
    """
    from nodes.diffusion.control.controls import with_control

    return with_control(conditioning, Control(control_net, image, strength, start, end, mode, mask, around))


def check_prior(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Refuse a prior that does not go before the model, and tell that the prompt carries an embedding."""
    decoder, prior = (source_of(given.get(port, {})) for port in ("conditioning", "prior"))
    if decoder is not None and prior is not None:
        pair(decoder.family, prior.family)
    return {EMBEDDED: "yes"}


@node("ApplyPrior", category="text", device=True, facts=check_prior)
def apply_prior(conditioning: Conditioning[K], prior: VAE[J], embedding: Latent[J] | None = None) -> Conditioning[K]:
    """Let a model draw after what its prior drew: the embedding of a picture. Without one, after that of nothing.

    `prior` is the `vae` of the prior: its image encoder says what nothing looks like, against which guidance works
    where the negative prompt has no embedding of its own.
    """
    from nodes.diffusion.latents.embeddings import applied

    return applied(conditioning, prior, embedding)
