"""What is done around each prediction of a run beyond what the stock text-to-image pipeline does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodes.diffusion import controls, denoiser_shim

if TYPE_CHECKING:
    from contextlib import ExitStack

    from nodes.diffusion.denoiser_shim import Call
    from nodes.diffusion.layouts import Size
    from nodes.diffusion.shim import Position
    from nodes.types import Conditioning


def install(  # what a prediction depends on
    held: ExitStack,
    pipeline: Any,  # noqa: ANN401  # diffusers does not type its pipelines
    positive: Conditioning[Any],
    *,
    batch: int,
    size: Size,
    whole: bool,
) -> None:
    """Let the pipeline's denoisers be steered by what comes with the prompt; leave them alone where nothing does.

    Shares of the steps are those of the `whole` schedule, or of the steps that are run.
    """
    if not positive.controls:
        return
    hints = controls.hints(held, pipeline, positive.controls, batch, size)

    def predict(call: Call) -> Any:  # noqa: ANN401
        position: Position = pipeline.scheduler.position(whole=whole)
        return controls.controlled(call, hints, position).run()

    denoiser_shim.install(pipeline, predict)
