"""What the targets have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from workbench.base.errors import LaunchError
from workbench.codegen.source import Source
from workbench.driver.occupancy import Occupancy
from workbench.runtime.nvrtc import Resources
from workbench.runtime.timing import Clock

Run = Callable[[], None]


class Backend(Protocol):
    """One kernel on one target; what is not needed to show its source is made when asked for."""

    @property
    def source(self) -> Source:
        """What the target's compiler gets."""
        ...

    @property
    def on_gpu(self) -> bool:
        """Whether arrays must lie in the memory of a GPU."""
        ...

    @property
    def ms(self) -> float:
        """What code generation and the target's compiler took [ms]."""
        ...

    def binary(self) -> bytes:
        """Machine code; empty when the target has none."""
        ...

    def resources(self) -> Resources | None:
        """What it takes of the machine; None when the target does not say."""
        ...

    def occupancy(self) -> Occupancy | None:
        """How many blocks share a multiprocessor; None when the target has none."""
        ...

    def listing(self, kind: str) -> str:
        """The text called `kind` (``ptx``, ``sass``, ``llvm``, ``asm``).

        Raises
        ------
        LaunchError
            When the target has none.
        """
        ...

    def prepare(self, args: Sequence[Any]) -> Run:
        """A launch with these arguments, checked already."""
        ...

    def clock(self) -> Clock | None:
        """What to time it with; None is the wall clock."""
        ...


def lacks(target: str, kind: str) -> LaunchError:
    """The error for a listing that a target does not have."""
    has = {"ptx": "cuda", "sass": "cuda", "llvm": "cpu", "asm": "cpu"}[kind]
    return LaunchError(
        f"a kernel for {target} has no {kind}", hint=f'compile it for "{has}" to see it'
    )
