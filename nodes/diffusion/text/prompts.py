"""Prompts as the denoiser reads them, and the negatives that it works against.

Each is encoded by Diffusers' own pipeline class, so it is bit for bit the stock one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from engine.context import say
from engine.errors import Code, PatchbayError
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.schedules import noise
from nodes.diffusion.stages import own_guiders, stock, unseen
from nodes.diffusion.stages.checks import own_words
from nodes.diffusion.stages.pipelines import OWNED, checked_options, opened, stop_at_timesteps, unguided, unread_picture
from nodes.diffusion.text import answers, chunks, clip_skip, emphasis, picturing, weighting, words
from nodes.diffusion.weights.device import kept_all
from nodes.types import Conditioning, Role, TextEncoder, Weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodes.diffusion.disk.source import ModelSource
    from nodes.diffusion.families.family import Family
    from nodes.types import Image


_GUIDED = 2.0
"""A guidance with which every family encodes a negative prompt."""


def encode_text(
    encoder: TextEncoder[Any],
    text: str | None,
    *,
    role: Role = "positive",
    options: Mapping[str, object] | None = None,
    beside: str | None = None,
    weights: Weights = "off",
    pictures: Sequence[Image] = (),
) -> Conditioning[Any]:
    """The prompt as the denoiser reads it, encoded as the stock pipeline encodes one in that role.

    None as a negative is what the pipeline takes where none is given. `options` are arguments of the stock call that
    concern the text, for instance `clip_skip` or `max_sequence_length`. `beside` is the positive prompt that a negative
    is encoded beside, in families where that matters. `pictures` are what the model reads beside the words, a batch
    being several; where the text encoder does not read them they are kept for the sampling. With `weights` on,
    brackets weigh words (`weighting`): CLIP reads a prompt of any length then (`chunks`), T5 as much as without
    (`emphasis`).

    Says so through the run's messages when the prompt is longer than the text encoder can read, or has words that are
    not in the list that the model ships. Raises `bad_value` for an option that the pipeline does not have, for weights
    where the text encoder is neither CLIP nor T5, for brackets that do not match, and for too many or too few pictures.
    """
    shown = picturing.single(pictures)
    source = picturing.source_for(encoder.source, shown)
    clip_skip.check(source, options or {})
    options = checked_options(source, options or {}, OWNED | source.family.shown)
    picturing.check_encoding(source, len(shown))
    if not stock.reads_words(source.family.pipeline_class):
        _refuse_words(source, text)
        return Conditioning({}, encoder, text, role, options, pictures=shown)
    pieces = _pieces(source, text, weights)
    plain = "".join(piece.text for piece in pieces)
    with ExitStack() as held:
        parts = {
            name: held.enter_context(SHELF.use(source, name, alone=not source.parts[name].weights))
            for name in sorted(source.parts)
            if source.family.is_text(name)
        }
        ready = clip_skip.ready(parts, options)
        asked = answers.remembered(source, ready) if weights == "off" else ready
        pipeline = held.enter_context(opened(source, **asked))
        in_windows = weights != "off" and weighting.reads_windows(source)
        if not in_windows:
            _tell_truncation(source, parts, plain, options)
        if told := words.remark(source, plain):
            say(told)
        if weights == "off" or text is None:
            found = _run(pipeline, text, role, options, beside, shown)
        elif in_windows:
            found = chunks.encoded(pipeline, pieces, weights, lambda: _run(pipeline, "", role, options, beside, shown))
        else:
            found = emphasis.encoded(pipeline, pieces, lambda said: _run(pipeline, said, role, options, beside, shown))
        return Conditioning(kept_all(found), encoder, text, role, options, pictures=shown)


def _refuse_words(source: ModelSource, text: str | None) -> None:
    """Refuse a prompt for a model that would not read it."""
    if text:
        read = "pictures" if source.family.after is None else "what its prior makes of them"
        what = f"{source.family.pipeline_class} reads no words, only {read}."
        raise PatchbayError(Code.BAD_VALUE, "text", what, "Leave the text empty.")


def _pieces(source: ModelSource, text: str | None, weights: Weights) -> list[weighting.Piece]:
    """What a text says: itself, or the pieces that its brackets make of it."""
    if weights == "off" or text is None:
        return [weighting.Piece(text or "")]
    weighting.check(source, weights)
    return weighting.parse(text)


def _run(
    pipeline: Any,  # noqa: ANN401
    text: str | None,
    role: Role,
    options: Mapping[str, object],
    beside: str | None,
    shown: Sequence[Image],
) -> dict[str, Any]:
    """What the pipeline's own encoder gives for one prompt in its role, beside the pictures `shown`."""
    recorder = stock.Recorder()
    pipeline.prompts = recorder
    if role == "negative":
        own_guiders.set_scale(pipeline, _GUIDED)
    pipeline.scheduler = stop_at_timesteps(pipeline.source, lambda: bool(recorder.found))
    given = _encoding(pipeline.source, text, role, options, beside)
    family = pipeline.source.family
    if family.pictures is not None:
        given |= picturing.beside_words(family, shown)
        unseen.look_at_nothing(pipeline, lambda: bool(recorder.found))
    with suppress(stock.Reached), own_words(options):
        pipeline(**given)
    return stock.of_role(recorder.found, role)


