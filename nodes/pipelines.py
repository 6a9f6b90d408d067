"""Pipelines run as a whole, for what the staged nodes do not drive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, JsonValue

from engine import Paths, Settings, node
from engine.choices import Choice
from nodes.diffusion.disk.quantising import check_device
from nodes.diffusion.disk.source import resolve
from nodes.diffusion.disk.whole import LEFT_OUT, survey_whole
from nodes.types import Image, Mask


class PipelineFolder:
    """An input that names a folder in Diffusers' format, of whatever pipeline class."""

    noun = "model"
    loads = True

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:
        """The folder, checked as far as that goes without reading weights. Raises `PatchbayError`."""
        path = resolve(value, paths, downloads=settings.downloads, at=at, whole=LEFT_OUT)
        check_device(survey_whole(path, at), settings.device, at)
        return path

    def digest(self, resolved: Path) -> str:
        """Identity of configurations and weights."""
        return survey_whole(resolved, "").digest

    def choices(self, paths: Paths, settings: Settings) -> list[Choice]:  # noqa: ARG002  # the protocol's
        """The model folders that are on this machine, and what is wrong with those that cannot be run."""
        from nodes.diffusion.disk.listing import pipelines

        return pipelines(paths)


PipelinePath = Annotated[
    Path,
    PipelineFolder(),
    Field(description='"pocket" (in the box), a local Diffusers folder of any pipeline class, or a hub id.'),
]

Words = Annotated[
    str | None, Field(description="null where the pipeline takes none.", json_schema_extra={"format": "multiline"})
]

CallSeed = Annotated[
    int,
    Field(
        ge=0,
        lt=2**63,
        description="Of the one generator that the whole call draws from.",
        json_schema_extra={"format": "seed"},
    ),
]

CallOptions = Annotated[
    dict[str, JsonValue], Field(description="Any other argument of the pipeline's call, by its own name.")
]


def check_call(values: Mapping[str, object], given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:  # noqa: ARG001  # the protocol's
    """Refuse inputs and options that the pipeline's call does not take, and one that lacks what it needs."""
    from nodes.diffusion.stages.signatures import call_named

    path = values.get("model")
    call = call_named(survey_whole(path, "model").pipeline_class) if isinstance(path, Path) else None
    if call is not None:
        call.check(values)
    return {}


@node("RunPipeline", category="sampling", device=True, facts=check_call)
def run_pipeline(
    image: Image | None = None,
    mask: Mask | None = None,
    *,
    model: PipelinePath,
    prompt: Words = None,
    negative: Words = None,
    seed: CallSeed = 0,
    options: CallOptions = {},  # noqa: B006  # never changed: a value of the graph
) -> Image:
    """Run any pipeline of Diffusers as a whole, and get its pictures, or the frames of its video.

    For classes that LoadModel does not open: upscalers, editing, inpainting, depth, unconditional models and so on.
    The result is that of the stock pipeline called with the same arguments and
    `generator=torch.Generator().manual_seed(seed)`.
    """
    from nodes.diffusion.stages import whole_run

    source = survey_whole(model, "model")
    return whole_run.run(source, options, prompt=prompt, negative=negative, image=image, mask=mask, seed=seed)
