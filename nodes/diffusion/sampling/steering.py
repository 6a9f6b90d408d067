"""What is done around each prediction of a run beyond what the stock text-to-image pipeline does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.control import beside, residuals
from nodes.diffusion.control.hints import Reader
from nodes.diffusion.sampling import regions
from nodes.diffusion.sampling.adapting import Adapting
from nodes.diffusion.sampling.weakening import Weakened
from nodes.diffusion.stages import denoiser_shim

if TYPE_CHECKING:
    from contextlib import ExitStack

    from nodes.diffusion.sampling.guiders import Guidance
    from nodes.diffusion.schedules.shim import Position
    from nodes.diffusion.stages.denoiser_shim import Call
    from nodes.diffusion.stages.layouts import Size
    from nodes.types import Conditioning, Role


@dataclass(frozen=True, slots=True)
class Steering:
    """What a run is steered by beside its stock arguments; `negative` is there only where the run is guided.

    `adapts` says that the model has picture adapters which act in some of the steps only.
    """

    positive: Conditioning[Any]
    negative: Conditioning[Any] | None
    guidance: Guidance | None
    adapts: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether the stock pipeline does all there is to do."""
        is_plain = all(each is None or each.is_plain for each in (self.positive, self.negative))
        return is_plain and self.guidance is None and not self.adapts


def install(
    held: ExitStack,
    pipeline: Any,  # noqa: ANN401  # diffusers does not type its pipelines
    steering: Steering,
    *,
    own: list[torch.Generator],
    size: Size,
    whole: bool,
) -> None:
    """Let the pipeline's denoisers be steered; leave them alone where there is nothing to do.

    `own` are the generators of the samples, which nothing may have drawn from. Shares of the steps are those of the
    `whole` schedule, or of the steps that are run.
    """
    if steering.is_idle:
        return
    _check_weaker(steering)
    steered = _Steered(held, pipeline, steering, own, size)
    denoiser_shim.install(pipeline, lambda call: steered.predict(call, pipeline.scheduler.position(whole=whole)))


def _check_weaker(steering: Steering) -> None:
    """Refuse a weaker model beside ControlNets, which know the layers of one model. Raises `bad_value`."""
    weakening = None if steering.guidance is None else steering.guidance.weakening
    if weakening is not None and weakening.model is not None and any(e.controls for e in steering.positive.prompts):
        what = "A ControlNet steers the layers of one model, and the weaker one may have others."
        raise PatchbayError(Code.BAD_VALUE, "guider", what, "Take AutoGuidance or ApplyControl away.")


class _Steered:
    """One run: the ControlNets, the regions and the guider around a prediction, from the inside out."""

    def __init__(
        self,
        held: ExitStack,
        pipeline: Any,  # noqa: ANN401
        steering: Steering,
        own: list[torch.Generator],
        size: Size,
    ) -> None:
        self._batch = len(own)
        self._is_guided = steering.negative is not None
        self._guidance = steering.guidance
        self._weak: Weakened | None = None
        if steering.guidance is not None and steering.guidance.weakening is not None:
            self._weak = Weakened(held, steering.guidance.weakening)
        self._adapting = Adapting(held, pipeline.source)
        self._turn = -1
        self._added: dict[str, Any] = {}
        reader = Reader(held, pipeline, size, own, guided=self._is_guided)
        self._hints = [
            [reader.hint(control, control.net) for control in entry.controls if control.net is not None]
            for entry in steering.positive.prompts
        ]
        beside.show(reader, steering.positive.controls)
        self._regions: dict[Role, regions.Regions] = {}
        given: dict[Role, Conditioning[Any] | None] = {"positive": steering.positive, "negative": steering.negative}
        for role, prompts in given.items():
            if prompts is not None and regions.is_limited(prompts):
                self._regions[role] = regions.Regions(pipeline, prompts, self._batch, size)

    def predict(self, call: Call, position: Position) -> Any:  # noqa: ANN401
        """What the pipeline is told in place of the denoiser's own answer to a call."""
        roles = self._roles(call, position)
        call = self._adapting.call(call, position)
        if "positive" in roles:  # a negative that comes alone is controlled as its prompt was
            self._added = residuals.added(call, self._hints[0], position)
        said, weak = self._said(call, roles, position)
        if self._guidance is None:
            return said
        channels = call.samples.shape[1]
        if len(roles) > 1:
            return self._guidance.together(said, channels, position, weak)
        if not self._is_guided:
            return self._guidance.alone(said, channels, weak)
        if roles == ("positive",):
            return self._guidance.first(said, weak)
        return self._guidance.second(said, channels, position)

    def _said(
        self, call: Call, roles: tuple[Role, ...], position: Position
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The predictions of the roles, averaged over their prompts, and the weakened model's if it has its time."""
        told = call.told(**self._added)
        weak = self._weak if self._weak and "positive" in roles and self._weak.acts(position) else None
        if not self._regions:
            return (
                (told.run(), None) if weak is None else weak.beside(told, self._batch, self._adapting.source(position))
            )
        said = self._averaged(call, told.run(), roles, position)
        if weak is None:
            return said, None
        own = call.part(len(roles) - 1, len(roles))
        asked = self._asker("positive", position, weak)
        alone = asked(own, 0)
        if "positive" in self._regions:
            alone = self._regions["positive"].average(own, alone, position, asked)
        return said, alone

    def _roles(self, call: Call, position: Position) -> tuple[Role, ...]:
        """Whose predictions a call asks for, in order. Those that come one by one begin with the prompt's."""
        if len(call.samples) > self._batch:
            return ("negative", "positive")
        is_second = call.label == "uncond" if call.label else self._turn == position.index
        self._turn = position.index
        return ("negative",) if is_second and self._is_guided else ("positive",)

    def _averaged(self, call: Call, said: torch.Tensor, roles: tuple[Role, ...], position: Position) -> torch.Tensor:
        """The prediction of each role, averaged over its prompts."""
        parts = []
        for number, role in enumerate(roles):
            part = said.chunk(len(roles))[number]
            if role in self._regions:
                own = call.part(number, len(roles))
                part = self._regions[role].average(own, part, position, self._asker(role, position))
            parts.append(part)
        return torch.cat(parts)

    def _asker(self, role: Role, position: Position, weak: Weakened | None = None) -> regions.Run:
        """What asks for further prompts: each has controls of its own, a negative those of the first."""

        def ask(call: Call, number: int) -> torch.Tensor:
            hints = self._hints[number if role == "positive" else 0]
            told = call.told(**residuals.added(call, hints, position))
            said: torch.Tensor = told.run() if weak is None else weak.alone(told, self._adapting.source(position))
            return said

        return ask
