"""What the user's machine says: the data folder, extra roots, and choices for every run.

Read from PATCHBAY_* variables and from `config.toml` in the data folder; variables win. Relative paths in the file
start from its folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, TomlConfigSettingsSource

import graphs
from engine import Code, PatchbayError, Paths, Settings
from engine.runtime import HOME_VARIABLE
from engine.settings import Device, Dtype  # noqa: TC001  # pydantic reads annotations at run time
from web.model_folders import ModelFolder  # noqa: TC001

if TYPE_CHECKING:
    from pydantic_settings import PydanticBaseSettingsSource

FILE = "config.toml"
SHIPPED_GRAPHS = Path(graphs.__file__).parent


def home() -> Path:
    """The data folder: PATCHBAY_HOME, or the platform's folder for user data."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named).absolute() if named else user_data_path("patchbay", appauthor=False)


class Config(BaseSettings):
    """The user's choices, checked."""

    model_config = SettingsConfigDict(env_prefix="PATCHBAY_", extra="forbid")

    home: Path
    models: list[ModelFolder] = []
    inputs: list[Path] = []
    device: Device = "auto"
    dtype: Dtype = "auto"
    model_budget: int | None = Field(default=None, gt=0)
    cache_budget: int = Field(default=2 << 30, ge=0)
    downloads: bool = False
    hosts: list[str] = []

    @classmethod
    def load(cls) -> Config:
        """Read the variables and the file. Raises `PatchbayError` naming what does not fit."""
        try:
            return cls(home=home())
        except (ValidationError, ValueError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
            name = ".".join(map(str, first["loc"]))
            what = f"The configuration does not fit: {first['msg']}."
            raise PatchbayError(Code.BAD_VALUE, f"{home() / FILE} {name}".strip(), what) from error

    @classmethod
    def settings_customise_sources(  # noqa: D102  # pydantic-settings' own hook
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # variables are set outside, not in stray files
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, home() / FILE)

    @property
    def node_folder(self) -> Path:
        """Where the user's own node files are."""
        return self.home / "nodes"

    def paths(self, outputs: Path | None = None) -> Paths:
        """The roots of a run."""
        return Paths(
            inputs=(self.home / "inputs", *(self.home / path for path in self.inputs)),
            models=(self.home / "models", *(root for folder in self.models for root in folder.roots(self.home))),
            graphs=(self.home / "graphs", SHIPPED_GRAPHS),
            outputs=(outputs or self.home / "outputs").absolute(),
        )

    def settings(
        self, device: Device | None = None, dtype: Dtype | None = None, *, downloads: bool = False
    ) -> Settings:
        """The choices for one run; those of the command line win."""
        return Settings(
            device=device or self.device,
            dtype=dtype or self.dtype,
            model_budget=self.model_budget,
            cache_budget=self.cache_budget,
            downloads=downloads or self.downloads,
        )

    def find_graph(self, name: str) -> Path:
        """A graph file by path, or by the name of one in the data folder or among those that come with Patchbay."""
        path = Path(name)
        if path.suffix or path.exists() or len(path.parts) > 1:
            return path
        known = [folder / f"{name}.json" for folder in (self.home / "graphs", SHIPPED_GRAPHS)]
        return next((file for file in known if file.is_file()), path)
