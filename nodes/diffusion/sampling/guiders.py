"""How the prediction for a prompt and the one against it become one: Diffusers' guiders, in any pipeline with both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.sampling.guider_table import CLASSES
from nodes.diffusion.stages import stock
from nodes.diffusion.weights.libraries import guider_utils, guiders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.diffusion.families.family import Family
    from nodes.diffusion.schedules.shim import Position
    from nodes.types import Conditioning, Guider


class Guidance:
    """A live guider for one run.

    `weak` is the prediction of the weakened model, where the guider has one and it has its time.
    """

    def __init__(self, guider: Guider, scale: float) -> None:
        named = CLASSES[guider.name]
        settings = {named.settings[name]: value for name, value in guider.settings.items()}
        self.weakening = guider.weakening
        self._rescale = settings.pop(_RESCALE, 0.0) if guider.weakening else 0.0  # it comes last
        self._guider = getattr(guiders, named.class_name)(guidance_scale=scale, **settings)
        self._waiting: tuple[torch.Tensor, torch.Tensor | None] | None = None

    def together(
        self, prediction: torch.Tensor, channels: int, position: Position, weak: torch.Tensor | None = None
    ) -> torch.Tensor:
        """For a prediction against the prompt and one for it in one batch: the guided one, twice.

        The pipeline's own guidance leaves it as it is then: between equals there is nothing to go along.
        """
        against, toward = prediction.chunk(2)
        guided = self._guided(toward, against, channels, position, weak)
        return torch.cat([guided, guided])

    def alone(self, toward: torch.Tensor, channels: int, weak: torch.Tensor | None = None) -> torch.Tensor:
        """For a prediction that has no counterpart: it is led away from the weakened one only."""
        if weak is None:
            return toward
        own, more = _parted(toward, channels)
        return torch.cat([self._away(own, own, _parted(weak, channels)[0]), more], dim=1)

    def first(self, toward: torch.Tensor, weak: torch.Tensor | None = None) -> torch.Tensor:
        """For a prediction for the prompt whose counterpart comes in a call of its own: one that will be changed."""
        waiting = toward.clone()
        self._waiting = waiting, weak
        return waiting

    def second(self, against: torch.Tensor, channels: int, position: Position) -> torch.Tensor:
        """For the counterpart: the guided prediction, which also takes the place of the one given before."""
        kept, self._waiting = self._waiting, None
        if kept is None:
            return against
        waiting, weak = kept
        guided = self._guided(waiting.clone(), against, channels, position, weak)
        waiting.copy_(guided)
        return guided

    def _guided(
        self,
        toward: torch.Tensor,
        against: torch.Tensor,
        channels: int,
        position: Position,
        weak: torch.Tensor | None,
    ) -> torch.Tensor:
        """The two or three as one. What a model says beyond its latents' channels, a variance, is not guided."""
        self._guider.set_state(position.index, position.total, None)
        if position.index == 0:
            self._guider.prepare_inputs({})  # forgets the momentum of another run
        own, more = _parted(toward, channels)
        guided = self._guider.forward(own, _parted(against, channels)[0]).pred
        if weak is not None:
            guided = self._away(guided, own, _parted(weak, channels)[0])
        if self._rescale:
            guided = guider_utils.rescale_noise_cfg(guided, own, self._rescale)
        return torch.cat([guided, more], dim=1) if more.numel() else guided

    def _away(self, guided: torch.Tensor, toward: torch.Tensor, weak: torch.Tensor) -> torch.Tensor:
        strength = self.weakening.strength if self.weakening else 0.0
        return guided + strength * (toward - weak)


_RESCALE = "guidance_rescale"


def _parted(said: torch.Tensor, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What is said of latents of so many channels, and what is said beyond; tokens have no channels there."""
    if said.ndim > 3:  # noqa: PLR2004
        return said[:, :channels], said[:, channels:]
    return said, said[:, :0]


def scale_of(family: Family, guidance: float, options: Mapping[str, object]) -> float:
    """How strongly the model is guided against a negative prompt: by an option in families that distil guidance."""
    call = stock.signature(family.pipeline_class)
    if call.negative_is_optional and call.guidance != "true_cfg_scale":
        given = options.get("true_cfg_scale")
        return float(given) if isinstance(given, (int, float)) else 1.0
    return guidance


def is_guided(
    family: Family, negative: Conditioning[Any] | None, guidance: float, options: Mapping[str, object]
) -> bool:
    """Whether the run works against `negative`, which is what `negative_for` gave."""
    call = stock.signature(family.pipeline_class)
    return negative is not None and (not call.negative_is_optional or scale_of(family, guidance, options) > 1)


def check_guider(family: Family, guider: Guider, *, is_guided: bool, in_parts: bool) -> None:
    """Refuse a guider where there is nothing for it to do, or not enough is known. Raises `bad_value`."""
    call = stock.signature(family.pipeline_class)
    if family.own_guidance:
        what = f"{family.pipeline_class} takes no guider: {family.own_guidance}."
        raise PatchbayError(Code.BAD_VALUE, "guider", what, "Take the link away.")
    if not is_guided and not (guider.weakening and guider.name == "CFG"):
        what = "A guider needs a prediction for the prompt and one against it, and this run makes only the first."
        if not call.takes_negative:
            fix = "This model was distilled to need none: take the link away."
        elif call.negative_is_optional and call.guidance != "true_cfg_scale":
            fix = "Give a negative prompt and set true_cfg_scale above 1 in options, or take the link away."
        else:
            fix = "Set guidance above 1, or take the link away."
        raise PatchbayError(Code.BAD_VALUE, "guider", what, fix)
    if family.divides_guided and guider.name == "CFG-Zero*" and guider.settings.get("zero_steps", 1):
        what = f"{family.pipeline_class} divides by the guided prediction, and CFG-Zero* begins with nothing."
        raise PatchbayError(Code.BAD_VALUE, "guider", what, "Set zero_steps to 0.")
    if guider.settings.get("momentum") and in_parts:
        what = "Momentum remembers the steps before, and is not carried from one part of a run to the next."
        raise PatchbayError(Code.BAD_VALUE, "guider", what, "Run all steps at once, or set momentum to null.")
