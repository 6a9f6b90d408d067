"""Pictures as words: the node that puts what FLUX Redux sees in pictures behind a prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from engine import Paths, Settings, node
from engine.choices import Choice
from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.whole import survey_whole
from nodes.diffusion.families.families import REDUX
from nodes.pipelines import PipelineFolder
from nodes.types import Conditioning, Image, K


class ReduxFolder(PipelineFolder):
    """An input that names a folder of FLUX Redux."""

    noun = "FLUX Redux model"

    def resolve(self, value: str, paths: Paths, settings: Settings, at: str) -> Path:
        """The folder, checked as far as that goes without reading weights. Raises `PatchbayError`."""
        path = super().resolve(value, paths, settings, at)
        found = survey_whole(path, at).pipeline_class
        if found != REDUX:
            what = f"{path} is a {found}, which makes no prompt of a picture."
            raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, f"Use a {REDUX}.")
        return path

    def choices(self, paths: Paths, settings: Settings) -> list[Choice]:
        """Those that are on this machine."""
        return [each for each in super().choices(paths, settings) if each.detail.get("pipeline_class") == REDUX]


ReduxPath = Annotated[
    Path, ReduxFolder(), Field(description="A local folder, or a hub id such as black-forest-labs/FLUX.1-Redux-dev.")
]

PictureStrength = Annotated[
    float, Field(ge=0, le=10, description="What the prompt and the pictures' tokens behind it are multiplied by.")
]

PooledStrength = Annotated[float, Field(ge=0, le=10, description="The same for the prompt's pooled part.")]


@node("AddPicturePrompt", category="text", device=True)
def add_picture_prompt(
    conditioning: Conditioning[K],
    image: Image,
    *,
    model: ReduxPath,
    strength: PictureStrength = 1.0,
    pooled_strength: PooledStrength = 1.0,
) -> Conditioning[K]:
    """Let FLUX.1 read pictures behind the words of a prompt, as FLUX Redux sees them.

    An empty prompt leaves the pictures alone to be followed. The bits are those of the stock prior; several pictures
    of a batch are added up there.
    """
    from nodes.diffusion.text.picture_prompts import with_pictures

    return with_pictures(conditioning, image, survey_whole(model, "model"), strength, pooled_strength)
