"""Folders of models, and those of other programs, used in place: where in them each program keeps its models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, model_validator

if TYPE_CHECKING:
    from collections.abc import Mapping

Layout = Literal["comfyui", "a1111"]

LAYOUTS: Mapping[Layout, tuple[str, ...]] = {
    "comfyui": (
        "checkpoints",
        "diffusion_models",
        "unet",
        "diffusers",
        "vae",
        "loras",
        "text_encoders",
        "clip",
        "embeddings",
    ),
    "a1111": ("Stable-diffusion", "VAE", "Lora", "text_encoder", "../embeddings"),
}
"""Folders below `models`; of two files with one name, the one in the earlier folder is meant."""


class ModelFolder(BaseModel):
    """A folder of models; with a layout, the folder of another program or the folder `models` inside it.

    In a configuration, a path alone is a folder without a layout.
    """

    model_config = ConfigDict(extra="forbid")

    path: Path
    layout: Layout | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, value: object) -> object:
        return {"path": value} if isinstance(value, (str, Path)) else value

    def roots(self, base: Path) -> list[Path]:
        """The folders that models are named from; a relative path starts from `base`.

        Nothing else of another program is a root. Folders that are not there yet are given too.
        """
        folder = base / self.path
        if self.layout is None:
            return [folder]
        names = LAYOUTS[self.layout]
        is_inner = any((folder / name).is_dir() for name in names)
        models = folder if is_inner else folder / "models"
        return [models.parent / name.removeprefix("../") if name.startswith("../") else models / name for name in names]
