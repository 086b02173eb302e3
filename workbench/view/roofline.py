"""How near a kernel comes to what its machine can do, each number with where it is from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.mapping.check import counted
from workbench.passes.default import run as lower
from workbench.runtime.timing import time_text
from workbench.tune.cost import count, predict
from workbench.tune.machine import machine_of
from workbench.tune.roof import CHAINS, COPIED, RUNS, cpu_roof
from workbench.view.units import bytes_text

if TYPE_CHECKING:
    from workbench.driver.kernel import Kernel
    from workbench.tune.cost import Work
    from workbench.tune.machine import Machine


@dataclass(frozen=True, slots=True)
class SourcedFigure:
    """A number that says where it is from.

    Attributes
    ----------
    label, value : str
        What it is, and its value with a unit.
    source : str
        ``measured``, ``counted`` in the kernel's IR, ``predicted`` or ``stated`` of the machine.
    formula : str
        How it comes about, with the numbers filled in.
    """

    label: str
    value: str
    source: str
    formula: str = ""


@dataclass(frozen=True, slots=True)
class Roofline:
    """A kernel under the roof of its machine.

    Attributes
    ----------
    machine : str
        Its name.
    intensity : float
        Operations per byte that must move; 0 for a kernel that computes nothing.
    achieved : float
        Operations per second, measured [10⁹/s].
    peak, bandwidth : float
        What the machine can do at most [10⁹/s, 10⁹ byte/s].
    figures : tuple of SourcedFigure
        All numbers in words.
    """

    machine: str
    intensity: float
    achieved: float
    peak: float
    bandwidth: float
    figures: tuple[SourcedFigure, ...]


def roofline(kernel: Kernel, median_us: float) -> Roofline:
    """What a kernel does per launch, against what its machine can do.

    Parameters
    ----------
    median_us : float
        Measured duration of a launch [µs].
    """
    module = lower(kernel.module, kernel.target)
    work, machine = count(module), machine_of(kernel.target)
    us = max(median_us, 1e-9)
    found = cpu_roof() if kernel.target.kind == "cpu" else machine
    line = Roofline(
        machine.name,
        intensity=work.operations / max(work.tensor_bytes, 1.0),
        achieved=work.operations / us / 1e3,
        peak=found.operations_per_us / 1e3,
        bandwidth=found.memory_bytes_per_us / 1e3,
        figures=(),
    )
    source = "measured" if found is not machine else "stated"
    predicted = predict(module, kernel.target)
    how = f"by the cost model; limited by {predicted.limiter}"
    figures = (
        *_done(work, line, us),
        SourcedFigure("peak", f"{line.peak:.4g} Gop/s", source, _of_peak(machine)),
        SourcedFigure("memory", f"{line.bandwidth:.4g} GB/s", source, _of_memory(machine)),
        _share(work, line, us),
        SourcedFigure("predicted", time_text(predicted.us), "predicted", how),
    )
    return replace(line, figures=figures)


def _done(work: Work, line: Roofline, us: float) -> tuple[SourcedFigure, ...]:
    """What is counted in the IR, and how fast it was done."""
    time, done = time_text(us), _count(work.operations)
    moved = bytes_text(round(work.tensor_bytes))
    in_ir = "arithmetic on floats in the lowered IR, loops times their turns"
    rate, speed = f"{line.achieved:.3g} Gop/s", f"{work.tensor_bytes / us / 1e3:.3g} GB/s"
    return (
        SourcedFigure("duration", time, "measured", "median of the samples"),
        SourcedFigure("operations", done, "counted", in_ir),
        SourcedFigure("bytes that must move", moved, "counted", "each global tensor once"),
        SourcedFigure("intensity", f"{line.intensity:.3g} op/B", "counted", f"{done} ÷ {moved}"),
        SourcedFigure("rate", rate, "measured", f"{done} ÷ {time}"),
        SourcedFigure("throughput", speed, "measured", f"{moved} ÷ {time}"),
    )


def _share(work: Work, line: Roofline, us: float) -> SourcedFigure:
    """How much of the roof is reached; of the memory where nothing is computed."""
    speed, slope = work.tensor_bytes / us / 1e3, line.bandwidth * line.intensity
    if not line.intensity:
        share = f"{100 * speed / line.bandwidth:.3g} %"
        how = f"{speed:.3g} ÷ {line.bandwidth:.4g} GB/s{_cached(speed > line.bandwidth)}"
        return SourcedFigure("of the memory", share, "measured", how)
    roof, limit = min((line.peak, "peak"), (slope, "memory × intensity"))
    how = f"{line.achieved:.3g} ÷ {roof:.4g} Gop/s, {limit}{_cached(line.achieved > slope)}"
    return SourcedFigure("of the roof", f"{100 * line.achieved / roof:.3g} %", "measured", how)


def _cached(above: bool) -> str:
    """Why a kernel can be above what memory gives."""
    return "; above it: the data lie in a cache" if above else ""


def _of_peak(machine: Machine) -> str:
    if not machine.lanes:
        return f"FP32 rate of the {machine.name}, from its data sheet"
    return (
        f"{CHAINS} chains of fused multiply-adds on {counted(machine.units, 'core')} at once, "
        f"{machine.lanes} lanes, best of {RUNS}"
    )


def _of_memory(machine: Machine) -> str:
    if not machine.lanes:
        return f"of the {machine.name}, from its data sheet"
    size = bytes_text(4 * COPIED)
    return f"{size} copied by {counted(machine.units, 'core')}, read and written, best of {RUNS}"


def _count(value: float) -> str:
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}op"
    return f"{value:.0f} op"
