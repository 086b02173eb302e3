"""The six kernels on every target: errors against float64, registers, spills, shared memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.bench.figure import Figure, Goal, Settings, absent
from workbench.bench.samples import SAMPLES, Sample
from workbench.runtime import nvrtc

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

_ARCHS = ("sm_80", "sm_90a")


def targets(settings: Settings) -> list[Figure]:
    """A row per kernel and target."""
    return [
        figure
        for sample in SAMPLES
        for figure in (
            _error(sample, "interp", settings),
            _error(sample, "cpu", settings),
            *(_cubin(sample, arch) for arch in _ARCHS),
        )
    ]


def _error(sample: Sample, target: str, settings: Settings) -> Figure:
    """The largest error, with that of numpy in the same precision beside it."""
    size = sample.small if settings.quick or target == "interp" else sample.odd
    *inputs, out = sample.arrays(size)
    sample.program().compile(target, **sample.extents(size))(*inputs, out)
    plain = np.asarray(sample.reference(*inputs))
    assert not np.isnan(out).any(), "an element was never written"
    return Figure(
        f"{sample.name} on {target}",
        sample.error(inputs, out),
        "largest error",
        conditions="against numpy's float64, relative to the largest element; inputs random",
        facts={"numpy's float32": sample.error(inputs, plain), "at": _size(size)},
    )


def _cubin(sample: Sample, arch: str) -> Figure:
    name, goal = f"{sample.name} on {arch}", Goal(0)
    if not nvrtc.installed():
        return absent(name, "NVRTC is not installed", goal, "bytes spilled")
    kernel = sample.program().compile(f"cuda:{arch}", **sample.extents(sample.odd))
    used, occupancy = kernel.resources, kernel.occupancy
    assert used is not None
    assert occupancy is not None
    return Figure(
        name,
        used.spill_bytes,
        "bytes spilled",
        goal=goal,
        conditions="as ptxas reports",
        facts={
            "registers": used.registers,
            "shared bytes": used.shared_bytes + used.dynamic_shared_bytes,
            "occupancy": occupancy.fraction,
            "limited by": occupancy.limiter,
        },
    )


def _size(size: tuple[int, ...]) -> str:
    return " × ".join(map(str, size))
