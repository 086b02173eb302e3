"""Puts the notebooks into the wheel, so that `workbench lab` has them without a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_LEFTOVERS = {"__pycache__", ".ipynb_checkpoints"}


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the files of ``notebooks`` as ``workbench/notebooks``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before a wheel is built; an editable one uses the checkout's own notebooks."""
        if version != "standard":
            return
        root = Path(self.root)
        for path in (root / "notebooks").rglob("*.*"):
            if path.is_file() and not _LEFTOVERS & set(path.parts):
                place = path.relative_to(root).as_posix()
                build_data["force_include"][place] = f"workbench/{place}"
