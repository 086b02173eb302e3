"""The six kernels on a GPU: against float64, and timed beside CuPy's and torch's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.base.errors import LaunchError
from workbench.bench.figure import Figure, Settings, absent, duration, times
from workbench.bench.samples import SAMPLES, Sample
from workbench.runtime.gpu_launch import EventClock
from workbench.runtime.memory import array_module
from workbench.runtime.timing import Measurement, Run, compare, ratio

Array = Any


def gpu(settings: Settings) -> list[Figure]:
    """Times of each kernel and its peers, and how many times longer the peers take."""
    try:
        cupy = array_module(gpu=True)
    except LaunchError as error:
        return [absent(sample.name, error.message) for sample in SAMPLES]
    return [each for sample in SAMPLES for each in _one(sample, cupy, settings)]


def _one(sample: Sample, cupy: Any, settings: Settings) -> list[Figure]:
    size = sample.odd if settings.quick else sample.large
    host = sample.arrays(sample.odd)
    arrays = [cupy.asarray(each) for each in host]
    program = sample.program()
    program(*arrays)
    error = sample.error(host[:-1], cupy.asnumpy(arrays[-1]))
    arrays = [cupy.asarray(each) for each in sample.arrays(size)]
    kernel = program.compile("cuda", **sample.extents(size))
    runs: dict[str, Run] = {"workbench": kernel.prepare(*arrays)}
    runs |= _cupy(sample.name, cupy, arrays) | _torch(sample.name, arrays)
    found = compare(runs, EventClock(), settings.budget_s)
    ours = found["workbench"]
    shape = " × ".join(map(str, size))
    facts = {"largest error": error, **_rates(sample, size, ours)}
    figures = [duration(f"{sample.name}, {shape}", ours, facts=facts)]
    for peer in list(found)[1:]:
        name = f"{sample.name}, {peer}"
        figures += [
            duration(name, found[peer], facts=_rates(sample, size, found[peer])),
            times(f"{name} ÷ workbench", ratio(found[peer], ours)),
        ]
    return figures


def _rates(sample: Sample, size: tuple[int, ...], of: Measurement) -> dict[str, int | float | str]:
    return {
        "GB/s": sample.bytes_moved(*size) / of.median_us / 1e3,
        "GFLOP/s": sample.operations(*size) / of.median_us / 1e3,
    }


def _cupy(name: str, cupy: Any, arrays: list[Array]) -> dict[str, Run]:
    """CuPy's own way to do the same; each into an array that is there already if it can."""
    a, out = arrays[0], cupy.empty_like(arrays[-1])

    def softmax() -> Array:
        power = cupy.exp(a - a.max(axis=1, keepdims=True))
        return power / power.sum(axis=1, keepdims=True)

    ways: dict[str, Callable[[], Array]] = {
        "vector_add": lambda: cupy.add(a, arrays[1], out=out),
        "copy_2d": lambda: cupy.copyto(out, a),
        "transpose": lambda: cupy.copyto(out, a.T),
        "matmul": lambda: cupy.matmul(a, arrays[1], out=out),
        "softmax": softmax,
        "block_sum": lambda: cupy.sum(a, axis=1, out=out),
    }
    return {"CuPy": ways[name]}


def _torch(name: str, arrays: list[Array]) -> dict[str, Run]:
    """The same in torch on CuPy's current stream; nothing where torch has no GPU."""
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError:
        return {}
    if not torch.cuda.is_available():
        return {}
    a, *rest = (torch.from_dlpack(each) for each in arrays)
    out = torch.empty_like(rest[-1])
    ways: dict[str, Callable[[], Array]] = {
        "vector_add": lambda: torch.add(a, rest[0], out=out),
        "copy_2d": lambda: out.copy_(a),
        "transpose": lambda: out.copy_(a.T),
        "matmul": lambda: torch.mm(a, rest[0], out=out),
        "softmax": lambda: torch.softmax(a, 1),
        "block_sum": lambda: torch.sum(a, 1, out=out),
    }
    return {"torch": ways[name]}
