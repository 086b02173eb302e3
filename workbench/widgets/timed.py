"""A call timed with a bar; an interrupt keeps the samples that there are."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.driver.kernel import Kernel
from workbench.driver.program import Program
from workbench.runtime.arguments import on_gpu
from workbench.runtime.devices import cpu
from workbench.runtime.gpu_launch import EventClock
from workbench.runtime.timing import Clock, CpuClock, Measurement, Run, measure, time_text
from workbench.view.raw import RawKernel
from workbench.widgets.progress import Progress

MOST_SAMPLES = 1000
_FIRST_S = 0.05

Call = tuple[Any, tuple[Any, ...], dict[str, Any]]


def timed(call: Call, budget_s: float) -> Measurement:
    """Time a call.

    Parameters
    ----------
    call : (callable, tuple, dict)
        A Program, Kernel or RawKernel, or any function; its arguments.
    budget_s : float
        Time to spend on samples [s].

    Returns
    -------
    Measurement
        Of the samples that were taken until the budget was spent or somebody interrupted.

    Raises
    ------
    WorkbenchError
        When the call cannot be made, or was stopped before the first sample.

    Examples
    --------
    >>> len(timed((sum, ((1, 2),), {}), 0.01).samples_us) >= 5
    True
    """
    if not budget_s > 0:
        raise WorkbenchError("the budget is a time above 0 [s]", hint="--budget 0.5")
    run, name, clock = prepared(call)
    first: Measurement | None = None
    samples: list[float] = []
    with Progress(f"timing {name}", 100) as progress:
        start = time.perf_counter()
        first = measure(run, name, clock, min(_FIRST_S, budget_s / 2))
        samples += first.samples_us
        while len(samples) < MOST_SAMPLES and time.perf_counter() - start < budget_s:
            samples.append(clock.elapsed_us(run, first.calls) / first.calls)
            part = max((time.perf_counter() - start) / budget_s, len(samples) / MOST_SAMPLES)
            progress.step(min(100, int(100 * part)) - progress.done, time_text(samples[-1]))
        progress.step(100 - progress.done, f"{len(samples)} samples")
    if first is None:
        raise WorkbenchError(f"{name} was stopped before the first sample")
    return replace(first, samples_us=tuple(samples))


def prepared(call: Call) -> tuple[Run, str, Clock]:
    """The call without arguments, what it is, and what times it."""
    thing, args, named = call
    wall = CpuClock(cpu().name)
    if isinstance(thing, RawKernel):
        return thing.prepare(*args, **named), f"{thing.name} on {thing.arch}", EventClock()
    if isinstance(thing, Program):
        if named:
            names = [param.name for param in thing.params]
            args += tuple(named.pop(name) for name in names[len(args) :] if name in named)
        thing = thing.kernel_for(args, "cuda" if any(map(on_gpu, args)) else "cpu")
    if isinstance(thing, Kernel):
        run = thing.prepare(*args, **named)
        return run, f"{thing.name} on {thing.target}", thing.clock() or wall
    if not callable(thing):
        raise WorkbenchError(f"a {type(thing).__name__} cannot be called")
    name = getattr(thing, "__name__", type(thing).__name__)
    return (lambda: thing(*args, **named)), name, wall
