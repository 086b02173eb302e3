"""What a new shape costs a model: its first call, import to result, nothing cached.

A text model (zoo's ``minilm_l3``) meets lengths, and a voice detector (``silero_vad``), which has
branches that data decide, numbers of recordings; both are drawn once, the same in each run. For the
second the way to its kernels is recorded, and kernels are made that serve others as well; later
ones go that way again. What a call takes with what has been there is told beside.

For a GPU the text model and a finder of text in pictures (``ocr_det``) are made ready for sizes,
up to cubins, and nothing is launched: that needs NVRTC and no GPU.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.bench.figure import Figure, Settings, absent, duration
from workbench.bench.fresh import empty_cache
from workbench.bench.zoo import MODELS
from workbench.graph import from_onnx
from workbench.graph.dynamic import DynamicGraph
from workbench.runtime import nvrtc
from workbench.runtime.cache import default_cache
from workbench.runtime.devices import cpu
from workbench.runtime.timing import Measurement

if TYPE_CHECKING:
    import numpy as np

    from workbench.bench.zoo import Model

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")

_COUNT = 40
"""Lengths, or numbers of recordings, of a run."""

_LATE = 20
"""From which on one is late."""


def new_shape(settings: Settings) -> list[Figure]:
    """The first call of the first, the second, the third and of later ones."""
    lengths, batches = ("length", "lengths"), ("batch", "batches")
    texts = _figures("minilm_l3", lengths, np.arange(16, 128), _text, settings)
    voices = _figures("silero_vad", batches, np.arange(1, 64), _voices, settings)
    return texts + voices + _for_gpu(settings)


_ARCH = "sm_90a"
"""Of the GPU that need not be here."""


def _for_gpu(settings: Settings) -> list[Figure]:
    """Making ready for a size, for a GPU."""
    if not nvrtc.installed():
        return [absent("new shapes for a GPU", "NVRTC is not installed", unit="ms")]
    texts = {"minilm_l3": (("length", "lengths"), np.arange(16, 128), _text)}
    pictures = {"ocr_det": (("size", "sizes"), np.arange(10, 40), _picture)}
    return [
        figure
        for name, (words, numbers, inputs) in (texts | pictures).items()
        for figure in _figures(name, words, numbers, inputs, settings, f"cuda:{_ARCH}")
    ]


def _figures(
    name: str,
    words: tuple[str, str],
    numbers: Array,
    inputs: Callable[[int], dict[str, Array]],
    how: Settings,
    target: str = "cpu",
) -> list[Figure]:
    """Those of one model for some of the numbers that its inputs can be made for."""
    one, many = words
    model = next(each for each in MODELS if each.name == name)
    name += f" for {_ARCH}" if target != "cpu" else ""
    if model.path is None:
        return [absent(f"{name}: new {one}", model.wanted, unit="ms")]
    drawn = np.random.default_rng(7).permutation(numbers)[: 4 if how.quick else _COUNT]
    calls = [inputs(int(number)) for number in drawn]
    runs = [_run(model, calls, target) for _ in range(1 if how.quick else 3)]
    late = [call for run in runs for call in run[_LATE:] or run[3:]]
    again = [_Call(call.again_ms, call.again_ms, 0) for call in late]
    bare = [call for call in late if not call.built]
    figures = {f"{one} {n + 1}": [run[n] for run in runs] for n in range(3)}
    figures |= {f"late {many}": late}
    figures |= {f"late {many}, once more": again} if target == "cpu" else {}
    figures |= {f"late {many} that build nothing": bare} if bare else {}
    return [_figure(f"{name}: {each}", found) for each, found in figures.items()]


def _text(length: int) -> dict[str, Array]:
    ids = np.random.default_rng(length).integers(0, 30_522, (1, length), dtype=np.int64)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def _picture(size: int) -> dict[str, Array]:
    """So many times 32 pixels wide and seven to eleven times high: the model wants such."""
    return {"x": np.empty((1, 3, 32 * (7 + size % 5), 32 * size), np.float32)}


def _voices(count: int) -> dict[str, Array]:
    noise = np.random.default_rng(count).standard_normal((count, 576), np.float32) / 8
    state = np.zeros((2, count, 128), np.float32)
    return {"input": noise, "state": state, "sr": np.array(16_000)}


@dataclass(frozen=True, slots=True)
class _Call:
    """Time of the first and the second call of a shape [ms]; kernels compiled for it."""

    ms: float
    again_ms: float
    built: int


def _run(model: Model, inputs: Sequence[dict[str, Array]], target: str) -> list[_Call]:
    """The calls with each; for a GPU what comes before them."""
    calls: list[_Call] = []
    with empty_cache():
        compiled = from_onnx(model.load()).optimize().compile(target)
        assert isinstance(compiled, DynamicGraph)
        call = compiled if target == "cpu" else partial(_ready, compiled)
        for arrays in inputs:
            before, start = default_cache().stats.misses, time.perf_counter()
            call(arrays)
            middle = time.perf_counter()
            call(arrays)
            end = time.perf_counter()
            built = default_cache().stats.misses - before
            calls.append(_Call((middle - start) * 1e3, (end - middle) * 1e3, built))
    return calls


def _ready(graph: DynamicGraph, arrays: dict[str, Array]) -> None:
    graph.prepare({name: array.shape for name, array in arrays.items()})


def _figure(name: str, calls: list[_Call]) -> Figure:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else -1.0
    taken = Measurement(
        name,
        tuple(1e3 * call.ms for call in calls),
        device=cpu().name,
        clock="perf_counter, the first call with each",
        load=load,
    )
    built = round(mean(call.built for call in calls), 1)
    return duration(name, taken, facts={"kernels built": built})
