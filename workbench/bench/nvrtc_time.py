"""CUDA C++ to a cubin through NVRTC: no cache of ours, no kernel compiled twice."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from workbench.bench.figure import Figure, Goal, Settings, duration
from workbench.bench.fresh import in_process, measured
from workbench.bench.samples import BY_NAME, Extents
from workbench.runtime import nvrtc
from workbench.runtime.timing import compare

_ARCH = "sm_90a"
_CHILD = """
import json, time
from workbench.runtime import nvrtc
start = time.perf_counter()
nvrtc.version()
loaded = time.perf_counter()
nvrtc.compile('extern "C" __global__ void k(float* x) { x[threadIdx.x] = 1.0f; }', "k", "sm_90a")
done = time.perf_counter()
print(json.dumps({"load": (loaded - start) * 1e3, "first": (done - loaded) * 1e3}))
"""


def nvrtc_time(settings: Settings) -> list[Figure]:
    """The elementwise kernel and the matmul, the library loaded; loading it, by itself."""
    children = [in_process(_CHILD) for _ in range(settings.processes)]
    runs = {
        "vector_add": _compiled("vector_add", (1_000_000,)),
        "matmul": _compiled("matmul", (1024, 1024, 1024)),
    }
    found = compare(runs, budget_s=settings.budget_s)
    return [
        duration("vector_add", found["vector_add"], Goal(100)),
        duration("matmul", found["matmul"], Goal(300)),
        duration("loading the library", measured("load", [each["load"] for each in children])),
        duration(
            "first kernel of a process", measured("first", [each["first"] for each in children])
        ),
    ]


def _compiled(name: str, size: Extents) -> Callable[[], object]:
    """Compiles the kernel under a new name each time: NVRTC may keep what it has seen."""
    sample = BY_NAME[name]
    text = sample.program().compile(f"cuda:{_ARCH}", **sample.extents(size)).source
    numbers = itertools.count()

    def run() -> object:
        entry = f"{name}_{next(numbers)}"
        return nvrtc.compile(re.sub(rf"\b{name}(?=\()", entry, text), entry, _ARCH)

    return run
