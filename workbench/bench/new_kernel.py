"""C1: a new elementwise kernel, from definition to result, beside numba.

Each sample defines a kernel that was never seen before, in source text of its own as a notebook
cell has it, with a constant of its own: neither memory nor disk has anything to offer. It reads
the text, compiles, runs on 4,096 floats and is done when the result is there.
"""

from __future__ import annotations

import importlib.util
import itertools
import linecache
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.bench.figure import Figure, Goal, Settings, absent, duration, times
from workbench.bench.fresh import empty_cache, in_process, measured
from workbench.runtime.timing import compare, ratio

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

_SIZE = 4096
_OURS = """\
import workbench as wb
from workbench.lang import blockIdx, ceil_div, f32, launch, threadIdx

N = wb.dims("N")

@wb.script
def kernel(x: f32[N], y: f32[N]):
    launch(grid=ceil_div(N, 256), block=256)
    i = blockIdx.x * 256 + threadIdx.x
    if i < N:
        y[i] = x[i] * {factor} + 1.0
"""
_NUMBA = """\
import numba

@numba.njit
def kernel(x, y):
    for i in range(x.size):
        y[i] = x[i] * {factor} + 1.0
"""
_FIRST = """
import json, time
import numpy, llvmlite.binding, workbench
from workbench.bench.new_kernel import define_and_run
run = define_and_run()
start = time.perf_counter()
run()
print(json.dumps({"ms": (time.perf_counter() - start) * 1e3}))
"""
_GOAL_MS, _GOAL_TIMES = Goal(50), Goal(3, at_least=True)


def new_kernel(settings: Settings) -> list[Figure]:
    """Definition to result in a running process, in a new one, and numba's time beside it."""
    runs = {"workbench": define_and_run()}
    why = ""
    if importlib.util.find_spec("numba") is None:
        why = 'numba is not installed; python -m pip install ".[bench]"'
    else:
        runs["numba"] = define_and_run(_NUMBA)
    found = compare(runs, budget_s=settings.budget_s)
    first: list[float] = []
    for _ in range(settings.processes):
        with empty_cache():
            first.append(in_process(_FIRST)["ms"])
    figures = [
        duration("workbench, in a running process", found["workbench"], _GOAL_MS),
        duration("workbench, first kernel of a process", measured("first kernel", first)),
    ]
    if why:
        return [*figures, absent("numba", why), absent("numba ÷ workbench", why, _GOAL_TIMES, "×")]
    share = ratio(found["numba"], found["workbench"])
    return [
        *figures,
        duration("numba, in a running process", found["numba"]),
        times("numba ÷ workbench", share, _GOAL_TIMES),
    ]


def define_and_run(template: str = _OURS) -> Callable[[], None]:
    """A call that defines a kernel never seen before, and runs it.

    Raises
    ------
    AssertionError
        In the call, when the result is wrong.
    """
    x = np.linspace(-1, 1, _SIZE, dtype=np.float32)
    numbers = itertools.count(1)

    def run() -> None:
        factor = 1 + next(numbers) / 64
        file = f"<bench {template[7:12]} {factor}>"
        text = template.format(factor=factor)
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        names: dict[str, Any] = {"__name__": "bench"}
        exec(compile(text, file, "exec"), names)
        y = np.full_like(x, np.nan)
        names["kernel"](x, y)
        assert abs(float(y[-1]) - (factor + 1)) < 1e-5, "the result is wrong"
        del linecache.cache[file]

    return run
