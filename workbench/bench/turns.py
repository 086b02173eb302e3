"""Two sides in turns that do not disturb one another: each sample follows a pause."""

from __future__ import annotations

import time
from collections.abc import Mapping

from workbench.runtime.devices import cpu
from workbench.runtime.timing import CpuClock, Measurement, Run

_SAMPLE_US = 40_000.0
_LEAST = 5


def in_turns(
    runs: Mapping[str, Run], budget_s: float, pause_s: float = 0.05
) -> dict[str, Measurement]:
    """Samples of several calls each, in turns.

    The threads of either side spin for a while after a call, on the cores that the other one is
    to use: before each sample there is a pause, and some calls that do not count.

    Parameters
    ----------
    pause_s : float
        How long: OpenBLAS's threads are felt for 0.1 s, others much shorter [s].
    """
    clock = CpuClock(cpu().name)
    calls: dict[str, int] = {}
    for name, run in runs.items():
        run()
        once_us = clock.elapsed_us(run, 1)
        calls[name] = max(2, min(200, int(_SAMPLE_US / max(once_us, 1.0))))
    samples: dict[str, list[float]] = {name: [] for name in runs}
    start = time.perf_counter()
    while time.perf_counter() - start < 2 * budget_s or len(samples[next(iter(runs))]) < _LEAST:
        for name, run in runs.items():
            time.sleep(pause_s)
            clock.elapsed_us(run, calls[name] // 2)
            samples[name].append(clock.elapsed_us(run, calls[name]) / calls[name])
    how = f"{clock.name}, each sample after a pause of {pause_s * 1e3:.0f} ms"
    return {
        name: Measurement(name, tuple(samples[name]), calls[name], 0, clock.device, how)
        for name in runs
    }
