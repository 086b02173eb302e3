"""Several ways to do one thing, timed in turns: `workbench.compare`."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.base.errors import WorkbenchError
from workbench.base.version import __version__
from workbench.bench.turns import in_turns
from workbench.runtime.cpu_launch import cores
from workbench.runtime.timing import Measurement, Ratio, Run, ratio, time_text
from workbench.runtime.timing import compare as by_clock
from workbench.view.timing import TimingView, timing_view

if TYPE_CHECKING:
    from workbench.driver.kernel import Kernel
    from workbench.runtime.timing import Clock

PEERS = ("numpy", "onnxruntime", "torch", "cupy", "numba")
"""Packages whose versions are said where they are loaded."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Measurements taken in turns.

    Attributes
    ----------
    measurements : tuple of Measurement
        As many samples of each, taken side by side; the first is what the others are held against.
    around : str
        Threads and versions, in words.
    kernel : Kernel or None
        What the first one runs, where operations and bytes are to be counted.
    """

    measurements: tuple[Measurement, ...]
    around: str = ""
    kernel: Kernel | None = None

    def __getitem__(self, name: str) -> Measurement:
        """The measurement of this name."""
        for measurement in self.measurements:
            if measurement.name == name:
                return measurement
        raise KeyError(name)

    def ratio(self, name: str, to: str | None = None) -> Ratio:
        """How many times longer `name` takes than `to`, by default the first."""
        return ratio(self[name], self.measurements[0] if to is None else self[to])

    def __str__(self) -> str:
        first, *others = self.measurements
        lines = [str(first)]
        for each in others:
            lines.append(f"{each.name}: {time_text(each.median_us)}, {self.ratio(each.name)} ×")
        return "\n".join([*lines, self.around])

    __repr__ = __str__


def compare(
    runs: Mapping[str, Run],
    *,
    budget_s: float = 1.0,
    clock: Clock | None = None,
    kernel: Kernel | None = None,
) -> Comparison:
    """Time several ways to do one thing, in turns, so that the machine's mood meets all of them.

    Parameters
    ----------
    runs : mapping of str to callable
        Calls without arguments, by name; the others are held against the first.
    budget_s : float
        Time for the samples of each [s].
    clock : Clock, optional
        What times them, such as ``kernel.clock()`` for work on a GPU; by default the wall clock,
        with a pause before each sample, since threads of the others spin for a while.
    kernel : Kernel, optional
        What the first one runs: its operations and bytes are counted for the roofline.

    Raises
    ------
    WorkbenchError
        When there is nothing to time, or something that cannot be called.

    Examples
    --------
    >>> found = compare({"sum": lambda: sum(range(99)), "max": lambda: max(range(99))}, budget_s=0)
    >>> len(found.measurements), found.ratio("max").median > 0
    (2, True)
    """
    wrong = next((name for name, run in runs.items() if not callable(run)), None)
    if not runs or wrong is not None:
        what = (
            f"{wrong} is a {type(runs[wrong]).__name__}" if wrong is not None else "there is none"
        )
        raise WorkbenchError(
            f"compare times calls without arguments; {what}",
            hint='compare({"ours": lambda: kernel(a, b), "numpy": lambda: a @ b})',
        )
    taken = (
        in_turns(runs, budget_s * len(runs) / 2)
        if clock is None
        else by_clock(runs, clock, budget_s)
    )
    return Comparison(tuple(taken.values()), _around(), kernel)


def comparison_view(found: Comparison, kernel: Kernel | None = None) -> TimingView:
    """The view of measurements taken in turns."""
    first, *others = found.measurements
    return timing_view(first, others, kernel or found.kernel, found.around)


def _around() -> str:
    found = [f"workbench {__version__}", f"Python {platform.python_version()}"]
    for name in PEERS:
        version = getattr(sys.modules.get(name), "__version__", None)
        if isinstance(version, str):
            found.append(f"{name} {version}")
    threads = cores()
    return f"{threads} thread{'s' * (threads != 1)} of our own, {', '.join(found)}"
