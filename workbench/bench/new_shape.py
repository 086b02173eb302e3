"""What a new length of a text costs a model: its first call, import to result, nothing cached.

The model is zoo's ``minilm_l3``; the lengths are drawn once, the same in each run. For the second
the way to its kernels is recorded, and kernels are made that serve others as well; later ones go
that way again. What a call with a length takes that has been there is told beside.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.bench.figure import Figure, Settings, absent, duration
from workbench.bench.fresh import empty_cache
from workbench.bench.zoo import MODELS
from workbench.graph import from_onnx
from workbench.runtime.cache import default_cache
from workbench.runtime.devices import cpu
from workbench.runtime.timing import Measurement

if TYPE_CHECKING:
    import numpy as np

    from workbench.bench.zoo import Model
else:
    np = lazy("numpy")

_COUNT = 40
"""Lengths of a run, out of 16 to 127."""

_LATE = 20
"""From which on a length is late."""


def new_shape(settings: Settings) -> list[Figure]:
    """The first call of the first, the second, the third and of later lengths."""
    model = next(each for each in MODELS if each.name == "minilm_l3")
    if model.path is None:
        return [absent("new length", model.wanted, unit="ms")]
    runs = [_run(model, 4 if settings.quick else _COUNT) for _ in range(1 if settings.quick else 3)]
    first = [_figure(f"length {n + 1}", [run[n] for run in runs]) for n in range(3)]
    late = [call for run in runs for call in run[_LATE:] or run[3:]]
    again = [_Call(call.again_ms, call.again_ms, 0) for call in late]
    figures = [*first, _figure("late lengths", late), _figure("late lengths, once more", again)]
    bare = [call for call in late if not call.built]
    return [*figures, _figure("late lengths that build nothing", bare)] if bare else figures


@dataclass(frozen=True, slots=True)
class _Call:
    """Time of the first and the second call with a length [ms]; kernels compiled for it."""

    ms: float
    again_ms: float
    built: int


def _run(model: Model, count: int) -> list[_Call]:
    """The calls with each length."""
    lengths = np.random.default_rng(7).permutation(np.arange(16, 128))[:count]
    calls: list[_Call] = []
    with empty_cache():
        compiled = from_onnx(model.load()).optimize().compile("cpu")
        for length in map(int, lengths):
            random = np.random.default_rng(length)
            ids = random.integers(0, 30_522, (1, length), dtype=np.int64)
            arrays = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            before, start = default_cache().stats.misses, time.perf_counter()
            compiled(arrays)
            middle = time.perf_counter()
            compiled(arrays)
            end = time.perf_counter()
            built = default_cache().stats.misses - before
            calls.append(_Call((middle - start) * 1e3, (end - middle) * 1e3, built))
    return calls


def _figure(name: str, calls: list[_Call]) -> Figure:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else -1.0
    taken = Measurement(
        name,
        tuple(1e3 * call.ms for call in calls),
        device=cpu().name,
        clock="perf_counter, the first call with each length",
        load=load,
    )
    built = round(mean(call.built for call in calls), 1)
    return duration(name, taken, facts={"kernels built": built})