def _encoding(
    source: ModelSource, text: str | None, role: Role, options: Mapping[str, object], beside: str | None
) -> dict[str, Any]:
    """The arguments of a stock call that is stopped once it has encoded one prompt in its role."""
    call = stock.signature(source.family.pipeline_class)
    given: dict[str, Any] = {
        "height": 256,
        "width": 256,
        "max_area": 256 * 256,
        "_auto_resize": False,  # pictures to a million pixels
        "num_inference_steps": 2,
        "generator": noise.generator(0),
        "output_type": "latent",
        "return_dict": False,
        "use_resolution_binning": False,
        "guidance_schedule": None,
        **unread_picture(source),
        **({} if source.family.after is None else {source.family.after.argument: torch.zeros(1, 1, 1, 1)}),
    }
    if source.family.joined:  # guided, it would give both prompts as one
        given |= {"prompt": text or "", "guidance_scale": 1.0}
    elif role == "negative" and text is None:
        given |= {"prompt": beside or source.family.blank_words, "guidance_scale": _GUIDED, "true_cfg_scale": _GUIDED}
    elif role == "negative" and "negative_prompt" in call:
        given |= {
            "prompt": (source.family.blank_words or text) if beside is None else beside,
            "negative_prompt": text,
            "guidance_scale": _GUIDED,
            "true_cfg_scale": _GUIDED,
        }
    else:
        given |= {"prompt": text, **unguided(source.family)}
    return call.only({**given, **options, **(source.family.aside if role == "negative" else {})})


def _tell_truncation(source: ModelSource, parts: Mapping[str, Any], text: str, options: Mapping[str, object]) -> None:
    """Say which words the text encoder will not see; of several, the one that reads most counts."""
    tokenizer = parts.get(next((name for name in sorted(parts, reverse=True) if "tokenizer" in name), ""))
    if tokenizer is None:
        return
    if "Processor" in type(tokenizer).__name__:
        tokenizer = tokenizer.tokenizer
    call = stock.signature(source.family.pipeline_class)
    chosen = options.get("max_sequence_length", call.defaults.get("max_sequence_length"))
    limit = chosen if isinstance(chosen, int) else tokenizer.model_max_length
    ids = tokenizer(text, padding=False, truncation=False).input_ids
    if len(ids) > limit:
        cut = tokenizer.decode(ids[limit - 1 : -1]).strip()
        say(f"The prompt is {len(ids)} tokens long and this model reads {limit}. Not read: {cut}")


