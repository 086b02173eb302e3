"""What code is made for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.base.errors import WorkbenchError

_ARCH = re.compile(r"sm_\d{2,3}[af]?")


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of machine, and for CUDA its architecture.

    Attributes
    ----------
    kind : str
        ``cpu``, ``cuda`` or ``interp``.
    arch : str
        ``sm_90a`` …; empty for CUDA means the GPU that is here, else the default of the driver
        room; always empty for the others.

    Examples
    --------
    >>> Target.parse("cuda:sm_90a")
    Target(kind='cuda', arch='sm_90a')
    """

    kind: str
    arch: str = ""

    @classmethod
    def parse(cls, text: str) -> Target:
        """The target called `text`.

        Raises
        ------
        WorkbenchError
            When there is no such target.
        """
        kind, mark, arch = text.partition(":") if isinstance(text, str) else ("", "", "")
        known = kind in ("cpu", "interp", "cuda")
        if not known or (mark and (kind != "cuda" or not _ARCH.fullmatch(arch))):
            raise WorkbenchError(
                f"no target is called {text!r}",
                hint='use "cpu", "interp", "cuda" or "cuda:sm_90a" (any sm_ number)',
            )
        return cls(kind, arch)

    def __str__(self) -> str:
        return f"{self.kind}:{self.arch}" if self.arch else self.kind
