"""Puts the notebooks into the wheel, so that `workbench lab` has them without a checkout."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds ``notebooks/*`` as ``workbench/notebooks/*``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before a wheel is built; an editable one uses the checkout's own notebooks."""
        if version == "standard":
            build_data["force_include"]["notebooks"] = "workbench/notebooks"