def negative_for(
    pipeline: Any,  # noqa: ANN401
    positive: Conditioning[Any],
    negative: Conditioning[Any] | None,
    guidance: float,
    options: Mapping[str, object],
) -> Conditioning[Any] | None:
    """The negative that the stock call would work against: the one given, its own if none is, or none at all.

    Raises `bad_value` for a negative that the model cannot take.
    """
    family: Family = pipeline.source.family
    call = stock.signature(family.pipeline_class)
    if not call.takes_negative:
        if negative is not None:
            what = "This model takes no negative prompt."
            raise PatchbayError(Code.BAD_VALUE, "negative", what, "Take the link away.")
        return None
    if negative is not None and family.roles_differ and negative.role != "negative":
        what = "This model reads a negative prompt in another way than a positive one, and this one is positive."
        raise PatchbayError(Code.BAD_VALUE, "negative", what, 'Set "role" of its EncodeText to "negative".')
    if call.negative_is_optional:
        true = guidance if call.guidance == "true_cfg_scale" else options.get("true_cfg_scale")
        if negative is not None and not (isinstance(true, (int, float)) and true > 1):
            say("The negative prompt is not read: this model works against one only with true_cfg_scale above 1.")
        return negative
    if not stock.is_guided(pipeline, guidance, options):
        return None
    if negative is None or family.joint:
        return _own_negative(positive, negative)
    return negative


def check_words(positive: Conditioning[Any]) -> None:
    """Refuse what is no longer the prompt's own words, where a model reads these again. Raises `bad_value`."""
    if not positive.encoder.source.family.rereads:
        return
    alone = encode_text(positive.encoder, positive.text, options=positive.options, pictures=positive.pictures)
    if alone.digest() != positive.digest():
        what = "This model reads the prompt's words once more while it samples, so it cannot be a mixture."
        raise PatchbayError(Code.BAD_VALUE, "positive", what, "Give a prompt as EncodeText makes it.")


def _own_negative(positive: Conditioning[Any], negative: Conditioning[Any] | None) -> Conditioning[Any]:
    """A negative encoded for this positive: what the stock call takes where none is given, or the one given.

    Some families encode a negative to the length of the positive, which is known only here.
    """
    text, options = (None, positive.options) if negative is None else (negative.text, negative.options)
    if negative is not None:
        alone = encode_text(negative.encoder, text, role="negative", options=options, pictures=negative.pictures)
        if alone.digest() != negative.digest():
            what = "This model encodes a negative prompt together with the positive one, so it cannot be a mixture."
            raise PatchbayError(Code.BAD_VALUE, "negative", what, "Give a negative prompt as EncodeText makes it.")
    encoder = positive.encoder if negative is None else negative.encoder
    shown = positive.pictures
    return encode_text(encoder, text, role="negative", options=options, beside=positive.text, pictures=shown)


def evened(
    positive: Conditioning[Any], negative: Conditioning[Any] | None
) -> tuple[Conditioning[Any], Conditioning[Any] | None]:
    """Both prompts as long as the longer one, where a family wants that, or `chunks` has read several windows."""
    if positive.encoder.source.family.padded and negative is not None:
        most = max(_tokens(positive.tensors), _tokens(negative.tensors))
        positive, negative = (replace(each, tensors=_padded(each.tensors, most)) for each in (positive, negative))
        return positive, negative

    def blank(given: Conditioning[Any]) -> Conditioning[Any]:
        text = None if given.text is None else ""
        return encode_text(given.encoder, text, role=given.role, options=given.options, pictures=given.pictures)

    return chunks.evened(positive, negative, blank)


def _tokens(tensors: Mapping[str, Any]) -> int:
    return int(tensors["prompt_embeds"].shape[1])


def _padded(value: Any, length: int) -> Any:  # noqa: ANN401  # tensors [batch, tokens, ...], in mappings and lists
    """The same with zeros up to this number of tokens."""
    if isinstance(value, Mapping):
        return {name: _padded(item, length) for name, item in value.items()}
    if isinstance(value, list):
        return [_padded(item, length) for item in value]
    zeros = value.new_zeros(len(value), length - value.shape[1], *value.shape[2:])
    return torch.cat([value, zeros], 1)
