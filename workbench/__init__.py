"""Write, see, check and run GPU kernels: the face of the workbench, re-exports only."""

from __future__ import annotations

from workbench.base.version import __version__

__all__ = ["__version__"]
