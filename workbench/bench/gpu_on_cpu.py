"""C5: the matmul of the notebooks, written for a GPU, on one CPU thread as it is.

Beside it numpy on one thread (its BLAS bound by threadpoolctl), and the interpreter on the same
arrays of a smaller size.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.bench.figure import Figure, Goal, Settings, absent, duration, times
from workbench.bench.samples import BY_NAME, Extents
from workbench.driver.backend import Run
from workbench.driver.kernel import Kernel
from workbench.runtime import jit
from workbench.runtime.cache import default_cache
from workbench.runtime.cpu_launch import CpuLauncher
from workbench.runtime.timing import Measurement, compare, ratio

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

_NUMPY, _INTERP = Goal(0.30, at_least=True), Goal(100, at_least=True)
NO_LIMITS = 'threadpoolctl is not installed; python -m pip install ".[bench]"'


def gpu_on_cpu(settings: Settings) -> list[Figure]:
    """Times and ratios at 512³ and 1024³, and against the interpreter at 256 × 256 × 64."""
    figures: list[Figure] = []
    for n in (128,) if settings.quick else (512, 1024):
        figures += _beside_numpy((n, n, n), settings)
    return [
        *figures,
        *_beside_interp((128, 128, 8) if settings.quick else (256, 256, 64), settings),
    ]


def one_thread(kernel: Kernel, args: list[Any]) -> Run:
    """A launch of a CPU kernel on the calling thread alone."""
    binary = jit.compile(kernel.compilation.source, cache=default_cache())
    types = tuple(p.type for p in kernel.module.kernel.params)
    return CpuLauncher(binary, kernel.launch, types, threads=1).prepare(args)


def _beside_numpy(size: Extents, settings: Settings) -> list[Figure]:
    sample = BY_NAME["matmul"]
    a, b, c = sample.arrays(size)
    run = one_thread(sample.program().compile("cpu", **sample.extents(size)), [a, b, c])
    name = " × ".join(map(str, size))
    limited = blas_threads(1)
    if limited is None:
        return [absent(f"of numpy's speed, {name}", NO_LIMITS, _NUMPY, "×")]
    with limited:
        beside = np.empty_like(c)
        runs = {"workbench": run, "numpy": lambda: np.matmul(a, b, out=beside)}
        found = compare(runs, budget_s=settings.budget_s)
    assert sample.error([a, b], c) < 1e-5, "the result is wrong"
    ours, theirs = found["workbench"], found["numpy"]
    operations = sample.operations(*size)
    return [
        duration(f"workbench, {name}", ours, facts={"GFLOP/s": _rate(operations, ours)}),
        duration(f"numpy, {name}", theirs, facts={"GFLOP/s": _rate(operations, theirs)}),
        times(f"of numpy's speed, {name}", ratio(theirs, ours), _NUMPY),
    ]


def _beside_interp(size: Extents, settings: Settings) -> list[Figure]:
    sample = BY_NAME["matmul"]
    program = sample.program()
    arrays = sample.arrays(size)
    extents = sample.extents(size)
    runs = {
        "workbench": one_thread(program.compile("cpu", **extents), arrays),
        "interp": program.compile("interp", **extents).prepare(*arrays),
    }
    found = compare(runs, budget_s=settings.budget_s)
    name = " × ".join(map(str, size))
    return [
        duration(f"interp, {name}", found["interp"]),
        times(
            f"of the interpreter's speed, {name}",
            ratio(found["interp"], found["workbench"]),
            _INTERP,
        ),
    ]


def _rate(operations: int, of: Measurement) -> float:
    return operations / of.median_us / 1e3


def blas_threads(count: int) -> AbstractContextManager[object] | None:
    """Bounds the threads of numpy's BLAS; None without threadpoolctl."""
    try:
        from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    return threadpool_limits(count)
