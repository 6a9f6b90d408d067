"""Leaving out the last layers of CLIP's text encoder: what the stock pipelines call `clip_skip`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import Code, PatchbayError
from nodes.diffusion.memory.patching import twin
from nodes.diffusion.stages import stock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.diffusion.disk.source import ModelSource

NAME = "clip_skip"


def check(source: ModelSource, options: Mapping[str, object]) -> None:
    """Refuse layers to leave out where a model has none or not as many. Raises `bad_value` at `clip_skip`."""
    left_out = options.get(NAME)
    if left_out is None:
        return
    if NAME not in stock.signature(source.family.pipeline_class):
        what = f"A {source.family.pipeline_class} has no layers to leave out."
        raise PatchbayError(Code.BAD_VALUE, NAME, what, "Set it to 0.")
    counts = [part.first_integer(("num_hidden_layers",)) or 0 for part in source.parts.values() if _is_clip(part)]
    most = min(counts) - (len(counts) > 1)  # where several encoders are joined, the last layer is never read
    if not isinstance(left_out, int) or not 0 <= left_out <= most:
        what = f"{left_out!r} layers cannot be left out: the text encoder of {source.name} has {most} to leave out."
        raise PatchbayError(Code.BAD_VALUE, NAME, what, f"Use 0 to {most}.")


def _is_clip(part: Any) -> bool:  # noqa: ANN401
    return bool(part.class_name.startswith("CLIPText"))


def ready(parts: Mapping[str, Any], options: Mapping[str, object]) -> dict[str, Any]:
    """The parts of a pipeline that leaves layers out.

    Stable Diffusion's asks its text encoder for `text_model`, which it no longer has in newer Transformers. A twin has
    it: itself. The shared encoder is left as it is.
    """
    if options.get(NAME) is None:
        return dict(parts)
    return {name: _named(part) if type(part).__name__ == "CLIPTextModel" else part for name, part in parts.items()}


def _named(encoder: Any) -> Any:  # noqa: ANN401
    if hasattr(encoder, "text_model"):
        return encoder
    made = twin(encoder)
    object.__setattr__(made, "text_model", made)  # a plain attribute: as a submodule it would hold itself
    return made
