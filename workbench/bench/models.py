"""C9: real models beside onnxruntime, each in processes of its own.

One process compiles with an empty cache, compares what comes out and takes times in turns; a
second one compiles from the cache; a third has onnxruntime alone, for its memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.base.lazy import lazy
from workbench.bench import zoo
from workbench.bench.figure import Figure, Goal, Settings, absent
from workbench.bench.fresh import empty_cache, in_process
from workbench.bench.turns import in_turns
from workbench.graph import CompiledGraph, FlowGraph, from_onnx
from workbench.ir.types import Dim
from workbench.runtime.following import cores
from workbench.runtime.timing import ratio

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

Facts = dict[str, Any]

_CHILD = """
import sys
from workbench.bench.models import child
child(*sys.argv[1:])
"""
_MEGA = 1e6


def models(settings: Settings) -> list[Figure]:
    """Latency of every model that is here, as a part of onnxruntime's; and their mean."""
    return _beside(zoo.MODELS, settings)


def quantized(settings: Settings) -> list[Figure]:
    """The same of models in 8 bits."""
    return _beside(zoo.QUANTIZED, settings)


def _beside(every: Sequence[zoo.Model], settings: Settings) -> list[Figure]:
    chosen = every[:1] if settings.quick else every
    figures = [_model(each, settings) for each in chosen]
    ratios = [f.value for f in figures if f.unit == "× onnxruntime" and f.value is not None]
    if ratios:
        mean = exp(sum(map(log, ratios)) / len(ratios))
        facts = {"models": len(ratios), "threads": cores()}
        figures.append(
            Figure("geometric mean of the latencies", mean, "×", goal=Goal(1.0), facts=facts)
        )
    return figures


def _model(model: zoo.Model, settings: Settings) -> Figure:
    name = f"{model.name}: latency"
    if model.path is None:
        return absent(name, model.wanted, unit="× onnxruntime")
    try:
        facts = measured(model.name, settings.budget_s)
    except WorkbenchError as error:
        return absent(name, error.message, unit="× onnxruntime")
    low, high = facts.pop("low"), facts.pop("high")
    value = facts.pop("ratio")
    how = "in turns, each sample after a pause"
    return Figure(name, value, "× onnxruntime", low, high, Goal(1.0), how, facts)


def measured(name: str, budget_s: float) -> Facts:
    """All facts of one model, from three processes.

    Raises
    ------
    WorkbenchError
        When it cannot be imported, compiled or run.
    """
    with empty_cache():
        facts = _in_process("cold", name, budget_s)
        again = _in_process("again", name, budget_s)
    theirs = _in_process("onnxruntime", name, budget_s)
    return facts | again | theirs


def _in_process(part: str, name: str, budget_s: float) -> Facts:
    found = in_process(_CHILD, part, name, str(budget_s), str(zoo.EXPORTS.resolve()))
    if "failure" in found:
        raise WorkbenchError(found["failure"])
    return found


def child(part: str, name: str, budget_s: str, exports: str) -> None:
    """What a process of the bench does: print a dict as JSON."""
    zoo.EXPORTS = Path(exports)
    model = next(each for each in (*zoo.MODELS, *zoo.QUANTIZED) if each.name == name)
    parts: dict[str, Callable[[zoo.Model, float], Facts]] = {
        "cold": _cold,
        "again": _again,
        "onnxruntime": _theirs,
    }
    try:
        facts = parts[part](model, float(budget_s))
    except WorkbenchError as error:
        facts = {"failure": " | ".join(map(str, (error.message, *error.notes)))}
    print(json.dumps(facts))


def _cold(model: zoo.Model, budget_s: float) -> Facts:
    """Counts, agreement, and times taken in turns with onnxruntime."""
    source, x = model.load(), model.arrays()
    flow, compiled, facts = _compiled(source, x)
    session = _session(source)
    outputs = compiled(x)
    names = list(outputs)
    want = dict(zip(names, session.run(names, dict(x)), strict=True))
    found = in_turns(
        {"workbench": lambda: compiled(x), "onnxruntime": lambda: session.run(None, dict(x))},
        budget_s,
    )
    beside = ratio(found["workbench"], found["onnxruntime"])
    (before, after), traffic = compiled.launches, compiled.traffic_bytes
    return {
        "nodes": len(flow.operators),
        "operators": before,
        "launches": after,
        "kernels": len(compiled.kernels),
        "traffic before [MB]": traffic[0] / _MEGA,
        "traffic [MB]": traffic[1] / _MEGA,
        "arena [MB]": compiled.memory.arena_bytes / _MEGA,
        "error": max((_error(outputs[n], want[n]) for n in want), default=0.0),
        "ms": found["workbench"].median_us / 1e3,
        "onnxruntime ms": found["onnxruntime"].median_us / 1e3,
        "ratio": beside.median,
        "low": beside.low,
        "high": beside.high,
        **{f"cold {key}": value for key, value in facts.items()},
    }


def _again(model: zoo.Model, budget_s: float) -> Facts:
    """Compile time from the cache, and the peak of memory."""
    del budget_s
    _, compiled, facts = _compiled(model.load(), model.arrays())
    compiled(model.arrays())
    return {f"cached {key}": value for key, value in facts.items()} | {"peak [MB]": _peak()}


def _theirs(model: zoo.Model, budget_s: float) -> Facts:
    """The peak of memory of onnxruntime."""
    del budget_s
    session = _session(model.load())
    session.run(None, dict(model.arrays()))
    return {"onnxruntime peak [MB]": _peak()}


def _compiled(source: bytes, x: zoo.Arrays) -> tuple[FlowGraph, CompiledGraph, Facts]:
    start = time.perf_counter()
    flow = from_onnx(source)
    optimized = flow.optimize(dims_of(flow, x))
    imported = time.perf_counter()
    compiled = optimized.compile("cpu")
    done = time.perf_counter()
    return flow, compiled, {"import s": imported - start, "compile s": done - imported}


def dims_of(flow: FlowGraph, x: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Values of the open dims, as the arrays have them."""
    return {
        dim.name: extent
        for tensor in flow.inputs
        for dim, extent in zip(tensor.shape or (), x[tensor.name].shape, strict=True)
        if isinstance(dim, Dim)
    }


def _session(source: bytes) -> Any:
    """Onnxruntime, with as many threads as our own launches use."""
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise WorkbenchError("onnxruntime is not installed") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _error(got: np.ndarray, want: np.ndarray) -> float:
    """Largest difference, as a part of the range of what is wanted."""
    assert got.shape == want.shape, f"{got.shape} is not {want.shape}"
    if not want.size:
        return 0.0
    wide = want.astype(np.float64)
    spread = float(wide.max() - wide.min()) or float(abs(wide.max())) or 1.0
    return float(np.abs(got.astype(np.float64) - wide).max()) / spread


def _peak() -> float:
    """The most memory that this process has held [MB]."""
    status = Path("/proc/self/status")
    if status.exists():
        # what getrusage tells of a process begins with what its parent held when it forked
        line = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / _MEGA
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MEGA
