"""What this CPU can do at most, measured: its arithmetic and its memory, by kernels of our own."""

# Kernels are read, not run: their annotations are the language's.
# pyright: standard, reportInvalidTypeForm=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.driver.program import script
from workbench.lang import blockIdx, f32, fma, launch, register, threadIdx, unroll
from workbench.runtime import jit
from workbench.runtime.following import cores
from workbench.runtime.timing import CpuClock

if TYPE_CHECKING:
    import numpy as np

    from workbench.driver.program import Program
else:
    np = lazy("numpy")

_TURNS = 100_000
_PIECES = 8
"""Blocks for each core: one that is held up gives some of its own to others."""

COPIED = 2**24
"""Elements of a copy: 64 MiB there and 64 MiB back, more than most caches hold."""

RUNS = 9


@dataclass(frozen=True, slots=True)
class Roof:
    """The most that all cores reached together.

    Attributes
    ----------
    operations_per_us : float
        FP32, a fused multiply-add counts as two [1/µs].
    memory_bytes_per_us : float
        Read and written [byte/µs].
    """

    operations_per_us: float
    memory_bytes_per_us: float


@cache
def cpu_roof() -> Roof:
    """The roof of this machine; takes a tenth of a second when it is asked for first."""
    lanes, units = jit.host().lanes, cores()
    out = np.zeros(units * _PIECES * lanes, np.float32)
    chains = _chains(lanes, units * _PIECES).compile("cpu").prepare(out)
    operations = 2 * CHAINS * _TURNS * out.size
    there, back = np.ones(COPIED, np.float32), np.zeros(COPIED, np.float32)
    copy = _copy(lanes).compile("cpu").prepare(there, back)
    return Roof(operations / _least_us(chains), 2 * there.nbytes / _least_us(copy))


def _least_us(run: Callable[[], None]) -> float:
    clock = CpuClock("this CPU")
    run()
    return min(clock.elapsed_us(run, 1) for _ in range(RUNS))


CHAINS = 12
"""Sums of a thread that do not wait for one another: two units with a latency of 4 or 5 want 10."""


def _chains(lanes: int, blocks: int) -> Program:
    @script
    def chains(out: f32[blocks * lanes]):
        launch(grid=blocks, block=lanes)
        i = blockIdx.x * lanes + threadIdx.x
        x = out[i] * 0.5 + 0.25
        sums = register(f32, (CHAINS,))
        for k in unroll(range(CHAINS)):
            sums[k] = x + k
        for _ in range(_TURNS):
            for k in unroll(range(CHAINS)):
                sums[k] = fma(sums[k], x, 0.5)
        for k in unroll(range(CHAINS)):
            out[i] = out[i] + sums[k]

    return chains


def _copy(lanes: int) -> Program:
    each = 64
    rows = COPIED // (lanes * each)

    @script
    def copy(there: f32[COPIED], back: f32[COPIED]):
        launch(grid=rows, block=lanes)
        for k in range(each):
            i = (blockIdx.x * each + k) * lanes + threadIdx.x
            back[i] = there[i]

    return copy
