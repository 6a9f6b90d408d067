"""The build hook: the browser editor is built whenever Patchbay is installed or packed, see `web/editor_build.py`."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from types import ModuleType

SKIP = "PATCHBAY_SKIP_EDITOR"


class EditorHook(BuildHookInterface[Any]):
    """Builds the editor before anything is packed."""

    def dependencies(self) -> list[str]:
        """Node, but only where the editor has to be built and the machine has none that will do."""
        build = self.editor_build
        needed = not skipped() and build.EDITOR.state() != "built" and build.npm_on_path() is None
        return [build.NODE] if needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's own signature
        """Build the editor. Where that fails, an editable install goes on without it, and a package is not made."""
        if skipped():
            return
        build = self.editor_build
        try:
            build.EDITOR.build(self.app.display_info)
        except build.EditorBuildError as error:
            if version != "editable":
                self.app.abort(f"{error} ({SKIP}=1 packs Patchbay without it.)")
            self.app.display_warning(f"{error} Patchbay is installed without it; `patchbay editor build` tries again.")

    @property
    def editor_build(self) -> ModuleType:
        """`web/editor_build.py` of the tree that is packed; `web` itself cannot be imported in an isolated build."""
        name = "patchbay_editor_build"
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(name, Path(self.root, "web", "editor_build.py"))
            assert spec is not None  # noqa: S101  # the file is there
            assert spec.loader is not None  # noqa: S101
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
        return sys.modules[name]


def skipped() -> bool:
    """Whether the editor is left as it is."""
    return os.environ.get(SKIP) == "1"
